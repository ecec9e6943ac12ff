using System.Buffers;
using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl predict</c>: a saved report and scales in, expected performance with its intervals out; or a performance in, and the scale that reaches it out.</summary>
internal sealed class PredictCommand : ToolCommand
{
    private static readonly double[] s_levels = [.. Forecast.Levels.Select(level => 100 * level)];

    private readonly Argument<string> _report = new("REPORT")
    {
        Description = "Report of 'bnsl fit --format json'; - reads standard input.",
    };
    private readonly Option<double[][]?> _x = OptionKinds.Value<double[][]>(
        "--x", "X,…|X..X:N|X/X,…", "Scales to predict at: a list, or N log-spaced values from one to another. Of a law of several inputs: one of these each, with / between.",
        Scales.ExpectedPoints, Scales.TryReadPoints);
    private readonly Option<double[]?> _reach = OptionKinds.Value<double[]>(
        "--reach", "Y,…", $"Instead of --x: at which x does the curve come down to Y? The x at which it lies at Y or below with probability 1/2, and in between for --interval; from the last fitted x on and up to {Forecast.Farthest:0} times that.",
        "numbers above 0 separated by commas", Scales.TryReadPositive);
    private readonly Option<double[]?> _interval = OptionKinds.Value<double[]>(
        "--interval", "P,…", $"Levels of the forecast's intervals in percent. Default: {string.Join(',', s_levels)}.",
        "percentages above 0 and below 100 like 50,80,95", (string text, out double[] levels) => Scales.TryReadPositive(text, out levels) && Array.TrueForAll(levels, level => level < 100));
    private readonly Option<string?> _of = OptionKinds.OneOf(
        "--of", "What intervals are of: a new measurement, noise and all, or the curve. Default: measurement; with --reach always the curve.", ["measurement", "curve"]);
    private readonly Option<string?> _curve = OptionKinds.Text(
        "--curve", "NAME", "Predict this curve only. Default: every curve of the report.");
    private readonly Option<int?> _breaks = OptionKinds.Whole(
        "--breaks", "Use the one fit with N breaks, which has no intervals. Default: the forecast.", least: 0);
    private readonly Option<string?> _law = OptionKinds.Text(
        "--law", "NAME", "Use the one fit of this law, which has no intervals. Default: the forecast; with --breaks, the first law that has it.");
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
    private readonly Option<string?> _format = OptionKinds.OneOf(
        "--format", "What the predictions look like. Default: csv.", ["csv", "table", "json"]);

    public PredictCommand(Streams streams)
        : base("predict", "Predict performance at other scales from a saved report, with intervals; or the scale that a performance needs.", streams)
    {
        AddFiles(_report);
        OptionKinds.Suggest(_law, ScalingLaw.All.Select(law => law.Name));
        foreach (Option option in (Option[])[_x, _reach, _interval, _of, _curve, _law, _breaks, _lawsFrom, _format]) Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl predict report.json --x 1e10,1e11", "every curve at two larger scales with 50, 80 and 95 % intervals, as CSV"),
        new("bnsl predict report.json --x 1e10 --interval 90 --of curve", "90 % intervals of the curve instead of a new measurement"),
        new("bnsl predict report.json --reach 2.5", "the scale at which each curve comes down to 2.5"),
        new("bnsl predict report.json --x 1e6..1e9:13 --curve addition --breaks 1",
            "one curve's fit with one break at 13 log-spaced scales"),
        new("bnsl predict report.json --x 1e9/2e10,7e10/1.4e12", "two points of a law of two inputs, as N/D"),
        new("bnsl predict report.json --x 1e9/1e9..1e12:7", "seven points of it: D from 1e9 to 1e12 at N = 1e9"),
        new("bnsl fit loss.csv --format json | bnsl predict - --x 1e10 --format table", "fit and predict without a file between"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        // The value of a list that is not given is an empty list.
        double[][]? x = call.GetResult(_x) is null ? null : call.GetValue(_x);
        double[]? y = call.GetResult(_reach) is null ? null : call.GetValue(_reach);
        if ((x is null) == (y is null)) throw new WrongCallException(x is null ? "--x or --reach is missing: the scales to predict at, or the performance to reach." : "--x and --reach are both given; expected one of them.");
        string? law = call.GetValue(_law);
        int? breaks = call.GetValue(_breaks);
        Option? ofForecast = Array.Find((Option[])[_reach, _interval, _of], option => call.GetResult(option) is not null);
        if ((law ?? breaks?.ToString(CultureInfo.InvariantCulture)) is not null && ofForecast is not null)
            throw new WrongCallException($"{ofForecast.Name} is of the forecast, and {(law is null ? "--breaks" : "--law")} asks for one fit; expected one of them.");
        if (y is not null && call.GetResult(_of) is not null) throw new WrongCallException("--of is given with --reach, which is always of the curve; expected one of them.");
        string path = call.GetRequiredValue(_report);
        LawsFile.Load(call.GetValue(_lawsFrom));
        ImmutableArray<SavedCurve> curves = Curves(path, call.GetValue(_curve));
        double[] levels = call.GetResult(_interval) is null ? s_levels : [.. call.GetValue(_interval)!.Distinct()];
        Rows rows = y is not null ? Reached(curves, y, levels)
            : Predicted(curves, x!, law, breaks, levels, call.GetValue(_of) == "curve" ? ForecastOf.Curve : ForecastOf.Measurement, call.GetResult(_interval) is not null, path);
        if (rows.Cells.Count == 0) return ExitCode.Failed;
        switch (call.GetValue(_format))
        {
            case "table": WriteTable(rows, Streams.Out); break;
            case "json": WriteJson(rows, x is not null && x[0].Length > 1 ? x[0].Length : 0, Streams.Out); break;
            default: WriteCsv(rows, Streams.Out); break;
        }
        return ExitCode.Done;
    }

    /// <summary>y of every curve at every x, with intervals where it is the forecast's.</summary>
    private Rows Predicted(ImmutableArray<SavedCurve> curves, double[][] x, string? law, int? breaks, double[] levels, ForecastOf of, bool always, string path)
    {
        double[] inputs = [.. x.SelectMany(point => point)];
        bool whole = law is null && breaks is null, intervals = always || (whole && curves.Any(curve => curve.Forecast is not null));
        List<(SavedCurve Curve, SavedFit Fit)> picked = Picked(curves, law, breaks);
        foreach ((SavedCurve curve, SavedFit fit) in picked) Check(curve, fit, Of(curve), x);
        (string, double[])[] cells = [.. Each(picked, one => Cells(one.Curve, one.Fit))];
        return new([.. Names(curves[0], x[0].Length), "y", .. intervals ? Ends(levels) : []], cells);

        Forecast? Of(SavedCurve curve) => whole ? curve.Forecast : null;

        IEnumerable<(string, double[])> Cells(SavedCurve curve, SavedFit fit)
        {
            Forecast? forecast = Of(curve);
            double[] y = forecast is null ? Predict(fit, inputs, path) : forecast.Predict(inputs);
            double[][] ends = !intervals ? [] : [.. levels.SelectMany(level =>
            {
                if (forecast is null) return new[] { y.Select(_ => double.NaN).ToArray(), [.. y.Select(_ => double.NaN)] };
                (double[] lower, double[] upper) = forecast.Interval(inputs, level / 100, of);
                return [lower, upper];
            })];
            return x.Select((point, i) => (curve.Name, (double[])[.. point, y[i], .. ends.Select(end => end[i])]));
        }
    }

    /// <summary>Rows of every curve, in order, made by all cores; how far they are is shown.</summary>
    private IEnumerable<(string, double[])> Each<T>(IReadOnlyList<T> curves, Func<T, IEnumerable<(string, double[])>> rows)
    {
        int done = 0;
        try
        {
            return ProgressDisplay.Watch(Streams, progress => curves.AsParallel().AsOrdered().Select(curve =>
            {
                (string, double[])[] own = [.. rows(curve)];
                progress.Report(new("predict", Interlocked.Increment(ref done), curves.Count));
                return own;
            }).ToArray()).SelectMany(own => own);
        }
        catch (AggregateException several) when (several.InnerException is WorkException fault)
        {
            throw new WorkException(fault.Message);
        }
    }

    /// <summary>The x at which every curve comes down to every y.</summary>
    private Rows Reached(ImmutableArray<SavedCurve> curves, double[] levels, double[] percents)
    {
        SavedCurve[] able = [.. curves.Where(curve => curve.Forecast is not null)];
        if (able.Length < curves.Length) Streams.Say($"{curves.Length - able.Length} of {curves.Length} curves have no forecast and are left out. Reports of this version have one of every curve of one input and y above 0.");
        double[] probabilities = [0.5, .. percents.SelectMany(percent => (double[])[(1 - (percent / 100)) / 2, (1 + (percent / 100)) / 2])];
        (string Name, double[] Cells)[] cells = [.. Each(able, curve => levels.Select(y => (curve.Name, (double[])[y, curve.Forecast!.LastX, .. curve.Forecast.Reach(y, probabilities)])))];
        foreach ((string name, double[] row) in cells)
        {
            if (double.IsPositiveInfinity(row[2])) Streams.Say($"curve '{name}': {CsvText.Number(row[0])} is not reached within {Forecast.Farthest:0} times the last fitted x, {CsvText.Number(row[1])}, with probability 1/2.");
            else if (row[2].Equals(row[1])) Streams.Say($"curve '{name}' is at or below {CsvText.Number(row[0])} at the last fitted x already, with probability 1/2 or more.");
        }

        return new(["y", LastX, "x", .. Ends(percents)], cells);
    }

    /// <summary>Columns of intervals: lower_80, upper_80, ….</summary>
    private static IEnumerable<string> Ends(double[] levels) => levels.SelectMany(level => (string[])[$"lower_{CsvText.Number(level)}", $"upper_{CsvText.Number(level)}"]);

    /// <summary>The curves of the report, or the one of that name.</summary>
    private ImmutableArray<SavedCurve> Curves(string path, string? name)
    {
        SavedReport report = Read(path, Streams);
        if (report.Curves.IsEmpty) throw new WorkException($"{path} has no curve.");
        if (name is null) return report.Curves;
        SavedCurve? named = report.Curves.FirstOrDefault(curve => curve.Name == name);
        if (named is not null) return [named];
        string some = string.Join(", ", report.Curves.Take(3).Select(curve => $"'{curve.Name}'"));
        throw new WorkException($"{path} has no curve '{name}'; it has {some}{(report.Curves.Length > 3 ? ", …" : ".")}");
    }

    /// <summary>Reads a saved report; - is standard input.</summary>
    /// <exception cref="WorkException">There is none.</exception>
    internal static SavedReport Read(string path, Streams streams)
    {
        if (path != "-" && Directory.Exists(path)) throw new WorkException($"{path} is a folder. Name the report in it.");
        try
        {
            return path != "-" ? JsonReport.Read(File.OpenRead(path), path)
                : streams.In is StreamReader { BaseStream: var bytes } ? JsonReport.Read(bytes, "stdin") // which may be packed
                : JsonReport.Read(streams.In.ReadToEnd(), "stdin");
        }
        catch (InvalidDataException fault)
        {
            throw new WorkException(fault.Message);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WorkException($"{path}: there is no such file.");
        }
    }

    /// <summary>Each curve with the fit that was asked for; how many have none is said once.</summary>
    private List<(SavedCurve Curve, SavedFit Fit)> Picked(ImmutableArray<SavedCurve> curves, string? law, int? breaks)
    {
        List<(SavedCurve, SavedFit)> picked = [];
        List<string> without = [];
        foreach (SavedCurve curve in curves)
        {
            SavedFit? fit = breaks is null && law is null
                ? curve.Chosen >= 0 ? curve.Fits[curve.Chosen] : null
                : curve.Fits.FirstOrDefault(candidate => (law is null || candidate.Law == law) && (breaks is null || candidate.Breaks == breaks));
            if (fit is null) without.Add(curve.Name);
            else picked.Add((curve, fit));
        }
        string wanted = (law is null ? "" : $" of {law}") + (breaks is null ? "" : $" with {breaks} break{(breaks == 1 ? "" : "s")}");
        if (without.Count == 1) Streams.Say($"curve '{without[0]}' has no fit{wanted} and is left out.");
        if (without.Count > 1) Streams.Say($"{without.Count} of {curves.Length} curves have no fit{wanted} and are left out: '{without[0]}', …");
        return picked;
    }

    /// <summary>Complains of points that the law cannot be evaluated at.</summary>
    private static void Check(SavedCurve curve, SavedFit fit, Forecast? forecast, double[][] x)
    {
        ScalingLaw law = ScalingLaw.Get(fit.Law, fit.Breaks);
        string ofCurve = forecast is null ? $"the law {law.Name} of curve '{curve.Name}'" : $"the forecast of curve '{curve.Name}'";
        if (x[0].Length != law.InputCount)
        {
            string[] names = Names(curve, law.InputCount);
            string expected = law.InputCount == 1 ? "numbers without /" : $"points written as {string.Join('/', names)}";
            throw new WrongCallException($"--x has points of {x[0].Length} input{(x[0].Length == 1 ? "" : "s")} and {ofCurve} has {law.InputCount}; expected {expected}.");
        }

        if (!law.NeedsPositiveX && forecast is null) return;
        foreach (double value in x.SelectMany(point => point))
            if (!(value > 0)) throw new WrongCallException($"--x has {CsvText.Number(value)} and {ofCurve} needs numbers above 0.");
    }

    /// <summary>What the inputs are called: x for one, their columns for several, and x1, x2, … where these are not known or not distinct.</summary>
    private static string[] Names(SavedCurve curve, int inputs) =>
        inputs == 1 ? ["x"]
        : curve.XNames.Length == inputs && curve.XNames.Concat(["curve", "y"]).Distinct().Count() == inputs + 2 ? [.. curve.XNames]
        : [.. Enumerable.Range(1, inputs).Select(number => $"x{number}")];

    private static double[] Predict(SavedFit fit, double[] x, string path)
    {
        try
        {
            return fit.Predict(x);
        }
        // A report of another version may have a law that this one has not, or other parameters.
        catch (ArgumentException fault)
        {
            throw new WorkException($"{path} has a fit that cannot be evaluated: {fault.Message}");
        }
    }

    private static void WriteCsv(Rows rows, TextWriter writer)
    {
        writer.WriteLine($"curve,{string.Join(',', rows.Columns.Select(column => CsvText.Field(CsvFormat.Unarmed(column))))}");
        foreach ((string curve, double[] cells) in rows.Cells)
            writer.WriteLine($"{CsvText.Field(CsvFormat.Unarmed(curve))},{string.Join(',', cells.Select(cell => double.IsNaN(cell) ? "" : CsvText.Number(cell)))}");
    }

    // A column of --reach alone.
    private const string LastX = "last_x";

    private static void WriteTable(Rows rows, TextWriter writer)
    {
        int name = Math.Max("curve".Length, rows.Cells.Max(row => row.Curve.Length));
        bool isReach = rows.Columns.Contains(LastX);
        string[][] cells = [.. rows.Cells.Select(row => row.Cells.Select(cell => isReach && double.IsPositiveInfinity(cell) ? $"> {Forecast.Farthest:0} times" : Short(cell)).ToArray())];
        int[] widths = [.. rows.Columns.Select((column, k) => Math.Max(Math.Max(IsEnd(column) ? 10 : 12, column.Length), cells.Max(row => row[k].Length)))];
        writer.WriteLine($"{"curve".PadRight(name)}{string.Concat(rows.Columns.Select((column, k) => "  " + column.PadLeft(widths[k])))}");
        foreach (((string curve, _), string[] row) in rows.Cells.Zip(cells))
            writer.WriteLine($"{curve.PadRight(name)}{string.Concat(row.Select((cell, k) => "  " + cell.PadLeft(widths[k])))}");

        static string Short(double value) => double.IsNaN(value) ? "-" : value.ToString("g6", CultureInfo.InvariantCulture);
        static bool IsEnd(string column) => column.StartsWith("lower_", StringComparison.Ordinal) || column.StartsWith("upper_", StringComparison.Ordinal);
    }

    /// <summary>The first inputs, where there are several, are one array.</summary>
    private static void WriteJson(Rows rows, int inputs, TextWriter writer)
    {
        ArrayBufferWriter<byte> text = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(text, options))
        {
            json.WriteStartArray();
            foreach ((string curve, double[] cells) in rows.Cells)
            {
                json.WriteStartObject();
                json.WriteString("curve", curve);
                if (inputs > 0)
                {
                    json.WriteStartArray("x");
                    for (int k = 0; k < inputs; k++) json.WriteNumberValue(cells[k]);
                    json.WriteEndArray();
                }

                for (int k = inputs; k < cells.Length; k++)
                {
                    // JSON has no NaN and no infinity; the reports spell them as text too.
                    if (double.IsFinite(cells[k])) json.WriteNumber(rows.Columns[k], cells[k]);
                    else json.WriteString(rows.Columns[k], CsvText.Number(cells[k]));
                }

                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        writer.WriteLine(Encoding.UTF8.GetString(text.WrittenSpan));
    }

    /// <summary>What is written: a number a column, NaN where there is none.</summary>
    private sealed record Rows(string[] Columns, IReadOnlyList<(string Curve, double[] Cells)> Cells);
}
