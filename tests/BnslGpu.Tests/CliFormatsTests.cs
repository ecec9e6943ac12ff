using BnslGpu.Cli;
using BnslGpu.Tests.Formats;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>How bnsl fit writes what is not a table: formats by ending, bytes, a script with its data; and envelopes.</summary>
public sealed class CliFormatsTests : IDisposable
{
    private const string Csv = "x,y\n1,8\n2,7\n2,9\n4,6\n8,5.2\n16,4.6\n32,4.1\n64,3.7\n";

    private readonly ScratchFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private CliResult Fit(params string[] options) =>
        CliRunner.Run(["fit", _folder.Write("runs.csv", Csv), "--recipe", "least-squares", "--breaks", "0", "--starts", "32", "--device", "simd", .. options]);

    [Fact]
    public void Ending_of_the_output_picks_markdown_and_npz()
    {
        Assert.Equal(0, Fit("--output", _folder.File("r.md")).ExitCode);
        Assert.StartsWith("# 1 curve fitted\n\nbnsl ", File.ReadAllText(_folder.File("r.md")), StringComparison.Ordinal);
        CliResult npz = Fit("--output", _folder.File("r.npz"));
        Assert.Equal((0, ""), (npz.ExitCode, npz.Out));
        Assert.Equal(["8", "7", "9", "6", "5.2", "4.6", "4.1", "3.7"], Npz.Read(File.ReadAllBytes(_folder.File("r.npz")))["points_y"].Values);
    }

    [Fact]
    public void Bytes_go_to_standard_output_where_nobody_looks_at_it()
    {
        Fit("--output", _folder.File("r.npz"));
        using var bytes = new MemoryStream();
        int exitCode = Program.Run(
            ["fit", _folder.File("runs.csv"), "--recipe", "least-squares", "--breaks", "0", "--starts", "32", "--device", "simd", "--format", "npz"],
            new Streams(TextReader.Null, TextWriter.Null, TextWriter.Null) { OutBytes = bytes });
        Assert.Equal(0, exitCode);
        Assert.Equal(File.ReadAllBytes(_folder.File("r.npz")), bytes.ToArray());
    }

    [Fact]
    public void Plot_script_stands_beside_the_data_that_it_draws()
    {
        CliResult result = Fit("--plot-script", _folder.File("figure.py"));
        Assert.Equal(0, result.ExitCode);
        Assert.EndsWith($"bnsl: {_folder.File("figure.py")} and its data, {_folder.File("figure.csv")}, written; draw with python3 {_folder.File("figure.py")}.\n", result.Error, StringComparison.Ordinal);
        Assert.StartsWith("#!/usr/bin/env python3\n", File.ReadAllText(_folder.File("figure.py")), StringComparison.Ordinal);
        Assert.StartsWith("curve,x_name,y_name,kind,x,y,lower_50,upper_50,lower_80,upper_80,lower_95,upper_95\nruns,x,y,fitted,1,8,,,,,,\n", File.ReadAllText(_folder.File("figure.csv")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--output", "runs.csv")]
    [InlineData("--output", "link.csv")]
    [InlineData("--report", "runs.csv")]
    [InlineData("--plot-script", "runs.py")]
    public void Nothing_takes_the_place_of_what_is_read(string option, string name)
    {
        File.CreateSymbolicLink(_folder.File("link.csv"), _folder.Write("runs.csv", Csv));
        CliResult result = Fit(option, _folder.File(name));
        Assert.Equal(2, result.ExitCode);
        Assert.Equal($"bnsl: {option} would replace {_folder.File(Path.ChangeExtension(name, ".csv"))}, which is read; expected another name. See 'bnsl fit --help'.\n", result.Error);
        Assert.Equal(Csv, File.ReadAllText(_folder.File("runs.csv")));
    }

    [Fact]
    public void Envelope_is_fitted_and_told_of()
    {
        CliResult result = Fit("--envelope", "lower", "--holdout", "2", "--plot-script", _folder.File("figure.py"));
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("bnsl: 7 of 8 points are on the lower envelope of the curve; the others are left out.\n", result.Error);
        Assert.Contains("5 points fitted, 2 held out; 7 of 8 points on the lower envelope; loss msle\n", result.Out);
        Assert.Contains("\nruns,x,y,off-envelope,2,9,,,,,,\n", File.ReadAllText(_folder.File("figure.csv")));
    }
}
