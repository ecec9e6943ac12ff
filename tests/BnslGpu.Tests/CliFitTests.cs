using System.Globalization;
using System.Text.Json;
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
        CliResult result = CliRunner.Run(Small(folder.Write("one.csv", Falling + "one,64,n/a\n")));
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.StartsWith("bnsl: ", result.Error);
        Assert.Contains("n/a", result.Error);
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
        CliResult result = CliRunner.Run("predict", report, "--x", "64,128");
        Assert.Equal(0, result.ExitCode);
        string[] lines = result.Out.TrimEnd().Split('\n');
        Assert.Equal("curve,x,y", lines[0]);
        double[] y = [.. lines[1..].Select(line => double.Parse(line.Split(',')[2], CultureInfo.InvariantCulture))];
        // y = 8/x without noise: the fit is exact but for the tolerance of the refinement.
        Assert.Equal(8 / 64.0, y[0], 1e-6);
        Assert.Equal(8 / 128.0, y[1], 1e-6);
    }

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
    public void Predict_says_what_the_report_has_not(string option, string value, string complaint)
    {
        string report = CliRunner.RunWith(Falling, CancellationToken.None, Small("-", "--format", "json")).Out;
        CliResult result = CliRunner.RunWith(report, CancellationToken.None, "predict", "-", "--x", "1", option, value);
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Contains(complaint, result.Error);
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
