using System.Collections.Immutable;
using System.Diagnostics;

namespace BnslGpu;

/// <summary>What kind of forecast a form of a suite is.</summary>
public enum FormKind
{
    /// <summary>The forecast of the BNSL fits, <see cref="CurveFit.Forecast"/>.</summary>
    Forecast,

    /// <summary>One least-squares fit on log y.</summary>
    LeastSquares,

    /// <summary>A figure that others released.</summary>
    Released,
}

/// <summary>One of the forms that a suite compares.</summary>
/// <param name="Name">What tables call it.</param>
/// <param name="Kind">What it is.</param>
public sealed record SuiteForm(string Name, FormKind Kind);

/// <summary>Seconds that some fits took.</summary>
/// <param name="Fits">Which fits.</param>
/// <param name="Wall">Seconds that passed.</param>
/// <param name="Cpu">Seconds of all threads of this process together.</param>
public sealed record SuiteSeconds(string Fits, double Wall, double Cpu);

/// <summary>How BNSL and the forms that it is compared with forecast the held-out points of many curves.</summary>
public sealed record SuiteReport
{
    /// <summary>What BNSL is called in <see cref="Forms"/>: its forecast.</summary>
    public const string Bnsl = "BNSL";

    /// <summary>What its least-squares fit with one break is called, the published protocol.</summary>
    public const string OneBreak = "BNSL n=1";

    /// <summary>What was fitted: the suite's name, or that of the files.</summary>
    public required string Name { get; init; }

    /// <summary>The choices of the BNSL fits; laws are those of every form.</summary>
    public required FitOptions Options { get; init; }

    /// <summary>The forms: BNSL, other fits, then released figures.</summary>
    public required ImmutableArray<SuiteForm> Forms { get; init; }

    /// <summary>One a curve, by name (ordinal).</summary>
    public required ImmutableArray<SuiteTask> Tasks { get; init; }

    /// <summary>Averages by domain (ordinal), over the suite's groups, and over all.</summary>
    public required ImmutableArray<SuiteAverages> Averages { get; init; }

    /// <summary>Which form is best: against released figures, then against our own fits.</summary>
    public required ImmutableArray<SuiteContest> Contests { get; init; }

    /// <summary>Seconds of each call of <see cref="Fitter"/>.</summary>
    public required ImmutableArray<SuiteSeconds> Seconds { get; init; }

    /// <summary>The reports that the forms' scores are of: of BNSL first.</summary>
    public required ImmutableArray<FitReport> Fits { get; init; }

    /// <summary>Fits every form to every curve and scores it on the held-out points.</summary>
    /// <param name="name">What the curves are called together.</param>
    /// <param name="curves">The curves. A curve that cannot be fitted, or has nothing held out, is listed with the reason.</param>
    /// <param name="options">The choices of the BNSL fits; <see cref="FitOptions.Laws"/> names the forms. Other laws are fitted by plain least squares.</param>
    /// <param name="groups">Domains that are also averaged together.</param>
    /// <param name="released">Figures of others to compare with; null for none.</param>
    /// <param name="progress">Told how far the run is, from any thread.</param>
    /// <param name="cancellation">Ends the run without a report.</param>
    /// <exception cref="ArgumentException">An option breaks its constraint, or two curves share a name.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public static SuiteReport Fit(
        string name, IReadOnlyList<Curve> curves, FitOptions options, ImmutableArray<SuiteGroup> groups = default, ReleasedFits? released = null,
        IProgress<FitProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(curves);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Curve[] ordered = [.. curves.OrderBy(curve => curve.Name, StringComparer.Ordinal)];
        Curve[] scored = [.. ordered.Where(HasScore)];
        var reports = new List<FitReport>();
        var seconds = new List<SuiteSeconds>();

        // BNSL alone, for a forecast is of one call's fits; then whatever is plain least squares, together. The published protocol is among the first
        // where these are that: least squares on log y, one break, nothing said of parameters.
        bool bnsl = options.Laws.Contains("bnsl");
        bool hasOneBreak = options.Breaks.Contains(1) && options.Loss == "msle" && options.Parameters == ParameterRules.None;
        FitReport? first = bnsl ? Run("bnsl", options with { Laws = ["bnsl"] }) : null;
        string[] rivals = [.. options.Laws.Where(law => law != "bnsl")];
        string[] second = [.. bnsl && !hasOneBreak ? ["bnsl"] : Array.Empty<string>(), .. rivals];
        FitReport? others = second.Length == 0 ? null : Run(string.Join(',', second), FitOptions.LeastSquares with
        {
            Laws = [.. second],
            Breaks = [1],
            Starts = options.Starts,
            MissedChance = options.MissedChance,
            Seed = options.Seed,
            Precision = options.Precision,
            Device = options.Device,
            Refined = options.Refined,
            SearchIterations = options.SearchIterations,
            Threads = options.Threads,
            ChunkSize = options.ChunkSize,
        });

        FitReport Run(string laws, FitOptions choices)
        {
            long begin = Stopwatch.GetTimestamp();
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            FitReport report = Fitter.Fit(scored, choices, progress is null ? null : new Staged(progress, laws), cancellation);
            seconds.Add(new(laws, Stopwatch.GetElapsedTime(begin).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds));
            reports.Add(report);
            return report;
        }

        ImmutableArray<SuiteForm> forms =
        [
            .. bnsl ? [new(Bnsl, FormKind.Forecast), new(OneBreak, FormKind.LeastSquares)] : Array.Empty<SuiteForm>(),
            .. rivals.Select(law => new SuiteForm(Shown(law), FormKind.LeastSquares)),
            .. (released?.Forms ?? []).Select(law => new SuiteForm($"{Shown(law)} released", FormKind.Released)),
        ];
        bool hasDomains = ordered.All(curve => curve.Name.Contains('|', StringComparison.Ordinal));
        var tasks = ImmutableArray.CreateBuilder<SuiteTask>(ordered.Length);
        for (int i = 0, next = 0; i < ordered.Length; i++)
        {
            Curve curve = ordered[i];
            var scores = new List<FormScore>();
            var reasons = new List<string>();
            ForecastScore? forecast = null;
            if (!HasScore(curve))
            {
                reasons.Add(curve.HeldOut.Count == 0 ? "There are no held-out points to score." : "No held-out point has y > 0; there is no logarithm to score.");
                scores.AddRange(Enumerable.Repeat(FormScore.None, forms.Length));
            }
            else
            {
                CurveFit? own = first?.Curves[next], other = others?.Curves[next];
                next++;
                if (own is not null)
                {
                    if (own.Forecast is { } known) forecast = ForecastScore.Of(known, curve.HeldOut);
                    Score(Bnsl, own, own.Forecast is null ? null : own.Forecast.Predict(curve.HeldOut.X));
                    CurveFit from = hasOneBreak ? own : other!;
                    Score(OneBreak, from, from.Fits.FirstOrDefault(fit => fit.Law == "bnsl" && fit.Breaks == 1)?.Predict(curve.HeldOut.X));
                }

                foreach (string law in rivals)
                    Score(Shown(law), other!, other!.Fits.FirstOrDefault(fit => fit.Law == law)?.Predict(curve.HeldOut.X));
                ImmutableArray<double> figures = released?.Rmsle(curve.Name) ?? [];
                scores.AddRange((released?.Forms ?? []).Select((_, k) => figures.IsEmpty ? FormScore.None : new(figures[k], double.NaN)));
            }

            tasks.Add(new()
            {
                Name = curve.Name,
                Domain = hasDomains ? curve.Name[..curve.Name.IndexOf('|', StringComparison.Ordinal)] : Everything,
                FitPoints = curve.Fit.Count,
                HeldOutPoints = curve.HeldOut.Count,
                Scores = [.. scores],
                Forecast = forecast,
                Reasons = [.. reasons.Distinct()],
            });

            void Score(string form, CurveFit fits, double[]? predicted)
            {
                FormScore score = predicted is null ? FormScore.None : FormScore.Of(predicted, curve.HeldOut);
                scores.Add(score);
                if (double.IsNaN(score.Rmsle)) reasons.Add(predicted is not null ? $"{form}: its forecast is not finite at held-out points." : fits.Warnings is [var why, ..] ? why : $"{form}: there is no fit.");
            }
        }

        return Of(name, options, forms, tasks.MoveToImmutable(), groups.IsDefault ? [] : groups) with { Seconds = [.. seconds], Fits = [.. reports] };
    }

    /// <summary>The statistics of tasks that are scored.</summary>
    internal static SuiteReport Of(string name, FitOptions options, ImmutableArray<SuiteForm> forms, ImmutableArray<SuiteTask> tasks, ImmutableArray<SuiteGroup> groups)
    {
        string[] domains = [.. tasks.Select(task => task.Domain).Distinct().Order(StringComparer.Ordinal)];
        (string Name, SuiteTask[] Tasks)[] parts = domains.Length < 2 ? [(Everything, [.. tasks])] :
        [
            .. domains.Select(domain => (domain, tasks.Where(task => task.Domain == domain).ToArray())),
            .. groups.Where(group => group.Domains.Count(domains.Contains) > 1).Select(group => (group.Name, tasks.Where(task => group.Domains.Contains(task.Domain)).ToArray())),
            (Everything, [.. tasks]),
        ];

        // Once with the forecast and once with the one fit of the published protocol: together they would split what BNSL wins.
        var contests = new List<SuiteContest>();
        foreach ((FormKind kind, string against) in (ReadOnlySpan<(FormKind, string)>)[(FormKind.Released, "as released"), (FormKind.LeastSquares, "by our least squares")])
        {
            int[] rivals = [.. Enumerable.Range(0, forms.Length).Where(form => forms[form].Kind == kind && forms[form].Name != OneBreak)];
            if (rivals.Length == 0) continue;
            foreach (string ours in (string[])[Bnsl, OneBreak])
            {
                int form = forms.IndexOf(forms.FirstOrDefault(one => one.Name == ours)!);
                if (form < 0) continue;
                int[] all = [form, .. rivals];
                contests.Add(new($"{ours} and its rivals {against}", [.. all], [.. parts.Select(part => Shares(part.Tasks, all))]));
            }
        }

        return new()
        {
            Name = name,
            Options = options,
            Forms = forms,
            Tasks = tasks,
            Averages = [.. parts.Select(part => new SuiteAverages(
                part.Name,
                part.Tasks.Length,
                [.. forms.Select((_, form) => SuiteScores.Average(part.Tasks.Select(task => task.Scores[form].Rmsle), options.Seed))],
                SuiteScores.Average(part.Tasks.Select(task => task.Forecast), options.Seed)))],
            Contests = [.. contests],
            Seconds = [],
            Fits = [],
        };

        static ImmutableArray<double> Shares(SuiteTask[] tasks, int[] forms) => [.. SuiteScores.Best([.. tasks.Select(task => forms.Select(form => task.Scores[form].Rmsle).ToArray())])];
    }

    private const string Everything = "all";

    private static bool HasScore(Curve curve)
    {
        foreach (double y in curve.HeldOut.Y)
            if (y > 0) return true;
        return false;
    }

    // M1 to M4, as their paper writes them.
    internal static string Shown(string law) => law is ['m', >= '0' and <= '9', ..] ? $"M{law[1..]}" : law;

    private sealed class Staged(IProgress<FitProgress> progress, string laws) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => progress.Report(value with { Stage = $"{value.Stage} of {laws}" });
    }
}
