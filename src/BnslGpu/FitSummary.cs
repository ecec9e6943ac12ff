using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>From the candidates of one problem to what is reported of its best minimum.</summary>
internal static class FitSummary
{
    /// <summary>Objectives that differ by less are the same minimum, relative.</summary>
    internal const double SameMinimum = 1e-6;

    /// <summary>Mean squared residuals below this are all zero to rounding.</summary>
    internal const double ZeroObjective = 1e-24;

    // Jacobians for each candidate, and for the best of them where that was not enough.
    private const int Steps = 40, StepsOfBest = 400;

    /// <summary>Refines the candidates and describes the best.</summary>
    public static Fit Of(Curve curve, Candidates candidates, CancellationToken cancellation)
    {
        Problem problem = candidates.Problem;
        Minimum? best = null;
        for (int k = 0; k < candidates.Losses.Length; k++)
        {
            Minimum minimum = Refiner.Refine(problem, candidates[k], Steps, cancellation);
            if (best is null || Better(minimum, best)) best = minimum;
        }

        if (best is { Termination: Termination.MaxIterations }) best = Refiner.Refine(problem, best.Parameters, StepsOfBest, cancellation);
        best ??= Hopeless(problem);
        int n = problem.Count, p = problem.FreeCount;
        double unit = problem.Loss.Unit(problem.LogScale), objective = best.Loss / n;
        double same = Math.Max(objective * (1 + SameMinimum), ZeroObjective) * n;
        (ImmutableArray<Parameter> parameters, ImmutableArray<Parameter> errors) = Natural(problem, best);
        var fit = new Fit
        {
            Law = problem.Law.Name,
            Breaks = problem.Law.Breaks,
            Loss = problem.Loss.Name,
            Parameters = parameters,
            StandardErrors = errors,
            Objective = objective * unit * unit,
            Rmsle = default,
            Aicc = ModelSelection.Aicc(objective, n, p),
            Bic = ModelSelection.Bic(objective, n, p),
            Termination = best.Termination,
            GradientNorm = best.GradientNorm * unit * unit,
            Starts = candidates.StartLosses.Length,
            StartsAtMinimum = candidates.StartLosses.Count(loss => loss <= same),
            Warnings = [],
        };
        (double fitError, _, _) = SquaredLogError(problem.Law, parameters, curve.Fit);
        (double heldOut, double spread, int scored) = SquaredLogError(problem.Law, parameters, curve.HeldOut);
        double error = Math.Sqrt(heldOut + (spread / Math.Sqrt(scored))) - Math.Sqrt(heldOut);
        return fit with { Rmsle = new(Math.Sqrt(fitError), Math.Sqrt(heldOut), error), Warnings = Warn(problem, best) };
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

    /// <summary>Mean and population standard deviation of (log ŷ − log y)² over the points whose y is above 0; NaN without any.</summary>
    private static (double Mean, double Deviation, int Count) SquaredLogError(ScalingLaw law, ImmutableArray<Parameter> parameters, Points points)
    {
        double[] predicted = law.Predict(parameters, points.X);
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

        double mean = sum / count;
        return (mean, Math.Sqrt(Math.Max((squares / count) - (mean * mean), 0)), count);
    }

    /// <summary>Parameters in natural units, and standard errors by the delta method: k s² (RᵀR)⁻¹ kᵀ for each row k of ∂natural/∂θ.</summary>
    private static (ImmutableArray<Parameter> Parameters, ImmutableArray<Parameter> Errors) Natural(Problem problem, Minimum minimum)
    {
        int p = problem.ParameterCount, count = problem.Law.NaturalCount;
        var natural = new double[count];
        var jacobian = new double[count * p];
        var errors = new double[count];
        problem.Law.ToNatural(minimum.Parameters, problem.Scale, natural, jacobian);
        int free = minimum.Held.Count(held => !held);
        double variance = problem.Count > free ? minimum.Loss / (problem.Count - free) : double.NaN;
        for (int k = 0; k < count; k++)
        {
            Span<double> row = jacobian.AsSpan(k * p, p);
            foreach ((int follower, int leader) in problem.Ties) (row[leader], row[follower]) = (row[leader] + row[follower], 0);
            bool held = false;
            for (int j = 0; j < p; j++) held |= minimum.Held[j] && row[j] != 0;
            errors[k] = held ? double.NaN : Math.Sqrt(variance * SquaredNormOfSolution(minimum, row));
        }

        return (problem.Law.Pack(natural), problem.Law.Pack(errors));
    }

    /// <summary>‖z‖² of Rᵀz = k over the free parameters; NaN where R is singular to rounding.</summary>
    private static double SquaredNormOfSolution(Minimum minimum, ReadOnlySpan<double> k)
    {
        double[] r = minimum.Free();
        int[] free = [.. Enumerable.Range(0, k.Length).Where(j => !minimum.Held[j])];
        var z = new double[free.Length];
        double sum = 0, largest = 0;
        for (int j = 0; j < free.Length; j++) largest = Math.Max(largest, Math.Abs(r[(j * free.Length) + j]));
        for (int j = 0; j < free.Length; j++)
        {
            double value = k[free[j]];
            for (int i = 0; i < j; i++) value -= r[(i * free.Length) + j] * z[i];
            double pivot = r[(j * free.Length) + j];
            if (Math.Abs(pivot) <= 1e-15 * largest) return double.NaN;
            z[j] = value / pivot;
            sum += z[j] * z[j];
        }

        return sum;
    }

    private static ImmutableArray<string> Warn(Problem problem, Minimum minimum)
    {
        var warnings = ImmutableArray.CreateBuilder<string>();
        if (problem.Count <= problem.FreeCount)
            warnings.Add($"{problem.FreeCount} parameters and {problem.Count} points: the data do not determine this fit.");
        if (minimum.Termination is Termination.MaxIterations or Termination.NonFinite)
            warnings.Add($"The refinement ended by {minimum.Termination}; the parameters are not a proven minimum.");
        return warnings.ToImmutable();
    }
}
