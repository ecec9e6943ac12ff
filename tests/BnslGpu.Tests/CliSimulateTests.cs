using System.Globalization;
using Xunit;

namespace BnslGpu.Tests;

/// <summary><c>bnsl simulate</c>.</summary>
public sealed class CliSimulateTests
{
    private static string[] Rows(params string[] options)
    {
        CliResult result = CliRunner.Run(["simulate", .. options]);
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[] lines = result.Out.TrimEnd().Split('\n');
        Assert.Equal("curve,x,y,split", lines[0]);
        return lines[1..];
    }

    private static double Y(string row) => double.Parse(row.Split(',')[2], CultureInfo.InvariantCulture);

    [Fact]
    public void Curve_without_breaks_and_noise_is_a_power_law_with_a_limit()
    {
        string[] rows = Rows("--a", "0.5", "--b", "2", "--c0", "1", "--x", "1,2,4");
        // Two roundings in exp(log b - c0 log x), each of an exponent of size 1.
        Assert.All(rows.Zip([2.5, 1.5, 1.0]), pair => Assert.Equal(pair.Second, Y(pair.First), 1e-14));
    }

    [Fact]
    public void Break_multiplies_by_two_to_the_minus_c_f_at_its_own_scale()
    {
        string row = Assert.Single(Rows("--b", "1", "--c0", "0", "--c", "0.5", "--d", "1000", "--f", "0.4", "--x", "1000"));
        Assert.Equal(Math.Pow(2, -0.5 * 0.4), Y(row), 1e-14);
    }

    [Fact]
    public void Noise_depends_on_seed_curve_and_point_alone()
    {
        string[] two = Rows("--noise", "0.1", "--curves", "2", "--seed", "7", "--x", "1,2,3");
        string[] three = Rows("--noise", "0.1", "--curves", "3", "--seed", "7", "--x", "1,2,3,4");
        Assert.Equal(two[..3], three[..3]);
        Assert.Equal(two[3..6], three[4..7]);
        Assert.NotEqual(Y(two[0]), Y(two[3]));
        Assert.NotEqual(Y(two[0]), Y(Rows("--noise", "0.1", "--seed", "8", "--x", "1,2,3")[0]));
    }

    [Fact]
    public void Noise_of_log_y_is_normal_with_the_deviation_asked_for()
    {
        const int points = 10_000;
        const double deviation = 0.2;
        string[] rows = Rows("--b", "1", "--c0", "0", "--noise", $"{deviation}", "--x", $"1..10:{points}");
        double[] z = [.. rows.Select(row => Math.Log(Y(row)) / deviation)];
        // Five standard errors of each moment of a standard normal: 1/√n of the mean, √2/√n of the variance, √96/√n of the fourth moment.
        double error = 5 / Math.Sqrt(points);
        Assert.InRange(z.Average(), -error, error);
        Assert.InRange(z.Average(v => v * v) - 1, -error * Math.Sqrt(2), error * Math.Sqrt(2));
        Assert.InRange(z.Average(v => v * v * v * v) - 3, -error * Math.Sqrt(96), error * Math.Sqrt(96));
    }

    [Fact]
    public void Last_points_of_each_curve_are_held_out()
    {
        string[] rows = Rows("--x", "4,1,2,3", "--holdout", "1", "--curves", "2", "--name", "s");
        Assert.Equal(
            ["s-1,1,fit", "s-1,2,fit", "s-1,3,fit", "s-1,4,heldout"],
            rows[..4].Select(row => row.Split(',')).Select(fields => $"{fields[0]},{fields[1]},{fields[3]}"));
    }

    [Fact]
    public void Numbers_of_curves_have_as_many_digits_so_that_names_sort() =>
        Assert.StartsWith("simulated-01,", Rows("--curves", "10", "--x", "1")[0]);

    [Fact]
    public void Name_with_a_comma_is_quoted_and_read_back()
    {
        string csv = CliRunner.Run("simulate", "--name", "a,\"b\"", "--x", "1..100:5").Out;
        Assert.Contains("\"a,\"\"b\"\"\",1,", csv);
        using StringReader text = new(csv);
        Assert.Equal("a,\"b\"", Assert.Single(CurveCsv.Read(text, "simulated").Curves).Name);
    }

    [Fact]
    public void Csv_reads_back_with_its_held_out_points()
    {
        using ScratchFolder folder = new();
        string file = folder.File("s.csv");
        CliResult result = CliRunner.Run("simulate", "--holdout", "3", "--curves", "2", "--noise", "0.1", "--output", file);
        Assert.Equal(new CliResult(0, "", ""), result);
        Assert.All(CurveCsv.ReadFile(file).Curves, curve => Assert.Equal((27, 3), (curve.Fit.Count, curve.HeldOut.Count)));
    }
}
