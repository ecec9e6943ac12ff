using System.Text.RegularExpressions;
using BnslGpu.Cli;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>How the tool takes a call apart, and how it ends.</summary>
public sealed class CliTests
{
    public static TheoryData<string> EveryCommand => ["fit", "suite", "predict", "compare", "simulate", "laws", "devices", "completion"];

    [Theory, MemberData(nameof(EveryCommand))]
    public void Help_of_every_command_ends_in_examples_of_it(string command)
    {
        CliResult help = CliRunner.Run(command, "--help");
        Assert.Equal(0, help.ExitCode);
        Assert.Empty(help.Error);
        string examples = help.Out[help.Out.IndexOf("Examples:\n", StringComparison.Ordinal)..];
        Assert.Contains($"  bnsl {command}", examples);
        Assert.Contains($"  bnsl {command}", help.Out);
    }

    [Theory, MemberData(nameof(EveryCommand))]
    public void Examples_in_help_use_options_that_exist(string command)
    {
        string[] help = CliRunner.Run(command, "--help").Out.Split('\n');
        string[] examples = [.. help.SkipWhile(line => line != "Examples:").Where(line => line.StartsWith("  bnsl", StringComparison.Ordinal))];
        Assert.NotEmpty(examples);
        foreach (string call in examples.SelectMany(line => line.Split(" | ")))
        {
            string[] words = call.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string options = CliRunner.Run(words[1], "--help").Out;
            foreach (string option in words.Where(word => word.StartsWith("--", StringComparison.Ordinal)))
                Assert.Contains($"\n  {option} ", options);
        }
    }

    [Fact]
    public void Help_of_the_tool_lists_every_command_and_a_first_call()
    {
        CliResult help = CliRunner.Run("--help");
        Assert.Equal(0, help.ExitCode);
        foreach (string command in EveryCommand.Select(row => row.Data)) Assert.Contains($"\n  {command}", help.Out);
        Assert.Contains("\n  bnsl fit loss.csv\n", help.Out);
    }

    [Fact]
    public void Version_is_the_engine_s()
    {
        // Without a commit where the sources lie in no clone.
        CliResult version = CliRunner.Run("--version");
        Assert.Matches($"^bnsl {Regex.Escape(FitReport.Version)}( [(]commit [0-9a-f]{{12}}[)])?\n$", version.Out);
        Assert.Equal((ExitCode.Done, ""), (version.ExitCode, version.Error));
    }

    [Fact]
    public void Help_names_the_recipe_that_is_taken_by_default() =>
        Assert.Contains($"changed one by one. Default: {FitOptions.Default.Recipe}.", CliRunner.Run("fit", "--help").Out.ReplaceLineEndings(" "));

    [Theory]
    [InlineData("", "bnsl: a command is missing: fit, suite, predict, compare, simulate, laws, devices or completion. See 'bnsl --help'.")]
    [InlineData("fti", "bnsl: 'fti' is not a command of bnsl; did you mean 'fit'? See 'bnsl --help'.")]
    [InlineData("--wrong", "bnsl: '--wrong' is not an option of bnsl. See 'bnsl --help'.")]
    [InlineData("laws extra", "bnsl: 'extra' is not an argument of bnsl laws. See 'bnsl laws --help'.")]
    [InlineData("fit --start 5 a.csv", "bnsl: '--start' is not an option of bnsl fit; did you mean '--starts'? See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --starts 0", "bnsl: --starts is '0'; expected auto or a whole number from 1 to 10000000. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --starts many", "bnsl: --starts is 'many'; expected auto or a whole number from 1 to 10000000. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --seed -1", "bnsl: --seed is '-1'; expected a whole number from 0 to 18446744073709551615. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --precision half", "bnsl: --precision is 'half'; expected mixed or double. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --recipe best", "bnsl: --recipe is 'best'; expected forecast, least-squares or paper. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --loss l1", "bnsl: --loss is 'l1'; expected msle, msle1p, mse or huber. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --x --y loss", "bnsl: --x is '--y'; expected a value, not another option. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 3-1", "bnsl: --breaks is '3-1'; expected whole numbers like 0,1,2 or a range like 0-3. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 0-7", "bnsl: --breaks = 7. Violated constraint: 0 to 6. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 1,1", "bnsl: --breaks = 1,1. Violated constraint: each number once. See 'bnsl fit --help'.")]
    [InlineData("predict r.json --x nan", "bnsl: --x is 'nan'; expected numbers like 1e6,1e7, a log-spaced range like 1e6..1e9:13, or for several inputs these with / between, like 1e9/2e10 or 1e9/1e10..1e12:5. See 'bnsl predict --help'.")]
    [InlineData("simulate --x 0", "bnsl: --x is '0'; expected numbers above 0 like 1e6,1e7 or a log-spaced range like 1e6..1e9:13. See 'bnsl simulate --help'.")]
    [InlineData("fit a.csv --fix a", "bnsl: --fix is 'a'; expected values like a=0 or a=0,c0=0.5. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --fix a=0 --fix b=1,5", "bnsl: --fix is 'b=1,5'; expected values like a=0 or a=0,c0=0.5. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --bound f=1", "bnsl: --bound is 'f=1'; expected ranges like f=0.05:10 or d=:1e6. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --bound f=:", "bnsl: --bound is 'f=:'; expected ranges like f=0.05:10 or d=:1e6. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --bound f=2:1", "bnsl: --bound = f from 2 to 1. Violated constraint: lowest <= highest. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --tie f,", "bnsl: --tie is 'f,'; expected names like f or alpha=beta. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --tie c=f", "bnsl: --tie = c=f. Violated constraint: parameters of bnsl that are searched in the same coordinate. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --init a=x", "bnsl: --init is 'a=x'; expected values like a=0.3,b=2,c0=0.1. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --init d=-1", "bnsl: --init = d=-1. Violated constraint: > 0. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --init a=1 --init a=2 --starts 1", "bnsl: --starts = 1. Violated constraint: at least the 2 starts of one's own. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --fix b=2", "bnsl: --fix = b. Violated constraint: one of a, c0, c, d, f: bnsl searches b together with others, as the level at the last point. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --law m1 --fix q=2", "bnsl: --fix = q. Violated constraint: a parameter of the law: a, logA, b (c2 is c of the second break). See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --sigma-of log", "bnsl: --sigma-of is 'log' and there is no --sigma; expected the column that it speaks of. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --sigma s --sigma-of x", "bnsl: --sigma-of is 'x'; expected y or log. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --sigma s --weight w", "bnsl: --weight = 'w' and --sigma = 's'. Violated constraint: one of them says how much a point counts. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --law chinchilla", "bnsl: the law chinchilla has 2 inputs and --x names 1; expected a column for each. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --x N,D", "bnsl: the law bnsl has 1 input and --x names 2; expected a column for each. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --x N,N", "bnsl: --x = 'N,N'. Violated constraint: names of columns, each once. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --law chinchilla --x N,D --envelope lower", "bnsl: --envelope = Lower and --x = 'N,D'. Violated constraint: an envelope is of curves of one input. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --envelope best", "bnsl: --envelope is 'best'; expected lower or upper. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --format npz", "bnsl: --format is 'npz', which is not text; expected --output FILE.npz, or standard output that goes to a file. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --plot-script plot.txt", "bnsl: --plot-script is 'plot.txt'; expected a file that ends in .py. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --output plot.csv --plot-script plot.py", "bnsl: --output is 'plot.csv', where --plot-script writes what it draws; expected another name. See 'bnsl fit --help'.")]
    [InlineData("compare no-such-file.json other.json", "bnsl: no-such-file.json: there is no such file. See 'bnsl compare --help'.")]
    [InlineData("compare - -", "bnsl: both reports are '-'; expected a file for one of them. See 'bnsl compare --help'.")]
    [InlineData("compare a.json b.json --tolerance -1", "bnsl: --tolerance is '-1'; expected a finite number of at least 0. See 'bnsl compare --help'.")]
    [InlineData("completion powershell", "bnsl: SHELL is 'powershell'; expected bash, zsh or fish. See 'bnsl completion --help'.")]
    [InlineData("simulate --c 1,2 --d 3", "bnsl: --c has 2 values, --d 1 and --f 0; each break needs one of each. See 'bnsl simulate --help'.")]
    [InlineData("simulate --b 0", "bnsl: --b is '0'; expected a finite number above 0. See 'bnsl simulate --help'.")]
    [InlineData("simulate --x 1,2 --holdout 2", "bnsl: --holdout is 2; expected fewer than the 2 points of a curve. See 'bnsl simulate --help'.")]
    public void Wrong_call_is_one_sentence_on_stderr_and_exit_code_2(string call, string complaint)
    {
        Assert.Equal(new CliResult(2, "", complaint + "\n"), CliRunner.Run(call.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Theory]
    [InlineData("fit")]
    [InlineData("predict")]
    [InlineData("predict report.json")]
    [InlineData("fit a.csv --starts")]
    [InlineData("fit a.csv --starts 1 --starts 2")]
    [InlineData("predict r.json --x 1 --x 2")]
    [InlineData("predict r.json --x 1/2,3")]
    [InlineData("predict r.json --x 1/")]
    [InlineData("fit a.csv --holdout some")]
    [InlineData("fit a.csv --holdout 3 --fit-when split=fit")]
    [InlineData("fit a.csv --output report.png")]
    [InlineData("fit a.csv --device gpu9")]
    [InlineData("fit a.csv --law nonsense")]
    [InlineData("predict report.json --x 1e6..1e9")]
    [InlineData("predict report.json --x 1 --reach 2")]
    [InlineData("predict report.json --reach 0")]
    [InlineData("predict report.json --x 1 --interval 100")]
    [InlineData("predict report.json --x 1 --interval 80 --law bnsl")]
    [InlineData("predict report.json --reach 1 --breaks 2")]
    [InlineData("predict report.json --reach 1 --of curve")]
    [InlineData("simulate --c 1,1,1,1,1,1,1 --d 1,2,3,4,5,6,7 --f 1,1,1,1,1,1,1")]
    public void Wrong_call_is_one_line_that_points_to_help(string call)
    {
        CliResult result = CliRunner.Run(call.Split(' '));
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Matches("^bnsl: [^\n]+ See 'bnsl [a-z]+ --help'\\.\n$", result.Error);
        Assert.DoesNotContain("FitOptions", result.Error);
        Assert.DoesNotContain("CurveColumns", result.Error);
        Assert.DoesNotContain("ParameterRules", result.Error);
    }

    [Theory]
    [InlineData("fit no-such-file.csv")]
    [InlineData("predict no-such-file.json --x 1")]
    public void Missing_file_is_one_sentence_that_names_it_and_exit_code_1(string call)
    {
        CliResult result = CliRunner.Run(call.Split(' '));
        Assert.Equal(1, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Matches("^bnsl: no-such-file[^\n]+\n$", result.Error);
    }

    [Fact]
    public void Laws_lists_bnsl_with_its_formula_and_source()
    {
        CliResult laws = CliRunner.Run("laws");
        Assert.Equal(0, laws.ExitCode);
        Assert.Contains("bnsl  breaks", laws.Out);
        Assert.Contains("x^-c0", laws.Out.Replace("x^(-c0)", "x^-c0", StringComparison.Ordinal));
        Assert.Contains("arXiv:2210.14891", laws.Out);
        Assert.Contains("bnsl  breaks 1-6; 1 input; x > 0, y > 0\n", laws.Out);
        Assert.Contains("    can be fixed, bounded, tied: a, c0, c, d, f\n", laws.Out);
        Assert.Contains("chinchilla  breaks 0; 2 inputs; x > 0, y > 0\n", laws.Out);
        Assert.Contains("    can be fixed, bounded, tied: E, alpha, beta\n", laws.Out);
    }

    [Fact]
    public void Devices_lists_the_simd_engine()
    {
        CliResult devices = CliRunner.Run("devices");
        Assert.Equal(0, devices.ExitCode);
        Assert.StartsWith("simd", devices.Out);
    }

    [Fact]
    public void Lists_of_names_read_as_a_sentence()
    {
        Assert.Equal("a, b or c", OptionKinds.Listed(["a", "b", "c"], "or"));
        Assert.Equal("a", OptionKinds.Listed(["a"], "or"));
    }

    [Theory]
    [InlineData("1e6..1e9:4", new[] { 1e6, 1e7, 1e8, 1e9 })]
    [InlineData("3,1", new[] { 3.0, 1.0 })]
    [InlineData("5,1..100:3", new[] { 5.0, 1.0, 10.0, 100.0 })]
    public void Scales_are_lists_and_log_spaced_ranges(string text, double[] expected)
    {
        Assert.True(Scales.TryRead(text, out double[] x));
        Assert.Equal(expected, x);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1,")]
    [InlineData("nan")]
    [InlineData("-1")]
    [InlineData("1..10")]
    [InlineData("1..10:1")]
    [InlineData("10..1:3")]
    [InlineData("1..inf:3")]
    public void Text_that_is_no_list_of_scales_is_refused(string text) => Assert.False(Scales.TryRead(text, out _));

    [Theory]
    [InlineData("1e9/2e10", "1000000000/20000000000")]
    [InlineData("1/2,3/4", "1/2 3/4")]
    [InlineData("1/10..1000:3", "1/10 1/100 1/1000")]
    [InlineData("1..10:2/5..50:2", "1/5 1/50 10/5 10/50")]
    [InlineData("-1,0,2", "-1 0 2")]
    public void Points_are_inputs_between_slashes_each_a_number_or_a_range(string text, string expected)
    {
        Assert.True(Scales.TryReadPoints(text, out double[][] points));
        Assert.Equal(expected, string.Join(' ', points.Select(point => string.Join('/', point))));
    }

    [Theory]
    [InlineData("1/2,3")]
    [InlineData("1/")]
    [InlineData("1//2")]
    [InlineData("0..5:3/1")]
    [InlineData("1e0..1e9:10000/1..2:10000")]
    public void Text_that_is_no_list_of_points_is_refused(string text) => Assert.False(Scales.TryReadPoints(text, out _));

    [Theory]
    [InlineData("0,1,2,3", new[] { 0, 1, 2, 3 })]
    [InlineData("0-3", new[] { 0, 1, 2, 3 })]
    [InlineData("0..2,5", new[] { 0, 1, 2, 5 })]
    [InlineData("4", new[] { 4 })]
    public void Breaks_are_lists_and_ranges(string text, int[] expected)
    {
        Assert.True(Scales.TryReadBreaks(text, out int[] breaks));
        Assert.Equal(expected, breaks);
    }
}
