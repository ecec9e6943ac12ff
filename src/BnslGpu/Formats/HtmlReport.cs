using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;

namespace BnslGpu.Formats;

/// <summary>A report as one page: tables that sort, a small chart of every curve, and each of them large with its forecast and parameters.</summary>
/// <remarks>
/// <para>The file stands alone: style and script are in it, and a content security policy forbids it to fetch anything. The data are one JSON
/// block in the script element <c>data</c>, numbers to six digits; the page is drawn from them in the browser. The same report gives the same text.</para>
/// <para>The page's source is in the folder Html: plain HTML, CSS and JavaScript, embedded as they are.</para>
/// </remarks>
public static class HtmlReport
{
    /// <summary>The page as text.</summary>
    /// <inheritdoc cref="Write"/>
    public static string Render(
        FitReport report, IReadOnlyList<RivalFit>? rivals = null, IReadOnlyList<ReportTable>? tables = null, string title = "Scaling curves")
    {
        using var text = new StringWriter();
        Write(report, text, rivals, tables, title);
        return text.ToString();
    }

    /// <summary>Writes the page.</summary>
    /// <param name="report">What to show.</param>
    /// <param name="output">Where to; it is not closed. Lines end in \n on every system.</param>
    /// <param name="rivals">Fits made elsewhere, drawn beside the report's own.</param>
    /// <param name="tables">Tables to show above the curves.</param>
    /// <param name="title">The page's title.</param>
    /// <param name="progress">Told how many curves are written, from any thread.</param>
    /// <exception cref="ArgumentException">Columns of a table differ in length.</exception>
    public static void Write(
        FitReport report, TextWriter output, IReadOnlyList<RivalFit>? rivals = null, IReadOnlyList<ReportTable>? tables = null, string title = "Scaling curves",
        IProgress<FitProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(title);
        foreach (ReportTable table in tables ?? []) table.Validate();

        // Markers stand in the page's source where its parts go.
        foreach (string part in Source("report.html").Split("<!--|-->"))
        {
            switch (part)
            {
                case "title": output.Write(WebUtility.HtmlEncode(title)); break;
                case "style": output.Write(Source("report.css")); break;
                case "script": output.Write(Source("report.js")); break;
                case "data": WriteData(report, output, rivals ?? [], tables ?? [], title, progress); break;
                default: output.Write(part); break;
            }
        }
    }

    private static void WriteData(FitReport report, TextWriter output, IReadOnlyList<RivalFit> rivals, IReadOnlyList<ReportTable> tables, string title, IProgress<FitProgress>? progress)
    {
        // A part a line: long lines are hard on whoever opens the file in an editor.
        output.Write("{\n\"run\":");
        output.Write(HtmlJson.Text(json => WriteRun(json, report, title)));
        output.Write(",\n\"tables\":[");
        for (int i = 0; i < tables.Count; i++)
        {
            output.Write(i == 0 ? "\n" : ",\n");
            output.Write(HtmlJson.Text(json => WriteTable(json, tables[i])));
        }

        output.Write("],\n\"curves\":[");
        ILookup<string, RivalFit> rivalsOf = rivals.ToLookup(rival => rival.Curve);
        int threads = report.Options.Threads > 0 ? Math.Min(report.Options.Threads, 512) : Environment.ProcessorCount;
        string separator = "\n";
        int done = 0;
        foreach (string curve in report.Curves.AsParallel().AsOrdered().WithDegreeOfParallelism(threads)
            .Select(curve =>
            {
                string text = HtmlJson.Text(json => new HtmlCurve(curve, rivalsOf[curve.Curve.Name]).Write(json));
                progress?.Report(new("page", Interlocked.Increment(ref done), report.Curves.Length));
                return text;
            }))
        {
            output.Write(separator);
            output.Write(curve);
            separator = ",\n";
        }

        output.Write("]\n}\n");
    }

    /// <summary>What was run: facts as pairs of words, in the order in which they are shown.</summary>
    private static void WriteRun(Utf8JsonWriter json, FitReport report, string title)
    {
        FitOptions options = report.Options;
        ParameterRules rules = options.Parameters;
        StageSeconds seconds = report.Seconds;
        json.WriteStartObject();
        json.WriteString("title", title);
        json.WriteString("version", FitReport.Version);
        json.WriteStartArray("facts");
        Fact("law", string.Join(", ", options.Laws));
        if (options.AllLaws.Any(law => law.Breaks > 0)) Fact("breaks", string.Join(", ", options.Breaks));
        Fact("loss", options.Loss == "huber" ? $"huber, delta {Readable.Number(options.Delta, 3)}" : options.Loss);
        Fact("recipe", options.Recipe);
        foreach (ParameterRange range in rules.Ranges)
            Fact("parameter", range.Lower.Equals(range.Upper) ? $"{range.Parameter} = {Readable.Number(range.Lower, 6)}" : $"{range.Parameter} from {Readable.Number(range.Lower, 6)} to {Readable.Number(range.Upper, 6)}");
        foreach (ImmutableArray<string> tie in rules.Ties) Fact("tied", string.Join(" = ", tie));
        if (!rules.Starts.IsEmpty) Fact("own starts", rules.Starts.Length.ToString(CultureInfo.InvariantCulture));
        if (!rules.Priors.IsEmpty) Fact("priors", string.Join(", ", rules.Priors.Select(prior => prior.Parameter)));
        Fact("starts", options.Starts > 0 ? options.Starts.ToString(CultureInfo.InvariantCulture) : $"auto, missed ≤ {Readable.Number(options.MissedChance, 2)}");
        Fact("seed", options.Seed.ToString(CultureInfo.InvariantCulture));
        Fact("device", report.Device);
        Fact("seconds", $"{Seconds(seconds.Total)} (read {Seconds(seconds.Read)}, search {Seconds(seconds.Search)}, refine {Seconds(seconds.Refine)})");
        json.WriteEndArray();
        json.WriteTexts("remarks", report.Remarks);
        json.WriteNumbers("levels", Forecast.Levels);
        json.WriteEndObject();

        void Fact(string name, string value)
        {
            json.WriteStartArray();
            json.WriteStringValue(name);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }

        static string Seconds(double value) => value < 10 ? value.ToString("F2", CultureInfo.InvariantCulture) : Readable.Number(value, 3);
    }

    private static void WriteTable(Utf8JsonWriter json, ReportTable table)
    {
        json.WriteStartObject();
        json.WriteString("title", table.Title);
        json.WriteString("caption", table.Caption);
        json.WriteStartArray("columns");
        foreach (ReportColumn column in table.Columns)
        {
            json.WriteStartObject();
            json.WriteString("title", column.Title);
            if (column is NumberColumn numbers)
            {
                json.WriteNumber("digits", Math.Clamp(numbers.Digits, 1, 6));
                json.WriteNumbers("values", numbers.Values);
                if (!numbers.Errors.IsEmpty) json.WriteNumbers("errors", numbers.Errors);
            }
            else if (column is TextColumn texts)
            {
                json.WriteTexts("values", texts.Values);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A file of the folder Html.</summary>
    private static string Source(string file)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream($"BnslGpu.Formats.Html.{file}")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
