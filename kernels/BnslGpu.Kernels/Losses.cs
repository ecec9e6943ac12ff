using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>What is squared and averaged: the residual between a law's log y and a measured y.</summary>
public interface ILoss
{
    /// <summary>Name on the command line and in reports.</summary>
    static abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    static abstract string Formula { get; }

    /// <summary>Measured values must be larger than this.</summary>
    static abstract double LowestY { get; }

    /// <summary>What a measured y becomes, once a point.</summary>
    /// <param name="y">Measured value, in its own unit.</param>
    /// <param name="logScale">Log of the unit in which the law sees y.</param>
    static abstract double Target(double y, double logScale);

    /// <summary>Residual of one point, and its slope.</summary>
    /// <param name="logY">The law's value, log(ŷ/scale).</param>
    /// <param name="target">What <see cref="Target"/> gave.</param>
    /// <param name="logScale">Log of the unit in which the law sees y.</param>
    /// <param name="slope">∂residual/∂logY.</param>
    static abstract T Residual<T, TMask>(T logY, T target, T logScale, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct;
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
    public static double Target(double y, double logScale) => Math.Log(y) - logScale;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask>(T logY, T target, T logScale, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct
    {
        slope = T.Constant(1);
        return logY - target;
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
    public static double Target(double y, double logScale)
    {
        // log(1 + y) without the cancellation of 1 + y, which double.LogP1 does not avoid (Kahan).
        double w = 1 + y;
        return w > 1 ? Math.Log(w) * (y / (w - 1)) : y;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Residual<T, TMask>(T logY, T target, T logScale, out T slope)
        where T : struct, IReal<T, TMask>
        where TMask : struct =>
        Functions.Softplus<T, TMask>(logY + logScale, out slope, out _) - target;
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
    }
}

/// <summary>What wants to be told each loss as a type.</summary>
public interface ILossVisitor
{
    /// <summary>Called once a loss.</summary>
    void Visit<TLoss>()
        where TLoss : struct, ILoss;
}
