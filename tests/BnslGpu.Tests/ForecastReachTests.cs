using BnslGpu.Tests.Formats;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>At which x a forecast's curve comes down to a level.</summary>
public class ForecastReachTests
{
    /// <summary>3 x^(-.4) up to a last x of 100, then with some spread.</summary>
    private static readonly ForecastMember s_power = new()
    {
        Law = "bnsl",
        Breaks = 0,
        Parameters = Sample.BnslFit(0, 3, .4, [], [], []).Parameters,
        Weight = 1,
        PointWeight = 1,
        Offset = .01,
        OffsetVariance = .0025,
        Noise = .5,
    };

    private static readonly Forecast s_mixture = new()
    {
        LastX = 100,
        Members =
        [
            s_power with { Weight = .3, PointWeight = .6, Degrees = 4, Drift = .001, Bend = .0004 },
            s_power with { Weight = .5, PointWeight = 0, Breaks = 1, Parameters = Sample.BnslFit(.05, 3, .4, [.5], [700], [.1]).Parameters, Drift = .002 },
            s_power with { Weight = .2, PointWeight = .4, Parameters = Sample.BnslFit(.3, 2.5, .4, [], [], []).Parameters, Bend = .01 },
        ],
    };

    [Theory]
    [InlineData(.4, .5)]
    [InlineData(.4, .1)]
    [InlineData(.4, .975)]
    [InlineData(.1, .3)]
    public void Of_one_power_law_with_a_constant_spread_it_is_the_closed_form(double y, double p)
    {
        // log y = log 3 + .01 − .4 log x + .05 z_p
        double z = MathNet.Numerics.Distributions.Normal.InvCDF(0, 1, p), expected = Math.Exp((Math.Log(3) + .01 + (.05 * z) - Math.Log(y)) / .4);
        Assert.InRange(expected, 101, 99_999);
        Assert.Equal(1, new Forecast { LastX = 100, Members = [s_power] }.Reach(y, [p])[0] / expected, 1e-10);
    }

    [Theory]
    [InlineData(.4, .5)]
    [InlineData(.35, .1)]
    [InlineData(.3, .9)]
    [InlineData(.05, .2)]
    public void It_is_the_first_of_many_x_at_which_so_much_of_the_mixture_lies_below(double y, double p)
    {
        double at = s_mixture.Reach(y, [p])[0];
        double[] x = [.. Enumerable.Range(0, 40_001).Select(i => 100 * Math.Pow(1000, i / 40_000.0))];
        double[] quantiles = s_mixture.Quantile(x, p, ForecastOf.Curve);
        int first = Array.FindIndex(quantiles, quantile => quantile <= y);
        if (first < 0)
        {
            Assert.Equal(double.PositiveInfinity, at);
            return;
        }

        Assert.InRange(first, 1, x.Length);
        Assert.InRange(at, x[first - 1], x[first]);
        Assert.Equal(y, s_mixture.Quantile([at], p, ForecastOf.Curve)[0], 1e-9);
    }

    [Fact]
    public void It_grows_with_the_probability_and_with_lower_levels()
    {
        double[] byProbability = s_mixture.Reach(.4, [.05, .1, .25, .5, .75, .9]), byLevel = [.. ((double[])[.45, .4, .35, .3]).Select(y => s_mixture.Reach(y, [.5])[0])];
        Assert.Equal(byProbability.Order(), byProbability);
        Assert.Equal(byLevel.Order(), byLevel);
        Assert.Equal(byLevel.Length, byLevel.Distinct().Count());
    }

    [Fact]
    public void A_level_that_is_passed_already_is_reached_at_the_last_x_and_one_far_below_never()
    {
        var forecast = new Forecast { LastX = 100, Members = [s_power] };
        Assert.Equal(100, forecast.Reach(2, [.5])[0]);
        // 1000 times as far y is down by the factor 1000^.4 = 15.85.
        double last = 3 * Math.Pow(100_000, -.4) * Math.Exp(.01);
        Assert.InRange(forecast.Reach(last * 1.0001, [.5])[0], 99_000, 100_000);
        Assert.Equal(double.PositiveInfinity, forecast.Reach(last * .9999, [.5])[0]);
    }

    [Theory, InlineData(0, .5), InlineData(double.NaN, .5), InlineData(1, 0), InlineData(1, 1)]
    public void What_is_no_level_or_no_probability_is_refused(double y, double p) => Assert.Throws<ArgumentOutOfRangeException>(() => s_mixture.Reach(y, [p]));
}
