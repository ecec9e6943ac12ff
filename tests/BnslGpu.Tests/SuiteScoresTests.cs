using System.Collections.Immutable;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Scores of suites against numbers from elsewhere.</summary>
public sealed class SuiteScoresTests
{
    // y = 2/√x, and log y has a standard deviation of 0.1 about it.
    private static Forecast Known { get; } = new()
    {
        LastX = 1,
        Members = [new() { Law = "m1", Breaks = 0, Parameters = [new("a", false, [2]), new("logA", false, [Math.Log(2)]), new("b", false, [-0.5])], Weight = 1, PointWeight = 1, Noise = 0.1 }],
    };

    [Fact]
    public void Rmsle_and_its_error_are_those_of_the_definition()
    {
        // Errors of log y .1 and -.3: e = .01, .09; mean .05, population deviation .04.
        Points heldOut = new([4, 16], [Math.Exp(-0.1), 0.5 * Math.Exp(0.3)]);
        FormScore score = FormScore.Of(Known.Predict(heldOut.X), heldOut);
        Assert.Equal(Math.Sqrt(0.05), score.Rmsle, 1e-14);
        Assert.Equal(Math.Sqrt(0.05 + 0.04 / Math.Sqrt(2)) - Math.Sqrt(0.05), score.Error, 1e-14);
    }

    [Fact]
    public void Forecast_that_is_not_finite_has_no_score()
    {
        Points heldOut = new([1, 2], [1, 1]);
        Assert.Equal(FormScore.None, FormScore.Of([1, double.NaN], heldOut));
        Assert.Equal(FormScore.None, FormScore.Of([1, -1], heldOut));
        Assert.Equal(FormScore.None, FormScore.Of([1], new([1], [-1])));
    }

    [Fact]
    public void Log_density_coverage_and_interval_scores_of_two_points_are_those_of_the_normal_distribution()
    {
        // One and minus three standard deviations off; the third point has no logarithm.
        double[] y = [Math.Exp(0.1), 0.5 * Math.Exp(-0.3), -1];
        ForecastScore score = ForecastScore.Of(Known, new([4, 16, 32], y))!;
        double expected = (-Math.Log(y[0]) - Math.Log(y[1]) - ((1 + 9) / 2.0)) / 2 - Math.Log(0.1) - (Math.Log(2 * Math.PI) / 2);
        Assert.Equal(expected, score.LogDensity, 1e-12);
        // Half-widths in standard deviations, from a table: .6745, 1.2816, 1.9600.
        Assert.Equal([0, 0.5, 0.5], score.Coverage);
        const double Z80 = 1.2815515655446004, Z95 = 1.959963984540054;
        Assert.Equal(0.2 * Z80 + (2 / 0.2 * (0.3 - (0.1 * Z80)) / 2), score.IntervalScores[0], 1e-12);
        Assert.Equal(0.2 * Z95 + (2 / 0.05 * (0.3 - (0.1 * Z95)) / 2), score.IntervalScores[1], 1e-12);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 12)]
    [InlineData(-1.5, 7)]
    public void Interval_score_is_the_width_and_ten_times_what_lies_outside_of_80_percent(double x, double expected) =>
        Assert.Equal(expected, SuiteScores.IntervalScore(-1, 1, 0.8, x), 1e-12);

    [Fact]
    public void Forms_within_a_millionth_share_a_task_and_tasks_without_a_score_do_not_count()
    {
        double[] shares = SuiteScores.Best([[0.1, 0.1 + 9e-7, 0.2], [0.3, 0.2, double.NaN], [0.1, 0.1 + 1.1e-6, 1], [double.NaN, double.NaN, double.NaN]]);
        Assert.Equal([1.5 / 3, 1.5 / 3, 0], shares);
        Assert.Equal(1, shares.Sum(), 1e-15);
        Assert.All(SuiteScores.Best([[double.NaN, double.NaN]]), share => Assert.Equal(double.NaN, share));
    }

    [Fact]
    public void Averages_are_of_the_tasks_that_have_a_score()
    {
        FormAverages averages = SuiteScores.Average([1, double.NaN, 4, 2, 8], seed: 0);
        Assert.Equal((4, 3.75, 3.0), (averages.Count, averages.Mean.Mean, averages.Median));
        Assert.Equal(Math.Pow(64, 0.25), averages.GeometricMean, 1e-14);
        Assert.Equal(0, SuiteScores.Average([0, 1], seed: 0).GeometricMean);
        Assert.Equal((0, double.NaN), (SuiteScores.Average([double.NaN], seed: 0).Count, SuiteScores.Average([double.NaN], seed: 0).Median));
    }

    [Fact]
    public void Bootstrap_depends_on_its_seed_alone_and_is_about_the_standard_error_wide()
    {
        double[] values = [.. Enumerable.Range(0, 100).Select(i => (double)i)];
        MeanInterval interval = SuiteScores.Bootstrap(values, seed: 7);
        Assert.Equal(interval, SuiteScores.Bootstrap(values, seed: 7));
        Assert.NotEqual(interval, SuiteScores.Bootstrap(values, seed: 8));
        Assert.Equal(49.5, interval.Mean);
        // The mean of 100 draws from 0..99 has a standard deviation of sqrt(9999/12)/10 = 2.887. A 2.5 % quantile of 2,000 draws has an error of
        // sqrt(.025 · .975/2000)/.0584 = .06 of that; five such are allowed.
        double deviation = Math.Sqrt(9999 / 12.0) / 10;
        Assert.Equal(49.5 - (1.96 * deviation), interval.Low, 0.3 * deviation);
        Assert.Equal(49.5 + (1.96 * deviation), interval.High, 0.3 * deviation);
        // Of two values a quarter of the resamples has the one twice, a quarter the other.
        Assert.Equal(new(0.5, 0, 1), SuiteScores.Bootstrap([0, 1], seed: 7));
        Assert.Equal(new(3, 3, 3), SuiteScores.Bootstrap([3], seed: 7));
        Assert.Equal(double.NaN, SuiteScores.Bootstrap([], seed: 7).Mean);
    }

    [Fact]
    public void Released_figures_are_those_of_the_92_curves()
    {
        Suite suite = Suite.Find("revisiting")!;
        ReleasedFits released = suite.Released!;
        Assert.Equal(["m1", "m2", "m3", "m4"], released.Forms);
        Assert.Equal(92, released.Count);
        Assert.Equal([0.0826678, 0.0826678, 0.0549252, 0.0213798], released.Rmsle("IC|bird_5|MiX/B/16"));
        Assert.Empty(released.Rmsle("IC|no such curve"));
        Assert.Null(Suite.Find("nonsense"));
    }
}

/// <summary>Whole suites: fitted, scored, compared.</summary>
public sealed class SuiteReportTests
{
    private static readonly FitOptions s_few = FitOptions.LeastSquares with { Laws = ["bnsl", "m1", "m2"], Breaks = [0, 1], Starts = 8, Device = "simd" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A power law with a limit and a little noise: ten points to fit, three held out.</summary>
    private static Curve Falling(string name, double limit)
    {
        double[] x = Examples.Even(13, 1, 4096), y = [.. x.Select((at, i) => limit + Math.Pow(at, -0.4) * (1 + (0.01 * Math.Sin((7 * i) + limit))))];
        return new(name, new(x.AsSpan(0, 10), y.AsSpan(0, 10)), new(x.AsSpan(10), y.AsSpan(10)));
    }

    [Fact]
    public void Scores_are_those_of_the_fits_and_do_not_depend_on_threads_or_the_order_of_curves()
    {
        Curve[] curves = [Falling("b|2", 0.1), Falling("a|1", 0.2), Falling("b|1", 0.3)];
        SuiteReport report = SuiteReport.Fit("three", curves, s_few with { Threads = 1 }, cancellation: Token);
        SuiteReport other = SuiteReport.Fit("three", [.. curves.Reverse()], s_few with { Threads = 2 }, cancellation: Token);
        Assert.Equal(["a|1", "b|1", "b|2"], report.Tasks.Select(task => task.Name));
        Assert.Equal(["BNSL", "BNSL n=1", "M1", "M2"], report.Forms.Select(form => form.Name));
        foreach ((SuiteTask one, SuiteTask same) in report.Tasks.Zip(other.Tasks))
        {
            Assert.Equal(one.Scores, same.Scores);
            Assert.Equal(one.Forecast!.LogDensity, same.Forecast!.LogDensity);
            Assert.Equal(one.Forecast.IntervalScores, same.Forecast.IntervalScores);
        }

        Assert.Equal(["a", "b", "all"], report.Averages.Select(group => group.Name));
        foreach ((SuiteAverages one, SuiteAverages same) in report.Averages.Zip(other.Averages)) Assert.Equal(one.Forms, same.Forms);

        CurveFit bnsl = report.Fits[0].Curves[0];
        Fit oneBreak = bnsl.Fits.Single(fit => fit.Breaks == 1);
        Assert.Equal(new(oneBreak.Rmsle.HeldOut, oneBreak.Rmsle.HeldOutError), report.Tasks[0].Scores[1]);
        Assert.Equal(FormScore.Of(bnsl.Forecast!.Predict(bnsl.Curve.HeldOut.X), bnsl.Curve.HeldOut), report.Tasks[0].Scores[0]);
        Assert.Equal(report.Tasks.Average(task => task.Scores[2].Rmsle), report.Averages[^1].Forms[2].Mean.Mean, 1e-15);
    }

    [Fact]
    public void The_published_protocol_is_plain_least_squares_whatever_the_recipe_of_the_forecast()
    {
        Curve curve = Falling("one", 0.2);
        SuiteReport report = SuiteReport.Fit("one", [curve], FitOptions.Paper with { Starts = 16, Device = "simd" }, cancellation: Token);
        FitReport plain = Fitter.Fit([curve], FitOptions.LeastSquares with { Breaks = [1], Starts = 16, Device = "simd" }, cancellation: Token);
        Assert.Equal(["msle1p", "msle"], report.Fits.Select(fits => fits.Options.Loss));
        Assert.Equal(plain.Curves[0].Fits[0].Rmsle.HeldOut, report.Tasks[0].Scores[1].Rmsle);
        Assert.NotEqual(report.Tasks[0].Scores[0], report.Tasks[0].Scores[1]);
        Assert.Equal(["all"], report.Averages.Select(group => group.Name));
    }

    [Fact]
    public void Curve_that_cannot_be_fitted_or_scored_is_listed_with_the_reason_and_the_rest_goes_on()
    {
        Curve negative = new("negative", new([1, 2, 3, 4], [1, 0.5, -0.1, 0.2]), new([8], [0.1]));
        Curve unheld = new("unheld", new([1, 2, 3, 4], [1, 0.5, 0.4, 0.3]));
        Curve below = new("below", new([1, 2, 3, 4], [1, 0.5, 0.4, 0.3]), new([8], [-1]));
        SuiteReport report = SuiteReport.Fit("some", [negative, Falling("good", 0.1), unheld, below], s_few with { Laws = ["bnsl"] }, cancellation: Token);
        Assert.Equal(["below", "good", "negative", "unheld"], report.Tasks.Select(task => task.Name));
        Assert.Contains("no logarithm to score", report.Tasks[0].Reasons[0]);
        Assert.Empty(report.Tasks[1].Reasons);
        Assert.Contains("y = -0.1 at x = 3", report.Tasks[2].Reasons[0]);
        Assert.Contains("no held-out points", report.Tasks[3].Reasons[0]);
        Assert.Equal(1, report.Averages[0].Forms[0].Count);
        Assert.Equal(report.Tasks[1].Scores[0].Rmsle, report.Averages[0].Forms[0].Mean.Mean);
    }

    [Fact]
    public void Contests_are_held_against_released_figures_and_against_fits_once_with_the_forecast_and_once_with_one_break()
    {
        ImmutableArray<SuiteForm> forms = [new(SuiteReport.Bnsl, FormKind.Forecast), new(SuiteReport.OneBreak, FormKind.LeastSquares), new("M1", FormKind.LeastSquares), new("M1 released", FormKind.Released)];
        SuiteReport report = SuiteReport.Of("by hand", s_few, forms, [Task("a", 1, 3, 2, 4), Task("b", 2, 1, 1, 0.5), Task("c", 1, 5, 1, double.NaN)], [new("both", ["a", "b"]), new("one", ["a", "z"])]);
        Assert.Equal(["a", "b", "c", "both", "all"], report.Averages.Select(group => group.Name));
        Assert.Equal([[0, 3], [1, 3], [0, 2], [1, 2]], report.Contests.Select(contest => contest.Forms.ToArray()));
        Assert.Equal([1, 0, 1, 0.5, 2 / 3.0], report.Contests[0].Shares.Select(group => group[0]));
        Assert.Equal([1, 0, 1, 0.5, 2 / 3.0], report.Contests[1].Shares.Select(group => group[0]));
        Assert.Equal([1, 0, 0.5, 0.5, 0.5], report.Contests[2].Shares.Select(group => group[0]));
        Assert.Equal([0, 0.5, 0, 0.25, 1 / 6.0], report.Contests[3].Shares.Select(group => group[0]));

        static SuiteTask Task(string domain, params double[] rmsle) => new()
        {
            Name = $"{domain}|x",
            Domain = domain,
            FitPoints = 9,
            HeldOutPoints = 3,
            Scores = [.. rmsle.Select(error => new FormScore(error, 0))],
            Forecast = null,
            Reasons = [],
        };
    }
}
