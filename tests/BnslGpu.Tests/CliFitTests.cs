using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests;

/// <summary><c>bnsl fit</c> and <c>bnsl predict</c> with the engine behind them.</summary>
public sealed class CliFitTests
{
    private const string Falling = "curve,x,y\none,1,8\none,2,4\none,4,2\none,8,1\none,16,0.5\none,32,0.25\n";

    private static string[] Small(string file, params string[] more) => ["fit", file, "--breaks", "0", "--starts", "8", .. more];

    [Fact]
    public void Fit_of_the_four_digit_addition_curve_by_the_paper_s_recipe_has_a_chosen_fit_with_one_break()
    {
        string file = Path.Combine(RepositoryRoot, "examples", "four-digit-addition.csv");
        CliResult result = CliRunner.Run("fit", file, "--recipe", "paper", "--format", "json");
        Assert.Equal(0, result.ExitCode);
        using JsonDocument report = JsonDocument.Parse(result.Out);
        JsonElement curve = Assert.Single(report.RootElement.GetProperty("curves").EnumerateArray());
        int chosen = curve.GetProperty("chosen").GetInt32();
        Assert.Equal(1, curve.GetProperty("fits")[chosen].GetProperty("breaks").GetInt32());
    }

    [Fact]
    public void Option_given_beside_a_recipe_overrides_it()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling), "--recipe", "paper", "--format", "csv"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\none,bnsl,0,", result.Out);
        Assert.DoesNotContain("\none,bnsl,1,", result.Out);
    }

    [Fact]
    public void Curves_come_from_standard_input_where_the_file_is_a_dash()
    {
        CliResult result = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--format", "csv"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("\none,bnsl,0,", result.Out);
    }

    [Fact]
    public void Nothing_but_the_report_is_on_standard_output()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling + "one,32,0.25\n"), "--format", "json"));
        Assert.Contains("exact cop", result.Error);
        Assert.DoesNotContain('\e', result.Out);
        using JsonDocument report = JsonDocument.Parse(result.Out);
    }

    [Fact]
    public void Quiet_leaves_standard_error_empty()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling + "one,32,0.25\n"), "--quiet"));
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void Ending_of_the_output_file_decides_the_format_and_no_other_file_is_left()
    {
        using ScratchFolder folder = new();
        string data = folder.Write("one.csv", Falling), report = folder.File("report.json");
        CliResult result = CliRunner.Run(Small(data, "--output", report));
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Out);
        using JsonDocument parsed = JsonDocument.Parse(File.ReadAllText(report));
        Assert.Equal(["one.csv", "report.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void Plots_are_drawn_one_a_curve_in_a_folder_that_is_made()
    {
        using ScratchFolder folder = new();
        string other = Falling.Replace("curve,x,y\n", "", StringComparison.Ordinal).Replace("one", "two/..", StringComparison.Ordinal);
        string data = folder.Write("two.csv", Falling + other);
        Assert.Equal(0, CliRunner.Run(Small(data, "--plot", folder.File("plots"))).ExitCode);
        string[] plots = Directory.GetFiles(folder.File("plots"), "*.svg");
        Assert.Equal(2, plots.Length);
        Assert.All(plots, plot => Assert.Contains("<svg", File.ReadAllText(plot)));
    }

    [Fact]
    public void A_page_is_written_beside_the_usual_output_and_nowhere_but_to_a_file()
    {
        using ScratchFolder folder = new();
        string data = folder.Write("one.csv", Falling), page = folder.File("page.html");
        CliResult result = CliRunner.Run(Small(data, "--report", page));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("RMSLE fit", result.Out);
        Assert.Contains("page.html written.", result.Error);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(page));
        Assert.Equal(2, CliRunner.Run(Small(data, "--report", "-")).ExitCode);
        Assert.Contains("is a directory", CliRunner.Run(Small(data, "--report", folder.Path)).Error);
        Assert.StartsWith("<!DOCTYPE html>", CliRunner.Run(Small(data, "--format", "html")).Out);
    }

    [Theory]
    [InlineData("on", true)]
    [InlineData("o*", true)]
    [InlineData("n*", false)]
    [InlineData("three", false)]
    public void Only_takes_part_of_a_name_or_a_pattern_of_the_whole(string only, bool matches)
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling), "--only", only));
        Assert.Equal(matches ? 0 : 1, result.ExitCode);
        if (!matches) Assert.Contains($"--only {only} matches none", result.Error);
    }

    [Fact]
    public void Wrong_data_is_a_sentence_and_exit_code_1()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling + "one,64,unknown\n")));
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.StartsWith("bnsl: ", result.Error);
        Assert.Contains("unknown", result.Error);
    }

    [Fact]
    public void Report_is_written_and_exit_code_is_1_where_no_curve_can_be_fitted()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", "curve,x,y\none,1,-1\none,2,-2\none,3,-3\n"), "--format", "json"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("no curve could be fitted", result.Error);
        using JsonDocument report = JsonDocument.Parse(result.Out);
    }

    [Fact]
    public void Interrupted_fit_ends_with_130_and_an_empty_standard_output()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.RunWith("", new CancellationToken(canceled: true), Small(folder.Write("one.csv", Falling)));
        Assert.Equal(130, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Equal("bnsl: interrupted.\n", result.Error);
    }

    [Fact]
    public void Output_in_a_folder_that_is_not_there_is_refused_before_the_fit()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run("fit", "no-such-file.csv", "--output", folder.File("none/report.json"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("there is no directory", result.Error);
    }

    [Fact]
    public void Predict_continues_a_power_law_from_a_saved_report()
    {
        using ScratchFolder folder = new();
        string report = folder.File("report.json");
        Assert.Equal(0, CliRunner.Run(Small(folder.Write("one.csv", Falling), "--output", report)).ExitCode);
        CliResult result = CliRunner.Run("predict", report, "--x", "64,128", "--breaks", "0");
        Assert.Equal(0, result.ExitCode);
        string[] lines = result.Out.TrimEnd().Split('\n');
        Assert.Equal("curve,x,y", lines[0]);
        double[] y = [.. lines[1..].Select(line => double.Parse(line.Split(',')[2], CultureInfo.InvariantCulture))];
        // y = 8/x without noise: the fit is exact but for the tolerance of the refinement.
        Assert.Equal(8 / 64.0, y[0], 1e-6);
        Assert.Equal(8 / 128.0, y[1], 1e-6);
    }

    [Fact]
    public void Predict_gives_the_forecast_with_the_intervals_that_are_asked_for()
    {
        using ScratchFolder folder = new();
        string report = folder.File("report.json");
        Assert.Equal(0, CliRunner.Run(Small(folder.Write("one.csv", Falling), "--output", report)).ExitCode);
        Forecast forecast = JsonReport.Read(File.ReadAllText(report), report).Curves[0].Forecast!;
        Assert.True(forecast.Members.Length > 20);

        string[] lines = CliRunner.Run("predict", report, "--x", "64,128").Out.TrimEnd().Split('\n');
        Assert.Equal("curve,x,y,lower_50,upper_50,lower_80,upper_80,lower_95,upper_95", lines[0]);
        (double[] lower, double[] upper) = forecast.Interval([64, 128], .8);
        Assert.Equal([64, forecast.Predict([64])[0], lower[0], upper[0]], Numbers(lines[1], 1, 2, 5, 6));
        Assert.Equal([128, forecast.Predict([128])[0], lower[1], upper[1]], Numbers(lines[2], 1, 2, 5, 6));

        lines = CliRunner.Run("predict", report, "--x", "64", "--interval", "99.5", "--of", "curve").Out.TrimEnd().Split('\n');
        Assert.Equal("curve,x,y,lower_99.5,upper_99.5", lines[0]);
        (lower, upper) = forecast.Interval([64], .995, ForecastOf.Curve);
        Assert.Equal([lower[0], upper[0]], Numbers(lines[1], 3, 4));
    }

    [Fact]
    public void Predict_tells_where_a_level_is_reached_and_says_where_it_is_not()
    {
        using ScratchFolder folder = new();
        string report = folder.File("report.json");
        Assert.Equal(0, CliRunner.Run(Small(folder.Write("one.csv", Falling), "--output", report)).ExitCode);
        Forecast forecast = JsonReport.Read(File.ReadAllText(report), report).Curves[0].Forecast!;

        CliResult result = CliRunner.Run("predict", report, "--reach", "0.1,1e-9,4", "--interval", "80");
        string[] lines = result.Out.TrimEnd().Split('\n');
        Assert.Equal("curve,y,last_x,x,lower_80,upper_80", lines[0]);
        Assert.Equal([.1, 32, .. forecast.Reach(.1, [.5, (1 - .8) / 2, (1 + .8) / 2])], Numbers(lines[1], 1, 2, 3, 4, 5));
        Assert.InRange(Numbers(lines[1], 3)[0], 79.5, 80.5); // y = 8/x
        Assert.Equal("one,1E-09,32,Infinity,Infinity,Infinity", lines[2]);
        Assert.Equal("one,4,32,32,32,32", lines[3]);
        Assert.Equal(
            "bnsl: curve 'one': 1E-09 is not reached within 1000 times the last fitted x, 32, with probability 1/2.\nbnsl: curve 'one' is at or below 4 at the last fitted x already, with probability 1/2 or more.\n",
            result.Error);
        Assert.Contains("> 1000 times", CliRunner.Run("predict", report, "--reach", "1e-9", "--format", "table").Out);
        Assert.Contains("\"x\": \"Infinity\"", CliRunner.Run("predict", report, "--reach", "1e-9", "--format", "json").Out);
    }

    [Fact]
    public void Predict_from_a_report_without_forecasts_is_of_the_chosen_fit()
    {
        string report = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--format", "json")).Out;
        string older = Regex.Replace(report, "\"forecast\"", "\"otherwise\"");
        CliResult chosen = CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "64", "--breaks", "0");
        Assert.StartsWith("curve,x,y\none,64,0.125", chosen.Out);
        Assert.Equal(chosen, CliRunner.RunWith(older, CancellationToken.None, "predict", "-", "--x", "64"));
        CliResult reach = CliRunner.RunWith(older, CancellationToken.None, "predict", "-", "--reach", "0.1");
        Assert.Equal((1, ""), (reach.ExitCode, reach.Out));
        Assert.StartsWith("bnsl: 1 of 1 curves have no forecast and are left out.", reach.Error);
    }

    private static double[] Numbers(string line, params int[] fields) => [.. fields.Select(field => double.Parse(line.Split(',')[field], CultureInfo.InvariantCulture))];

    [Theory]
    [InlineData("csv")]
    [InlineData("table")]
    [InlineData("json")]
    public void Predict_reads_standard_input_and_writes_every_format(string format)
    {
        string report = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--format", "json")).Out;
        CliResult result = CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "1e2..1e4:3", "--format", format);
        Assert.Equal(0, result.ExitCode);
        Assert.Empty(result.Error);
        if (format == "json")
        {
            using JsonDocument predictions = JsonDocument.Parse(result.Out);
            Assert.Equal([100, 1000, 10000], predictions.RootElement.EnumerateArray().Select(entry => entry.GetProperty("x").GetDouble()));
        }
        else
        {
            Assert.Equal(4, result.Out.TrimEnd().Split('\n').Length);
        }
    }

    [Theory]
    [InlineData("--curve", "two", "no curve 'two'")]
    [InlineData("--breaks", "5", "no fit with 5 breaks")]
    [InlineData("--law", "m4", "no fit of m4")]
    public void Predict_says_what_the_report_has_not(string option, string value, string complaint)
    {
        string report = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--format", "json")).Out;
        CliResult result = CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "1", option, value);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Contains(complaint, result.Error);
    }

    [Fact]
    public void Predict_takes_the_fit_of_the_law_it_is_asked_for()
    {
        string report = CliRunner.RunWith(Falling, CancellationToken.None, [.. Small("-", "--format", "json"), "--law", "bnsl,m1"]).Out;
        string[] y = [.. ((string[])["bnsl", "m1"]).Select(law => CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "1e6", "--law", law).Out)];
        Assert.All(y, text => Assert.Equal(2, text.TrimEnd().Split('\n').Length));
        Assert.NotEqual(y[0], y[1]);
    }

    [Fact]
    public void Curves_without_the_fit_that_predict_is_asked_for_are_counted_in_one_sentence()
    {
        string rows = string.Concat(Falling.Split('\n')[1..^1].SelectMany(row => (string[])[row + "\n", row.Replace("one", "two", StringComparison.Ordinal) + "\n", row.Replace("one", "three", StringComparison.Ordinal) + "\n"]));
        string report = CliRunner.RunWith("curve,x,y\n" + rows, CancellationToken.None, Small("-", "--format", "json")).Out;
        CliResult result = CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "1", "--breaks", "2");
        Assert.Equal(new CliResult(1, "", "bnsl: 3 of 3 curves have no fit with 2 breaks and are left out: 'one', …\n"), result);
    }

    [Fact]
    public void Law_of_two_inputs_is_fitted_and_predicted_at_points_of_two_inputs()
    {
        using ScratchFolder folder = new();
        // loss = 1.5 + 400 N^-.5 + 300 D^-.25, each N with each D.
        string rows = string.Concat(from n in (double[])[1e4, 1e5, 1e6, 1e7] from d in (double[])[1e6, 1e7, 1e8, 1e9] select $"{n:R},{d:R},{Law(n, d):R}\n");
        string report = folder.File("report.json"), plots = folder.File("plots");
        CliResult fit = CliRunner.Run("fit", folder.Write("runs.csv", "N,D,loss\n" + rows), "--x", "N,D", "--y", "loss", "--law", "chinchilla",
            "--starts", "32", "--holdout", "4", "--output", report, "--plot", plots, "--quiet");
        Assert.Equal(new CliResult(0, "", ""), fit);
        Assert.Contains("loss, measured", File.ReadAllText(Path.Combine(plots, "runs.svg")));

        CliResult result = CliRunner.Run("predict", report, "--x", "1e8/1e9,1e8/1e6..1e8:2");
        Assert.Equal(0, result.ExitCode);
        string[] lines = result.Out.TrimEnd().Split('\n');
        Assert.Equal("curve,N,D,y", lines[0]);
        foreach ((string line, (double n, double d)) in lines[1..].Zip([(1e8, 1e9), (1e8, 1e6), (1e8, 1e8)]))
        {
            double[] numbers = [.. line.Split(',')[1..].Select(field => double.Parse(field, CultureInfo.InvariantCulture))];
            Assert.Equal((n, d), (numbers[0], numbers[1]));
            Assert.Equal(Law(n, d), numbers[2], 1e-6);
        }

        using JsonDocument json = JsonDocument.Parse(CliRunner.Run("predict", report, "--x", "1e8/1e9", "--format", "json").Out);
        Assert.Equal([1e8, 1e9], json.RootElement[0].GetProperty("x").EnumerateArray().Select(x => x.GetDouble()));
        Assert.Contains("N             D", CliRunner.Run("predict", report, "--x", "1e8/1e9", "--format", "table").Out);
        string unnamed = File.ReadAllText(report).Replace("xNames", "otherwise", StringComparison.Ordinal);
        Assert.StartsWith("curve,x1,x2,y\n", CliRunner.RunWith(unnamed, CancellationToken.None, "predict", "-", "--x", "1e8/1e9").Out);
        Assert.Equal(
            new CliResult(2, "", "bnsl: --x has points of 1 input and the law chinchilla of curve 'runs' has 2; expected points written as N/D. See 'bnsl predict --help'.\n"),
            CliRunner.Run("predict", report, "--x", "1e8"));
        Assert.Equal(
            new CliResult(2, "", "bnsl: --x has 0 and the law chinchilla of curve 'runs' needs numbers above 0. See 'bnsl predict --help'.\n"),
            CliRunner.Run("predict", report, "--x", "1e8/0"));

        static double Law(double n, double d) => 1.5 + (400 / Math.Sqrt(n)) + (300 * Math.Pow(d, -0.25));
    }

    [Fact]
    public void Parameters_are_fixed_bounded_tied_and_started_from_the_command_line()
    {
        string file = Path.Combine(RepositoryRoot, "examples", "two-breaks.csv");
        CliResult result = CliRunner.Run("fit", file, "--breaks", "2", "--starts", "1", "--format", "json", "--quiet",
            "--fix", "a=0.2", "--fix", "c0=0.05", "--bound", "d1=5e4:2e5,d2=1e6:", "--tie", "f", "--init", "c1=0.3,c2=-0.2,d1=9e4,d2=1.1e7,f=0.4");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        using JsonDocument report = JsonDocument.Parse(result.Out);
        JsonElement parameters = report.RootElement.GetProperty("curves")[0].GetProperty("fits")[0].GetProperty("parameters");
        Assert.Equal((0.2, 0.05), (parameters.GetProperty("a").GetDouble(), parameters.GetProperty("c0").GetDouble()));
        Assert.Equal(parameters.GetProperty("f")[0].GetDouble(), parameters.GetProperty("f")[1].GetDouble());
        Assert.InRange(parameters.GetProperty("d")[0].GetDouble(), 5e4, 2e5);
        Assert.InRange(parameters.GetProperty("d")[1].GetDouble(), 1e6, double.PositiveInfinity);
        JsonElement rules = report.RootElement.GetProperty("options").GetProperty("parameters");
        Assert.Equal(4, rules.GetProperty("ranges").GetArrayLength());
        Assert.Equal("Infinity", rules.GetProperty("ranges")[3].GetProperty("upper").GetString());
        Assert.Equal("f", rules.GetProperty("ties")[0][0].GetString());
        Assert.Equal(9e4, rules.GetProperty("starts")[0].GetProperty("d1").GetDouble());
    }

    [Fact]
    public void Fixed_value_outside_the_box_is_the_curve_s_reason()
    {
        CliResult result = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--fix", "a=3"));
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("a = 3 is outside the box of bnsl, which is 0 to 0.2499", result.Out);
    }

    [Theory]
    [InlineData("--weight w", "one", "one-heavy")]
    [InlineData("--sigma w --sigma-of log", "one-heavy", "one")]
    public void Points_count_by_weight_and_by_inverse_square_of_sigma(string option, string less, string more)
    {
        // The last point lies off the power law; w is 1 throughout, or 10 there.
        string rows = string.Concat(((string[])["one", "one-heavy"]).SelectMany(curve => ((int[])[1, 2, 4, 8, 16]).Select(x =>
            $"{curve},{x},{(x == 16 ? 1.0 : 8.0 / x)},{(x == 16 && curve == "one-heavy" ? 10 : 1)}\n")));
        CliResult result = CliRunner.RunWith("curve,x,y,w\n" + rows, CancellationToken.None, ["fit", "-", "--law", "m1", "--starts", "4", "--format", "json", "--quiet", .. option.Split(' ')]);
        Assert.Equal(0, result.ExitCode);
        using JsonDocument report = JsonDocument.Parse(result.Out);
        Dictionary<string, double> atLast = report.RootElement.GetProperty("curves").EnumerateArray().ToDictionary(
            curve => curve.GetProperty("curve").GetString()!, curve =>
            {
                JsonElement parameters = curve.GetProperty("fits")[0].GetProperty("parameters");
                return Math.Abs((parameters.GetProperty("a").GetDouble() * Math.Pow(16, parameters.GetProperty("b").GetDouble())) - 1);
            });
        Assert.True(atLast[more] < 0.7 * atLast[less]);
    }

    [Fact]
    public void Columns_of_x_and_y_that_are_not_there_are_named_in_one_sentence()
    {
        CliResult result = CliRunner.RunWith("step,loss\n1,2\n", CancellationToken.None, "fit", "-");
        Assert.Equal(
            new CliResult(1, "", "bnsl: stdin, line 1: there are no columns \"x\" and \"y\"; the columns are \"step\", \"loss\". Name the right ones with --x and --y.\n"),
            result);
    }

    private static string RepositoryRoot
    {
        get
        {
            DirectoryInfo? folder = new(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "BnslGpu.sln"))) folder = folder.Parent;
            return folder?.FullName ?? throw new DirectoryNotFoundException("BnslGpu.sln stands in no folder above the tests.");
        }
    }
}
