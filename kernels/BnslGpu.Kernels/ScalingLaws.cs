using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>A parameter as people see it.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="PerBreak">True where there is one a break.</param>
public readonly record struct NaturalParameter(string Name, bool PerBreak);

/// <summary>What the coordinates of a fit are relative to; makes every curve look alike to the solver.</summary>
/// <param name="X">x of the last fit point.</param>
/// <param name="Y">The smallest y of the fit points.</param>
public readonly record struct CurveScale(double X, double Y);

/// <summary>What the fit points of a curve span, in the coordinates of a fit.</summary>
/// <param name="FirstLogX">log x of the first point, relative to the last; ≤ 0.</param>
/// <param name="LargestY">The largest y, relative to the smallest; ≥ 1.</param>
public readonly record struct CurveRange(double FirstLogX, double LargestY);

/// <summary>A functional form y = f(x; θ), its gradient, where its parameters may lie and where a search for them starts.</summary>
/// <remarks>
/// The methods over <c>T</c> are what runs on lanes and devices: static, branch-free, no exception. Indices into arrays are not checked.
/// </remarks>
public interface IScalingLaw
{
    /// <summary>Name on the command line and in reports.</summary>
    static abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    static abstract string Formula { get; }

    /// <summary>Where the formula was published.</summary>
    static abstract string Source { get; }

    /// <summary>Number of breaks; 0 for laws without.</summary>
    static virtual int Breaks => 0;

    /// <summary>Number p of parameters θ.</summary>
    static abstract int ParameterCount { get; }

    /// <summary>How many numbers the law wants computed once a point; one unless said otherwise.</summary>
    static virtual int ColumnCount => 1;

    /// <summary>How many numbers the law wants computed once a candidate; none unless said otherwise.</summary>
    static virtual int WorkCount => 0;

    /// <summary>One of the numbers that are computed once a point; log x relative to the last fit point unless said otherwise.</summary>
    /// <param name="column">Which, in [0, <see cref="ColumnCount"/>).</param>
    /// <param name="x">The point's x, in its own unit.</param>
    /// <param name="scale">What coordinates are relative to.</param>
    static virtual double Column(int column, double x, CurveScale scale) => Math.Log(x) - Math.Log(scale.X);

    /// <summary>Fills what is computed once a candidate; nothing unless said otherwise.</summary>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="work">Output. Shape [<see cref="WorkCount"/>].</param>
    static virtual void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
    }

    /// <summary>The law at one point: log(y/scale) and its gradient.</summary>
    /// <param name="points">Columns of every point.</param>
    /// <param name="point">Index of this point's first column.</param>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="work">What <see cref="Prepare"/> filled.</param>
    /// <param name="gradient">Output ∂log y/∂θ. Shape [<see cref="ParameterCount"/>], from <paramref name="row"/>; <see cref="Nowhere{T}"/> if not wanted.</param>
    /// <param name="row">Index of the gradient's first entry.</param>
    static abstract T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>;

    /// <summary>Where a parameter may lie.</summary>
    /// <param name="parameter">Index into θ.</param>
    /// <param name="range">What the fit points span.</param>
    /// <returns>Lowest and highest value; infinite where there is no bound.</returns>
    static abstract (double Lower, double Upper) Bounds(int parameter, CurveRange range);

    /// <summary>Draws parameters to start a search from.</summary>
    /// <param name="random">The numbers of this start.</param>
    /// <param name="shape">What the curve looks like: see <see cref="CurveShape"/>.</param>
    /// <param name="θ">Output. Shape [<see cref="ParameterCount"/>].</param>
    static abstract void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>;

    /// <summary>The parameters that people see, in the order of <see cref="ToNatural"/>.</summary>
    static abstract NaturalParameter[] Natural { get; }

    /// <summary>θ into natural units, and how these move with θ.</summary>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="scale">What θ is relative to.</param>
    /// <param name="natural">Output; a parameter a break takes one place a break.</param>
    /// <param name="jacobian">Output ∂natural/∂θ, row by row. Shape [natural, <see cref="ParameterCount"/>], zero on entry.</param>
    static abstract void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian);

    /// <summary>Natural units into θ.</summary>
    /// <param name="natural">In the order of <see cref="Natural"/>.</param>
    /// <param name="scale">What θ is to be relative to.</param>
    /// <param name="θ">Output. Shape [<see cref="ParameterCount"/>].</param>
    static abstract void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ);

    /// <summary>Puts θ into the order in which it is reported (breaks in ascending d); leaves it unless said otherwise.</summary>
    static virtual void Sort(Span<double> θ)
    {
    }
}

/// <summary>Layout of what a start knows of its curve: log x of the first point, then y at <see cref="Knots"/> places even in log x, first to last.</summary>
public static class CurveShape
{
    /// <summary>How many values of y.</summary>
    public const int Knots = 33;

    /// <summary>Numbers in all.</summary>
    public const int Count = Knots + 1;

    /// <summary>y by linear interpolation.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="logX">Place, relative to the last fit point, in [first, 0].</param>
    public static double Y<TShape>(TShape shape, double logX)
        where TShape : struct, IArray<F64>
    {
        double first = shape[0].Value;
        double place = first < 0 ? (logX - first) / -first * (Knots - 1) : 0;
        int knot = Math.Min(Math.Max((int)place, 0), Knots - 2);
        double share = place - knot;
        return (shape[1 + knot].Value * (1 - share)) + (shape[2 + knot].Value * share);
    }
}

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
        T u = points[point];
        T logG = T.MultiplyAdd(-θ[C0], u, θ[LogG0]);
        for (int i = 0; i < TBreaks.Count; i++)
        {
            int j = FirstBreak + (PerBreak * i), w = WorkPerBreak * i;
            T c = θ[j], logD = θ[j, 1], f = work[w], inverse = work[w, 1], cf = work[w, 2];
            T softplus = Functions.Softplus<T, TMask>((u - logD) * inverse, out T sigmoid, out T tail) - work[w, 3];
            logG = T.MultiplyAdd(-cf, softplus, logG);

            // ∂log g; the chain rule to log y waits until g is known.
            int at = row + j;
            gradient[at] = -f * softplus;
            gradient[at, 1] = c * (sigmoid - work[w, 4]);
            gradient[at, 2] = cf * (work[w, 5] - tail);
        }

        T g = Functions.ExpClamped<T, TMask>(logG);
        T logY = T.Log(θ[A] + g, out T inverseY);
        T share = g * inverseY;
        gradient[row, A] = inverseY;
        gradient[row, LogG0] = share;
        gradient[row, C0] = -share * u;
        for (int i = 0; i < TBreaks.Count; i++)
        {
            int at = row + FirstBreak + (PerBreak * i);
            gradient[at] = share * gradient[at];
            gradient[at, 1] = share * gradient[at, 1];
            gradient[at, 2] = share * gradient[at, 2];
        }

        return logY;
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
        double first = shape[0].Value;
        double a = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98);
        double logLeast = -3.9, logMost = F64.Log(new F64(Math.Max(0.25, -first / 3)), out _).Value;
        double left = first, slopeBefore = 0;
        for (int i = 0; i <= TBreaks.Count; i++)
        {
            double right = i < TBreaks.Count ? first * (1 - ((i + random.Uniform()) / TBreaks.Count)) : 0;
            double slope = (LogAbove(CurveShape.Y(shape, right), a) - LogAbove(CurveShape.Y(shape, left), a)) / Math.Max(right - left, 1e-3);
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
        θ[LogG0] = new F64(LogAbove(CurveShape.Y(shape, 0), a));
    }

    private static double LogAbove(double y, double a) => F64.Log(new F64(Math.Max(y - a, 0.02 * y)), out _).Value;

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
    }
}

/// <summary>What wants to be told each law as a type.</summary>
public interface IScalingLawVisitor
{
    /// <summary>Called once a law.</summary>
    void Visit<TLaw>()
        where TLaw : struct, IScalingLaw;
}
