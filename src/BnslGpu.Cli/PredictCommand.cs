using System.Buffers;
using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl predict</c>: a saved report and scales in, expected performance out.</summary>
internal sealed class PredictCommand : ToolCommand
{
    private readonly Argument<string> _report = new("REPORT")
    {
        Description = "Report of 'bnsl fit --format json'; - reads standard input.",
    };
    private readonly Option<double[][]?> _x = OptionKinds.Value<double[][]>(
        "--x", "X,…|X..X:N|X/X,…", "Scales to predict at: a list, or N log-spaced values from one to another. Of a law of several inputs: one of these each, with / between.",
        Scales.ExpectedPoints, Scales.TryReadPoints);
    private readonly Option<string?> _curve = OptionKinds.Text(
        "--curve", "NAME", "Predict this curve only. Default: every curve of the report.");
    private readonly Option<int?> _breaks = OptionKinds.Whole(
        "--breaks", "Use the fit with N breaks. Default: the fit the report chose.", least: 0);
    private readonly Option<string?> _law = OptionKinds.Text(
        "--law", "NAME", "Use the fit of this law. Default: the fit the report chose; with --breaks, the first law that has it.");
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
    private readonly Option<string?> _format = OptionKinds.OneOf(
        "--format", "What the predictions look like. Default: csv.", ["csv", "table", "json"]);

    public PredictCommand(Streams streams)
        : base("predict", "Predict performance at other scales from a saved report.", streams)
    {
        _x.Required = true;
        _report.Validators.Add(found =>
        {
            string word = found.Tokens[0].Value;
            if (word.StartsWith('-') && word != "-") found.AddError(Program.Unknown(this, word));
        });
        Add(_report);
        foreach (Option option in (Option[])[_x, _curve, _law, _breaks, _lawsFrom, _format]) Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl predict report.json --x 1e10,1e11", "every curve at two larger scales, as CSV"),
        new("bnsl predict report.json --x 1e6..1e9:13 --curve addition --breaks 1",
            "one curve's fit with one break at 13 log-spaced scales"),
        new("bnsl predict report.json --x 1e9/2e10,7e10/1.4e12", "two points of a law of two inputs, as N/D"),
        new("bnsl predict report.json --x 1e9/1e9..1e12:7", "seven points of it: D from 1e9 to 1e12 at N = 1e9"),
        new("bnsl fit loss.csv --format json | bnsl predict - --x 1e10 --format table", "fit and predict without a file between"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        double[][] x = call.GetRequiredValue(_x)!;
        string path = call.GetRequiredValue(_report);
        LawsFile.Load(call.GetValue(_lawsFrom));
        ImmutableArray<SavedCurve> curves = Curves(path, call.GetValue(_curve));
        List<Prediction> predictions = [];
        foreach ((SavedCurve curve, SavedFit fit) in Picked(curves, call.GetValue(_law), call.GetValue(_breaks)))
        {
            Check(curve, fit, x);
            double[] y = Predict(fit, [.. x.SelectMany(point => point)], path);
            predictions.AddRange(x.Zip(y, (point, value) => new Prediction(curve.Name, point, value)));
        }
        if (predictions.Count == 0) return ExitCode.Failed;
        string[] names = Names(curves[0], x[0].Length);
        switch (call.GetValue(_format))
        {
            case "table": WriteTable(predictions, names, Streams.Out); break;
            case "json": WriteJson(predictions, Streams.Out); break;
            default: WriteCsv(predictions, names, Streams.Out); break;
        }
        return ExitCode.Done;
    }

    /// <summary>The curves of the report, or the one of that name.</summary>
    private ImmutableArray<SavedCurve> Curves(string path, string? name)
    {
        SavedReport report = Read(path);
        if (name is null) return report.Curves;
        SavedCurve? named = report.Curves.FirstOrDefault(curve => curve.Name == name);
        if (named is not null) return [named];
        string some = string.Join(", ", report.Curves.Take(3).Select(curve => $"'{curve.Name}'"));
        throw new WorkException($"{path} has no curve '{name}'; it has {some}{(report.Curves.Length > 3 ? ", …" : ".")}");
    }

    private SavedReport Read(string path)
    {
        try
        {
            return JsonReport.Read(path == "-" ? Streams.In.ReadToEnd() : File.ReadAllText(path), path == "-" ? "stdin" : path);
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
    private static void Check(SavedCurve curve, SavedFit fit, double[][] x)
    {
        ScalingLaw law = ScalingLaw.Get(fit.Law, fit.Breaks);
        string ofCurve = $"the law {law.Name} of curve '{curve.Name}'";
        if (x[0].Length != law.InputCount)
        {
            string[] names = Names(curve, law.InputCount);
            string expected = law.InputCount == 1 ? "numbers without /" : $"points written as {string.Join('/', names)}";
            throw new WrongCallException($"--x has points of {x[0].Length} input{(x[0].Length == 1 ? "" : "s")} and {ofCurve} has {law.InputCount}; expected {expected}.");
        }

        if (!law.NeedsPositiveX) return;
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

    private static void WriteCsv(IEnumerable<Prediction> predictions, string[] names, TextWriter writer)
    {
        writer.WriteLine($"curve,{string.Join(',', names.Select(CsvText.Field))},y");
        foreach ((string curve, double[] x, double y) in predictions)
            writer.WriteLine($"{CsvText.Field(curve)},{string.Join(',', x.Select(CsvText.Number))},{CsvText.Number(y)}");
    }

    private static void WriteTable(IReadOnlyList<Prediction> predictions, string[] names, TextWriter writer)
    {
        static string Short(double value) => value.ToString("g6", CultureInfo.InvariantCulture);
        int width = Math.Max("curve".Length, predictions.Max(prediction => prediction.Curve.Length));
        writer.WriteLine($"{"curve".PadRight(width)}{string.Concat(names.Select(name => $"  {name.PadLeft(12)}"))}  {"y",12}");
        foreach ((string curve, double[] x, double y) in predictions)
            writer.WriteLine($"{curve.PadRight(width)}{string.Concat(x.Select((value, k) => $"  {Short(value).PadLeft(Math.Max(12, names[k].Length))}"))}  {Short(y),12}");
    }

    private static void WriteJson(IEnumerable<Prediction> predictions, TextWriter writer)
    {
        ArrayBufferWriter<byte> text = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(text, options))
        {
            json.WriteStartArray();
            foreach ((string curve, double[] x, double y) in predictions)
            {
                json.WriteStartObject();
                json.WriteString("curve", curve);
                if (x.Length == 1)
                {
                    json.WriteNumber("x", x[0]);
                }
                else
                {
                    json.WriteStartArray("x");
                    foreach (double input in x) json.WriteNumberValue(input);
                    json.WriteEndArray();
                }
                // JSON has no NaN; the reports spell it as text too.
                if (double.IsFinite(y)) json.WriteNumber("y", y);
                else json.WriteString("y", CsvText.Number(y));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        writer.WriteLine(Encoding.UTF8.GetString(text.WrittenSpan));
    }

    private readonly record struct Prediction(string Curve, double[] X, double Y);
}
