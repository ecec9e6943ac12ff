using System.Text.RegularExpressions;
using BnslGpu.Cli;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests;

public sealed class CliCompletionTests
{
    private static string Script(string shell)
    {
        CliResult result = CliRunner.Run("completion", shell);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        return result.Out;
    }

    /// <summary>What bash offers for the last word of a line.</summary>
    private static string[] Bash(string line, string? folder = null)
    {
        string bash = Tools.Shell("bash");
        using var scratch = new ScratchFolder();
        string script = scratch.Write("bnsl.bash", Script("bash"));
        string[] words = line.Split(' ');
        string ask = $"source '{script}'; COMP_WORDS=({string.Join(' ', words.Select(word => $"'{word}'"))}); COMP_CWORD={words.Length - 1}; _bnsl; printf '%s\\n' \"${{COMPREPLY[@]}}\"";
        CliResult said = Tools.Run(bash, ["--norc", "-c", ask], folder)!;
        Assert.Equal("", said.Error);
        return said.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public void Bash_completes_commands() => Assert.Equal(CliTests.EveryCommand.Select(row => row.Data), Bash("bnsl "));

    [Theory]
    [InlineData("bnsl fit --laws-f", "--laws-from")]
    [InlineData("bnsl fit data.csv --env", "--envelope")]
    [InlineData("bnsl --vers", "--version")]
    [InlineData("bnsl fit --loss hub", "huber")]
    [InlineData("bnsl suite --format mark", "markdown")]
    [InlineData("bnsl fit --law bnsl-r", "bnsl-rising")]
    [InlineData("bnsl fit --law bnsl,m1,bnsl-r", "bnsl,m1,bnsl-rising")]
    [InlineData("bnsl fit --quiet --rec", "--recipe")]
    [InlineData("bnsl suite rev", "revisiting")]
    [InlineData("bnsl completion z", "zsh")]
    [InlineData("bnsl fit --device op", "opencl")]
    [InlineData("bnsl fit --x tok", "")]
    [InlineData("bnsl fit --loss = hub", "huber")]
    [InlineData("bnsl fit --envelope =", "lower upper")]
    [InlineData("bnsl fit --law = m1,bnsl-r", "m1,bnsl-rising")]
    public void Bash_completes_options_and_values(string line, string expected) => Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), Bash(line));

    [Fact]
    public void Bash_completes_files_and_folders_where_they_belong()
    {
        using var folder = new ScratchFolder();
        folder.Write("loss two.csv", "");
        folder.Write("loss.json", "");
        Directory.CreateDirectory(folder.File("lossless"));
        Assert.Equal(["loss two.csv", "loss.json", "lossless"], Bash("bnsl fit los", folder.Path).Order(StringComparer.Ordinal));
        Assert.Equal(["loss two.csv", "loss.json", "lossless"], Bash("bnsl fit a.csv --output los", folder.Path).Order(StringComparer.Ordinal));
        Assert.Equal(["lossless"], Bash("bnsl fit a.csv --plot los", folder.Path));
        Assert.Empty(Bash("bnsl laws los", folder.Path));
    }

    [Fact]
    public void Formats_that_are_completed_are_the_formats_there_are() =>
        Assert.Equal(ReportFormats.All.Select(format => format.Name).Order(StringComparer.Ordinal), Bash("bnsl fit --format ").Order(StringComparer.Ordinal));

    public static TheoryData<string> EveryShell => [.. CompletionCommand.Shells];

    [Theory, MemberData(nameof(EveryShell))]
    public void Script_has_every_option_that_help_has_and_the_shell_reads_it(string shell)
    {
        string script = Script(shell);
        foreach (string command in CliTests.EveryCommand.Select(row => row.Data))
        {
            string help = CliRunner.Run(command, "--help").Out;
            foreach (Match option in Regex.Matches(help, "(?m)^  (--[a-z0-9-]+)", RegexOptions.ExplicitCapture))
            {
                string name = option.Value.Trim();
                Assert.Contains(shell == "fish" ? $"__fish_seen_subcommand_from {command}' -l {name[2..]} " : name, script);
            }
        }

        string program = Tools.Shell(shell);
        using var folder = new ScratchFolder();
        CliResult read = Tools.Run(program, ["-n", folder.Write("script", script)])!;
        Assert.Equal(new CliResult(0, "", ""), read);
    }

    [Fact]
    public void Fish_completes_options_and_lists()
    {
        string fish = Tools.Shell("fish");
        using var folder = new ScratchFolder();
        string script = folder.Write("bnsl.fish", Script("fish"));
        string ask = $"source {script}; complete -C 'bnsl fit --laws-'; complete -C 'bnsl fit --law m1,bnsl-r'; complete -C 'bnsl fit --loss hub'; complete -C 'bnsl compl'";
        CliResult said = Tools.Run(fish, ["--no-config", "-c", ask])!;
        Assert.Equal(["--laws-from", "m1,bnsl-rising", "huber", "completion"], said.Out.TrimEnd().Split('\n').Select(line => line.Split('\t')[0]));
    }
}
