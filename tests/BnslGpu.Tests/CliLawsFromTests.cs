using System.Globalization;
using System.Text.Json;
using BnslGpu.Cli;
using OwnLaw;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Laws from assemblies of one's own. Alone, for a law that is added is there for every other test.</summary>
[Collection(ProcessWide.Name)]
public sealed class CliLawsFromTests
{
    private static string Own => typeof(ExponentialLaw).Assembly.Location;

    [Fact]
    public void Law_of_one_s_own_assembly_is_listed_fitted_and_predicted_with()
    {
        using ScratchFolder folder = new();
        string rows = string.Concat(Enumerable.Range(0, 20).Select(x => $"{x},{-0.5 + (2 * Math.Exp(-x / 6.0)):R}\n"));
        string data = folder.Write("own.csv", "x,y\n" + rows), report = folder.File("own.json");
        Assert.Contains("exponential  breaks 0; 1 input; any x, any y\n    y = a + b exp(-x/tau)\n", CliRunner.Run("laws", "--laws-from", Own).Out);
        Assert.Equal(
            new CliResult(ExitCode.Done, "", ""),
            CliRunner.Run("fit", data, "--laws-from", Own, "--law", "exponential", "--loss", "mse", "--starts", "32", "--output", report, "--plot", folder.File("plots"), "--quiet"));
        using JsonDocument saved = JsonDocument.Parse(File.ReadAllText(report));
        JsonElement parameters = saved.RootElement.GetProperty("curves")[0].GetProperty("fits")[0].GetProperty("parameters");
        Assert.Equal((-0.5, 2, 6), (Rounded("a"), Rounded("b"), Rounded("tau")));
        CliResult predicted = CliRunner.Run("predict", report, "--x", "-6,0,60", "--laws-from", Own);
        Assert.Equal([-0.5 + (2 * Math.E), 1.5, -0.5 + (2 * Math.Exp(-10))],
            predicted.Out.TrimEnd().Split('\n')[1..].Select(line => double.Parse(line.Split(',')[2], CultureInfo.InvariantCulture)), (expected, actual) => Math.Abs(expected - actual) < 1e-6);

        double Rounded(string parameter) => Math.Round(parameters.GetProperty(parameter).GetDouble(), 6);
    }

    [Fact]
    public void Assembly_whose_laws_are_not_asked_for_is_a_note()
    {
        CliResult result = CliRunner.RunWith("x,y\n1,4\n2,2\n4,1\n", CancellationToken.None, "fit", "-", "--laws-from", Own, "--breaks", "0", "--starts", "2");
        Assert.Equal(ExitCode.Done, result.ExitCode);
        Assert.Equal("bnsl: --laws-from has exponential; --law is bnsl.\n", result.Error);
    }

    [Fact]
    public void File_that_gives_no_law_is_one_sentence_that_says_why()
    {
        using ScratchFolder folder = new();
        string text = folder.Write("text.dll", "not a program"), none = typeof(Fitter).Assembly.Location, taken = typeof(TakenName).Assembly.Location;
        Assert.Equal($"bnsl: {folder.File("none.dll")}: there is no such file.\n", Fails(folder.File("none.dll")));
        Assert.Equal($"bnsl: {text} is not a .NET assembly.\n", Fails(text));
        Assert.Equal($"bnsl: {none} has no law: no public struct in it implements IPlainLaw or IScalingLaw.\n", Fails(none));
        Assert.Equal($"bnsl: {taken} cannot be used: There is another law 'm2' with 0 breaks. Give one of them another name.\n", Fails(taken));

        static string Fails(string path)
        {
            foreach (string[] call in (string[][])[["laws"], ["fit", "none.csv"], ["predict", "none.json", "--x", "1"]])
            {
                CliResult result = CliRunner.Run([.. call, "--laws-from", path]);
                Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Out));
                if (call[0] == "predict") return result.Error;
            }

            return "";
        }
    }
}
