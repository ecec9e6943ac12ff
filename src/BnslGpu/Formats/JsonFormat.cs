using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace BnslGpu.Formats;

/// <summary>The whole report as JSON; <see cref="JsonReport"/> reads it back.</summary>
/// <remarks>
/// Doubles have the fewest digits that read back to the same bits; ends of intervals have six. What is not finite is the string "NaN", "Infinity" or
/// "-Infinity", as with JsonNumberHandling.AllowNamedFloatingPointLiterals. "options" holds what results depend on and nothing else
/// (the seed stands beside it), so that two reports whose options and seeds agree have the same fits, whatever machine made them.
/// </remarks>
public sealed class JsonFormat : ITextFormat
{
    // <, >, & and ' are escaped: a report may then be pasted into a page's script element.
    internal static readonly JsonWriterOptions s_options = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };

    /// <inheritdoc/>
    public string Name => "json";

    /// <inheritdoc/>
    public string Description => "Everything there is, for programs; bnsl predict reads it back.";

    /// <inheritdoc/>
    public string FileExtension => ".json";

    /// <inheritdoc/>
    public void Write(FitReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        var utf8 = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(utf8, s_options);

        json.WriteStartObject();
        json.WriteString("tool", "bnsl");
        json.WriteString("version", FitReport.Version);
        json.WritePropertyName("options");
        WriteOptions(json, report.Options);
        json.WriteNumber("seed", report.Options.Seed);
        json.WriteString("device", report.Device);
        WriteTexts(json, "remarks", report.Remarks);
        json.WriteStartObject("seconds");
        WriteNumber(json, "read", report.Seconds.Read);
        WriteNumber(json, "search", report.Seconds.Search);
        WriteNumber(json, "refine", report.Seconds.Refine);
        WriteNumber(json, "total", report.Seconds.Total);
        json.WriteEndObject();
        json.WriteStartArray("curves");
        int threads = report.Options.Threads > 0 ? Math.Min(report.Options.Threads, 512) : Environment.ProcessorCount;
        foreach ((CurveFit curve, (double[], double[])[] intervals) in report.Curves.AsParallel().AsOrdered().WithDegreeOfParallelism(threads).Select(curve => (curve, Intervals(curve))))
        {
            WriteCurve(json, curve, intervals);
            HandOver(); // a curve at a time, so that the memory taken does not grow with their number
        }

        json.WriteEndArray();
        json.WriteEndObject();
        HandOver();
        output.Write('\n');

        void HandOver()
        {
            json.Flush();
            output.Write(Encoding.UTF8.GetString(utf8.WrittenSpan));
            utf8.ResetWrittenCount();
        }
    }

    internal static void WriteOptions(Utf8JsonWriter json, FitOptions options)
    {
        json.WriteStartObject();
        json.WriteString("recipe", options.Recipe);
        json.WriteStartArray("laws");
        foreach (string law in options.Laws) json.WriteStringValue(law);
        json.WriteEndArray();
        json.WritePropertyName("breaks");
        json.WriteRawValue($"[{string.Join(", ", options.Breaks)}]");
        json.WriteString("loss", options.Loss);
        json.WriteNumber("delta", options.Delta);
        if (options.Starts > 0) json.WriteNumber("starts", options.Starts);
        else json.WriteString("starts", "auto");
        json.WriteNumber("missedChance", options.MissedChance);
        json.WriteString("forecast", options.Forecast == ForecastKind.Stacked ? "stacked" : "chosen");
        json.WriteString("precision", options.Precision == SearchPrecision.Mixed ? "mixed" : "double");
        json.WriteNumber("refined", options.Refined);
        json.WriteNumber("searchIterations", options.SearchIterations);
        json.WriteStartObject("parameters");
        WriteRules(json, options.Parameters);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>What is said about parameters; nothing is written of what is not said.</summary>
    private static void WriteRules(Utf8JsonWriter json, ParameterRules rules)
    {
        if (!rules.Ranges.IsEmpty)
        {
            json.WriteStartArray("ranges");
            foreach (ParameterRange range in rules.Ranges)
            {
                json.WriteStartObject();
                json.WriteString("parameter", range.Parameter);
                WriteNumber(json, "lower", range.Lower);
                WriteNumber(json, "upper", range.Upper);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (!rules.Ties.IsEmpty)
        {
            json.WriteStartArray("ties");
            foreach (ImmutableArray<string> tie in rules.Ties)
            {
                json.WriteStartArray();
                foreach (string parameter in tie) json.WriteStringValue(parameter);
                json.WriteEndArray();
            }

            json.WriteEndArray();
        }

        if (!rules.Starts.IsEmpty)
        {
            json.WriteStartArray("starts");
            foreach (ImmutableArray<ParameterValue> start in rules.Starts)
            {
                json.WriteStartObject();
                foreach (ParameterValue value in start) WriteNumber(json, value.Parameter, value.Value);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        if (rules.Priors.IsEmpty) return;
        json.WriteStartArray("priors");
        foreach (Prior prior in rules.Priors)
        {
            json.WriteStartObject();
            json.WriteString("parameter", prior.Parameter);
            WriteNumber(json, "centre", prior.Centre);
            WriteNumber(json, "spread", prior.Spread);
            WriteNumber(json, "degrees", prior.Degrees);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteNumber(json, "priorVariance", rules.PriorVariance);
    }

    /// <summary>Intervals of measurements at the held-out points, by level: most of the work.</summary>
    private static (double[] Lower, double[] Upper)[] Intervals(CurveFit curve) =>
        curve.Forecast is null ? [] : [.. Forecast.Levels.Select(level => curve.Forecast.Interval(curve.Curve.HeldOut.X, level))];

    private static void WriteCurve(Utf8JsonWriter json, CurveFit curve, (double[], double[])[] intervals)
    {
        json.WriteStartObject();
        json.WriteString("curve", curve.Curve.Name);
        WriteTexts(json, "xNames", curve.Curve.XNames);
        json.WriteString("yName", curve.Curve.YName);
        json.WriteStartObject("points");
        json.WriteNumber("fit", curve.Curve.Fit.Count);
        json.WriteNumber("heldOut", curve.Curve.HeldOut.Count);
        json.WriteNumber("copiesDropped", curve.Curve.CopiesDropped);
        json.WriteNumber("offEnvelope", curve.Curve.OffEnvelope.Count);
        json.WriteEndObject();
        json.WriteStartObject("data");
        WritePoints(json, "fit", curve.Curve.Fit);
        WritePoints(json, "heldOut", curve.Curve.HeldOut);
        json.WriteEndObject();
        if (curve.Chosen < 0) json.WriteNull("chosen");
        else json.WriteNumber("chosen", curve.Chosen);
        json.WritePropertyName("forecast");
        WriteForecast(json, curve.Forecast, curve.Curve.HeldOut, intervals);
        json.WriteStartArray("fits");
        foreach (Fit fit in curve.Fits) WriteFit(json, fit);
        json.WriteEndArray();
        WriteTexts(json, "sentences", curve.Sentences);
        WriteTexts(json, "warnings", curve.Warnings);
        json.WriteEndObject();
    }

    /// <summary>The points: of several inputs, x has an array a point.</summary>
    private static void WritePoints(Utf8JsonWriter json, string name, Points points)
    {
        json.WriteStartObject(name);
        json.WritePropertyName("x");
        if (points.Inputs == 1) json.WriteRawValue(OneLine(points.X));
        else json.WriteRawValue($"[{string.Join(", ", Enumerable.Range(0, points.Count).Select(point => OneLine(points.At(point))))}]");
        WriteNumbers(json, "y", [.. points.Y]);
        if (points.Weights.Length > 0) WriteNumbers(json, "weights", [.. points.Weights]);
        if (points.Sigmas.Length > 0) WriteNumbers(json, points.SigmaOf == SigmaOf.LogY ? "sigmasOfLogY" : "sigmas", [.. points.Sigmas]);
        json.WriteEndObject();
    }

    /// <summary>What it is made of, and what it says of measurements at the held-out points.</summary>
    private static void WriteForecast(Utf8JsonWriter json, Forecast? forecast, Points heldOut, (double[], double[])[] intervals)
    {
        if (forecast is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        WriteNumber(json, "lastX", forecast.LastX);
        WriteMembers(json, forecast.Members);
        json.WriteStartObject("heldOut");
        WriteNumbers(json, "x", [.. heldOut.X]);
        WriteNumbers(json, "predicted", [.. forecast.Predict(heldOut.X)]);
        json.WriteStartObject("measurement");
        foreach ((double level, (double[] lower, double[] upper)) in Forecast.Levels.Zip(intervals))
        {
            json.WriteStartObject(level.ToString("R", CultureInfo.InvariantCulture));
            WriteSixDigits(json, "lower", lower);
            WriteSixDigits(json, "upper", upper);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Members by column, a column a line: a hundred of them as objects would be most of the report, and columns are what numpy and pandas take.</summary>
    private static void WriteMembers(Utf8JsonWriter json, ImmutableArray<ForecastMember> members)
    {
        json.WriteStartObject("members");
        Column("law", member => $"\"{JsonEncodedText.Encode(member.Law, s_options.Encoder)}\"");
        Column("breaks", member => member.Breaks.ToString(CultureInfo.InvariantCulture));
        json.WriteStartObject("parameters");
        foreach (string name in members.SelectMany(member => member.Parameters).Select(parameter => parameter.Name).Distinct())
        {
            Column(name, member => member.Parameters.FirstOrDefault(parameter => parameter.Name == name) switch
            {
                null => "null",
                { IsVector: true } several => OneLine(several.Values.AsSpan()),
                var one => Literal(one.Values[0]),
            });
        }

        json.WriteEndObject();
        Column("weight", member => Literal(member.Weight));
        Column("pointWeight", member => Literal(member.PointWeight));
        Column("offset", member => Literal(member.Offset));
        Column("offsetVariance", member => Literal(member.OffsetVariance));
        Column("drift", member => Literal(member.Drift));
        Column("bend", member => Literal(member.Bend));
        Column("noise", member => Literal(member.Noise));
        Column("degrees", member => Literal(member.Degrees));
        json.WriteEndObject();

        void Column(string name, Func<ForecastMember, string> cell)
        {
            json.WritePropertyName(name);
            json.WriteRawValue($"[{string.Join(", ", members.Select(cell))}]");
        }
    }

    /// <summary>A row a line.</summary>
    private static void WriteCovariance(Utf8JsonWriter json, Fit fit)
    {
        int count = fit.Parameters.Sum(parameter => parameter.Values.Length);
        json.WriteStartArray("covariance");
        for (int k = 0; k < count; k++) json.WriteRawValue(OneLine(fit.Covariance.AsSpan(k * count, count)));
        json.WriteEndArray();
    }

    private static void WriteFit(Utf8JsonWriter json, Fit fit)
    {
        json.WriteStartObject();
        json.WriteString("law", fit.Law);
        json.WriteNumber("breaks", fit.Breaks);
        json.WriteString("loss", fit.Loss);
        WriteParameters(json, "parameters", fit.Parameters);
        WriteParameters(json, "standardErrors", fit.StandardErrors);
        WriteCovariance(json, fit);
        WriteNumber(json, "condition", fit.Condition);
        WriteNumber(json, "objective", fit.Objective);
        json.WriteStartObject("rmsle");
        WriteNumber(json, "fit", fit.Rmsle.Fit);
        WriteNumber(json, "heldOut", fit.Rmsle.HeldOut);
        WriteNumber(json, "heldOutError", fit.Rmsle.HeldOutError);
        json.WriteEndObject();
        json.WriteStartObject("rmse");
        WriteNumber(json, "fit", fit.Rmse.Fit);
        WriteNumber(json, "heldOut", fit.Rmse.HeldOut);
        json.WriteEndObject();
        json.WriteNumber("freeParameters", fit.FreeParameters);
        WriteNumber(json, "aicc", fit.Aicc);
        WriteNumber(json, "bic", fit.Bic);
        json.WriteString("termination", fit.Termination.ToString());
        WriteNumber(json, "gradientNorm", fit.GradientNorm);
        json.WriteNumber("starts", fit.Starts);
        json.WriteNumber("startsAtMinimum", fit.StartsAtMinimum);
        WriteNumber(json, "missedChance", fit.MissedChance);
        WriteSegments(json, fit.Segments);
        WriteTexts(json, "warnings", fit.Warnings);
        json.WriteEndObject();
    }

    /// <summary>In ascending x; the last one is the one that goes on beyond the data.</summary>
    private static void WriteSegments(Utf8JsonWriter json, ImmutableArray<Segment> segments)
    {
        json.WriteStartArray("segments");
        foreach (Segment segment in segments)
        {
            json.WriteStartObject();
            json.WriteNumber("break", segment.Break);
            WriteNumber(json, "from", segment.From);
            WriteNumbers(json, "fromInterval", [segment.FromLower, segment.FromUpper]);
            WriteNumber(json, "to", segment.To);
            WriteNumbers(json, "plain", segment.IsPlain ? [segment.PlainFrom, segment.PlainTo] : []);
            json.WriteNumber("points", segment.Points);
            WriteNumber(json, "slope", segment.Slope);
            WriteNumber(json, "slopeError", segment.SlopeError);
            WriteNumbers(json, "slopeInterval", [segment.SlopeLower, segment.SlopeUpper]);
            json.WriteBoolean("goesOn", segment == segments[^1]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteParameters(Utf8JsonWriter json, string name, ImmutableArray<Parameter> parameters)
    {
        json.WriteStartObject(name);
        foreach (Parameter parameter in parameters)
        {
            if (parameter.IsVector) WriteNumbers(json, parameter.Name, parameter.Values);
            else WriteNumber(json, parameter.Name, parameter.Values[0]);
        }

        json.WriteEndObject();
    }

    internal static void WriteTexts(Utf8JsonWriter json, string name, ImmutableArray<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    internal static void WriteNumber(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(name, value);
        else json.WriteString(name, NonFinite(value));
    }

    /// <summary>An array on one line: an indented writer would give each number a line of its own.</summary>
    private static void WriteNumbers(Utf8JsonWriter json, string name, ImmutableArray<double> values)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(OneLine(values.AsSpan()));
    }

    /// <summary>Ends of intervals at many points: more digits would say nothing and be half of the report.</summary>
    private static void WriteSixDigits(Utf8JsonWriter json, string name, double[] values)
    {
        json.WritePropertyName(name);
        json.WriteRawValue($"[{string.Join(", ", values.Select(value => double.IsFinite(value) ? value.ToString("G6", CultureInfo.InvariantCulture) : Literal(value)))}]");
    }

    private static string OneLine(ReadOnlySpan<double> values) => $"[{string.Join(", ", values.ToArray().Select(Literal))}]";

    private static string Literal(double value) => double.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : $"\"{NonFinite(value)}\"";

    private static string NonFinite(double value) =>
        double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}
