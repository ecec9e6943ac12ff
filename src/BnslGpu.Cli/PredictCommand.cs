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
    private readonly Option<double[]?> _x = OptionKinds.Value<double[]>(
        "--x", "X,…|X..X:N", "Scales to predict at: a list, or N log-spaced values from one to another.", Scales.Expected, Scales.TryRead);
    private readonly Option<string?> _curve = OptionKinds.Text(
        "--curve", "NAME", "Predict this curve only. Default: every curve of the report.");
    private readonly Option<int?> _breaks = OptionKinds.Whole(
        "--breaks", "Use the fit with N breaks. Default: the fit the report chose.", least: 0);
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
        foreach (Option option in (Option[])[_x, _curve, _breaks, _format]) Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl predict report.json --x 1e10,1e11", "every curve at two larger scales, as CSV"),
        new("bnsl predict report.json --x 1e6..1e9:13 --curve addition --breaks 1",
            "one curve's fit with one break at 13 log-spaced scales"),
        new("bnsl fit loss.csv --format json | bnsl predict - --x 1e10 --format table", "fit and predict without a file between"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        double[] x = call.GetRequiredValue(_x)!;
        string path = call.GetRequiredValue(_report);
        List<Prediction> predictions = [];
        foreach (SavedCurve curve in Curves(path, call.GetValue(_curve)))
        {
            if (Pick(curve, call.GetValue(_breaks)) is { } fit)
                predictions.AddRange(x.Select(scale => new Prediction(curve.Name, scale, Predict(fit, scale, path))));
        }
        if (predictions.Count == 0) return ExitCode.Failed;
        switch (call.GetValue(_format))
        {
            case "table": WriteTable(predictions, Streams.Out); break;
            case "json": WriteJson(predictions, Streams.Out); break;
            default: WriteCsv(predictions, Streams.Out); break;
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

    private SavedFit? Pick(SavedCurve curve, int? breaks)
    {
        SavedFit? fit = breaks is null
            ? curve.Chosen >= 0 ? curve.Fits[curve.Chosen] : null
            : curve.Fits.FirstOrDefault(candidate => candidate.Breaks == breaks);
        if (fit is not null) return fit;
        string wanted = breaks is null ? "" : $" with {breaks} break{(breaks == 1 ? "" : "s")}";
        Streams.Say($"curve '{curve.Name}' has no fit{wanted} and is left out.");
        return null;
    }

    private static double Predict(SavedFit fit, double x, string path)
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

    private static void WriteCsv(IEnumerable<Prediction> predictions, TextWriter writer)
    {
        writer.WriteLine("curve,x,y");
        foreach ((string curve, double x, double y) in predictions)
            writer.WriteLine($"{CsvText.Field(curve)},{CsvText.Number(x)},{CsvText.Number(y)}");
    }

    private static void WriteTable(IReadOnlyList<Prediction> predictions, TextWriter writer)
    {
        static string Short(double value) => value.ToString("g6", CultureInfo.InvariantCulture);
        int width = Math.Max("curve".Length, predictions.Max(prediction => prediction.Curve.Length));
        writer.WriteLine($"{"curve".PadRight(width)}  {"x",12}  {"y",12}");
        foreach ((string curve, double x, double y) in predictions)
            writer.WriteLine($"{curve.PadRight(width)}  {Short(x),12}  {Short(y),12}");
    }

    private static void WriteJson(IEnumerable<Prediction> predictions, TextWriter writer)
    {
        ArrayBufferWriter<byte> text = new();
        JsonWriterOptions options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(text, options))
        {
            json.WriteStartArray();
            foreach ((string curve, double x, double y) in predictions)
            {
                json.WriteStartObject();
                json.WriteString("curve", curve);
                json.WriteNumber("x", x);
                // JSON has no NaN; the reports spell it as text too.
                if (double.IsFinite(y)) json.WriteNumber("y", y);
                else json.WriteString("y", CsvText.Number(y));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        writer.WriteLine(Encoding.UTF8.GetString(text.WrittenSpan));
    }

    private readonly record struct Prediction(string Curve, double X, double Y);
}
