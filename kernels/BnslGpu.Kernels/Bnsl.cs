using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>A number of breaks known at compile time.</summary>
public interface IBreaks
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }
}

/// <summary>No breaks.</summary>
public readonly struct Breaks0 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 0;
}

/// <summary>One break.</summary>
public readonly struct Breaks1 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 1;
}

/// <summary>Two breaks.</summary>
public readonly struct Breaks2 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 2;
}

/// <summary>Three breaks.</summary>
public readonly struct Breaks3 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 3;
}

/// <summary>Four breaks.</summary>
public readonly struct Breaks4 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 4;
}

/// <summary>Five breaks.</summary>
public readonly struct Breaks5 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 5;
}

/// <summary>Six breaks.</summary>
public readonly struct Breaks6 : IBreaks
{
    /// <inheritdoc/>
    public static int Count => 6;
}

/// <summary>Broken neural scaling law with n breaks.</summary>
/// <remarks>
/// y = a + b·x^(−c₀)·∏ᵢ (1 + (x/dᵢ)^(1/fᵢ))^(−cᵢ·fᵢ), Caballero, Gupta, Rish and Krueger 2023, eq. 1, arXiv:2210.14891.
/// θ = [a, log g₀, c₀, then (cᵢ, log dᵢ, log fᵢ) a break], x relative to the last fit point and y to the smallest. With u = log x the power part is
/// log g = log g₀ − c₀ u − Σᵢ cᵢ fᵢ (softplus((u − log dᵢ)/fᵢ) − softplus(−log dᵢ/fᵢ)), which overflows nowhere, and log y = log(a + g).
/// g₀ is the power part at the last fit point, breaks included: log b itself moves with every slope and break, which makes narrow curved valleys.
/// a stays linear because a = 0 must be reachable.
/// </remarks>
/// <typeparam name="TBreaks">The number of breaks.</typeparam>
public readonly struct Bnsl<TBreaks> : IScalingLaw
    where TBreaks : struct, IBreaks
{
    private const int A = 0, LogG0 = 1, C0 = 2, FirstBreak = 3, PerBreak = 3, WorkPerBreak = 6;

    /// <inheritdoc/>
    public static string Name => "bnsl";

    /// <inheritdoc/>
    public static string Formula => TBreaks.Count == 0
        ? "y = a + b x^-c0"
        : "y = a + b x^-c0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i)";

    /// <inheritdoc/>
    public static string Source => "Caballero et al. 2023, eq. 1, arXiv:2210.14891";

    /// <inheritdoc/>
    public static int Breaks => TBreaks.Count;

    /// <inheritdoc/>
    public static int ParameterCount => FirstBreak + (PerBreak * TBreaks.Count);

    /// <summary>f, 1/f and c·f a break, and softplus, sigmoid and tail of −log d/f.</summary>
    public static int WorkCount => WorkPerBreak * TBreaks.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        for (int i = 0; i < TBreaks.Count; i++)
        {
            int j = FirstBreak + (PerBreak * i);
            int w = WorkPerBreak * i;
            T f = Functions.ExpClamped<T, TMask>(θ[j + 2]), inverse = T.Constant(1) / f;
            work[w] = f;
            work[w + 1] = inverse;
            work[w + 2] = θ[j] * f;
            work[w + 3] = Functions.Softplus<T, TMask>(-θ[j + 1] * inverse, out T sigmoid, out T tail);
            work[w + 4] = sigmoid;
            work[w + 5] = tail;
        }
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
        T g = Functions.ExpClamped<T, TMask>(LogPower<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row));
        T logY = T.Log(θ[A] + g, out T inverseY);
        T share = g * inverseY;
        gradient[row, A] = inverseY;
        gradient[row, LogG0] = share;
        gradient[row, C0] = -share * points[point];
        ScaleBreaks<T, TMask, TGradient>(share, gradient, row);
        return logY;
    }

    /// <summary>log g, the power part, and its gradient over the breaks; those over log g₀ and c₀ are 1 and −u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T LogPower<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T u = points[point];
        T logG = T.MultiplyAdd(-θ[C0], u, θ[LogG0]);
        if (TArray.IsRegisters) return AddBreaks<T, TMask, TArray, TGradient>(u, logG, θ, work, gradient, row);
        for (int i = 0; i < TBreaks.Count; i++) logG = AddBreak<T, TMask, TArray, TGradient>(i, u, logG, θ, work, gradient, row);
        return logG;
    }

    // The same without a loop, for registers; not inlined on a CPU, where it is not wanted.
    private static T AddBreaks<T, TMask, TArray, TGradient>(T u, T logG, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        if (TBreaks.Count > 0) logG = AddBreak<T, TMask, TArray, TGradient>(0, u, logG, θ, work, gradient, row);
        if (TBreaks.Count > 1) logG = AddBreak<T, TMask, TArray, TGradient>(1, u, logG, θ, work, gradient, row);
        if (TBreaks.Count > 2) logG = AddBreak<T, TMask, TArray, TGradient>(2, u, logG, θ, work, gradient, row);
        if (TBreaks.Count > 3) logG = AddBreak<T, TMask, TArray, TGradient>(3, u, logG, θ, work, gradient, row);
        if (TBreaks.Count > 4) logG = AddBreak<T, TMask, TArray, TGradient>(4, u, logG, θ, work, gradient, row);
        if (TBreaks.Count > 5) logG = AddBreak<T, TMask, TArray, TGradient>(5, u, logG, θ, work, gradient, row);
        return logG;
    }

    /// <summary>log g with one break more, and ∂log g over it; the chain rule to log y waits until g is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T AddBreak<T, TMask, TArray, TGradient>(int i, T u, T logG, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        int j = FirstBreak + (PerBreak * i), w = WorkPerBreak * i, at = row + j;
        T c = θ[j], logD = θ[j, 1], f = work[w], inverse = work[w, 1], cf = work[w, 2];
        T softplus = Functions.Softplus<T, TMask>((u - logD) * inverse, out T sigmoid, out T tail) - work[w, 3];
        gradient[at] = -f * softplus;
        gradient[at, 1] = c * (sigmoid - work[w, 4]);
        gradient[at, 2] = cf * (work[w, 5] - tail);
        return T.MultiplyAdd(-cf, softplus, logG);
    }

    /// <summary>∂log g over the breaks into that of the law's value: times ∂value/∂log g.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ScaleBreaks<T, TMask, TGradient>(T slope, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TGradient : struct, IArray<T>
    {
        if (TGradient.IsRegisters) ScaleBreaksInRegisters<T, TMask, TGradient>(slope, gradient, row);
        else for (int i = 0; i < TBreaks.Count; i++) ScaleBreak<T, TMask, TGradient>(i, slope, gradient, row);
    }

    private static void ScaleBreaksInRegisters<T, TMask, TGradient>(T slope, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TGradient : struct, IArray<T>
    {
        if (TBreaks.Count > 0) ScaleBreak<T, TMask, TGradient>(0, slope, gradient, row);
        if (TBreaks.Count > 1) ScaleBreak<T, TMask, TGradient>(1, slope, gradient, row);
        if (TBreaks.Count > 2) ScaleBreak<T, TMask, TGradient>(2, slope, gradient, row);
        if (TBreaks.Count > 3) ScaleBreak<T, TMask, TGradient>(3, slope, gradient, row);
        if (TBreaks.Count > 4) ScaleBreak<T, TMask, TGradient>(4, slope, gradient, row);
        if (TBreaks.Count > 5) ScaleBreak<T, TMask, TGradient>(5, slope, gradient, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ScaleBreak<T, TMask, TGradient>(int i, T slope, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TGradient : struct, IArray<T>
    {
        int at = row + FirstBreak + (PerBreak * i);
        gradient[at] = slope * gradient[at];
        gradient[at, 1] = slope * gradient[at, 1];
        gradient[at, 2] = slope * gradient[at, 2];
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range)
    {
        if (parameter == A) return (0, 0.9999);
        if (parameter == LogG0) return (double.NegativeInfinity, double.PositiveInfinity);
        if (parameter == C0) return (-20, 20);
        return ((parameter - FirstBreak) % PerBreak) switch
        {
            0 => (-20, 20),
            1 => (range.FirstLogX, 0),
            _ => (LogLeastF, Math.Log(100)),
        };
    }

    private const double LogLeastF = -4.605170185988091; // log .01

    /// <summary>
    /// Breaks one in each of n equal parts of log x; slopes from the curve itself between them (of y − a), blurred; f from .02 to a third of the
    /// range; a uniform below the smallest y, or 0; g₀ so that the curve passes through the last point.
    /// </summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double a = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98);
        StartAt(random, shape, θ, a, 1, 0.02, 0);
    }

    /// <summary>A start for a limit that is drawn already.</summary>
    /// <param name="random">The numbers of this start, after those of a.</param>
    /// <param name="shape">What the curve looks like.</param>
    /// <param name="θ">Output.</param>
    /// <param name="a">The limit.</param>
    /// <param name="sign">1 where y lies above a, −1 where it lies below.</param>
    /// <param name="leastShare">Least distance of y from a, as a share of y.</param>
    /// <param name="least">The same, plain.</param>
    internal static void StartAt<TShape, TArray>(CounterRandom random, TShape shape, TArray θ, double a, double sign, double leastShare, double least)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double first = shape[0].Value;
        double logLeast = -3.9, logMost = Log(Math.Max(0.25, -first / 3));
        double left = first, slopeBefore = 0;
        for (int i = 0; i <= TBreaks.Count; i++)
        {
            double right = i < TBreaks.Count ? first * (1 - ((i + random.Uniform()) / TBreaks.Count)) : 0;
            double slope = (LogGap(shape, right, a, sign, leastShare, least) - LogGap(shape, left, a, sign, leastShare, least)) / Math.Max(right - left, 1e-3);
            double blur = random.Uniform() + random.Uniform() + random.Uniform() - 1.5;
            slope = Math.Min(Math.Max((slope * (1 + (0.5 * blur))) + (0.2 * blur), -8), 8);
            if (i == 0)
            {
                θ[C0] = new F64(-slope);
            }
            else
            {
                int j = FirstBreak + (PerBreak * (i - 1));
                double c = slopeBefore - slope, logF = random.Uniform(logLeast, logMost);
                θ[j] = new F64(c);
                θ[j + 1] = new F64(left);
                θ[j + 2] = new F64(logF);
            }

            slopeBefore = slope;
            left = right;
        }

        θ[A] = new F64(a);
        θ[LogG0] = new F64(LogGap(shape, 0, a, sign, leastShare, least));
    }

    private static double LogGap<TShape>(TShape shape, double logX, double a, double sign, double leastShare, double least)
        where TShape : struct, IArray<F64>
    {
        double y = CurveShape.Y(shape, logX);
        return Log(Math.Max(sign * (y - a), (leastShare * y) + least));
    }

    /// <summary>
    /// Moves one break or two: a break anywhere, without strength; a pair of opposite breaks close together, which is a step or a bump; two breaks
    /// by the same distance; a break without strength beside another. a anew in a tenth of the hops.
    /// </summary>
    /// <remarks>
    /// Minima of least squares differ in which gaps between points hold their sharp breaks, and the best with two or three breaks often spend two of
    /// them on a step, c and −c at nearly the same d. No path downhill leads from one gap to the next.
    /// </remarks>
    /// <inheritdoc cref="IScalingLaw.Hop"/>
    public static bool Hop<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        if (!HopBreaks(ref random, shape, θ)) return false;
        if (random.Uniform() < 0.1) θ[A] = new F64(random.Uniform() < 0.3 ? 0 : random.Uniform(0, 0.98));
        return true;
    }

    /// <summary>The part of a hop that moves breaks.</summary>
    internal static bool HopBreaks<TShape, TArray>(ref CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        int n = TBreaks.Count;
        if (n == 0) return false;
        double first = shape[0].Value, kind = random.Uniform();
        double logLeast = -3.9, logMost = Log(Math.Max(0.25, -first / 3));
        int k = Math.Min((int)(random.Uniform() * n), n - 1), other = n == 1 ? k : (k + 1 + Math.Min((int)(random.Uniform() * (n - 1)), n - 2)) % n;
        int j = FirstBreak + (PerBreak * k), m = FirstBreak + (PerBreak * other);
        double c = 0, d = first * random.Uniform(), logF = random.Uniform(logLeast, logMost);
        if (n > 1 && kind < 0.15)
        {
            θ[m + 1] = new F64(Within(θ[m + 1].Value + d - θ[j + 1].Value, first));
            (c, logF) = (θ[j].Value, θ[j + 2].Value);
        }
        else if (n > 1 && kind < 0.5)
        {
            // c and −c at d and d + h add c·h to log y − a behind them; where their f differ, c·(f₁ − f₂)·log 2 at d.
            double size = LogUniform(ref random, 3, 20), step = LogUniform(ref random, 0.002, 0.3), bump = LogUniform(ref random, 0.002, 0.3);
            double f = LogUniform(ref random, 0.01, 0.5), otherF = LogUniform(ref random, 0.01, 0.5), which = 3 * random.Uniform();
            if (which < 1) otherF = f;
            else if (which < 2) otherF = Math.Max(f + ((random.Uniform() < 0.5 ? -bump : bump) / (0.69 * size)), 0.01);
            c = random.Uniform() < 0.5 ? -size : size;
            logF = Log(f);
            θ[m] = new F64(-c);
            θ[m + 1] = new F64(Within(d + (step / size), first));
            θ[m + 2] = new F64(Log(otherF));
        }
        else if (n > 1 && kind < 0.65)
        {
            d = Within(θ[m + 1].Value - (0.1 * (random.Uniform() + random.Uniform() + random.Uniform() - 1.5)), first);
        }

        θ[j] = new F64(c);
        θ[j + 1] = new F64(d);
        θ[j + 2] = new F64(logF);
        return true;
    }

    private static double Within(double logD, double first) => Math.Min(Math.Max(logD, first), 0);

    private static double Log(double x) => F64.Log(new F64(x), out _).Value;

    /// <summary>A number in (low, high), its logarithm uniform.</summary>
    private static double LogUniform(ref CounterRandom random, double low, double high) => F64.Exp(new F64(random.Uniform(Log(low), Log(high)))).Value;


    /// <inheritdoc/>
    public static NaturalParameter[] Natural =>
        [new("a", false), new("b", false), new("logB", false), new("c0", false), new("c", true), new("d", true), new("f", true)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        int n = TBreaks.Count, p = ParameterCount;
        const int RowA = 0, RowB = 1, RowLogB = 2, RowC0 = 3, RowC = 4;
        double logX = Math.Log(scale.X);
        natural[RowA] = θ[A] * scale.Y;
        jacobian[(RowA * p) + A] = scale.Y;
        natural[RowC0] = θ[C0];
        jacobian[(RowC0 * p) + C0] = 1;
        Span<double> logBRow = jacobian.Slice(RowLogB * p, p);
        double logB = θ[LogG0] + (θ[C0] * logX) + Math.Log(scale.Y);
        logBRow[LogG0] = 1;
        logBRow[C0] = logX;
        for (int i = 0; i < n; i++)
        {
            int j = FirstBreak + (PerBreak * i), rowD = RowC + n + i, rowF = RowC + (2 * n) + i;
            double c = natural[RowC + i] = θ[j];
            jacobian[((RowC + i) * p) + j] = 1;
            double d = natural[rowD] = Math.Exp(θ[j + 1] + logX);
            jacobian[(rowD * p) + j + 1] = d;
            double f = natural[rowF] = Math.Exp(θ[j + 2]);
            jacobian[(rowF * p) + j + 2] = f;

            // log b = log g at the last point, less what the breaks do there.
            double softplus = Functions.Softplus<F64, bool>(new F64(-θ[j + 1] / f), out F64 sigmoid, out F64 tail).Value;
            logB += c * f * softplus;
            logBRow[j] = f * softplus;
            logBRow[j + 1] = -c * sigmoid.Value;
            logBRow[j + 2] = c * f * tail.Value;
        }

        natural[RowLogB] = logB;
        double b = natural[RowB] = Math.Exp(logB);
        for (int j = 0; j < p; j++) jacobian[(RowB * p) + j] = b * logBRow[j];
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        int n = TBreaks.Count;
        double logX = Math.Log(scale.X);
        θ[A] = natural[0] / scale.Y;
        θ[LogG0] = natural[2] - (natural[3] * logX) - Math.Log(scale.Y);
        θ[C0] = natural[3];
        for (int i = 0; i < n; i++)
        {
            int j = FirstBreak + (PerBreak * i);
            double f = natural[4 + (2 * n) + i];
            θ[j] = natural[4 + i];
            θ[j + 1] = Math.Log(natural[4 + n + i]) - logX;
            θ[j + 2] = Math.Log(f);
            θ[LogG0] -= θ[j] * f * Functions.Softplus<F64, bool>(new F64(-θ[j + 1] / f), out _, out _).Value;
        }
    }

    /// <inheritdoc/>
    public static void Sort(Span<double> θ)
    {
        for (int i = 1; i < TBreaks.Count; i++)
        {
            for (int k = i; k > 0; k--)
            {
                Span<double> left = θ.Slice(FirstBreak + (PerBreak * (k - 1)), PerBreak), right = θ.Slice(FirstBreak + (PerBreak * k), PerBreak);
                if (left[1] <= right[1]) break;
                for (int m = 0; m < PerBreak; m++) (left[m], right[m]) = (right[m], left[m]);
            }
        }
    }
}
