using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Any input, one sentence: every case of <see cref="InputCases"/> through the tool, and docs/input.md from what it said.</summary>
/// <remarks>After a change that is meant, <c>BNSL_UPDATE_GOLDEN=1 dotnet test</c> writes the page anew; read its difference before it is committed.</remarks>
public sealed class InputTests
{
    public static TheoryData<string> EveryCase => [.. InputCases.All.Select(one => $"{one.Group}: {one.Name}")];

    [Theory, MemberData(nameof(EveryCase))]
    public void Every_input_gets_its_exit_code_and_its_sentence(string name)
    {
        InputCase one = Assert.Single(InputCases.All, one => $"{one.Group}: {one.Name}" == name);
        (int exitCode, string says) = Run(one);
        Assert.Equal((one.ExitCode, true), (exitCode, says.Contains(one.Says, StringComparison.Ordinal) ? true : (object)says));
        Assert.DoesNotContain("unexpected", says); // what the tool says of exceptions that nobody thought of
        Assert.DoesNotMatch(@"[\p{Cc}-[\n]]", says);
    }

    [Fact]
    public void Page_about_input_has_what_the_tool_says()
    {
        var page = new StringBuilder(File.ReadAllText(Page).Split("<!-- cases -->")[0]).Append("<!-- cases -->\n");
        foreach (IGrouping<string, InputCase> group in InputCases.All.GroupBy(one => one.Group))
        {
            page.Append($"\n## {group.Key}\n\n| input | what follows the file's name | exit | what `bnsl` says |\n|---|---|---|---|\n");
            foreach (InputCase one in group)
            {
                (int exitCode, string says) = Run(one);
                string options = one.File.Length == 0 ? "" : string.Join(' ', one.More);
                page.Append($"| {Cell(one.Name)} | {(options.Length == 0 ? "" : $"`{options}`")} | {exitCode} | {Cell(says)} |\n");
            }
        }

        string text = page.ToString();
        if (Environment.GetEnvironmentVariable("BNSL_UPDATE_GOLDEN") == "1") File.WriteAllText(Page, text);
        Assert.Equal(text, File.ReadAllText(Page), ignoreLineEndingDifferences: true);
    }

    /// <summary>The exit code and everything said on standard error; after it, of each curve the name, the points, and why it was not fitted.</summary>
    private static (int ExitCode, string Says) Run(InputCase one)
    {
        using ScratchFolder folder = new();
        string file = folder.File(one.File);
        if (one.File is not ("" or ".")) File.WriteAllBytes(file, one.Bytes);
        string[] search = one.Command == "fit" ? ["--recipe", "least-squares", "--starts", "8", "--breaks", "0"] : [];
        string[] files = one.File.Length == 0 ? [] : [file];
        CliResult result = CliRunner.Run([one.Command, .. files, .. one.More, .. search]);
        string[] said = [.. result.Error.TrimEnd('\n').Split('\n').Where(line => line.Length > 0).Select(line => line.StartsWith("bnsl: ", StringComparison.Ordinal) ? line[6..] : line)];
        string[] curves = one.Command == "predict" ? [] : one.More.Contains("csv") ? [.. result.Out.Split('\n').Skip(1).Take(1).Select(row => string.Join(',', row.Split(',').Take(4)) + ", …")] : [.. Curves(result.Out)];
        string says = Regex.Replace(string.Join("\n", said.Concat(curves)), "There is: .*", "There is: …"); // other tests add laws
        return (result.ExitCode, says.Replace(folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).Replace(folder.Path, "runs", StringComparison.Ordinal));
    }

    /// <summary>Of each curve of the table its name, its points, and its warnings.</summary>
    private static IEnumerable<string> Curves(string table)
    {
        string[] lines = table.Split('\n');
        for (int i = 1; i < lines.Length; i++)
        {
            if (!Regex.IsMatch(lines[i], @"^\d+ points? ")) continue;
            IEnumerable<string> warnings = lines.Skip(i).TakeWhile((line, k) => k < 2 || !Regex.IsMatch(lines.ElementAtOrDefault(i + k + 1) ?? "", @"^\d+ points? ")).Where(line => line.StartsWith("  ! ", StringComparison.Ordinal) || line.StartsWith("    ", StringComparison.Ordinal))
                .SkipWhile(line => !line.StartsWith("  ! ", StringComparison.Ordinal)).Select(line => line.StartsWith("  ! ", StringComparison.Ordinal) ? line[4..] : line.Trim());
            string name = lines[i - 1].Length > 60 ? $"{lines[i - 1][..4]}…{lines[i - 1][^4..]}" : lines[i - 1];
            string why = string.Join(' ', warnings);
            yield return $"{name}: {(lines[i].Contains("to fit", StringComparison.Ordinal) && !lines[i].Contains("held out", StringComparison.Ordinal) ? "" : lines[i].Split(';')[0])}{(why.Length > 0 ? ". " + why : ".")}";
        }
    }

    private static string Cell(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("*", "\\*", StringComparison.Ordinal).Replace("\n", "<br>", StringComparison.Ordinal);

    private static string Page => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "../../docs/input.md"));

    private static string Source([CallerFilePath] string path = "") => path;
}
