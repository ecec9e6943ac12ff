using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

public sealed class EnvelopeTests
{
    private static string Told(Points points) => string.Join(' ', Enumerable.Range(0, points.Count).Select(i => $"{points.X[i]}:{points.Y[i]}"));

    private static Curve Curve(double[] x, double[] y) => new("runs", new Points(x, y));

    /// <summary>Runs in any order, with many ties.</summary>
    private static (double[] X, double[] Y) Runs(int round, int count)
    {
        return ([.. Enumerable.Range(0, count).Select(i => Whole(2 * i))], [.. Enumerable.Range(0, count).Select(i => Whole((2 * i) + 1))]);

        double Whole(int item)
        {
            CounterRandom random = new(7, (ulong)round, (uint)item);
            return 1 + Math.Floor(9 * random.Uniform());
        }
    }

    [Fact]
    public void Lower_envelope_has_the_points_that_none_of_smaller_or_equal_x_lies_below()
    {
        Curve front = Curve([4, 1, 2, 8, 3], [5, 7, 9, 2, 6]).On(Envelope.Lower); // rows in any order
        Assert.Equal("1:7 3:6 4:5 8:2", Told(front.Fit));
        Assert.Equal("2:9", Told(front.OffEnvelope));
        Assert.Equal(Envelope.Lower, front.Envelope);
    }

    [Fact]
    public void Upper_envelope_is_the_lower_one_upside_down()
    {
        (double[] x, double[] y) = Runs(round: 100, count: 60);
        Curve lower = Curve(x, y).On(Envelope.Lower), upper = Curve(x, [.. y.Select(value => -value)]).On(Envelope.Upper);
        Assert.Equal(Told(lower.Fit), Told(new Points(upper.Fit.X, [.. upper.Fit.Y.ToArray().Select(value => -value)])));
    }

    [Fact]
    public void Envelope_is_what_its_definition_says_point_by_point()
    {
        for (int count = 1; count < 50; count++)
        {
            (double[] x, double[] y) = Runs(round: count, count);
            bool[] on = [.. x.Select((_, i) => !x.Where((_, j) => x[j] <= x[i] && y[j] < y[i]).Any())];
            Points expected = new([.. x.Where((_, i) => on[i])], [.. y.Where((_, i) => on[i])]);
            Curve front = Curve(x, y).On(Envelope.Lower);
            Assert.Equal(Told(expected), Told(front.Fit));
            Assert.Equal(count, front.Fit.Count + front.OffEnvelope.Count);
        }
    }

    [Fact]
    public void Ties_stay_a_plateau_and_replicates_of_the_best()
    {
        Curve front = Curve([1, 1, 1, 2, 3], [5, 5, 6, 5, 5]).On(Envelope.Lower);
        Assert.Equal("1:5 1:5 2:5 3:5", Told(front.Fit));
        Assert.Equal("1:6", Told(front.OffEnvelope));
    }

    [Fact]
    public void Held_out_points_are_judged_by_all_and_judge_no_fit_point()
    {
        // The held-out 2:1 lies below the fit point 3:4, which stays; the held-out 4:4.5 lies above it and goes.
        Curve curve = new("runs", new Points([1, 3], [6, 4]), new Points([2, 4, 5], [1, 4.5, 0.5]));
        Curve front = curve.On(Envelope.Lower);
        Assert.Equal("1:6 3:4", Told(front.Fit));
        Assert.Equal("2:1 5:0.5", Told(front.HeldOut));
        Assert.Equal("4:4.5", Told(front.OffEnvelope));
    }

    [Fact]
    public void Weights_and_sigmas_stay_with_their_points()
    {
        Curve front = new Curve("runs", new Points([1, 2, 3], 1, [3, 4, 2], sigmas: [.1, .2, .3], sigmaOf: SigmaOf.LogY)).On(Envelope.Lower);
        Assert.Equal([.1, .3], front.Fit.Sigmas.ToArray());
        Assert.Equal(SigmaOf.LogY, front.Fit.SigmaOf);
    }

    [Fact]
    public void Curves_of_several_inputs_have_none()
    {
        Curve plane = new("plane", new Points([1, 2, 3, 4], 2, [1, 2]));
        Assert.Contains("one input", Assert.Throws<ArgumentException>(() => plane.On(Envelope.Lower)).Message);
        Assert.Same(plane, plane.On(Envelope.None));
        Assert.Throws<ArgumentException>(() => Curve([1], [1]).On(Envelope.Lower).On(Envelope.Lower));
    }

    [Fact]
    public void Holdout_counts_points_of_the_envelope_and_without_a_column_the_file_is_pooled()
    {
        const string Csv = "model,x,y\nsmall,1,9\nsmall,2,8\nsmall,4,7.5\nlarge,2,9.5\nlarge,4,7\nlarge,8,5\nsmall,8,7.4\nlarge,16,4\n";
        CurveTable pooled = CurveCsv.Read(new StringReader(Csv), "runs.csv", new CurveColumns { Envelope = Envelope.Lower, Holdout = "2" });
        Curve curve = Assert.Single(pooled.Curves);
        Assert.Equal("1:9 2:8 4:7", Told(curve.Fit));
        Assert.Equal("8:5 16:4", Told(curve.HeldOut));
        Assert.Equal("2:9.5 4:7.5 8:7.4", Told(curve.OffEnvelope));
        Assert.Equal(["5 of 8 points are on the lower envelope of the curve; the others are left out."], pooled.Notes);
        CurveTable apart = CurveCsv.Read(new StringReader(Csv), "runs.csv", new CurveColumns { Envelope = Envelope.Lower, Curve = ["model"] });
        Assert.Equal([0, 0], apart.Curves.Select(one => one.OffEnvelope.Count)); // each model falls by itself
    }

    [Fact]
    public void With_a_ceiling_the_side_is_that_of_the_column()
    {
        CurveTable table = CurveCsv.Read(new StringReader("x,acc\n1,0.5\n2,0.25\n4,0.75\n"), "a.csv", new CurveColumns { Y = "acc", Ceiling = 1, Envelope = Envelope.Upper });
        Assert.Equal("1:0.5 4:0.25", Told(Assert.Single(table.Curves).Fit));
        Assert.Equal(["2 of 3 points are on the upper envelope of the curve; the others are left out."], table.Notes);
    }

    [Fact]
    public void Table_plot_and_JSON_tell_of_it()
    {
        CurveFit fit = Formats.Sample.Curve with { Curve = new Curve("front", new Points([16, 81, 256, 300, 625], [4.49, 3.12, 2.13, 2.9, 1.21])).On(Envelope.Lower) };
        FitReport report = Formats.Sample.Report with { Curves = [fit] };
        Assert.Contains("4 points fitted, 0 held out; 4 of 5 points on the lower envelope; loss msle\n", Formats.ReportFormatsTests.Written(new BnslGpu.Formats.TableFormat(), report));
        Assert.Contains("not on the envelope (1)", SvgPlot.Render(fit));
        Assert.DoesNotContain("envelope", SvgPlot.Render(Formats.Sample.Curve));
        Assert.Contains("\"offEnvelope\": 1", Formats.ReportFormatsTests.Written(new BnslGpu.Formats.JsonFormat(), report));
    }
}
