using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>On which side of its limit a curve lies.</summary>
public interface ISide
{
    /// <summary>1 above, −1 below.</summary>
    static abstract int Sign { get; }
}

/// <summary>Above the limit: the curve falls to it.</summary>
public readonly struct Above : ISide
{
    /// <inheritdoc/>
    public static int Sign => 1;
}

/// <summary>Below the limit: the curve rises to it.</summary>
public readonly struct Below : ISide
{
    /// <inheritdoc/>
    public static int Sign => -1;
}

/// <summary>Broken neural scaling law of a metric that may have any sign and may rise: accuracy, BLEU, Elo, reward, log-likelihood.</summary>
/// <remarks>
/// y = a ± b·x^(−c₀)·∏ᵢ (1 + (x/dᵢ)^(1/fᵢ))^(−cᵢ·fᵢ): eq. 1 of arXiv:2210.14891 with a limit a of any sign, approached from above or from below.
/// Its value is y, not log y, which it need not have. Coordinates as in <see cref="Bnsl{TBreaks}"/>, y relative to the range of the fit points.
/// </remarks>
/// <typeparam name="TBreaks">The number of breaks.</typeparam>
/// <typeparam name="TSide">From which side the limit is approached.</typeparam>
public readonly struct SignedBnsl<TBreaks, TSide> : IScalingLaw
    where TBreaks : struct, IBreaks
    where TSide : struct, ISide
{
    private const int A = 0, LogG0 = 1, C0 = 2, FirstBreak = 3;

    /// <inheritdoc/>
    public static string Name => TSide.Sign > 0 ? "bnsl-falling" : "bnsl-rising";

    /// <inheritdoc/>
    public static string Formula => Bnsl<TBreaks>.Formula.Replace("a +", TSide.Sign > 0 ? "a +" : "a -", StringComparison.Ordinal);

    /// <inheritdoc/>
    public static string Source => "Caballero et al. 2023, eq. 1, with a limit of any sign";

    /// <inheritdoc/>
    public static int Breaks => TBreaks.Count;

    /// <inheritdoc/>
    public static bool IsLog => false;

    /// <inheritdoc/>
    public static int ParameterCount => Bnsl<TBreaks>.ParameterCount;

    /// <inheritdoc/>
    public static int WorkCount => Bnsl<TBreaks>.WorkCount;

    /// <summary>x of the last point and the range of y.</summary>
    public static CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double smallest = double.PositiveInfinity, largest = double.NegativeInfinity;
        foreach (double value in y) (smallest, largest) = (Math.Min(smallest, value), Math.Max(largest, value));
        return new(x[^1], largest - smallest);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T> => Bnsl<TBreaks>.Prepare<T, TMask, TArray>(θ, work);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T g = Functions.ExpClamped<T, TMask>(Bnsl<TBreaks>.LogPower<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row));
        if (TSide.Sign < 0) g = -g;
        gradient[row, A] = T.Constant(1);
        gradient[row, LogG0] = g;
        gradient[row, C0] = -g * points[point];
        Bnsl<TBreaks>.ScaleBreaks<T, TMask, TGradient>(g, gradient, row);
        return θ[A] + g;
    }

    /// <summary>a from the farthest y to a thousand ranges beyond the nearest; the rest as in <see cref="Bnsl{TBreaks}"/>.</summary>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter != A
        ? Bnsl<TBreaks>.Bounds(parameter, range)
        : TSide.Sign > 0 ? (range.SmallestY - 1000, range.LargestY) : (range.SmallestY, range.LargestY + 1000);

    /// <summary>As in <see cref="Bnsl{TBreaks}"/>, with a beyond the nearest y by a log-uniform share of the range.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double a = Limit(ref random, shape);
        Bnsl<TBreaks>.StartAt(random, shape, θ, a, TSide.Sign, 0, 0.005);
    }

    /// <summary>As in <see cref="Bnsl{TBreaks}"/>, a as in a start.</summary>
    /// <inheritdoc cref="IScalingLaw.Hop"/>
    public static bool Hop<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        if (!Bnsl<TBreaks>.HopBreaks(ref random, shape, θ)) return false;
        if (random.Uniform() < 0.1) θ[A] = new F64(Limit(ref random, shape));
        return true;
    }

    private static double Limit<TShape>(ref CounterRandom random, TShape shape)
        where TShape : struct, IArray<F64>
    {
        double nearest = shape[1].Value;
        for (int knot = 1; knot < CurveShape.Knots; knot++)
            nearest = TSide.Sign > 0 ? Math.Min(nearest, shape[1 + knot].Value) : Math.Max(nearest, shape[1 + knot].Value);
        return nearest - (TSide.Sign * F64.Exp(new F64(random.Uniform(-4.6, 1.6))).Value);
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => Bnsl<TBreaks>.Natural;

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian) =>
        Bnsl<TBreaks>.ToNatural(θ, scale, natural, jacobian);

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) => Bnsl<TBreaks>.FromNatural(natural, scale, θ);

    /// <inheritdoc/>
    public static void Sort(Span<double> θ) => Bnsl<TBreaks>.Sort(θ);
}
