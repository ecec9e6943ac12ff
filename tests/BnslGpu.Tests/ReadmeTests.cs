using System.Runtime.CompilerServices;
using BnslGpu.Cli;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Tests that change what the whole process shares (the current folder) run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessWide
{
    public const string Name = "process-wide";
}

/// <summary>What README shows is what runs.</summary>
[Collection(ProcessWide.Name)]
public sealed class ReadmeTests
{
    [Fact]
    public void The_lines_of_C_sharp_in_README_compile_and_fit_the_example()
    {
        string root = Root();
        using var folder = new ScratchFolder();
        string here = Directory.GetCurrentDirectory();
        try
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, "examples"));
            File.Copy(Path.Combine(root, "examples/four-digit-addition.csv"), Path.Combine(folder.Path, "examples/four-digit-addition.csv"));
            Directory.SetCurrentDirectory(folder.Path);

#pragma warning disable xUnit1051 // The lines are README's, which has no test to cancel.
            // README
            CurveTable table = CurveCsv.ReadFile("examples/four-digit-addition.csv");
            FitReport report = Fitter.Fit(table.Curves, FitOptions.LeastSquares with { Starts = 512 });
            CurveFit curve = report.Curves[0];
            Fit fit = curve.Fits[curve.Chosen];
            Console.WriteLine($"{fit.Breaks} break, RMSLE {fit.Rmsle.HeldOut:g3} held out, {fit.Termination}");
            Console.WriteLine($"at x = 1000: {fit.Predict(1000):g4}");
            File.WriteAllText("curve.svg", SvgPlot.Render(curve));

            // end
#pragma warning restore xUnit1051

            Assert.Equal((1, "0.0111", Termination.GradientTolerance), (fit.Breaks, $"{fit.Rmsle.HeldOut:g3}", fit.Termination));
            Assert.True(File.Exists("curve.svg"));
        }
        finally
        {
            Directory.SetCurrentDirectory(here);
        }
    }

    [Fact]
    public void The_lines_of_C_sharp_in_README_are_the_ones_that_are_tested()
    {
        string[] shown = Between(File.ReadAllLines(Path.Combine(Root(), "README.md")), "```csharp", "```");
        string[] tested = Between(File.ReadAllLines(Source()), "// README", "// end");
        Assert.Equal(tested.Where(line => line.Length > 0), shown);
    }

    [Fact]
    public void The_law_of_one_s_own_in_README_is_the_one_that_is_tested()
    {
        string[] readme = File.ReadAllLines(Path.Combine(Root(), "README.md"));
        string[] shown = Between([.. readme.SkipWhile(line => line != "## A law of your own")], "```csharp", "```");
        Assert.Equal(File.ReadAllLines(Path.Combine(Root(), "examples/OwnLaw/ExponentialLaw.cs")).Select(line => line.Trim()), shown);
    }

    [Fact]
    public void The_table_in_README_is_what_the_tool_prints()
    {
        CliResult result = CliRunner.Run("fit", Path.Combine(Root(), "examples/four-digit-addition.csv"));
        Assert.Equal(ExitCode.Done, result.ExitCode);
        string[] printed = [.. result.Out.TrimEnd().Split('\n')[..^2].Select(line => line.Trim())];
        Assert.Equal(printed, Between(File.ReadAllLines(Path.Combine(Root(), "README.md")), "```", "```"));
    }

    [Fact]
    public void The_version_to_cite_is_the_version_there_is() =>
        Assert.Contains($"version: {FitReport.Version}", File.ReadAllLines(Path.Combine(Root(), "CITATION.cff")));

    private static string[] Between(string[] lines, string first, string end) =>
        [.. lines.Select(line => line.Trim()).SkipWhile(line => line != first).Skip(1).TakeWhile(line => line != end)];

    private static string Root() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "../.."));

    private static string Source([CallerFilePath] string path = "") => path;
}
