using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>Why the refinement of a fit ended. Each value's doc is the condition that was met.</summary>
public enum Termination
{
    /// <summary>max_j |J_jᵀ r| ≤ 1e-10 ‖J_j‖ ‖r‖ over the parameters that are not held at a bound: the residual is orthogonal to every column.</summary>
    GradientTolerance,

    /// <summary>rms r ≤ 1e-14, times the largest y where residuals are of y: the law passes through every point, to rounding.</summary>
    ResidualTolerance,

    /// <summary>The undamped step would lower the objective by less than 1e-14 of it: rounding hides any further decrease.</summary>
    ObjectiveTolerance,

    /// <summary>max_j |Δθ_j| ≤ 1e-13 (|θ_j| + 1e-3), without the 1e-3 for laws in their own units: the step is rounding.</summary>
    StepTolerance,

    /// <summary>The limit on iterations was reached before any inequality held.</summary>
    MaxIterations,

    /// <summary>The law or its gradient is not finite at the best candidate.</summary>
    NonFinite,
}

/// <summary>One named parameter of a law in natural units: a number, or one number a break.</summary>
/// <param name="Name">The paper's symbol: a, b, logB (log of b, which may overflow), c0, c, d, f.</param>
/// <param name="IsVector">True where there is one value a break, breaks in ascending d.</param>
/// <param name="Values">Shape [1], or [breaks] if <paramref name="IsVector"/>.</param>
public sealed record Parameter(string Name, bool IsVector, ImmutableArray<double> Values);

/// <summary>Root mean squared error of log y, over the fit points and the held-out points.</summary>
/// <param name="Fit">sqrt(mean e) over fit points, e = (log ŷ − log y)².</param>
/// <param name="HeldOut">The same over held-out points; NaN without any.</param>
/// <param name="HeldOutError">sqrt(mean e + std e / √n) − sqrt(mean e), population std, as in arXiv:2210.14891; NaN without held-out points.</param>
public readonly record struct Rmsle(double Fit, double HeldOut, double HeldOutError);

/// <summary>Root mean squared error of y, in its unit.</summary>
/// <param name="Fit">Over the fit points.</param>
/// <param name="HeldOut">Over the held-out points; NaN without any.</param>
public readonly record struct Rmse(double Fit, double HeldOut);

/// <summary>A law fitted to one curve.</summary>
public sealed record Fit
{
    /// <summary>Name of the law.</summary>
    public required string Law { get; init; }

    /// <summary>Number of breaks; 0 for laws without.</summary>
    public required int Breaks { get; init; }

    /// <summary>Name of the loss that was minimised.</summary>
    public required string Loss { get; init; }

    /// <summary>Parameters in natural units.</summary>
    public required ImmutableArray<Parameter> Parameters { get; init; }

    /// <summary>Standard error of each parameter, same shapes; NaN where the data do not determine it or it is held at a bound.</summary>
    public required ImmutableArray<Parameter> StandardErrors { get; init; }

    /// <summary>
    /// Covariance of the parameters' values one after another, in the order of <see cref="Parameters"/>; NaN where the data do not determine one or
    /// it is held at a bound. Shape [values, values], row by row.
    /// </summary>
    public required ImmutableArray<double> Covariance { get; init; }

    /// <summary>Condition number of the Jacobian over the free parameters, columns scaled to length one; ∞ where some combination of them is not determined at all.</summary>
    public required double Condition { get; init; }

    /// <summary>Mean squared residual in the units of the loss, by weight; with priors, their part in it.</summary>
    public required double Objective { get; init; }

    /// <summary>Errors of log y; NaN where no y is above 0.</summary>
    public required Rmsle Rmsle { get; init; }

    /// <summary>Errors of y.</summary>
    public required Rmse Rmse { get; init; }

    /// <summary>Parameters that the fit chose: neither fixed nor following another.</summary>
    public required int FreeParameters { get; init; }

    /// <summary>Akaike's criterion with small-sample correction; k counts the noise; +∞ where n − k − 1 ≤ 0.</summary>
    public required double Aicc { get; init; }

    /// <summary>Schwarz's criterion; k counts the noise.</summary>
    public required double Bic { get; init; }

    /// <summary>What ended the refinement.</summary>
    public required Termination Termination { get; init; }

    /// <summary>max_j |∂objective/∂θ_j| in the engine's coordinates, over parameters not held at a bound.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Starts that were searched.</summary>
    public required int Starts { get; init; }

    /// <summary>Starts that ended within 1e-6 (relative) of this objective.</summary>
    public required int StartsAtMinimum { get; init; }

    /// <summary>
    /// Chance that a hundred times the starts would find an objective lower by more than a thousandth; estimated from how often, and by how many
    /// independent chains of starts, this minimum was found. Calibrated on planted and on real curves for laws of the BNSL family under loss msle.
    /// </summary>
    public required double MissedChance { get; init; }

    /// <summary>Its power-law segments, in ascending x, of laws of the BNSL family; empty for others and where the fit is not finite.</summary>
    public ImmutableArray<Segment> Segments { get; init; } = [];

    /// <summary>What a reader should know before trusting this fit, as sentences.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>The law's value.</summary>
    /// <param name="x">Scale.</param>
    /// <returns>ŷ in the units of y.</returns>
    public double Predict(double x) => Predict([x])[0];

    /// <summary>The law's values.</summary>
    /// <param name="x">Inputs, point by point. Shape [points, inputs of the law].</param>
    /// <returns>ŷ of each point, in the units of y. Shape [points].</returns>
    public double[] Predict(ReadOnlySpan<double> x) => ScalingLaw.Get(Law, Breaks).Predict(Parameters, x);
}

/// <summary>One curve with every fit that was made of it.</summary>
public sealed record CurveFit
{
    /// <summary>The curve.</summary>
    public required Curve Curve { get; init; }

    /// <summary>Index of the chosen fit in <see cref="Fits"/>; −1 where there is none.</summary>
    public required int Chosen { get; init; }

    /// <summary>The forecast, of laws of one input whose y is above 0; null where there is none.</summary>
    public required Forecast? Forecast { get; init; }

    /// <summary>The fits, in the order of <see cref="FitOptions.Laws"/>, then <see cref="FitOptions.Breaks"/>.</summary>
    public required ImmutableArray<Fit> Fits { get; init; }

    /// <summary>What the chosen fit says of the curve, as sentences: its segments, its breaks, how far it may be extended. They repeat no warning.</summary>
    public ImmutableArray<string> Sentences { get; init; } = [];

    /// <summary>What is odd about the data, or why there is no fit, as sentences.</summary>
    public required ImmutableArray<string> Warnings { get; init; }
}

/// <summary>Wall-clock seconds of each stage.</summary>
/// <param name="Read">Reading and checking the data.</param>
/// <param name="Search">Multi-start search.</param>
/// <param name="Refine">Refinement in double.</param>
/// <param name="Total">All of it, forecasts too.</param>
public readonly record struct StageSeconds(double Read, double Search, double Refine, double Total);

/// <summary>A whole run: options, seed, device, seconds, and a <see cref="CurveFit"/> for each curve, in the order of their names.</summary>
public sealed record FitReport
{
    /// <summary>Version of the engine.</summary>
    public static string Version { get; } =
        typeof(FitReport).Assembly.GetName().Version is { } v ? $"{v.Major}.{v.Minor}.{v.Build}" : "0.0.0";

    /// <summary>The options the run was made with.</summary>
    public required FitOptions Options { get; init; }

    /// <summary>Where the search ran.</summary>
    public required string Device { get; init; }

    /// <summary>How the run went where that was not as planned, as sentences: it was stopped, a device failed, memory ran out.</summary>
    public ImmutableArray<string> Remarks { get; init; } = [];

    /// <summary>Seconds of each stage.</summary>
    public required StageSeconds Seconds { get; init; }

    /// <summary>One entry a curve, by name (ordinal).</summary>
    public required ImmutableArray<CurveFit> Curves { get; init; }
}
