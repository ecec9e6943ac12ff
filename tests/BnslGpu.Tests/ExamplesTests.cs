using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using BnslGpu.Cli;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Every command in examples/README.md runs, writes the file it is said to write, and prints the lines that are shown.</summary>
public sealed partial class ExamplesTests
{
    internal static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "../.."));

    private const string OwnLawFile = "examples/OwnLaw/bin/Release/net10.0/OwnLaw.dll";

    private static string[] Readme { get; } = File.ReadAllLines(Path.Combine(Root, "examples/README.md"));

    /// <summary>Each command with the lines of the block that follows it.</summary>
    public static TheoryData<string, string[]> Commands() => Commands(withOwnLaw: false);

    /// <summary>Those that add a law, and those that do not.</summary>
    internal static TheoryData<string, string[]> Commands(bool withOwnLaw)
    {
        var commands = new TheoryData<string, string[]>();
        bool isBlock = false;
        for (int i = 0; i < Readme.Length; i++)
        {
            isBlock ^= Readme[i] == "```";
            if (isBlock || !Readme[i].StartsWith("    bnsl ", StringComparison.Ordinal)) continue;
            if (withOwnLaw != Readme[i].Contains(OwnLawFile, StringComparison.Ordinal)) continue;
            IEnumerable<string> after = Readme.Skip(i + 1).TakeWhile(line => !line.StartsWith('#') && !line.StartsWith("    bnsl simulate", StringComparison.Ordinal) && !line.StartsWith("    bnsl fit", StringComparison.Ordinal));
            commands.Add(Readme[i].Trim(), [.. after.SkipWhile(line => line != "```").Skip(1).TakeWhile(line => line != "```")]);
        }

        return commands;
    }

    [Theory, MemberData(nameof(Commands))]
    public void A_command_does_what_the_text_says(string command, string[] shown) => Does(command, shown);

    internal static void Does(string command, string[] shown)
    {
        using var folder = new ScratchFolder();
        string[] parts = command.Split(" > ");
        string output = "";
        foreach (string call in parts[0].Split(" | "))
        {
            string[] words = [.. Words(call).Skip(1)];

            // Figures go elsewhere; data are those of the repository.
            int plot = Array.IndexOf(words, "--plot");
            for (int i = 0; i < words.Length; i++)
                words[i] = plot >= 0 && i == plot + 1 ? folder.Path : words[i] == OwnLawFile ? typeof(OwnLaw.ExponentialLaw).Assembly.Location : words[i].StartsWith("examples/", StringComparison.Ordinal) ? Path.Combine(Root, words[i]) : words[i];
            CliResult result = CliRunner.RunWith(output, TestContext.Current.CancellationToken, words);
            Assert.True(result.ExitCode == ExitCode.Done, result.Error);
            if (plot >= 0) Assert.NotEmpty(Directory.GetFiles(folder.Path, "*.svg"));
            output = result.Out;
        }

        if (parts.Length > 1) SameCurves(parts[1], output);
        string[] printed = [.. output.Split('\n').Select(line => line.Trim())];
        int from = 0;
        foreach (string line in shown.Select(line => line.Trim()).Where(line => line.Length > 0))
        {
            int at = Array.IndexOf(printed, line, from);
            Assert.True(at >= 0, $"'{line}' is not what the command prints:\n{output}");
            from = at + 1;
        }
    }

    [Fact]
    public void The_curve_with_two_breaks_is_the_one_that_its_command_makes()
    {
        string row = Readme.Single(line => line.StartsWith("| two-breaks.csv", StringComparison.Ordinal));
        string command = row[(row.IndexOf('`', StringComparison.Ordinal) + 1)..row.LastIndexOf('`')];
        SameCurves("examples/two-breaks.csv", CliRunner.Run([.. Words(command).Skip(1)]).Out);
    }

    /// <summary>The noise is made with the platform's cosine, whose last digit is its own.</summary>
    private static void SameCurves(string file, string made)
    {
        using var reader = new StringReader(made);
        CurveTable expected = CurveCsv.ReadFile(Path.Combine(Root, file)), actual = CurveCsv.Read(reader, file);
        Curve left = Assert.Single(expected.Curves), right = Assert.Single(actual.Curves);
        Assert.Equal(left.Name, right.Name);
        foreach ((Points one, Points other) in (ReadOnlySpan<(Points, Points)>)[(left.Fit, right.Fit), (left.HeldOut, right.HeldOut)])
        {
            Assert.Equal(one.X.ToArray(), other.X.ToArray(), Same);
            Assert.Equal(one.Y.ToArray(), other.Y.ToArray(), Same);
        }

        static bool Same(double x, double y) => Math.Abs(x - y) <= 1e-12 * Math.Abs(x);
    }

    [Fact]
    public void Every_file_of_the_folder_is_listed()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(Root, "examples"), "*.csv").Select(Path.GetFileName)!)
            Assert.Contains(Readme, line => line.StartsWith($"| {file} |", StringComparison.Ordinal));
        Assert.True(Commands().Count >= 5);
    }

    private static IEnumerable<string> Words(string command) => Word().Matches(command).Select(match => match.Value.Replace("\"", "", StringComparison.Ordinal));

    [GeneratedRegex("""(?:"[^"]*"|[^\s"])+""")]
    private static partial Regex Word();

    private static string Source([CallerFilePath] string path = "") => path;
}

/// <summary>Examples that add a law; alone, for it is there for every other test.</summary>
[Collection(ProcessWide.Name)]
public sealed class OwnLawExamplesTests
{
    public static TheoryData<string, string[]> Commands() => ExamplesTests.Commands(withOwnLaw: true);

    [Theory, MemberData(nameof(Commands))]
    public void A_command_does_what_the_text_says(string command, string[] shown) => ExamplesTests.Does(command, shown);
}

/// <summary>What the programs of the examples compute is what the repository holds.</summary>
public sealed class ExampleProgramsTests
{
    // Small sizes, each of which has seeds of its own.
    [Theory]
    [InlineData("logistic_regression.py", "logistic-regression.csv", "10", "18")]
    [InlineData("random_features.py", "random-features.csv", "5", "32")]
    [InlineData("sgd.py", "sgd.csv", "25", "75")]
    public void A_program_computes_the_rows_of_its_file(string program, string file, params string[] sizes)
    {
        string? python = ((string[])["python3", "/usr/bin/python3"]).FirstOrDefault(name => Run(name, "-c", "import numpy") is (0, _));
        Assert.SkipWhen(python is null, "there is no python3 with numpy");
        (int exitCode, string output) = Run(python!, [Path.Combine(ExamplesTests.Root, "examples", program), .. sizes]);
        Assert.Equal(0, exitCode);
        string[] kept = File.ReadAllLines(Path.Combine(ExamplesTests.Root, "examples", file));
        string[] computed = output.ReplaceLineEndings("\n").TrimEnd().Split('\n');
        Assert.Equal(kept[0], computed[0]);
        Assert.Equal(1 + sizes.Length, computed.Length);
        foreach ((string size, string row) in sizes.Zip(computed.Skip(1)))
        {
            // Another BLAS adds in another order: not the same digits, but their number is far above that.
            double[] expected = Numbers(kept.Single(line => line.StartsWith($"{size},", StringComparison.Ordinal))), actual = Numbers(row);
            Assert.Equal(expected, actual, (x, y) => Math.Abs(x - y) <= 0.01 * Math.Abs(x));
            Assert.Equal(expected[1], actual[1], 1e-5);
        }

        static double[] Numbers(string row) => [.. row.Split(',').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
    }

    private static (int ExitCode, string Output) Run(string program, params string[] args)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, args) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (-1, ""); // There is no such program.
        }
    }
}
