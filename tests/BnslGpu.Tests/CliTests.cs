using BnslGpu.Cli;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>How the tool takes a call apart, and how it ends.</summary>
public sealed class CliTests
{
    public static TheoryData<string> EveryCommand => ["fit", "predict", "simulate", "laws", "devices"];

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
        Assert.Equal(new CliResult(0, $"bnsl {FitReport.Version}\n", ""), CliRunner.Run("--version"));
    }

    [Theory]
    [InlineData("", "bnsl: a command is missing: fit, predict, simulate, laws or devices. See 'bnsl --help'.")]
    [InlineData("fti", "bnsl: 'fti' is not a command of bnsl; did you mean 'fit'? See 'bnsl --help'.")]
    [InlineData("--wrong", "bnsl: '--wrong' is not an option of bnsl. See 'bnsl --help'.")]
    [InlineData("laws extra", "bnsl: 'extra' is not an argument of bnsl laws. See 'bnsl laws --help'.")]
    [InlineData("fit --start 5 a.csv", "bnsl: '--start' is not an option of bnsl fit; did you mean '--starts'? See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --starts 0", "bnsl: --starts is '0'; expected a whole number from 1 to 10000000. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --starts many", "bnsl: --starts is 'many'; expected a whole number from 1 to 10000000. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --seed -1", "bnsl: --seed is '-1'; expected a whole number from 0 to 18446744073709551615. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --precision half", "bnsl: --precision is 'half'; expected mixed or double. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --recipe best", "bnsl: --recipe is 'best'; expected least-squares or paper. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --loss l1", "bnsl: --loss is 'l1'; expected msle, msle1p, mse or huber. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --x --y loss", "bnsl: --x is '--y'; expected a value, not another option. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 3-1", "bnsl: --breaks is '3-1'; expected whole numbers like 0,1,2 or a range like 0-3. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 0-7", "bnsl: --breaks = 7. Violated constraint: 0 to 6. See 'bnsl fit --help'.")]
    [InlineData("fit a.csv --breaks 1,1", "bnsl: --breaks = 1,1. Violated constraint: each number once. See 'bnsl fit --help'.")]
    [InlineData("predict r.json --x 0", "bnsl: --x is '0'; expected numbers above 0 like 1e6,1e7 or a log-spaced range like 1e6..1e9:13. See 'bnsl predict --help'.")]
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
    [InlineData("fit a.csv --holdout some")]
    [InlineData("fit a.csv --holdout 3 --fit-when split=fit")]
    [InlineData("fit a.csv --output report.png")]
    [InlineData("fit a.csv --device gpu9")]
    [InlineData("fit a.csv --law nonsense")]
    [InlineData("predict report.json --x 1e6..1e9")]
    [InlineData("simulate --c 1,1,1,1,1,1,1 --d 1,2,3,4,5,6,7 --f 1,1,1,1,1,1,1")]
    public void Wrong_call_is_one_line_that_points_to_help(string call)
    {
        CliResult result = CliRunner.Run(call.Split(' '));
        Assert.Equal(2, result.ExitCode);
        Assert.Empty(result.Out);
        Assert.Matches("^bnsl: [^\n]+ See 'bnsl [a-z]+ --help'\\.\n$", result.Error);
        Assert.DoesNotContain("FitOptions", result.Error);
        Assert.DoesNotContain("CurveColumns", result.Error);
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
