using System.Globalization;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public class TableFormatTests
{
    private static readonly string s_long = new('n', 150);

    [Fact]
    public void No_line_about_a_few_curves_is_wider_than_100_columns()
    {
        Fit six = Sample.BnslFit(-.123456789, 1e300, -1.23456789, [1.1e-9, 2, 3, 4, 5, 6], [1e9, 2e9, 3e9, 4e9, 5e9, 6e12], [.1, .2, .3, .4, .5, .6]) with
        {
            Starts = 65536,
            StartsAtMinimum = 65535,
            Termination = Termination.MaxIterations,
            Aicc = -12345.678,
            Bic = -12345.678,
            Warnings = [string.Join(' ', Enumerable.Repeat("word", 60))],
        };
        string text = Written(Sample.Curve with { Curve = new Curve(s_long, Sample.Curve.Curve.Fit, Sample.Curve.Curve.HeldOut), Fits = [Sample.Curve.Fits[0], six] });
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 100));
        Assert.Contains("MaxIterations", text, StringComparison.Ordinal);
        Assert.Contains("n…n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Four_curves_get_a_line_each_and_a_summary()
    {
        CurveFit Held(string name, double error) => Sample.Curve with
        {
            Curve = new Curve(name, Sample.Curve.Curve.Fit, Sample.Curve.Curve.HeldOut),
            Fits = [Sample.Curve.Fits[0], Sample.Curve.Fits[1] with { Rmsle = new Rmsle(.01, error, .001) }],
        };
        string[] lines = Written(Held("one", .125), Held("two", .25), Held(s_long, .75), Sample.WithoutFit).Split('\n');
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 100));
        Assert.StartsWith("curve ", lines[0], StringComparison.Ordinal);
        Assert.Matches("^one +! +1 +0[.]01000 +0[.]1250 ± 0[.]0010 +0[.]5000 +0[.]2500 +1[.]6 %$", lines[1]);
        Assert.Contains("no fit", lines[4], StringComparison.Ordinal);
        Assert.StartsWith("4 curves, 1 of them without a fit;", lines[6], StringComparison.Ordinal);
        Assert.Equal("RMSLE held out: mean 0.3750, median 0.2500 (3 curves)", lines[8]);
        string error = Math.Abs(Math.Log(Sample.Curve.Forecast!.Predict([1296])[0] / .85)).ToString("F4", CultureInfo.InvariantCulture);
        Assert.Equal($"forecast's RMSLE held out: mean {error}, median {error} (3 curves)", lines[9]);
        Assert.StartsWith("! 4 curves with warnings", lines[10], StringComparison.Ordinal);
        Assert.StartsWith("simd; 0.88 s (", lines[11], StringComparison.Ordinal);
    }

    [Fact]
    public void The_forecast_stands_below_the_fits_with_its_error_and_intervals()
    {
        // 2 x^(-.5), which is .08 at 625; a measurement's spread is Gauss's .1.
        Forecast forecast = new() { LastX = 625, Members = [new() { Law = "bnsl", Breaks = 0, Parameters = Sample.BnslFit(0, 2, .5, [], [], []).Parameters, Weight = 1, PointWeight = 1, Noise = .1 }] };
        CurveFit curve = Sample.Curve with { Forecast = forecast, Curve = new Curve("root", Sample.Curve.Curve.Fit, new Points([900, 2500], [2 / 30.0, .05])) };
        string[] lines = Written(curve).Split('\n');
        int first = Array.FindIndex(lines, line => line.StartsWith("  Forecast", StringComparison.Ordinal));
        // log(.05) − log(.04), once in two points.
        Assert.StartsWith("  Forecast, RMSLE held out 0.1578 ± ", lines[first], StringComparison.Ordinal);
        Assert.EndsWith("; a measurement's y and intervals:", lines[first], StringComparison.Ordinal);
        Assert.Matches("^ +x +y +80 % +95 %$", lines[first + 1]);
        Assert.Equal(["1250", "2500", "6250"], lines[(first + 2)..(first + 5)].Select(line => line.Trim().Split(' ')[0]));
        // .04 exp(± 1.2816 · .1) and exp(± 1.96 · .1)
        Assert.Matches("^ +2500 +the last held out +0[.]04000 +0[.]03519 to 0[.]04547 +0[.]03288 to 0[.]04866$", lines[first + 3]);
        Assert.Contains("10 times the last fitted", lines[first + 4], StringComparison.Ordinal);
        Assert.Contains("  Forecast; a measurement's", Written(curve with { Curve = new Curve("whole", Sample.Curve.Curve.Fit) }), StringComparison.Ordinal);
        Assert.DoesNotContain("  Forecast", Written(curve with { Forecast = null }), StringComparison.Ordinal);
    }

    [Fact]
    public void Held_out_columns_are_left_out_where_nothing_was_held_out() =>
        Assert.DoesNotContain("held out  ", Written(Sample.Curve with { Curve = new Curve("fitted whole", Sample.Curve.Curve.Fit) }), StringComparison.Ordinal);

    [Fact]
    public void A_value_has_the_digits_that_its_error_leaves_it_and_six_where_none_is_known()
    {
        Fit fit = Sample.BnslFit(1.23456789, 123.456789, .000123456789, [], [], []) with
        {
            StandardErrors = [Sample.Scalar("a", .00123), Sample.Scalar("b", 12), Sample.Scalar("c0", double.NaN)],
            Covariance = [],
            Condition = 12.5,
        };
        string text = Written(Sample.Curve with { Fits = [fit], Chosen = 0 });
        Assert.Matches("a +1[.]2346 +± 0[.]0012\n", text);
        Assert.Matches("b +123 +± 12\n", text);
        Assert.Matches("c0 +0[.]000123457 +± [?]\n", text);
        Assert.Contains("held at a bound", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_formula_of_the_chosen_fit_is_written_with_its_numbers()
    {
        Assert.Contains("\n  y = 0.500000 + 8.00000 * x^(-0.250000) * (1 + (x/400.000)^(1/0.500000))^(-0.750000 * 0.500000)\n", Written(Sample.Curve), StringComparison.Ordinal);
        Fit overflows = Sample.BnslFit(0, double.PositiveInfinity, -2, [], [], []) with
        {
            Parameters = [Sample.Scalar("a", 0), Sample.Scalar("b", double.PositiveInfinity), Sample.Scalar("logB", 800), Sample.Scalar("c0", -2)],
        };
        Assert.Contains("\n  y = exp(800.000) * x^(2.00000)\n", Written(Sample.Curve with { Fits = [overflows], Chosen = 0 }), StringComparison.Ordinal);
    }

    private static string Written(params CurveFit[] curves) => ReportFormatsTests.Written(new TableFormat(), Sample.Report with { Curves = [.. curves] });
}
