using System.Text;
using System.Text.Json;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public class JsonTests
{
    [Fact]
    public void A_saved_report_reads_back_to_the_same_bits()
    {
        double third = 1.0 / 3, tiny = 5e-324, large = double.MaxValue;
        Fit fit = Sample.BnslFit(third, double.PositiveInfinity, -0.0, [tiny, -third], [large, 1e23], [double.NaN, double.NegativeInfinity]);
        FitReport report = Sample.Report with { Curves = [Sample.WithoutFit, Sample.Curve with { Fits = [.. Sample.Curve.Fits, fit] }] };

        SavedReport saved = JsonReport.Read(ReportFormatsTests.Written(new JsonFormat(), report), "saved.json");

        Assert.Equal(report.Curves.Select(curve => curve.Curve.Name), saved.Curves.Select(curve => curve.Name));
        Assert.Equal([-1, 1], saved.Curves.Select(curve => curve.Chosen));
        Assert.Equal(report.Curves.Select(curve => string.Join('|', curve.Curve.XNames.Append(curve.Curve.YName))), saved.Curves.Select(curve => string.Join('|', curve.XNames.Append(curve.YName))));
        Assert.Empty(saved.Curves[0].Fits);
        foreach ((Fit written, SavedFit read) in report.Curves[1].Fits.Zip(saved.Curves[1].Fits))
        {
            Assert.Equal((written.Law, written.Breaks, written.Loss), (read.Law, read.Breaks, read.Loss));
            Assert.Equal(written.Parameters.Select(parameter => (parameter.Name, parameter.IsVector)), read.Parameters.Select(parameter => (parameter.Name, parameter.IsVector)));
            Assert.Equal(
                written.Parameters.SelectMany(parameter => parameter.Values).Select(BitConverter.DoubleToInt64Bits),
                read.Parameters.SelectMany(parameter => parameter.Values).Select(BitConverter.DoubleToInt64Bits));
        }
    }

    [Theory]
    [InlineData("\"lastX\": 625", "\"lastX\": \"NaN\"", "saved.json, curves[1].forecast.lastX is \"NaN\"; expected a finite number.")]
    [InlineData("\"degrees\": [", "\"degrees\": [0, ", "saved.json, curves[1].forecast.members.degrees")]
    public void A_forecast_that_is_none_is_an_error(string from, string to, string sentence)
    {
        string json = ReportFormatsTests.Written(new JsonFormat(), Sample.Report);
        string wrong = from.EndsWith('[') ? System.Text.RegularExpressions.Regex.Replace(json, "\"degrees\": \\[[^],]*", to.TrimEnd(',', ' ')) : json.Replace(from, to, StringComparison.Ordinal);
        Assert.NotEqual(json, wrong);
        Assert.StartsWith(sentence, Assert.Throws<InvalidDataException>(() => JsonReport.Read(wrong, "saved.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_property_stands_twice_in_an_object()
    {
        using var json = JsonDocument.Parse(ReportFormatsTests.Written(new JsonFormat(), Sample.Report));
        Check(json.RootElement, "report");

        static void Check(JsonElement element, string path)
        {
            if (element.ValueKind == JsonValueKind.Object)
            {
                Assert.Equal([], element.EnumerateObject().CountBy(property => property.Name).Where(name => name.Value > 1).Select(name => $"{path}.{name.Key}"));
                foreach (JsonProperty property in element.EnumerateObject()) Check(property.Value, $"{path}.{property.Name}");
            }
            else if (element.ValueKind == JsonValueKind.Array)
            {
                foreach (JsonElement item in element.EnumerateArray()) Check(item, path);
            }
        }
    }

    [Fact]
    public void A_saved_fit_predicts_what_the_fit_predicts()
    {
        SavedReport saved = JsonReport.Read(ReportFormatsTests.Written(new JsonFormat(), Sample.Report), "saved.json");
        Assert.Equal(Sample.Curve.Fits[1].Predict(1e9), saved.Curves[1].Fits[1].Predict(1e9));
    }

    [Fact]
    public void A_forecast_of_many_laws_reads_back_to_the_same_bits()
    {
        Forecast forecast = new()
        {
            LastX = 625,
            Members =
            [
                new() { Law = "bnsl", Breaks = 0, Parameters = Sample.BnslFit(.5, 8, 1.0 / 3, [], [], []).Parameters, Weight = .25, PointWeight = 1.0 / 3, Drift = 1e-4, Bend = 1.0 / 7, Noise = .01, Degrees = 4 },
                new() { Law = "bnsl", Breaks = 2, Parameters = Sample.BnslFit(.5, 8, .25, [.75, 1e-9], [400, 1e300], [.5, .1]).Parameters, Weight = .5, PointWeight = 0, Offset = -.02, OffsetVariance = 1e-5, Noise = .02 },
                new() { Law = "m1", Breaks = 0, Parameters = [Sample.Scalar("a", 3), Sample.Scalar("logA", Math.Log(3)), Sample.Scalar("b", -.2)], Weight = .25, PointWeight = 2.0 / 3, Noise = double.NaN },
            ],
        };
        CurveFit curve = Sample.Curve with { Forecast = forecast };

        Forecast read = JsonReport.Read(ReportFormatsTests.Written(new JsonFormat(), Sample.Report with { Curves = [curve] }), "saved.json").Curves[0].Forecast!;

        Assert.Equal(forecast.LastX, read.LastX);
        foreach ((ForecastMember written, ForecastMember own) in forecast.Members.Zip(read.Members))
        {
            Assert.Equal(written with { Parameters = [] }, own with { Parameters = [] });
            Assert.Equal(written.Parameters.Select(one => (one.Name, string.Join(' ', one.Values.Select(BitConverter.DoubleToInt64Bits)))), own.Parameters.Select(one => (one.Name, string.Join(' ', one.Values.Select(BitConverter.DoubleToInt64Bits)))));
        }

        Assert.Equal(forecast.Predict([700, 1e5]), read.Predict([700, 1e5]));
        Assert.Equal(forecast.Quantile([700, 1e5], .1, ForecastOf.Curve), read.Quantile([700, 1e5], .1, ForecastOf.Curve));
    }

    [Theory, InlineData("null"), InlineData("""{ "noise": 0.1 }"""), InlineData("""{ "lastX": 4, "members": [{ "law": "bnsl" }] }""")]
    public void A_report_from_before_forecasts_of_many_laws_is_read_without_one(string forecast) =>
        Assert.Null(JsonReport.Read($$"""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [], "chosen": null, "forecast": {{forecast}} }] }""", "saved.json").Curves[0].Forecast);

    [Fact]
    public void A_report_from_before_inputs_had_names_is_read_without_them()
    {
        SavedCurve curve = JsonReport.Read("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [], "chosen": null }] }""", "saved.json").Curves[0];
        Assert.Equal((0, ""), (curve.XNames.Length, curve.YName));
    }

    [Fact]
    public void A_saved_fit_predicts_the_same_after_a_tool_has_sorted_its_properties()
    {
        using var document = JsonDocument.Parse(ReportFormatsTests.Written(new JsonFormat(), Sample.Report));
        SavedReport saved = JsonReport.Read(Sorted(document.RootElement), "saved.json");
        Assert.Equal(Sample.Curve.Fits[1].Predict(1e9), saved.Curves[1].Fits[1].Predict(1e9));

        static string Sorted(JsonElement element) => element.ValueKind switch
        {
            JsonValueKind.Object =>
                $"{{{string.Join(',', element.EnumerateObject().OrderBy(property => property.Name, StringComparer.Ordinal).Select(property => $"\"{property.Name}\":{Sorted(property.Value)}"))}}}",
            JsonValueKind.Array => $"[{string.Join(',', element.EnumerateArray().Select(Sorted))}]",
            _ => element.GetRawText(),
        };
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_stream_reads_like_its_text_with_and_without_a_byte_order_mark(bool mark)
    {
        string json = (mark ? "\uFEFF" : "") + ReportFormatsTests.Written(new JsonFormat(), Sample.Report);
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        SavedReport fromStream = JsonReport.Read(stream, "saved.json"), fromText = JsonReport.Read(json, "saved.json");
        Assert.Equal(fromText.Curves.Select(curve => (curve.Name, curve.Chosen)), fromStream.Curves.Select(curve => (curve.Name, curve.Chosen)));
    }

    [Fact]
    public void Options_of_a_report_are_those_that_results_depend_on()
    {
        FitReport here = Sample.Report, elsewhere = here with { Options = here.Options with { Threads = 3, ChunkSize = 5, Device = "simd" } };
        Assert.Equal(ReportFormatsTests.Written(new JsonFormat(), here), ReportFormatsTests.Written(new JsonFormat(), elsewhere));

        using var document = JsonDocument.Parse(ReportFormatsTests.Written(new JsonFormat(), here));
        string[] written = [.. document.RootElement.GetProperty("options").EnumerateObject().Select(property => property.Name), "seed"];
        string[] indifferent = ["threads", "chunkSize", "device"];
        // Whoever adds a choice decides here whether results depend on it.
        Assert.Equal(
            typeof(FitOptions).GetProperties().Where(property => property.SetMethod is not null).Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name)).Order(),
            written.Concat(indifferent).Order());
    }

    [Fact]
    public void Numbers_that_json_does_not_have_are_strings_that_the_named_literals_option_reads()
    {
        using var document = JsonDocument.Parse(ReportFormatsTests.Written(new JsonFormat(), Sample.Report));
        JsonElement curve = document.RootElement.GetProperty("curves")[1];
        Assert.Equal("Infinity", curve.GetProperty("forecast").GetProperty("members").GetProperty("degrees")[0].GetString());
        Assert.Equal("Infinity", curve.GetProperty("fits")[1].GetProperty("aicc").GetString());
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("curves")[0].GetProperty("chosen").ValueKind);
        Assert.Equal(JsonValueKind.Null, document.RootElement.GetProperty("curves")[0].GetProperty("forecast").ValueKind);
    }

    [Theory]
    [InlineData("x,y\n1,2\n", "saved.json, line 1: this is not JSON, so it is not a bnsl report.")]
    [InlineData("[1]", "saved.json is not a bnsl report: its property 'tool' is not 'bnsl'.")]
    [InlineData("""{ "tool": "other", "curves": [] }""", "saved.json is not a bnsl report: its property 'tool' is not 'bnsl'.")]
    [InlineData("""{ "tool": "bnsl" }""", "saved.json: property 'curves' is missing.")]
    [InlineData("""{ "tool": "bnsl", "curves": 3 }""", "saved.json, curves is 3; expected an array.")]
    [InlineData("""{ "tool": "bnsl", "curves": [7] }""", "saved.json, curves[0] is 7; expected an object.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [] }] }""", "saved.json, curves[0]: property 'chosen' is missing.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [], "chosen": 0 }] }""", "saved.json, curves[0].chosen is 0; expected null or the index of one of 0 fits.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "breaks": 1, "loss": "msle", "parameters": {} }] }] }""", "saved.json, curves[0].fits[0]: property 'law' is missing.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "law": "bnsl", "breaks": 1, "loss": "msle", "parameters": { "d": [1, 2] } }] }] }""", "saved.json, curves[0].fits[0].parameters.d is [1, 2]; expected one number a break, 1 of them.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "law": "bnsl", "breaks": 1, "loss": "msle", "parameters": { "a": "low" } }] }] }""", "saved.json, curves[0].fits[0].parameters.a is \"low\"; expected a number, \"NaN\", \"Infinity\" or \"-Infinity\".")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "law": "none", "breaks": 1, "loss": "msle", "parameters": {} }] }] }""", "saved.json, curves[0].fits[0].law: There is no law 'none' with 1 breaks.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "law": "bnsl", "breaks": 0, "loss": "msle", "parameters": { "a": 1 } }] }] }""", "saved.json, curves[0].fits[0].parameters: property 'b' is missing.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [{ "law": "bnsl", "breaks": 1, "loss": "msle", "parameters": { "a": [1] } }] }] }""", "saved.json, curves[0].fits[0].parameters.a is [1]; expected one number.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [], "chosen": null, "forecast": { "lastX": 4, "members": { "law": ["bnsl", "bnsl"], "breaks": [0], "parameters": {} } } }] }""", "saved.json, curves[0].forecast.members: property 'weight' is missing.")]
    [InlineData("""{ "tool": "bnsl", "curves": [{ "curve": "A", "fits": [], "chosen": null, "forecast": { "lastX": 4, "members": { "law": ["bnsl", "bnsl"], "breaks": [0, 0], "parameters": { "a": [1] } } } }] }""", "saved.json, curves[0].forecast.members.parameters.a is [1]; expected 2 values, as law has.")]
    public void What_is_not_a_report_is_refused_with_the_place_and_the_reason(string json, string sentence) =>
        Assert.StartsWith(sentence, Assert.Throws<InvalidDataException>(() => JsonReport.Read(json, "saved.json")).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_not_utf8_is_refused()
    {
        using var stream = new MemoryStream([.. """{ "tool": "bnsl", "curves": [{ "curve": "A"""u8, 0xE9, .. "\"} ] }"u8]);
        Assert.StartsWith("saved.json: some text in it is not UTF-8", Assert.Throws<InvalidDataException>(() => JsonReport.Read(stream, "saved.json")).Message, StringComparison.Ordinal);
    }
}
