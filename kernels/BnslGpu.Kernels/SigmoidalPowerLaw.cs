using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Sigmoidal power law, M4 of the comparison.</summary>
/// <remarks>
/// (y − e∞)/(e₀ − y)^α = β·x^c, arXiv:2209.06640, eq. 4. With y = e∞ + (e₀ − e∞) σ(t) it reads α softplus(t) − softplus(−t) = B + c u, which rises in t with
/// slope ασ(t) + σ(−t) and is solved by Newton's method, a fixed number of steps from the side from which it converges without a turn; derivatives
/// are implicit. θ = [e∞, e₀, B, c, log α], y relative to the smallest; B = log β + (α − 1) log(e₀ − e∞) at the last fit point.
/// </remarks>
public readonly struct SigmoidalPowerLaw : IScalingLaw
{
    private const int Limit = 0, E0 = 1, B = 2, C = 3, LogΑ = 4;
    private const int NewtonSteps = 8;

    /// <inheritdoc/>
    public static string Name => "m4";

    /// <inheritdoc/>
    public static string Formula => "(y - eInf) / (e0 - y)^alpha = beta x^c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M4, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 5;

    /// <summary>α and 1/α.</summary>
    public static int WorkCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        work[0] = Functions.ExpClamped<T, TMask>(θ[LogΑ]);
        work[1] = T.Constant(1) / work[0];
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T u = points[point], α = work[0], zero = T.Constant(0);
        T right = T.MultiplyAdd(θ[C], u, θ[B]);

        // The left side is t for t → −∞ and α t for t → +∞: Newton starts on an asymptote.
        T t = T.Select(T.Less(right, zero), right, right * work[1]);
        T softplus, sigmoid, other;
        for (int step = 0; step < NewtonSteps; step++)
        {
            t = T.Detach(t);
            softplus = Functions.Softplus<T, TMask>(t, out sigmoid, out other, out _);
            T excess = T.MultiplyAdd(α, softplus, t - softplus) - right; // softplus(−t) = softplus(t) − t
            t = t - (excess / T.MultiplyAdd(α, sigmoid, other));
        }

        softplus = Functions.Softplus<T, TMask>(t, out sigmoid, out other, out _);
        T slope = T.MultiplyAdd(α, sigmoid, other);
        T gap = θ[E0] - θ[Limit];
        T logY = T.Log(T.MultiplyAdd(gap, sigmoid, θ[Limit]), out T inverseY);
        T byRight = gap * sigmoid * other * inverseY / slope;
        gradient[row + Limit] = other * inverseY;
        gradient[row + E0] = sigmoid * inverseY;
        gradient[row + B] = byRight;
        gradient[row + C] = byRight * u;
        gradient[row + LogΑ] = -byRight * α * softplus;
        return logY;
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter switch
    {
        Limit => (0, 0.9999),
        E0 => (range.LargestY * 1.0001, range.LargestY * 1000),
        B => (-150, 150),
        C => (-20, 20),
        _ => (-4.6, 4.6),
    };

    /// <summary>e₀ just above the largest y up to ten times it; e∞ below the smallest; B and c through two places of the curve; α within a factor of 4 of 1.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double largest = 1;
        for (int knot = 0; knot < CurveShape.Knots; knot++) largest = Math.Max(largest, shape[1 + knot].Value);
        double limit = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98);
        double excess = F64.Exp(new F64(random.Uniform(-4.6, 2.3))).Value;
        double e0 = largest * (1 + excess), logΑ = random.Uniform(-1.4, 1.4), α = F64.Exp(new F64(logΑ)).Value;
        double first = shape[0].Value, left = first * random.Uniform(0.6, 1);
        double b = Right(CurveShape.Y(shape, 0), limit, e0, α), bLeft = Right(CurveShape.Y(shape, left), limit, e0, α);
        θ[Limit] = new F64(limit);
        θ[E0] = new F64(e0);
        θ[B] = new F64(b);
        θ[C] = new F64((b - bLeft) / -left);
        θ[LogΑ] = new F64(logΑ);
    }

    /// <summary>B + c u where the curve is at y: log σ(t) − α log σ(−t).</summary>
    private static double Right(double y, double limit, double e0, double α)
    {
        double share = Math.Min(Math.Max((y - limit) / (e0 - limit), 1e-6), 1 - 1e-6);
        return F64.Log(new F64(share), out _).Value - (α * F64.Log(new F64(1 - share), out _).Value);
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural =>
        [new("eInf", false), new("e0", false), new("alpha", false), new("beta", false), new("logBeta", false), new("c", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        const int P = 5;
        double logX = Math.Log(scale.X), α = Math.Exp(θ[LogΑ]), gap = θ[E0] - θ[Limit], logGap = Math.Log(gap) + Math.Log(scale.Y);
        natural[0] = θ[Limit] * scale.Y;
        jacobian[Limit] = scale.Y;
        natural[1] = θ[E0] * scale.Y;
        jacobian[P + E0] = scale.Y;
        natural[2] = α;
        jacobian[(2 * P) + LogΑ] = α;

        // β = (gap in y)^(1 − α) e^B at x = 1.
        double logBeta = natural[4] = θ[B] - (θ[C] * logX) + ((1 - α) * logGap);
        Span<double> row = jacobian.Slice(4 * P, P);
        (row[Limit], row[E0]) = (-(1 - α) / gap, (1 - α) / gap);
        (row[B], row[C], row[LogΑ]) = (1, -logX, -α * logGap);
        double beta = natural[3] = Math.Exp(logBeta);
        for (int j = 0; j < P; j++) jacobian[(3 * P) + j] = beta * row[j];
        natural[5] = θ[C];
        jacobian[(5 * P) + C] = 1;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        double logGap = Math.Log(natural[1] - natural[0]);
        θ[Limit] = natural[0] / scale.Y;
        θ[E0] = natural[1] / scale.Y;
        θ[C] = natural[5];
        θ[LogΑ] = Math.Log(natural[2]);
        θ[B] = natural[4] + (θ[C] * Math.Log(scale.X)) - ((1 - natural[2]) * logGap);
    }
}
