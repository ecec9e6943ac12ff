using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Power law, M1 of the comparison.</summary>
/// <remarks>
/// y = a·x^b, Alabdulmohsin, Neyshabur and Zhai 2022, arXiv:2209.06640. θ = [log y₀, b], y₀ the value at the last fit point: log y = log y₀ + b u.
/// </remarks>
public readonly struct PowerLaw : IScalingLaw
{
    private const int LogY0 = 0, B = 1;

    /// <inheritdoc/>
    public static string Name => "m1";

    /// <inheritdoc/>
    public static string Formula => "y = a x^b";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M1, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T u = points[point];
        gradient[row + LogY0] = T.Constant(1);
        gradient[row + B] = u;
        return T.MultiplyAdd(θ[B], u, θ[LogY0]);
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) =>
        parameter == B ? (-20, 20) : (double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>Through the last point with a slope of the curve's, blurred; the problem is linear, any start will do.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        θ[LogY0] = F64.Log(new F64(CurveShape.Y(shape, 0)), out _);
        θ[B] = new F64(random.Uniform(-1, 0.2));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        double logX = Math.Log(scale.X);
        double logA = natural[1] = θ[LogY0] - (θ[B] * logX) + Math.Log(scale.Y);
        double a = natural[0] = Math.Exp(logA);
        natural[2] = θ[B];
        (jacobian[LogY0], jacobian[B]) = (a, -a * logX);
        (jacobian[2 + LogY0], jacobian[2 + B]) = (1, -logX);
        jacobian[4 + B] = 1;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[B] = natural[2];
        θ[LogY0] = natural[1] + (θ[B] * Math.Log(scale.X)) - Math.Log(scale.Y);
    }
}

/// <summary>Power law with a limit, M2 of the comparison.</summary>
/// <remarks>y = a·x^b + c, arXiv:2209.06640. This is BNSL without breaks, in whose coordinates it is fitted: c is its a, a its b, b its −c₀.</remarks>
public readonly struct OffsetPowerLaw : IScalingLaw
{
    /// <inheritdoc/>
    public static string Name => "m2";

    /// <inheritdoc/>
    public static string Formula => "y = a x^b + c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M2, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => Bnsl<Breaks0>.ParameterCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T> =>
        Bnsl<Breaks0>.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row);

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => Bnsl<Breaks0>.Bounds(parameter, range);

    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64> => Bnsl<Breaks0>.Start(random, shape, θ);

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false), new("c", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        // Rows of BNSL are a, b, log b, c₀.
        Span<double> bnsl = stackalloc double[4], rows = stackalloc double[12];
        rows.Clear();
        Bnsl<Breaks0>.ToNatural(θ, scale, bnsl, rows);
        (natural[0], natural[1], natural[2], natural[3]) = (bnsl[1], bnsl[2], -bnsl[3], bnsl[0]);
        rows[3..6].CopyTo(jacobian);
        rows[6..9].CopyTo(jacobian[3..]);
        for (int j = 0; j < 3; j++) jacobian[6 + j] = -rows[9 + j];
        rows[..3].CopyTo(jacobian[9..]);
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) =>
        Bnsl<Breaks0>.FromNatural([natural[3], natural[0], natural[1], -natural[2]], scale, θ);
}

/// <summary>Saturating power law, M3 of the comparison as its authors' code has it.</summary>
/// <remarks>
/// y = b·(1/x + g)^c with g, c ≥ 0; no offset (released code of arXiv:2209.06640). θ = [log y₀, c, γ] with y₀ the value at the last fit point and
/// γ = g x₀ linear because g = 0 must be reachable: log y = log y₀ + c (log(e^−u + γ) − log(1 + γ)).
/// </remarks>
public readonly struct SaturatingPowerLaw : IScalingLaw
{
    private const int LogY0 = 0, C = 1, Γ = 2;

    /// <inheritdoc/>
    public static string Name => "m3";

    /// <inheritdoc/>
    public static string Formula => "y = b (1/x + g)^c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M3 as released, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 3;

    /// <summary>log(1 + γ) and 1/(1 + γ).</summary>
    public static int WorkCount => 2;

    /// <summary>1/x, relative to the last fit point.</summary>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => scale.X / x[0];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        work[0] = T.Log(θ[Γ] + T.Constant(1), out T reciprocal);
        work[1] = reciprocal;
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
        T log = T.Log(points[point] + θ[Γ], out T reciprocal) - work[0];
        gradient[row + LogY0] = T.Constant(1);
        gradient[row + C] = log;
        gradient[row + Γ] = θ[C] * (reciprocal - work[1]);
        return T.MultiplyAdd(θ[C], log, θ[LogY0]);
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter switch
    {
        LogY0 => (double.NegativeInfinity, double.PositiveInfinity),
        C => (0, 20),
        _ => (0, 100 * Math.Exp(-range.FirstLogX)),
    };

    /// <summary>Through the last point; c from 0 to 2, γ log-uniform over what bends the curve within the data, or 0.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        θ[LogY0] = F64.Log(new F64(CurveShape.Y(shape, 0)), out _);
        θ[C] = new F64(random.Uniform(0, 2));
        θ[Γ] = random.Uniform() < 0.2 ? new F64(0) : F64.Exp(new F64(random.Uniform(-3, Math.Min(-shape[0].Value, 100))));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("b", false), new("logB", false), new("g", false), new("c", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        double logX = Math.Log(scale.X), c = θ[C], γ = θ[Γ];
        double logB = natural[1] = θ[LogY0] + Math.Log(scale.Y) - (c * (Math.Log(1 + γ) - logX));
        Span<double> row = jacobian.Slice(3, 3);
        (row[LogY0], row[C], row[Γ]) = (1, logX - Math.Log(1 + γ), -c / (1 + γ));
        double b = natural[0] = Math.Exp(logB);
        for (int j = 0; j < 3; j++) jacobian[j] = b * row[j];
        natural[2] = γ / scale.X;
        jacobian[6 + Γ] = 1 / scale.X;
        natural[3] = c;
        jacobian[9 + C] = 1;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[C] = natural[3];
        θ[Γ] = natural[2] * scale.X;
        θ[LogY0] = natural[1] - Math.Log(scale.Y) + (θ[C] * (Math.Log(1 + θ[Γ]) - Math.Log(scale.X)));
    }
}

/// <summary>Shifted power law, M3 of the comparison as its paper prints it.</summary>
/// <remarks>
/// y = a·(x + d)^b + c, arXiv:2209.06640. θ = [c, log g₀, b, δ] with δ = d/x₀, x₀ the last fit point, and g₀ the power part there:
/// log g = log g₀ + b (log(e^u + δ) − log(1 + δ)), log y = log(c + g). c and δ stay linear because both may be 0, and δ below it.
/// </remarks>
public readonly struct ShiftedPowerLaw : IScalingLaw
{
    private const int Limit = 0, LogG0 = 1, B = 2, Δ = 3;

    /// <inheritdoc/>
    public static string Name => "m3-printed";

    /// <inheritdoc/>
    public static string Formula => "y = a (x + d)^b + c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M3 as printed, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 4;

    /// <summary>log(1 + δ) and 1/(1 + δ).</summary>
    public static int WorkCount => 2;

    /// <summary>x, relative to the last fit point.</summary>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => x[0] / scale.X;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        work[0] = T.Log(θ[Δ] + T.Constant(1), out T reciprocal);
        work[1] = reciprocal;
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
        T log = T.Log(points[point] + θ[Δ], out T reciprocal) - work[0];
        T g = Functions.ExpClamped<T, TMask>(T.MultiplyAdd(θ[B], log, θ[LogG0]));
        T logY = T.Log(θ[Limit] + g, out T inverseY);
        T share = g * inverseY;
        gradient[row, Limit] = inverseY;
        gradient[row, LogG0] = share;
        gradient[row, B] = share * log;
        gradient[row, Δ] = share * (θ[B] * (reciprocal - work[1]));
        return logY;
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter switch
    {
        Limit => (0, 0.9999),
        LogG0 => (double.NegativeInfinity, double.PositiveInfinity),
        B => (-20, 20),
        _ => (-0.9999 * Math.Exp(range.FirstLogX), 100),
    };

    /// <summary>Through the last point; c below the smallest y, or 0; b falling; δ log-uniform from the first point's x to three times the last's, or 0.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double limit = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98), y = CurveShape.Y(shape, 0);
        θ[Limit] = new F64(limit);
        θ[LogG0] = F64.Log(new F64(Math.Max(y - limit, 0.02 * y)), out _);
        θ[B] = new F64(random.Uniform(-2, 0.2));
        θ[Δ] = random.Uniform() < 0.2 ? new F64(0) : F64.Exp(new F64(random.Uniform(Math.Max(shape[0].Value, -100), 1)));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false), new("c", false), new("d", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        const int P = 4;
        double reach = Math.Log(1 + θ[Δ]) + Math.Log(scale.X), b = θ[B];
        double logA = natural[1] = θ[LogG0] + Math.Log(scale.Y) - (b * reach);
        Span<double> row = jacobian.Slice(P, P);
        (row[LogG0], row[B], row[Δ]) = (1, -reach, -b / (1 + θ[Δ]));
        double a = natural[0] = Math.Exp(logA);
        for (int j = 0; j < P; j++) jacobian[j] = a * row[j];
        natural[2] = b;
        jacobian[(2 * P) + B] = 1;
        natural[3] = θ[Limit] * scale.Y;
        jacobian[(3 * P) + Limit] = scale.Y;
        natural[4] = θ[Δ] * scale.X;
        jacobian[(4 * P) + Δ] = scale.X;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[Limit] = natural[3] / scale.Y;
        θ[B] = natural[2];
        θ[Δ] = natural[4] / scale.X;
        θ[LogG0] = natural[1] - Math.Log(scale.Y) + (θ[B] * (Math.Log(1 + θ[Δ]) + Math.Log(scale.X)));
    }
}

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

/// <summary>Sum of power laws of several inputs over a limit: Chinchilla's law of parameters and tokens, and its kin.</summary>
/// <remarks>
/// y = E + Σᵢ Aᵢ·xᵢ^(−αᵢ), Hoffmann et al. 2022, eq. 2, arXiv:2203.15556 (two inputs: A/N^α + B/D^β). θ = [E, then (log gᵢ, αᵢ) an input], y
/// relative to the smallest, xᵢ to its geometric mean, gᵢ the term there: log y = log(E + Σᵢ exp(log gᵢ − αᵢ uᵢ)). E stays linear because it may be 0.
/// </remarks>
/// <typeparam name="TInputs">The number of inputs, as one of breaks.</typeparam>
public readonly struct SumOfPowerLaws<TInputs> : IScalingLaw
    where TInputs : struct, IBreaks
{
    private const int E = 0, FirstTerm = 1, PerTerm = 2;

    /// <inheritdoc/>
    public static string Name => TInputs.Count == 2 ? "chinchilla" : $"chinchilla{TInputs.Count}";

    /// <inheritdoc/>
    public static string Formula => TInputs.Count == 2 ? "y = E + A x1^-alpha + B x2^-beta" : $"y = E + sum_i A_i x_i^-alpha_i, i = 1..{TInputs.Count}";

    /// <inheritdoc/>
    public static string Source => "Hoffmann et al. 2022, eq. 2, arXiv:2203.15556";

    /// <inheritdoc/>
    public static int InputCount => TInputs.Count;

    /// <inheritdoc/>
    public static int ParameterCount => FirstTerm + (PerTerm * TInputs.Count);

    /// <inheritdoc/>
    public static int ColumnCount => TInputs.Count;

    /// <summary>The geometric mean of every input, and the smallest y.</summary>
    public static CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        var means = new double[TInputs.Count];
        for (int i = 0; i < x.Length; i++) means[i % means.Length] += Math.Log(x[i]) / y.Length;
        double smallest = double.PositiveInfinity;
        foreach (double value in y) smallest = Math.Min(smallest, value);
        return new([.. means.Select(Math.Exp)], smallest);
    }

    /// <inheritdoc/>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => Math.Log(x[column]) - Math.Log(scale.Inputs[column]);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T y = θ[E];
        for (int i = 0; i < TInputs.Count; i++) y += Term<T, TMask, TPoints, TArray>(points, point, θ, i);
        T logY = T.Log(y, out T inverseY);
        gradient[row, E] = inverseY;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i);
            T share = Term<T, TMask, TPoints, TArray>(points, point, θ, i) * inverseY;
            gradient[row, j] = share;
            gradient[row, j + 1] = -share * points[point, i];
        }

        return logY;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Term<T, TMask, TPoints, TArray>(TPoints points, int point, TArray θ, int i)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        int j = FirstTerm + (PerTerm * i);
        return Functions.ExpClamped<T, TMask>(T.MultiplyAdd(-θ[j, 1], points[point, i], θ[j]));
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) =>
        parameter == E ? (0, 0.9999)
        : (parameter - FirstTerm) % PerTerm == 1 ? (0, 20)
        : (double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>E below the smallest y, or 0; α from 0 to 1.2; the terms share what is left of the mean y.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double e = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98);
        double left = Math.Max(CurveShape.Y(shape, 0) - e, 0.02), all = 0;
        for (int i = 0; i < TInputs.Count; i++)
        {
            double share = F64.Exp(new F64(random.Uniform(-3, 0))).Value;
            θ[FirstTerm + (PerTerm * i)] = new F64(share);
            θ[FirstTerm + (PerTerm * i) + 1] = new F64(random.Uniform(0, 1.2));
            all += share;
        }

        θ[E] = new F64(e);
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i);
            θ[j] = F64.Log(new F64(left * θ[j].Value / all), out _);
        }
    }

    /// <summary>E; then A, log A and α of every input.</summary>
    public static NaturalParameter[] Natural =>
    [
        new("E", false),
        .. Enumerable.Range(0, TInputs.Count).SelectMany(i => TInputs.Count == 2
            ? (NaturalParameter[])[new(i == 0 ? "A" : "B", false), new(i == 0 ? "logA" : "logB", false), new(i == 0 ? "alpha" : "beta", false)]
            : [new($"A{i + 1}", false), new($"logA{i + 1}", false), new($"alpha{i + 1}", false)]),
    ];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        int p = ParameterCount;
        natural[0] = θ[E] * scale.Y;
        jacobian[E] = scale.Y;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i), k = 1 + (3 * i);
            double reach = Math.Log(scale.Inputs[i]), logA = natural[k + 1] = θ[j] + (θ[j + 1] * reach) + Math.Log(scale.Y), a = natural[k] = Math.Exp(logA);
            (jacobian[(k * p) + j], jacobian[(k * p) + j + 1]) = (a, a * reach);
            (jacobian[((k + 1) * p) + j], jacobian[((k + 1) * p) + j + 1]) = (1, reach);
            natural[k + 2] = θ[j + 1];
            jacobian[((k + 2) * p) + j + 1] = 1;
        }
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[E] = natural[0] / scale.Y;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i), k = 1 + (3 * i);
            θ[j + 1] = natural[k + 2];
            θ[j] = natural[k + 1] - (θ[j + 1] * Math.Log(scale.Inputs[i])) - Math.Log(scale.Y);
        }
    }
}

/// <summary>The laws by name. Adding one is a struct above and its line here.</summary>
public static class ScalingLaws
{
    /// <summary>Shows a visitor every law.</summary>
    public static void ForEach<TVisitor>(ref TVisitor visitor)
        where TVisitor : IScalingLawVisitor
    {
        visitor.Visit<Bnsl<Breaks0>>();
        visitor.Visit<Bnsl<Breaks1>>();
        visitor.Visit<Bnsl<Breaks2>>();
        visitor.Visit<Bnsl<Breaks3>>();
        visitor.Visit<Bnsl<Breaks4>>();
        visitor.Visit<Bnsl<Breaks5>>();
        visitor.Visit<Bnsl<Breaks6>>();
        visitor.Visit<PowerLaw>();
        visitor.Visit<OffsetPowerLaw>();
        visitor.Visit<SaturatingPowerLaw>();
        visitor.Visit<SigmoidalPowerLaw>();
        visitor.Visit<ShiftedPowerLaw>();
        visitor.Visit<SumOfPowerLaws<Breaks2>>();
        visitor.Visit<SumOfPowerLaws<Breaks3>>();
        visitor.Visit<SumOfPowerLaws<Breaks4>>();
        Signed<Above, TVisitor>(ref visitor);
        Signed<Below, TVisitor>(ref visitor);
    }

    private static void Signed<TSide, TVisitor>(ref TVisitor visitor)
        where TSide : struct, ISide
        where TVisitor : IScalingLawVisitor
    {
        visitor.Visit<SignedBnsl<Breaks0, TSide>>();
        visitor.Visit<SignedBnsl<Breaks1, TSide>>();
        visitor.Visit<SignedBnsl<Breaks2, TSide>>();
        visitor.Visit<SignedBnsl<Breaks3, TSide>>();
        visitor.Visit<SignedBnsl<Breaks4, TSide>>();
    }
}

/// <summary>What wants to be told each law as a type.</summary>
public interface IScalingLawVisitor
{
    /// <summary>Called once a law.</summary>
    void Visit<TLaw>()
        where TLaw : struct, IScalingLaw;
}
