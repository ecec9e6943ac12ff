using System.IO.Compression;
using System.Text.Json;
using BnslGpu.Cli;
using BnslGpu.Formats;
using BnslGpu.Tests.Formats;
using Xunit;

namespace BnslGpu.Tests;

public sealed class CliCompareTests : IDisposable
{
    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Saved(string name, FitReport report) => _folder.Write(name, ReportFormatsTests.Written(new JsonFormat(), report));

    private CliResult Compare(FitReport a, FitReport b, params string[] options) => CliRunner.Run(["compare", Saved("a.json", a), Saved("b.json", b), .. options]);

    private static FitReport Of(params CurveFit[] curves) => Sample.Report with { Curves = [.. curves] };

    private static CurveFit WithFit(Func<Fit, Fit> change) => Sample.Curve with { Fits = [Sample.Curve.Fits[0], change(Sample.Curve.Fits[1])] };

    private static Fit With(Fit fit, string name, double value) =>
        fit with { Parameters = [.. fit.Parameters.Select(parameter => parameter.Name == name ? parameter with { Values = [value] } : parameter)] };

    [Fact]
    public void One_says_that_reports_differ_and_nothing_else()
    {
        string a = Saved("a.json", Sample.Report);
        CliResult noLaws = CliRunner.Run("compare", a, a, "--laws-from", _folder.File("none.dll"));
        Assert.Equal((2, $"bnsl: {_folder.File("none.dll")}: there is no such file. See 'bnsl compare --help'.\n"), (noLaws.ExitCode, noLaws.Error));
        using FullDisk disk = new();
        Assert.Equal(2, Program.Run(["compare", a, a], new Streams(TextReader.Null, disk, TextWriter.Null)));
    }

    private sealed class FullDisk : StringWriter
    {
        public override void Flush() => throw new IOException("No space left on device");
    }

    [Fact]
    public void A_number_that_left_the_range_differs_from_one_that_did_not()
    {
        CliResult result = Compare(Of(Sample.Curve), Of(WithFit(fit => fit with { Rmsle = fit.Rmsle with { Fit = double.PositiveInfinity } })));
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"(?m)^sum\|4 digits +RMSLE fit +0\.001000 +inf$", result.Out);
    }

    [Fact]
    public void Report_of_standard_input_may_be_packed()
    {
        string a = Saved("a.json", Sample.Report);
        using MemoryStream packed = new();
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(File.ReadAllBytes(a));
        packed.Position = 0;
        using StreamReader input = new(packed);
        using StringWriter error = new();
        Assert.Equal((0, ""), (Program.Run(["compare", a, "-"], new Streams(input, TextWriter.Null, error)), error.ToString()));
    }

    [Fact]
    public void Same_run_on_another_device_is_no_difference()
    {
        CliResult result = Compare(Sample.Report, Sample.Report with { Device = "cuda:0", Seconds = default });
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.EndsWith("\n\nNo difference beyond a tolerance of 1e-06.\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"A: {_folder.File("a.json")} (version {FitReport.Version}, simd); 2 curves\n", result.Out);
    }

    [Fact]
    public void Options_and_seed_that_changed_are_named()
    {
        CliResult result = Compare(Sample.Report, Sample.Report with { Options = Sample.Report.Options with { Seed = 8, Breaks = [0] } });
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("option  A      B\nbreaks  [0,1]  [0]\nseed    7      8\n", result.Out);
        Assert.EndsWith("0 of 2 curves in both differ (tolerance 1e-06); 0 only in A, 0 only in B; 2 options changed.\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Points_are_added_removed_changed_and_moved()
    {
        Curve now = new("sum|4 digits", new Points([16, 81, 256, 2], [4.49, 3.5, 2.13, 6]), new Points([625, 3000], [1.21, .5]));
        CliResult result = Compare(Of(Sample.Curve), Of(Sample.Curve with { Curve = now }));
        Assert.Equal(1, result.ExitCode);
        // 2 and 3000 are new, 1296 is gone, 81 has another y, 625 is held out now.
        Assert.Matches(@"(?m)^sum\|4 digits +points +4 \+ 1 +4 \+ 2 +2 added, 1 removed, 1 changed, 1 moved between fitted and held out$", result.Out);
    }

    [Fact]
    public void Curves_in_one_of_them_are_named_and_counted()
    {
        CliResult result = Compare(Sample.Report, Of(Sample.Curve));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("only in A: =1+\"<&>\",π\n", result.Out);
        Assert.EndsWith("0 of 1 curve in both differ (tolerance 1e-06); 1 only in A, 0 only in B.\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_choice_of_breaks_is_told_with_its_errors_and_without_parameters()
    {
        CliResult result = Compare(Of(Sample.Curve), Of(Sample.Curve with { Chosen = 0 }));
        Assert.Equal(1, result.ExitCode);
        Assert.Matches(@"(?m)^sum\|4 digits +chosen +bnsl, 1 break +bnsl, 0 breaks$", result.Out);
        Assert.Matches(@"(?m)^ +RMSLE fit +0\.001000 +0\.2500 +times 250\.0$", result.Out);
        Assert.Matches(@"(?m)^ +RMSLE held out +0\.03125 +0\.5000 +times 16\.00$", result.Out);
        Assert.DoesNotContain("standard error", result.Out);
        Assert.DoesNotContain("forecast", result.Out);
    }

    [Theory]
    [InlineData(8.05, 0)] // within ± 0.0625
    [InlineData(8.2, 1)]
    [InlineData(8 + 1e-8, 0)]
    public void Parameter_differs_beyond_its_standard_error(double b, int exitCode)
    {
        CliResult result = Compare(Of(Sample.Curve), Of(WithFit(fit => With(fit, "b", b))));
        Assert.Equal(exitCode, result.ExitCode);
        if (exitCode == 1) Assert.Matches(@"b +8\.000 ± 0\.062 +8\.200 ± 0\.062 +\+3\.2 standard errors\n", result.Out);
    }

    [Theory]
    [InlineData("0.1", 0)]
    [InlineData("0.04", 1)]
    public void Tolerance_is_relative_where_no_standard_error_is_known(string tolerance, int exitCode)
    {
        CliResult result = Compare(Of(Sample.Curve), Of(WithFit(fit => With(fit, "a", .525))), "--tolerance", tolerance);
        Assert.Equal(exitCode, result.ExitCode);
        if (exitCode == 1) Assert.Contains("standard error not known", result.Out);
    }

    [Theory]
    [InlineData(1.1, "each within the other's 80 % interval")]
    [InlineData(3, "neither within the other's 80 % interval")]
    public void Forecasts_are_compared_at_the_same_x_with_their_ratio_and_intervals(double times, string within)
    {
        Forecast forecast = Sample.Curve.Forecast! with { Members = [Sample.Curve.Forecast!.Members[0] with { Offset = Math.Log(times) }] };
        CliResult result = Compare(Of(Sample.Curve), Of(Sample.Curve with { Forecast = forecast }));
        Assert.Equal(1, result.ExitCode);
        Assert.Matches($@"forecast at 1250 +1\.052 \[0\.8962 to 1\.235\] +\S+ \[\S+ to \S+\] +times {times:0.000}; {within}\n", result.Out);
        Assert.Contains("forecast at 6250", result.Out);
        Assert.Contains("RMSLE held out, forecast", result.Out);
    }

    [Fact]
    public void Markdown_is_a_table_and_JSON_has_numbers()
    {
        CliResult markdown = Compare(Of(Sample.Curve), Of(WithFit(fit => With(fit, "b", 9))), "--format", "markdown");
        Assert.Contains("\n| curve | what | A | B | change |\n| --- | --- | --- | --- | --- |\n| sum\\|4 digits | b | 8.000 ± 0.062 | 9.000 ± 0.062 | +16 standard errors |\n", markdown.Out);
        CliResult json = CliRunner.Run("compare", _folder.File("a.json"), _folder.File("b.json"), "--format", "json");
        Assert.Equal(1, json.ExitCode);
        using JsonDocument document = JsonDocument.Parse(json.Out);
        Assert.True(document.RootElement.GetProperty("differs").GetBoolean());
        JsonElement difference = document.RootElement.GetProperty("curves")[0].GetProperty("differences")[0];
        Assert.Equal(("parameters.b", 8.0, 9.0), (difference.GetProperty("what").GetString(), difference.GetProperty("a").GetDouble(), difference.GetProperty("b").GetDouble()));
    }

    [Fact]
    public void Reports_without_points_are_compared_without_them()
    {
        string json = ReportFormatsTests.Written(new JsonFormat(), Of(Sample.Curve)), older = json.Replace("\"data\"", "\"other\"", StringComparison.Ordinal);
        CliResult result = CliRunner.RunWith(older, TestContext.Current.CancellationToken, "compare", Saved("a.json", Of(Sample.Curve)), "-");
        Assert.Equal((0, "bnsl: 1 curve without points in one of the reports, which an older version made: their points are not compared.\n"), (result.ExitCode, result.Error));
    }

    [Fact]
    public void What_is_no_report_ends_as_a_wrong_call_for_1_means_that_they_differ()
    {
        CliResult result = CliRunner.Run("compare", Saved("a.json", Sample.Report), _folder.Write("b.json", "{}"));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.Matches("^bnsl: [^\n]*b.json is not a bnsl report[^\n]*\n$", result.Error);
    }

    [Fact]
    public void Terminal_escapes_in_names_do_not_reach_the_terminal()
    {
        CurveFit hostile = Sample.WithoutFit with { Curve = new Curve("\u001b[31mred\nline", new Points([1], [1])) };
        CliResult result = Compare(Of(hostile), Of(hostile with { Curve = new Curve(hostile.Curve.Name, new Points([1], [2])) }));
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain('\u001b', result.Out);
        Assert.Contains("red\uFFFDline", result.Out);
    }

    [Fact]
    public void Points_of_several_inputs_weights_and_sigmas_read_back()
    {
        Curve plane = new("plane", new Points([1, 2, 3, 4], 2, [5, 6], weights: [1, 2])), sigmas = new("sigmas", new Points([1, 2], 1, [5, 6], sigmas: [.1, .2], sigmaOf: SigmaOf.LogY), new Points([3], 1, [4], sigmas: [.3], sigmaOf: SigmaOf.LogY));
        SavedReport saved = JsonReport.Read(ReportFormatsTests.Written(new JsonFormat(), Of(Sample.WithoutFit with { Curve = plane }, Sample.WithoutFit with { Curve = sigmas })), "saved.json");
        Assert.Equal([1, 2, 3, 4], saved.Curves[0].FitPoints!.X.ToArray());
        Assert.Equal([1, 2], saved.Curves[0].FitPoints!.Weights.ToArray());
        Assert.Equal((SigmaOf.LogY, .2, .3), (saved.Curves[1].FitPoints!.SigmaOf, saved.Curves[1].FitPoints!.Sigmas[1], saved.Curves[1].HeldOutPoints!.Sigmas[0]));
        Assert.Equal(("7", "[0,1]", FitReport.Version), (saved.Options["seed"], saved.Options["breaks"], saved.Version));
    }

    [Theory]
    [InlineData("\"x\": [16, 81, 256, 625]", "\"x\": [16, 81, 256]")]
    [InlineData("\"x\": [16, 81, 256, 625]", "\"x\": [[16, 2], 81, 256, 625]")]
    [InlineData("\"x\": [16, 81, 256, 625]", "\"x\": [[], [], [], []]")]
    [InlineData("\"x\": [16, 81, 256, 625]", "\"x\": [\"a\", 81, 256, 625]")]
    [InlineData("\"y\": [4.49, 3.12, 2.13, 1.21]", "\"y\": [4.49, 3.12, 2.13, 1.21], \"weights\": [1, 1, 1, -1]")]
    public void Points_that_make_no_sense_are_an_error_that_says_where(string was, string now)
    {
        string json = ReportFormatsTests.Written(new JsonFormat(), Of(Sample.Curve));
        Assert.Contains(was, json);
        var e = Assert.Throws<InvalidDataException>(() => JsonReport.Read(json.Replace(was, now, StringComparison.Ordinal), "saved.json"));
        Assert.StartsWith("saved.json, curves[0].data.fit", e.Message, StringComparison.Ordinal);
    }
}
