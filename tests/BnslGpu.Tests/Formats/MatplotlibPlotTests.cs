using System.Runtime.CompilerServices;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public sealed class MatplotlibPlotTests
{
    private static string Data(FitReport report)
    {
        using var text = new StringWriter { NewLine = "\r\n" };
        MatplotlibPlot.WriteData(report, text);
        return text.ToString();
    }

    [Fact]
    public void Data_of_the_sample_report_are_as_the_golden_file_has_them()
    {
        // Ends of intervals agree to fewer digits from machine to machine than they are written with.
        string data = string.Join('\n', Data(Sample.Report).Split('\n').Select(line => string.Join(',', line.Split(',').Select(Rounded))));
        string golden = "plot.csv", source = Path.Combine(SourceFolder(), "..", "Golden", golden);
        if (Environment.GetEnvironmentVariable("BNSL_UPDATE_GOLDEN") == "1") File.WriteAllText(source, data);
        else Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", golden)), data);

        static string Rounded(string cell) =>
            double.TryParse(cell, System.Globalization.CultureInfo.InvariantCulture, out double number) ? number.ToString("G9", System.Globalization.CultureInfo.InvariantCulture) : cell;
    }

    [Fact]
    public void Script_draws_every_curve_of_hostile_names_of_several_inputs_and_of_negative_y()
    {
        string python = Tools.Python("matplotlib");
        using var folder = new ScratchFolder();
        Points plane = new([1, 10, 2, 20, 3, 30], 2, [3, 2, 1]), below = new([1, 2, 3], [-1, -2, -2.5]);
        Fit law = Sample.Curve.Fits[0] with { Law = "chinchilla", Parameters = [.. ScalingLaw.Get("chinchilla", 0).Parameters.Select(parameter => Sample.Scalar(parameter.Name, .5))] };
        CurveFit[] curves =
        [
            Sample.WithoutFit, Sample.Curve,
            Sample.WithoutFit with { Curve = new Curve("a $\\frac{ of \"N\", D", plane), Fits = [law], Chosen = 0 },
            Sample.WithoutFit with { Curve = new Curve("below", below) },
            Sample.Curve with { Curve = new Curve("front", Sample.Curve.Curve.Fit).On(Envelope.Upper) },
            Sample.WithoutFit with { Curve = new Curve("no point", Points.None) },
        ];
        using (StreamWriter data = new(folder.File("figure.csv"))) MatplotlibPlot.WriteData(Sample.Report with { Curves = [.. curves] }, data);
        using (StreamWriter script = new(folder.File("figure.py"))) MatplotlibPlot.WriteScript(script);
        CliResult ran = Tools.Run(python, ["figure.py"], folder.Path)!;
        Assert.Equal("", ran.Error); // no warning either
        Assert.EndsWith("figure.png\n", ran.Out, StringComparison.Ordinal);
        Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], File.ReadAllBytes(folder.File("figure.png"))[..4]);
    }

    [Fact]
    public void Script_shows_names_without_the_apostrophe_that_keeps_spreadsheets_from_running_them()
    {
        string python = Tools.Python("matplotlib");
        using var folder = new ScratchFolder();
        using (StreamWriter script = new(folder.File("figure.py"))) MatplotlibPlot.WriteScript(script);
        string[] names = ["=1", "+a", "-a", "@a", "\uFF1D1", "\uFF0Ba", "\uFF0Da", "\uFF20a", "'quoted'"];
        string list = string.Join(", ", names.Select(name => $"\"{CsvFormat.Unarmed(name)}\""));
        CliResult ran = Tools.Run(python, ["-B", "-c", $"import figure; print(ascii([figure.text(name) for name in [{list}]]))"], folder.Path)!;
        Assert.Equal(("['=1', '+a', '-a', '@a', '\\uff1d1', '\\uff0ba', '\\uff0da', '\\uff20a', \"'quoted'\"]\n", ""), (ran.Out, ran.Error));
    }

    [Fact]
    public void Law_and_forecast_meet_at_the_last_fitted_point()
    {
        string[][] rows = [.. Data(Sample.Report).TrimEnd('\n').Split('\n').Where(line => line.StartsWith("sum", StringComparison.Ordinal)).Select(line => line.Split(','))];
        Assert.Contains(rows, row => row[3] == "law" && row[4] == "625");
        Assert.Equal("625", rows.First(row => row[3] == "forecast")[4]);
        Assert.Equal("6250", rows.Last(row => row[3] == "forecast")[4]);
        Assert.All(rows.Where(row => row[3] == "forecast"), row => Assert.True(double.Parse(row[8], System.Globalization.CultureInfo.InvariantCulture) < double.Parse(row[5], System.Globalization.CultureInfo.InvariantCulture)));
    }

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
