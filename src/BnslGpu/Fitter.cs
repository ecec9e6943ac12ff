namespace BnslGpu;

/// <summary>How far a run is.</summary>
/// <param name="Stage">What is being done: search or refine.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
public readonly record struct FitProgress(string Stage, long Done, long Total);

/// <summary>The pipeline.</summary>
public static class Fitter
{
    /// <summary>Fits curves.</summary>
    public static FitReport Fit(IReadOnlyList<Curve> curves, FitOptions? options = null, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default) =>
        throw new NotSupportedException();
}
