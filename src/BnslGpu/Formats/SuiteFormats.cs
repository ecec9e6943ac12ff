using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BnslGpu.Formats;

/// <summary>A way to write the scores of a suite down. A new one is a class and a line in <see cref="SuiteFormats.All"/>.</summary>
public interface ISuiteFormat
{
    /// <summary>What a person types to choose it: lower case, no spaces.</summary>
    string Name { get; }

    /// <summary>Extension of a file in this format, with its dot.</summary>
    string FileExtension { get; }

    /// <summary>Writes a report. Lines end in \n on every system.</summary>
    /// <param name="report">What to write.</param>
    /// <param name="tasks">Whether every task is told; formats for programs always do.</param>
    /// <param name="output">Where to; it is not closed.</param>
    void Write(SuiteReport report, bool tasks, TextWriter output);
}

/// <summary>Every format there is.</summary>
public static class SuiteFormats
{
    /// <summary>The formats, the terminal's first.</summary>
    public static ImmutableArray<ISuiteFormat> All { get; } = [new SuiteTables("table", ".txt"), new SuiteTables("markdown", ".md"), new SuiteCsv(), new SuiteJson()];

    /// <summary>Finds a format.</summary>
    /// <param name="name">Its <see cref="ISuiteFormat.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those there are.</exception>
    public static ISuiteFormat Find(string name) =>
        All.FirstOrDefault(format => format.Name == name)
        ?? throw new ArgumentException($"Format is '{name}'. Choose one of: {string.Join(", ", All.Select(format => format.Name))}.");
}

/// <summary>For people: the summary first, then, if asked for, every task. Plain text, or Markdown.</summary>
internal sealed class SuiteTables(string name, string extension) : ISuiteFormat
{
    private const int TaskWidth = 40;

    public string Name => name;

    public string FileExtension => extension;

    private bool IsMarkdown => name == "markdown";

    public void Write(SuiteReport report, bool tasks, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        FitOptions options = report.Options;
        int scored = report.Tasks.Count(task => task.Scores.Any(score => !double.IsNaN(score.Rmsle)));
        string breaks = options.Laws.Contains("bnsl") ? $"; BNSL with {string.Join(", ", options.Breaks)} breaks" : "";
        Heading($"{report.Name}: {Readable.Count(scored, "task")} scored{(scored < report.Tasks.Length ? $" of {report.Tasks.Length}" : "")}{breaks}, recipe {options.Recipe}, seed {options.Seed}", 1);
        if (options.Laws.Contains("bnsl")) Line($"{SuiteReport.Bnsl} is the forecast, {SuiteReport.OneBreak} its least-squares fit with 1 break; the other forms are one least-squares fit each.");
        if (report.Forms.Any(form => form.Kind == FormKind.Released)) Line("Released are figures of fits by the forms' authors.");
        string seconds = string.Join("; ", report.Seconds.Select(one => $"{one.Fits} {Readable.Number(one.Wall, 3)} s, {Readable.Number(one.Cpu, 3)} s of CPU"));
        if (report.Fits is [var first, ..]) Line($"{first.Device}; {seconds}");
        Line("");

        string[] groups = [.. report.Averages.Select(group => $"{group.Name} ({group.Tasks})")];
        Averages("RMSLE of the held-out points, mean over tasks", averages => averages.Mean.Mean);
        for (int k = 0; k < report.Contests.Length; k++)
        {
            SuiteContest contest = report.Contests[k];
            var rows = contest.Forms.Select((form, i) => Shares(report.Forms[form].Name, contest, i)).ToList();
            // The same rivals with the one fit in the place of the forecast: a line of the same table says it.
            if (k + 1 < report.Contests.Length && report.Contests[k + 1].Forms[1..].SequenceEqual(contest.Forms[1..]))
                rows.Add(Shares($"({report.Forms[report.Contests[++k].Forms[0]].Name} instead)", report.Contests[k], 0));
            Table($"{contest.Title}: best on so many % of tasks (within {Readable.Number(SuiteScores.Tie, 1)} is a tie, shared)", ["", .. groups], rows);
        }

        if (report.Averages.Any(group => group.Forecast is not null))
        {
            Table($"Forecast of {SuiteReport.Bnsl}: means over tasks [95 % of {SuiteScores.Resamples} resamples of the tasks]; interval scores of log y, lower is better",
                ["", "log density of y", .. Forecast.Levels.Select(level => $"in {Percent(level)} % interval, %"), .. ForecastScore.ScoredLevels.Select(level => $"score {Percent(level)} %")],
                [.. report.Averages.Where(group => group.Forecast is not null).Select(Of)]);
        }

        Averages("RMSLE, median over tasks", averages => averages.Median);
        Averages("RMSLE, geometric mean over tasks", averages => averages.GeometricMean);
        if (tasks) Tasks(report);

        foreach (SuiteTask task in report.Tasks)
            foreach (string reason in task.Reasons) Line($"! {task.Name}: {reason}");
        for (int form = 0; form < report.Forms.Length; form++)
        {
            int lacking = scored - report.Averages[^1].Forms[form].Count;
            if (lacking > 0) Line($"! {report.Forms[form].Name} has no score on {Readable.Count(lacking, "scored task")}; its averages are over the others.");
        }

        foreach (string remark in report.Fits.SelectMany(fits => fits.Remarks).Distinct()) Line($"! {remark}");

        void Heading(string text, int level) => Line((IsMarkdown ? new string('#', level) + " " : "") + text + "\n");

        void Line(string text) => output.Write(text.TrimEnd(' ') + "\n");

        void Averages(string title, Func<FormAverages, double> which) => Table(title, ["", .. groups],
            [.. report.Forms.Select((form, i) => (string[])[form.Name, .. report.Averages.Select(group => Readable.Number(which(group.Forms[i]), 3))])]);

        string[] Shares(string form, SuiteContest contest, int i) =>
            [form, .. contest.Shares.Select(group => double.IsNaN(group[i]) ? "-" : (100 * group[i]).ToString("F1", CultureInfo.InvariantCulture))];

        static string[] Of(SuiteAverages group) =>
        [
            $"{group.Name} ({group.Forecast!.Count})",
            Interval(group.Forecast.LogDensity, 1, "F2"),
            .. group.Forecast.Coverage.Select(coverage => Interval(coverage, 100, "F0")),
            .. group.Forecast.IntervalScores.Select(score => Readable.Number(score.Mean, 3)),
        ];

        void Tasks(SuiteReport report)
        {
            var rows = report.Tasks.Select(task =>
            {
                double least = task.Scores.Min(score => double.IsNaN(score.Rmsle) ? double.PositiveInfinity : score.Rmsle);
                return (string[])
                [
                    IsMarkdown ? task.Name : Readable.Shorten(task.Name, TaskWidth),
                    $"{task.FitPoints}+{task.HeldOutPoints}",
                    .. task.Scores.Select(score => double.IsNaN(score.Rmsle) ? "-"
                        : (score.Rmsle <= least + SuiteScores.Tie ? "*" : "") + Readable.Number(score.Rmsle, 3) + (double.IsNaN(score.Error) || task.HeldOutPoints == 1 ? "" : $" ±{Readable.Number(score.Error, 2)}")),
                ];
            }).ToList();
            Table("RMSLE of the held-out points ± its error, task by task; * is the best of the row; points fitted + held out", ["task", "points", .. report.Forms.Select(form => form.Name)], rows);
        }

        void Table(string title, string[] header, IReadOnlyList<string[]> rows)
        {
            Heading(title, 2);
            if (IsMarkdown)
            {
                Row(header);
                Row([.. header.Select((_, i) => i == 0 ? "---" : "---:")]);
                foreach (string[] row in rows) Row(row);
            }
            else
            {
                var columns = new TableFormat.Columns();
                columns.Left(header[0], rows.Select(row => row[0]));
                for (int i = 1; i < header.Length; i++)
                {
                    int column = i;
                    columns.Right(header[i], rows.Select(row => row[column]));
                }

                foreach (string line in columns.Lines()) Line(line);
            }

            Line("");
        }

        void Row(string[] cells) => Line($"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |");
    }

    private static string Percent(double level) => (100 * level).ToString("0", CultureInfo.InvariantCulture);

    private static string Interval(MeanInterval interval, double unit, string digits)
    {
        return $"{Of(interval.Mean)} [{Of(interval.Low)}, {Of(interval.High)}]";

        string Of(double value) => (unit * value).ToString(digits, CultureInfo.InvariantCulture);
    }
}

/// <summary>One row a task and form, for pandas, R and spreadsheets; what is said of the forecast stands in the row of BNSL.</summary>
internal sealed class SuiteCsv : ISuiteFormat
{
    public string Name => "csv";

    public string FileExtension => ".csv";

    public void Write(SuiteReport report, bool tasks, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        string[] names =
        [
            "log_density",
            .. Forecast.Levels.Select(level => $"coverage_{100 * level:0}"),
            .. ForecastScore.ScoredLevels.Select(level => $"interval_score_{100 * level:0}"),
        ];
        CsvFormat.WriteRow(output, ["task", "domain", "form", "kind", "points_fit", "points_held_out", "rmsle", "rmsle_error", .. names]);
        foreach (SuiteTask task in report.Tasks)
        {
            foreach ((SuiteForm form, FormScore score) in report.Forms.Zip(task.Scores))
            {
                ForecastScore? forecast = form.Kind == FormKind.Forecast ? task.Forecast : null;
                CsvFormat.WriteRow(output,
                [
                    CsvFormat.Unarmed(task.Name), CsvFormat.Unarmed(task.Domain), form.Name, SuiteJson.Kind(form), CsvFormat.Number(task.FitPoints), CsvFormat.Number(task.HeldOutPoints),
                    Known(score.Rmsle), Known(score.Error),
                    .. forecast is null ? names.Select(_ => "")
                        : ((double[])[forecast.LogDensity, .. forecast.Coverage, .. forecast.IntervalScores]).Select(CsvFormat.Number),
                ]);
            }
        }

        static string Known(double value) => double.IsNaN(value) ? "" : CsvFormat.Number(value);
    }
}

/// <summary>Everything, for programs. Doubles have the fewest digits that read back to the same bits; what is not known is "NaN", as in the reports of fits.</summary>
internal sealed class SuiteJson : ISuiteFormat
{
    public string Name => "json";

    public string FileExtension => ".json";

    public static string Kind(SuiteForm form) => form.Kind switch { FormKind.Forecast => "forecast", FormKind.LeastSquares => "least-squares", _ => "released" };

    public void Write(SuiteReport report, bool tasks, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        using var utf8 = new MemoryStream();
        using (var json = new Utf8JsonWriter(utf8, JsonFormat.s_options))
        {
            json.WriteStartObject();
            json.WriteString("tool", "bnsl");
            json.WriteString("version", FitReport.Version);
            json.WriteString("suite", report.Name);
            json.WritePropertyName("options");
            JsonFormat.WriteOptions(json, report.Options);
            json.WriteNumber("seed", report.Options.Seed);
            json.WriteString("device", report.Fits.IsEmpty ? "" : report.Fits[0].Device);
            JsonFormat.WriteTexts(json, "remarks", [.. report.Fits.SelectMany(fits => fits.Remarks).Distinct()]);
            Each("seconds", report.Seconds, one =>
            {
                json.WriteString("fits", one.Fits);
                JsonFormat.WriteNumber(json, "wall", one.Wall);
                JsonFormat.WriteNumber(json, "cpu", one.Cpu);
            });
            Each("forms", report.Forms, form =>
            {
                json.WriteString("name", form.Name);
                json.WriteString("kind", Kind(form));
            });
            Each("averages", report.Averages, group =>
            {
                json.WriteString("name", group.Name);
                json.WriteNumber("tasks", group.Tasks);
                Each("rmsle", report.Forms.Zip(group.Forms), one =>
                {
                    json.WriteString("form", one.First.Name);
                    json.WriteNumber("tasks", one.Second.Count);
                    Interval("mean", one.Second.Mean);
                    JsonFormat.WriteNumber(json, "median", one.Second.Median);
                    JsonFormat.WriteNumber(json, "geometricMean", one.Second.GeometricMean);
                });
                if (group.Forecast is not { } forecast) return;
                json.WriteStartObject("forecast");
                json.WriteNumber("tasks", forecast.Count);
                Interval("logDensity", forecast.LogDensity);
                json.WriteStartObject("coverage");
                foreach ((double level, MeanInterval mean) in Forecast.Levels.Zip(forecast.Coverage)) Interval(Level(level), mean);
                json.WriteEndObject();
                json.WriteStartObject("intervalScore");
                foreach ((double level, MeanInterval mean) in ForecastScore.ScoredLevels.Zip(forecast.IntervalScores)) Interval(Level(level), mean);
                json.WriteEndObject();
                json.WriteEndObject();
            });
            Each("best", report.Contests, contest =>
            {
                json.WriteString("title", contest.Title);
                Each("shares", report.Averages.Zip(contest.Shares), group =>
                {
                    json.WriteString("name", group.First.Name);
                    for (int i = 0; i < contest.Forms.Length; i++) JsonFormat.WriteNumber(json, report.Forms[contest.Forms[i]].Name, group.Second[i]);
                });
            });
            Each("tasks", report.Tasks, task =>
            {
                json.WriteString("task", task.Name);
                json.WriteString("domain", task.Domain);
                json.WriteStartObject("points");
                json.WriteNumber("fit", task.FitPoints);
                json.WriteNumber("heldOut", task.HeldOutPoints);
                json.WriteEndObject();
                json.WriteStartObject("rmsle");
                foreach ((SuiteForm form, FormScore score) in report.Forms.Zip(task.Scores)) JsonFormat.WriteNumber(json, form.Name, score.Rmsle);
                json.WriteEndObject();
                json.WriteStartObject("rmsleError");
                foreach ((SuiteForm form, FormScore score) in report.Forms.Zip(task.Scores)) JsonFormat.WriteNumber(json, form.Name, score.Error);
                json.WriteEndObject();
                if (task.Forecast is { } forecast)
                {
                    json.WriteStartObject("forecast");
                    JsonFormat.WriteNumber(json, "logDensity", forecast.LogDensity);
                    json.WriteStartObject("coverage");
                    foreach ((double level, double share) in Forecast.Levels.Zip(forecast.Coverage)) JsonFormat.WriteNumber(json, Level(level), share);
                    json.WriteEndObject();
                    json.WriteStartObject("intervalScore");
                    foreach ((double level, double score) in ForecastScore.ScoredLevels.Zip(forecast.IntervalScores)) JsonFormat.WriteNumber(json, Level(level), score);
                    json.WriteEndObject();
                    json.WriteEndObject();
                }

                JsonFormat.WriteTexts(json, "reasons", task.Reasons);
            });
            json.WriteEndObject();

            void Interval(string name, MeanInterval interval)
            {
                json.WriteStartObject(name);
                JsonFormat.WriteNumber(json, "mean", interval.Mean);
                JsonFormat.WriteNumber(json, "low", interval.Low);
                JsonFormat.WriteNumber(json, "high", interval.High);
                json.WriteEndObject();
            }

            void Each<T>(string name, IEnumerable<T> items, Action<T> write)
            {
                json.WriteStartArray(name);
                foreach (T item in items)
                {
                    json.WriteStartObject();
                    write(item);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }
        }

        output.Write(Encoding.UTF8.GetString(utf8.GetBuffer().AsSpan(0, (int)utf8.Length)));
        output.Write('\n');

        static string Level(double level) => level.ToString("R", CultureInfo.InvariantCulture);
    }
}
