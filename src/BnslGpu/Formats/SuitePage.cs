using System.Collections.Immutable;

namespace BnslGpu.Formats;

/// <summary>The scores of a suite as one page: its tables above the curves of BNSL, with the fits of the other forms drawn beside them.</summary>
public static class SuitePage
{
    /// <summary>Writes the page; <see cref="HtmlReport"/> says how it is made.</summary>
    /// <param name="report">What to show; of its curves, those that could be scored.</param>
    /// <param name="output">Where to; it is not closed. Lines end in \n on every system.</param>
    /// <param name="progress">Told how many curves are written, from any thread.</param>
    public static void Write(SuiteReport report, TextWriter output, IProgress<FitProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        if (report.Fits.IsEmpty) throw new ArgumentException("The report has no fits to show.", nameof(report));
        HtmlReport.Write(report.Fits[0], output, Rivals(report), Tables(report), $"{report.Name}: forecasts of held-out points", progress);
    }

    /// <summary>The fits of the other calls, by the names of the forms.</summary>
    internal static ImmutableArray<RivalFit> Rivals(SuiteReport report) =>
    [
        .. report.Fits.Skip(1).SelectMany(fits => fits.Curves)
            .SelectMany(curve => curve.Fits.Select(fit => new RivalFit(curve.Curve.Name, fit.Law == "bnsl" ? SuiteReport.OneBreak : SuiteReport.Shown(fit.Law), fit))),
    ];

    internal static ImmutableArray<ReportTable> Tables(SuiteReport report)
    {
        ImmutableArray<SuiteAverages> groups = report.Averages;
        var tables = ImmutableArray.CreateBuilder<ReportTable>();
        TextColumn forms = new("form", [.. report.Forms.Select(form => form.Name)]);
        string[] titles = [.. groups.Select(group => $"{group.Name} ({group.Tasks})")];
        tables.Add(new(
            "Mean RMSLE of the held-out points",
            $"By domain (tasks); lower is better. {SuiteReport.Bnsl} is the forecast, {SuiteReport.OneBreak} its least-squares fit with 1 break; released are figures of fits by the forms' authors.",
            [forms, .. groups.Select((group, k) => new NumberColumn(titles[k], [.. group.Forms.Select(form => form.Mean.Mean)]) { Digits = 3 })]));
        foreach (SuiteContest contest in report.Contests)
        {
            tables.Add(new(
                $"Best in % of tasks: {contest.Title}",
                "Share of the tasks on which a form has the least RMSLE; equals share a task.",
                [
                    new TextColumn("form", [.. contest.Forms.Select(form => report.Forms[form].Name)]),
                    .. contest.Shares.Select((shares, k) => new NumberColumn(titles[k], [.. shares.Select(share => 100 * share)]) { Digits = 3 }),
                ]));
        }

        SuiteAverages[] known = [.. groups.Where(group => group.Forecast is not null)];
        if (known.Length > 0)
        {
            tables.Add(new(
                $"What the forecast of {SuiteReport.Bnsl} knows of its error",
                "Means over tasks: log density of the measurements (higher is better), the share of them within each interval in %, and the interval score of log y (lower is better).",
                [
                    new TextColumn("domain", [.. known.Select(group => $"{group.Name} ({group.Forecast!.Count})")]),
                    new NumberColumn("log density", [.. known.Select(group => group.Forecast!.LogDensity.Mean)]) { Digits = 3 },
                    .. Forecast.Levels.Select((level, k) => new NumberColumn($"within {100 * level:0} %", [.. known.Select(group => 100 * group.Forecast!.Coverage[k].Mean)]) { Digits = 3 }),
                    .. ForecastScore.ScoredLevels.Select((level, k) => new NumberColumn($"score {100 * level:0} %", [.. known.Select(group => group.Forecast!.IntervalScores[k].Mean)]) { Digits = 3 }),
                ]));
        }

        tables.Add(new(
            "Tasks",
            "RMSLE of the held-out points ± its error, as arXiv:2210.14891 has it; the share of them within the forecast's 80 % interval.",
            [
                new TextColumn("task", [.. report.Tasks.Select(task => task.Name)]),
                new NumberColumn("fitted", [.. report.Tasks.Select(task => (double)task.FitPoints)]),
                new NumberColumn("held out", [.. report.Tasks.Select(task => (double)task.HeldOutPoints)]),
                .. report.Forms.Select((form, k) => new NumberColumn(form.Name, [.. report.Tasks.Select(task => task.Scores[k].Rmsle)])
                {
                    Digits = 3,
                    Errors = form.Kind == FormKind.Released ? [] : [.. report.Tasks.Select(task => task.Scores[k].Error)],
                }),
                new NumberColumn("within 80 %", [.. report.Tasks.Select(task => 100 * (task.Forecast?.Coverage[Forecast.Levels.IndexOf(0.8)] ?? double.NaN))]) { Digits = 3 },
            ]));
        return tables.ToImmutable();
    }
}
