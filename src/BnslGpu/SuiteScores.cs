using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>A mean over curves with the central 95 % of its bootstrap distribution.</summary>
/// <param name="Mean">The mean; NaN without values.</param>
/// <param name="Low">2.5 % quantile over resamples of the curves.</param>
/// <param name="High">97.5 % quantile.</param>
public readonly record struct MeanInterval(double Mean, double Low, double High);

/// <summary>What one form got on the held-out points of one curve.</summary>
/// <param name="Rmsle">sqrt(mean e), e = (log ŷ − log y)²; NaN where the form has no forecast.</param>
/// <param name="Error">sqrt(mean e + std e / √n) − sqrt(mean e), population std, as in arXiv:2210.14891; NaN where only <paramref name="Rmsle"/> was released.</param>
public readonly record struct FormScore(double Rmsle, double Error)
{
    /// <summary>No forecast.</summary>
    public static FormScore None { get; } = new(double.NaN, double.NaN);

    /// <summary>Scores predictions.</summary>
    /// <param name="predicted">ŷ at each held-out point.</param>
    /// <param name="heldOut">The points; those with y ≤ 0 have no logarithm and are passed over.</param>
    public static FormScore Of(ReadOnlySpan<double> predicted, Points heldOut)
    {
        ArgumentNullException.ThrowIfNull(heldOut);
        (double rmsle, double error) = FitSummary.ErrorOfLog(predicted, heldOut);
        return double.IsFinite(rmsle) ? new(rmsle, error) : None;
    }
}

/// <summary>How well a forecast knew what it did not know: means over the held-out points of one curve.</summary>
/// <param name="LogDensity">Log of the density of measurements, per unit of y.</param>
/// <param name="Coverage">Share of points within the interval of a measurement. One for each of <see cref="Forecast.Levels"/>.</param>
/// <param name="IntervalScores">Interval score of log y; lower is better. One for each of <see cref="ScoredLevels"/>.</param>
public sealed record ForecastScore(double LogDensity, ImmutableArray<double> Coverage, ImmutableArray<double> IntervalScores)
{
    /// <summary>The levels of intervals that are scored: 80 and 95 %.</summary>
    public static ImmutableArray<double> ScoredLevels { get; } = [0.8, 0.95];

    /// <summary>Scores a forecast.</summary>
    /// <param name="forecast">The forecast.</param>
    /// <param name="heldOut">The points; those with y ≤ 0 are passed over.</param>
    /// <returns>Null without a point, or where the forecast is not finite at one.</returns>
    public static ForecastScore? Of(Forecast forecast, Points heldOut)
    {
        ArgumentNullException.ThrowIfNull(forecast);
        ArgumentNullException.ThrowIfNull(heldOut);
        int[] points = [.. Enumerable.Range(0, heldOut.Count).Where(i => heldOut.Y[i] > 0)];
        double[] x = [.. points.Select(i => heldOut.X[i])], y = [.. points.Select(i => heldOut.Y[i])];
        if (y.Length == 0) return null;
        double logDensity = forecast.LogDensity(x, y).Average();
        var coverage = ImmutableArray.CreateBuilder<double>();
        foreach (double level in Forecast.Levels)
        {
            (double[] lower, double[] upper) = forecast.Interval(x, level);
            coverage.Add(y.Where((at, i) => lower[i] <= at && at <= upper[i]).Count() / (double)y.Length);
        }

        var scores = ImmutableArray.CreateBuilder<double>();
        foreach (double level in ScoredLevels)
        {
            (double[] lower, double[] upper) = forecast.Interval(x, level);
            scores.Add(y.Select((at, i) => SuiteScores.IntervalScore(Math.Log(lower[i]), Math.Log(upper[i]), level, Math.Log(at))).Average());
        }

        return double.IsFinite(logDensity) && scores.All(double.IsFinite) ? new(logDensity, coverage.ToImmutable(), scores.ToImmutable()) : null;
    }
}

/// <summary>One curve of a suite, and what every form got on it.</summary>
public sealed record SuiteTask
{
    /// <summary>Name of the curve.</summary>
    public required string Name { get; init; }

    /// <summary>Its domain; "all" where the suite has no domains.</summary>
    public required string Domain { get; init; }

    /// <summary>Points that were fitted.</summary>
    public required int FitPoints { get; init; }

    /// <summary>Points that were held out.</summary>
    public required int HeldOutPoints { get; init; }

    /// <summary>One a form, in the order of <see cref="SuiteReport.Forms"/>.</summary>
    public required ImmutableArray<FormScore> Scores { get; init; }

    /// <summary>Of the forecast; null where there is none.</summary>
    public required ForecastScore? Forecast { get; init; }

    /// <summary>Why a form has no score, as sentences.</summary>
    public required ImmutableArray<string> Reasons { get; init; }
}

/// <summary>Averages of one form's RMSLE over the tasks that it has a score on.</summary>
/// <param name="Count">How many they are.</param>
/// <param name="Mean">Their mean, with a bootstrap interval over tasks.</param>
/// <param name="Median">Their median.</param>
/// <param name="GeometricMean">exp of the mean log; 0 where one is 0.</param>
public sealed record FormAverages(int Count, MeanInterval Mean, double Median, double GeometricMean);

/// <summary>Averages of the forecast's scores over tasks.</summary>
/// <param name="Count">Tasks.</param>
/// <param name="LogDensity">Mean log density.</param>
/// <param name="Coverage">Mean coverage. One for each of <see cref="Forecast.Levels"/>.</param>
/// <param name="IntervalScores">Mean interval score. One for each of <see cref="ForecastScore.ScoredLevels"/>.</param>
public sealed record ForecastAverages(int Count, MeanInterval LogDensity, ImmutableArray<MeanInterval> Coverage, ImmutableArray<MeanInterval> IntervalScores);

/// <summary>Averages over the tasks of a domain, of several, or of all.</summary>
/// <param name="Name">What they are called together.</param>
/// <param name="Tasks">How many they are.</param>
/// <param name="Forms">One a form, in the order of <see cref="SuiteReport.Forms"/>.</param>
/// <param name="Forecast">Of the forecast; null without one.</param>
public sealed record SuiteAverages(string Name, int Tasks, ImmutableArray<FormAverages> Forms, ForecastAverages? Forecast);

/// <summary>Which of some forms forecasts best, as shares of tasks.</summary>
/// <param name="Title">What is compared.</param>
/// <param name="Forms">The forms, as indices of <see cref="SuiteReport.Forms"/>.</param>
/// <param name="Shares">Share of the tasks on which a form is best. Shape [<see cref="SuiteReport.Averages"/>][Forms]; NaN where no form has a score.</param>
public sealed record SuiteContest(string Title, ImmutableArray<int> Forms, ImmutableArray<ImmutableArray<double>> Shares);

/// <summary>Statistics over tasks.</summary>
public static class SuiteScores
{
    /// <summary>RMSLE that differ by no more are a tie.</summary>
    public const double Tie = 1e-6;

    /// <summary>Resamples of a bootstrap.</summary>
    public const int Resamples = 2000;

    /// <summary>The interval score of Gneiting and Raftery 2007, eq. 43: (u − l) + 2/α (l − x) 1{x &lt; l} + 2/α (x − u) 1{x &gt; u}, α = 1 − level.</summary>
    /// <param name="lower">l.</param>
    /// <param name="upper">u.</param>
    /// <param name="level">Probability between them, in (0, 1).</param>
    /// <param name="x">What came true.</param>
    public static double IntervalScore(double lower, double upper, double level, double x)
    {
        double α = 1 - level;
        return upper - lower + (2 / α * (Math.Max(lower - x, 0) + Math.Max(x - upper, 0)));
    }

    /// <summary>Share of tasks on which each form has the least RMSLE; forms within <see cref="Tie"/> of the least share the task.</summary>
    /// <param name="rmsle">RMSLE of every form on every task, NaN where there is none; a task without any does not count. Shape [tasks][forms].</param>
    /// <returns>Shares; they sum to one. NaN without a task. Shape [forms].</returns>
    public static double[] Best(IReadOnlyList<double[]> rmsle)
    {
        ArgumentNullException.ThrowIfNull(rmsle);
        var shares = new double[rmsle.Count == 0 ? 0 : rmsle[0].Length];
        int tasks = 0;
        foreach (double[] task in rmsle)
        {
            double least = task.Where(error => !double.IsNaN(error)).DefaultIfEmpty(double.NaN).Min();
            bool[] best = [.. task.Select(error => error <= least + Tie)];
            int ties = best.Count(one => one);
            if (ties == 0) continue;
            tasks++;
            for (int form = 0; form < shares.Length; form++) shares[form] += best[form] ? 1.0 / ties : 0;
        }

        return [.. shares.Select(share => share / tasks)];
    }

    /// <summary>The mean and the 2.5 and 97.5 % quantiles of the means of <see cref="Resamples"/> resamples with replacement (Efron 1979).</summary>
    /// <param name="values">One a task.</param>
    /// <param name="seed">The seed; the same for as many values draws the same tasks, so that resamples of two forms are pairs.</param>
    public static MeanInterval Bootstrap(ReadOnlySpan<double> values, ulong seed)
    {
        int n = values.Length;
        if (n == 0) return new(double.NaN, double.NaN, double.NaN);
        const ulong Purpose = 0x7375697465; // "suite": no other stream begins with it
        ulong stream = CounterRandom.Mix(Purpose, (ulong)n);
        var means = new double[Resamples];
        for (int resample = 0; resample < Resamples; resample++)
        {
            var random = new CounterRandom(seed, stream, (uint)resample);
            double sum = 0;
            for (int i = 0; i < n; i++) sum += values[(int)(random.Uniform() * n)];
            means[resample] = sum / n;
        }

        Array.Sort(means);
        double total = 0;
        foreach (double value in values) total += value;
        return new(total / n, Quantile(means, 0.025), Quantile(means, 0.975));
    }

    /// <summary>Averages of RMSLE.</summary>
    /// <param name="rmsle">One a task; NaN where there is none.</param>
    /// <param name="seed">Of the bootstrap.</param>
    public static FormAverages Average(IEnumerable<double> rmsle, ulong seed)
    {
        double[] values = [.. rmsle.Where(error => !double.IsNaN(error))];
        if (values.Length == 0) return new(0, Bootstrap([], seed), double.NaN, double.NaN);
        double[] sorted = [.. values.Order()];
        return new(values.Length, Bootstrap(values, seed), Quantile(sorted, 0.5), Math.Exp(values.Average(Math.Log)));
    }

    /// <summary>Averages of the forecast's scores; null without any.</summary>
    /// <param name="scores">One a task; null where there is none.</param>
    /// <param name="seed">Of the bootstrap.</param>
    public static ForecastAverages? Average(IEnumerable<ForecastScore?> scores, ulong seed)
    {
        ForecastScore[] own = [.. scores.OfType<ForecastScore>()];
        return own.Length == 0 ? null : new(
            own.Length,
            Over(score => score.LogDensity),
            [.. Forecast.Levels.Select((_, k) => Over(score => score.Coverage[k]))],
            [.. ForecastScore.ScoredLevels.Select((_, k) => Over(score => score.IntervalScores[k]))]);

        MeanInterval Over(Func<ForecastScore, double> part) => Bootstrap([.. own.Select(part)], seed);
    }

    /// <summary>Linear between the two nearest of ascending values.</summary>
    private static double Quantile(double[] sorted, double p)
    {
        double at = p * (sorted.Length - 1);
        int below = (int)at;
        return below + 1 == sorted.Length ? sorted[below] : sorted[below] + ((at - below) * (sorted[below + 1] - sorted[below]));
    }
}
