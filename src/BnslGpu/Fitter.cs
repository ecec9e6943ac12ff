using System.Collections.Immutable;
using System.Diagnostics;

namespace BnslGpu;

/// <summary>How far a run is.</summary>
/// <param name="Stage">What is being done: screen, search, refine or forecast.</param>
/// <param name="Done">Units done.</param>
/// <param name="Total">Units in all.</param>
public readonly record struct FitProgress(string Stage, long Done, long Total);

/// <summary>The pipeline: curves become problems, a backend searches them, the best candidates are refined, one fit a curve is chosen.</summary>
public static class Fitter
{
    /// <summary>Fits every curve with every number of breaks.</summary>
    /// <param name="curves">The curves; names must differ.</param>
    /// <param name="options">The choices; <see cref="FitOptions.Default"/> by default.</param>
    /// <param name="progress">Told how far the run is, from any thread.</param>
    /// <param name="cancellation">Ends the run without a report.</param>
    /// <param name="stop">Ends the search early: what was found by then is refined and reported, with a remark that says so.</param>
    /// <returns>The report. A curve that cannot be fitted is in it with the reason and without fits.</returns>
    /// <exception cref="ArgumentException">An option breaks its constraint, or two curves share a name.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static FitReport Fit(
        IReadOnlyList<Curve> curves, FitOptions? options = null, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default, CancellationToken stop = default)
    {
        ArgumentNullException.ThrowIfNull(curves);
        foreach (Curve curve in curves) ArgumentNullException.ThrowIfNull(curve, nameof(curves));
        options ??= FitOptions.Default;
        options.Validate();
        var clock = Stopwatch.StartNew();
        Loss loss = Loss.Get(options.Loss);
        ImmutableArray<ScalingLaw> laws = [.. options.AllLaws];
        Curve[] ordered = [.. curves.OrderBy(curve => curve.Name, StringComparer.Ordinal)];
        for (int i = 1; i < ordered.Length; i++)
            if (ordered[i].Name == ordered[i - 1].Name) throw new ArgumentException($"Two curves are called '{ordered[i].Name}'; names must differ.", nameof(curves));

        // What cannot be fitted has a reason; everything else is a problem.
        var reasons = new List<string>[ordered.Length];
        var owners = new List<int>();
        var problems = new List<Problem>();
        for (int i = 0; i < ordered.Length; i++)
        {
            reasons[i] = [];
            foreach (ScalingLaw law in laws)
            {
                if (Problem.WhyNot(ordered[i].Fit, law, loss, options.Parameters) is { } reason)
                {
                    if (!reasons[i].Contains(reason)) reasons[i].Add(reason);
                    continue;
                }

                owners.Add(i);
                problems.Add(new Problem(ordered[i].Fit, law, loss, options.Delta, options.Parameters));
            }
        }

        var batch = new ProblemBatch(problems);
        var search = new SearchOptions(
            options.Starts, options.Seed, options.Refined, options.Precision, options.SearchIterations, options.Threads, options.ChunkSize, options.MissedChance);
        IBackend backend = Backends.Choose(options.Device, batch, search);
        using var release = backend as IDisposable;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stop);
        ImmutableArray<Candidates> candidates = backend.Search(batch, search, progress, either.Token);
        cancellation.ThrowIfCancellationRequested();
        bool stopped = stop.IsCancellationRequested;
        double searched = clock.Elapsed.TotalSeconds;

        var fits = new Fit[candidates.Length];
        int refined = 0;
        progress?.Report(new("refine", 0, fits.Length));
        SimdBackend.Run(fits.Length, options.Threads, problem =>
        {
            fits[problem] = FitSummary.Of(ordered[owners[problem]], candidates[problem], options.Seed, cancellation);
            progress?.Report(new("refine", Interlocked.Increment(ref refined), fits.Length));
        }, cancellation);

        double refinedAt = clock.Elapsed.TotalSeconds;
        Forecast?[] forecasts = Forecasts(ordered, options, progress, either.Token, cancellation);
        var results = ImmutableArray.CreateBuilder<CurveFit>(ordered.Length);
        for (int i = 0, next = 0; i < ordered.Length; i++)
        {
            int first = next;
            while (next < fits.Length && owners[next] == i) next++;
            Curve curve = ordered[i];
            ImmutableArray<Fit> own = [.. fits.AsSpan(first, next - first)];
            int chosen = ModelSelection.Choose(own);
            results.Add(new()
            {
                Curve = curve,
                Chosen = chosen,
                Forecast = chosen < 0 ? null : forecasts[i] ?? ModelSelection.Forecast(curve, own, chosen),
                Fits = own,
                Sentences = chosen < 0 ? [] : FitSentences.Of(curve, own, chosen),
                Warnings = [.. reasons[i], .. chosen < 0 ? [] : Remarks(curve, own, chosen)],
            });
        }

        double total = clock.Elapsed.TotalSeconds;
        return new()
        {
            Options = options,
            Device = backend.Description,
            Remarks = [.. stopped ? [Stopped(candidates)] : Array.Empty<string>(), .. backend.Remarks],
            Seconds = new(0, searched, refinedAt - searched, total),
            Curves = results.MoveToImmutable(),
        };
    }

    /// <summary>Forecasts of the curves that can have one of their own; null for the others, and for all where the run was stopped.</summary>
    private static Forecast?[] Forecasts(Curve[] curves, FitOptions options, IProgress<FitProgress>? progress, CancellationToken stop, CancellationToken cancellation)
    {
        var forecasts = new Forecast?[curves.Length];
        if (options is not { Forecast: ForecastKind.Stacked, Loss: "msle", Parameters.IsEmpty: true } || !options.Laws.Contains("bnsl")) return forecasts;
        int[] able = [.. Enumerable.Range(0, curves.Length).Where(i => Problem.WhyNot(curves[i].Fit, ScalingLaw.Get("bnsl", 0), Loss.Get("msle")) is null)];
        progress?.Report(new("forecast", 0, able.Length));
        try
        {
            Forecast?[] made = Forecaster.Make([.. able.Select(i => curves[i].Fit)], options.Seed, options.Threads, done => progress?.Report(new("forecast", done, able.Length)), stop);
            for (int k = 0; k < able.Length; k++) forecasts[able[k]] = made[k];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Stopped: forecasts are then those of the chosen fits.
        }

        return forecasts;
    }

    private static string Stopped(ImmutableArray<Candidates> candidates) =>
        $"The search was stopped after {candidates.Sum(own => (long)own.StartLosses.Length)} starts; lower minima may have been missed, and forecasts are those of the chosen fits.";

    /// <summary>What is odd about a curve or about its choice among its fits.</summary>
    private static IEnumerable<string> Remarks(Curve curve, ImmutableArray<Fit> fits, int chosen)
    {
        int count = 0;
        foreach (double y in curve.HeldOut.Y) count += y > 0 ? 0 : 1;
        if (count > 0 && ScalingLaw.Get(fits[chosen].Law, fits[chosen].Breaks).IsPositive) yield return $"{count} of {curve.HeldOut.Count} held-out points {(count == 1 ? "has" : "have")} y <= 0 and no logarithm; the score is of the others.";

        Fit best = fits[chosen];
        if (FitSentences.NoBreakWouldDo(fits, chosen)) yield return "No break would do: without one AICc is larger by less than 2.";
        if (best.Law == "bnsl" && Rises(curve.Fit))
            yield return "y rises with x. bnsl follows a rise but cannot approach a ceiling; fit the distance to a known one (--ceiling 1 for accuracy), or --law bnsl-rising --loss mse.";
    }

    /// <summary>Whether y rises with x: Kendall's rank correlation above a half, over at most 200 points.</summary>
    private static bool Rises(Points points)
    {
        int step = Math.Max(1, points.Count / 200), pairs = 0, sum = 0;
        for (int i = 0; i < points.Count; i += step)
        {
            for (int k = 0; k < i; k += step)
            {
                if (!(points.X[k] < points.X[i])) continue;
                pairs++;
                sum += Math.Sign(points.Y[i].CompareTo(points.Y[k]));
            }
        }

        return pairs > 2 && 2 * sum > pairs;
    }

    /// <summary>Compiles what a fit with these options will run; for another thread to do while data is read.</summary>
    /// <param name="options">The choices, valid.</param>
    /// <remarks>Compilation takes about a tenth of a second a law, several times what the search of a small curve takes.</remarks>
    public static void Warm(FitOptions options)
    {
        int inputs = options.AllLaws.Max(law => law.InputCount);
        double[] y = [6, 5, 4.5, 4, 3.8, 3.7];
        double[] x = [.. Enumerable.Range(1, y.Length).SelectMany(i => Enumerable.Repeat((double)i, inputs))];
        Curve curve = new("", new(x, inputs, y));
        FitOptions least = options with { Forecast = ForecastKind.Chosen, Device = "simd", Starts = 1, Refined = 1, SearchIterations = 2, Threads = 1, Parameters = ParameterRules.None };
        Action[] parts = [.. options.Breaks.Select(n => (Action)(() => Fit([curve], least with { Breaks = [n] })))];
        if (options.Forecast == ForecastKind.Stacked && inputs == 1) parts = [.. parts, () => Forecaster.Make([curve.Fit], 0, 1, null, default)];
        Parallel.Invoke(parts);
    }
}
