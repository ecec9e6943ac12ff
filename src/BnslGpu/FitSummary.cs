using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>From the candidates of one problem to what is reported of its best minimum.</summary>
internal static class FitSummary
{
    /// <summary>Objectives that differ by less are the same minimum, relative.</summary>
    internal const double SameMinimum = 1e-6;

    /// <summary>Mean squared residuals below this are all zero to rounding, relative to <see cref="Problem.ResidualScale"/>.</summary>
    internal const double ZeroObjective = 1e-24;

    /// <summary>Σ w r² below which all residuals are zero to rounding.</summary>
    internal static double ZeroLoss(Problem problem) => ZeroObjective * problem.ResidualScale * problem.ResidualScale * problem.Count;

    // Jacobians for each candidate, and for the best of them where that was not enough.
    private const int Steps = 40, StepsOfBest = 400;

    /// <summary>Refines the candidates, and starts of one's own as they were given, and describes the best.</summary>
    /// <remarks>A refinement follows some valleys from far away that the search, which damps otherwise, does not.</remarks>
    public static Fit Of(Curve curve, Candidates candidates, ulong seed, CancellationToken cancellation)
    {
        Problem problem = candidates.Problem;
        Minimum? best = null;
        for (int k = 0; k < candidates.Losses.Length; k++) Try(candidates[k], Steps);
        var own = new double[problem.ParameterCount];
        for (int start = 0; start < problem.OwnStarts; start++)
        {
            problem.Start(seed, start, own);
            Try(own, StepsOfBest);
        }

        void Try(ReadOnlySpan<double> θ, int steps)
        {
            Minimum minimum = Refiner.Refine(problem, θ, steps, cancellation);
            if (best is null || Better(minimum, best)) best = minimum;
        }

        if (best is { Termination: Termination.MaxIterations }) best = Refiner.Refine(problem, best.Parameters, StepsOfBest, cancellation);
        best ??= Hopeless(problem);
        int n = problem.Count, p = problem.FreeCount;
        double unit = problem.Loss.Unit(problem.LogScale), objective = best.Loss / n;
        double same = Math.Max(best.Loss * (1 + SameMinimum), ZeroLoss(problem));

        // Laws see y in different units; what criteria compare must not.
        double relative = objective / (problem.ResidualScale * problem.ResidualScale);
        var diagnostics = new Diagnostics(problem, best);
        ImmutableArray<Parameter> parameters = problem.Law.Pack(diagnostics.Natural);
        var fit = new Fit
        {
            Law = problem.Law.Name,
            Breaks = problem.Law.Breaks,
            Loss = problem.Loss.Name,
            Parameters = parameters,
            StandardErrors = problem.Law.Pack(diagnostics.StandardErrors),
            Covariance = [.. diagnostics.Covariance],
            Condition = diagnostics.Condition,
            Objective = objective * unit * unit,
            Rmsle = default,
            Rmse = new(ErrorOfY(problem.Law, parameters, curve.Fit), ErrorOfY(problem.Law, parameters, curve.HeldOut)),
            FreeParameters = p,
            Aicc = ModelSelection.Aicc(relative, n, p),
            Bic = ModelSelection.Bic(relative, n, p),
            Termination = best.Termination,
            GradientNorm = best.GradientNorm * unit * unit,
            Starts = candidates.StartLosses.Length,
            StartsAtMinimum = candidates.StartLosses.Count(loss => loss <= same),
            MissedChance = double.IsFinite(objective) && candidates.StartLosses.Length > 0 ? MissedMinimum.Chance(problem, candidates.StartLosses) : double.NaN,
            Warnings = [],
        };
        (double fitted, _) = ErrorOfLog(problem.Law.Predict(parameters, curve.Fit.X), curve.Fit);
        (double heldOut, double error) = ErrorOfLog(problem.Law.Predict(parameters, curve.HeldOut.X), curve.HeldOut);
        return fit with
        {
            Rmsle = new(fitted, heldOut, error),
            Segments = Segment.Of(fit, curve.Fit),
            Warnings = [.. diagnostics.Warnings(curve.Fit), .. MissedMinimum.Warnings(fit.MissedChance)],
        };
    }

    /// <summary>Lower; of those that agree to rounding, the one with the smaller gradient.</summary>
    private static bool Better(Minimum minimum, Minimum than) =>
        minimum.Loss < than.Loss * (1 - 1e-9) || (minimum.Loss <= than.Loss * (1 + 1e-9) && minimum.GradientNorm < than.GradientNorm);

    private static Minimum Hopeless(Problem problem)
    {
        int p = problem.ParameterCount;
        var nothing = new double[p];
        Array.Fill(nothing, double.NaN);
        return new(nothing, double.NaN, double.NaN, Termination.NonFinite, 0, new bool[p], new double[p * (p + 1)]);
    }

    /// <summary>sqrt(mean (ŷ − y)²); NaN without points.</summary>
    private static double ErrorOfY(ScalingLaw law, ImmutableArray<Parameter> parameters, Points points)
    {
        double[] predicted = law.Predict(parameters, points.X);
        double sum = 0;
        for (int i = 0; i < points.Count; i++) sum += (predicted[i] - points.Y[i]) * (predicted[i] - points.Y[i]);
        return Math.Sqrt(sum / points.Count);
    }

    /// <summary>sqrt(mean e) and its error sqrt(mean e + std e / √n) − sqrt(mean e), e = (log ŷ − log y)² over the points whose y is above 0; NaN without any.</summary>
    internal static (double Rmsle, double Error) ErrorOfLog(ReadOnlySpan<double> predicted, Points points)
    {
        double sum = 0, squares = 0;
        int count = 0;
        for (int i = 0; i < points.Count; i++)
        {
            if (!(points.Y[i] > 0)) continue;
            double r = Math.Log(predicted[i]) - Math.Log(points.Y[i]);
            sum += r * r;
            squares += r * r * r * r;
            count++;
        }

        double mean = sum / count, deviation = Math.Sqrt(Math.Max((squares / count) - (mean * mean), 0));
        return (Math.Sqrt(mean), Math.Sqrt(mean + (deviation / Math.Sqrt(count))) - Math.Sqrt(mean));
    }
}
