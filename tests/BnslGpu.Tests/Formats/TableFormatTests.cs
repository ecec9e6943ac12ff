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
        Assert.StartsWith("! 4 curves with warnings", lines[9], StringComparison.Ordinal);
        Assert.StartsWith("simd; 0.88 s (", lines[10], StringComparison.Ordinal);
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
