using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>What is squared and averaged: the residual between a law's value and a measured y.</summary>
/// <remarks>
/// A loss is of log y or of y; a law gives one or the other (its link); the solver step turns one into the other where they differ. Every loss is
/// told two numbers, its units: the log of the unit in which the law sees y, and δ of the losses that have one.
/// </remarks>
public interface ILoss
{
    /// <summary>Name on the command line and in reports.</summary>
    static abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    static abstract string Formula { get; }

    /// <summary>Measured values must be larger than this.</summary>
    static abstract double LowestY { get; }

    /// <summary>True where errors beyond δ count linearly: the curvature at the minimum is then not that of a likelihood.</summary>
    static virtual bool IsRobust => false;

    /// <summary>True where <see cref="Residual"/> takes log(ŷ/scale), false where it takes ŷ/scale.</summary>
    static virtual bool IsOfLog => true;

    /// <summary>|∂residual/∂y| at a measured y, by which an error of y becomes one of the residual.</summary>
    /// <param name="y">Measured value, in its own unit.</param>
    /// <param name="logScale">Log of the unit in which the law sees y.</param>
    static abstract double Slope(double y, double logScale);

    /// <summary>What a measured y becomes, once a point.</summary>
    /// <param name="y">Measured value, in its own unit.</param>
    /// <param name="logScale">Log of the unit in which the law sees y.</param>
    static abstract double Target(double y, double logScale);

    /// <summary>Residual of one point, and its slope.</summary>
    /// <param name="value">The law's value, log(ŷ/scale) or ŷ/scale by <see cref="IsOfLog"/>.</param>
    /// <param name="target">What <see cref="Target"/> gave.</param>
    /// <param name="units">Log of the unit in which the law sees y; δ.</param>
    /// <param name="slope">∂residual/∂value.</param>
    static abstract T Residual<T, TMask, TUnits>(T value, T target, TUnits units, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TUnits : struct, IArray<T>;

    /// <summary>The unit of a residual; 1 unless said otherwise.</summary>
    /// <param name="logScale">Log of the unit in which the law sees y.</param>
    static virtual double Unit(double logScale) => 1;
}

/// <summary>Mean squared error of log y: r = log ŷ − log y.</summary>
public readonly struct Msle : ILoss
{
    /// <inheritdoc/>
    public static string Name => "msle";

    /// <inheritdoc/>
    public static string Formula => "mean (log ŷ − log y)²";

    /// <inheritdoc/>
    public static double LowestY => 0;

    /// <inheritdoc/>
    public static double Slope(double y, double logScale) => 1 / y;

    /// <inheritdoc/>
    public static double Target(double y, double logScale) => Math.Log(y) - logScale;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask, TUnits>(T value, T target, TUnits units, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TUnits : struct, IArray<T>
    {
        slope = T.Constant(1);
        return value - target;
    }
}

/// <summary>Mean squared error of log(1 + y), the loss of the BNSL paper's released script: r = log(1 + ŷ) − log(1 + y).</summary>
public readonly struct Msle1p : ILoss
{
    /// <inheritdoc/>
    public static string Name => "msle1p";

    /// <inheritdoc/>
    public static string Formula => "mean (log(1 + ŷ) − log(1 + y))²";

    /// <inheritdoc/>
    public static double LowestY => 0;

    /// <inheritdoc/>
    public static double Slope(double y, double logScale) => 1 / (1 + y);

    /// <inheritdoc/>
    public static double Target(double y, double logScale)
    {
        // log(1 + y) without the cancellation of 1 + y, which double.LogP1 does not avoid (Kahan).
        double w = 1 + y;
        return w > 1 ? Math.Log(w) * (y / (w - 1)) : y;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask, TUnits>(T value, T target, TUnits units, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TUnits : struct, IArray<T> =>
        Functions.Softplus<T, TMask>(value + units[0], out slope, out _) - target;
}

/// <summary>Mean squared error of y: r = ŷ − y. Inside, both are relative to the smallest y, so that small and large y converge alike.</summary>
public readonly struct SquaredError : ILoss
{
    /// <inheritdoc/>
    public static string Name => "mse";

    /// <inheritdoc/>
    public static string Formula => "mean (ŷ − y)²";

    /// <inheritdoc/>
    public static double LowestY => double.NegativeInfinity;

    /// <inheritdoc/>
    public static bool IsOfLog => false;

    /// <inheritdoc/>
    public static double Slope(double y, double logScale) => Math.Exp(-logScale);

    /// <inheritdoc/>
    public static double Target(double y, double logScale) => y / Math.Exp(logScale);

    /// <inheritdoc/>
    public static double Unit(double logScale) => Math.Exp(logScale);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask, TUnits>(T value, T target, TUnits units, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TUnits : struct, IArray<T>
    {
        slope = T.Constant(1);
        return value - target;
    }
}

/// <summary>Huber's loss of log y: quadratic within δ, linear beyond, so that a few bad points pull little.</summary>
/// <remarks>
/// Huber 1964: H(e) = e²/2 for |e| ≤ δ, δ(|e| − δ/2) beyond, e = log ŷ − log y. The residual is ±√(2H), whose square the solver sums; its slope is
/// δ/√(2H) beyond δ. Used by Hoffmann et al. 2022 (arXiv:2203.15556) with δ = 1e-3.
/// </remarks>
public readonly struct HuberLog : ILoss
{
    /// <inheritdoc/>
    public static string Name => "huber";

    /// <inheritdoc/>
    public static string Formula => "mean 2H(log ŷ − log y), H(e) = e²/2 up to |e| = δ, δ(|e| − δ/2) beyond";

    /// <inheritdoc/>
    public static double LowestY => 0;

    /// <inheritdoc/>
    public static bool IsRobust => true;

    /// <inheritdoc/>
    public static double Slope(double y, double logScale) => 1 / y;

    /// <inheritdoc/>
    public static double Target(double y, double logScale) => Math.Log(y) - logScale;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask, TUnits>(T value, T target, TUnits units, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TUnits : struct, IArray<T>
    {
        T error = value - target, size = T.Abs(error), δ = units[1];
        T root = T.Sqrt(δ * T.Max(T.MultiplyAdd(T.Constant(2), size, -δ), δ));
        TMask within = T.LessOrEqual(size, δ);
        slope = T.Select(within, T.Constant(1), δ / root);
        return T.Select(within, error, T.Select(T.Less(error, T.Constant(0)), -root, root));
    }
}

/// <summary>The losses by name. Adding one is a struct above and its line here.</summary>
public static class Losses
{
    /// <summary>Shows a visitor every loss, the default first.</summary>
    public static void ForEach<TVisitor>(ref TVisitor visitor)
        where TVisitor : ILossVisitor
    {
        visitor.Visit<Msle>();
        visitor.Visit<Msle1p>();
        visitor.Visit<SquaredError>();
        visitor.Visit<HuberLog>();
    }
}

/// <summary>What wants to be told each loss as a type.</summary>
public interface ILossVisitor
{
    /// <summary>Called once a loss.</summary>
    void Visit<TLoss>()
        where TLoss : struct, ILoss;
}
