using System.Collections.Immutable;
using MathNet.Numerics.Distributions;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Forecasts as distributions: what mixtures say, against closed forms and against sums over a grid.</summary>
public class ForecastTests
{
    private static readonly double[] s_x = [500, 1000, 1500, 4000];

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(4)]
    [InlineData(7)]
    public void One_member_is_its_own_distribution(double degrees)
    {
        Forecast forecast = Of(Member(0.3, 2, 0.4, 1) with { Degrees = degrees, Offset = 0.02, OffsetVariance = 4e-4, Drift = 1e-3, Bend = 2e-3, Noise = 0.03 });
        double[] y = [.. s_x.Select(x => (0.3 + (2 * Math.Pow(x, -0.4))) * Math.Exp(0.02))];
        for (int i = 0; i < s_x.Length; i++)
        {
            double h = Math.Max(Math.Log(s_x[i] / 1000), 0), curve = 4e-4 + (1e-3 * h) + (2e-3 * h * h);
            Assert.Equal(y[i], forecast.Predict(s_x)[i], 1e-14);
            foreach (double p in (double[])[0.025, 0.3, 0.5, 0.9])
            {
                double z = double.IsPositiveInfinity(degrees) ? Normal.InvCDF(0, 1, p) : StudentT.InvCDF(0, 1, degrees, p);
                Assert.Equal(Math.Log(y[i]) + (z * Math.Sqrt(curve + 9e-4)), Math.Log(forecast.Quantile(s_x, p)[i]), 1e-9);
                Assert.Equal(Math.Log(y[i]) + (z * Math.Sqrt(curve)), Math.Log(forecast.Quantile(s_x, p, ForecastOf.Curve)[i]), 1e-9);
            }

            double at = 1.01 * y[i], scale = Math.Sqrt(curve + 9e-4), off = Math.Log(1.01) / scale;
            double density = double.IsPositiveInfinity(degrees) ? Normal.PDFLn(0, 1, off) : StudentT.PDFLn(0, 1, degrees, off);
            Assert.Equal(density - Math.Log(scale) - Math.Log(at), forecast.LogDensity([s_x[i]], [at])[0], 1e-9);
        }
    }

    [Fact]
    public void Quantiles_of_a_mixture_are_where_its_density_says()
    {
        Forecast forecast = Of(
            Member(0.3, 2, 0.4, 0.5) with { Noise = 0.02, Degrees = 4 },
            Member(0.1, 2, 0.3, 0.2) with { Noise = 0.01, Drift = 1e-3 },
            Member(0.4, 3, 0.5, 0.3) with { Noise = 0.05, Bend = 1e-3, PointWeight = 0 });

        // Sums over log y from −6 to 3; a step is far below every scale.
        const int Steps = 90_000;
        double[] logs = [.. Enumerable.Range(0, Steps).Select(i => -6 + ((i + 0.5) * 9.0 / Steps))], y = [.. logs.Select(Math.Exp)];
        foreach (double x in s_x)
        {
            double[] density = [.. forecast.LogDensity([.. Enumerable.Repeat(x, Steps)], y).Zip(logs, (d, log) => Math.Exp(d + log) * 9.0 / Steps)];
            Assert.Equal(1, density.Sum(), 1e-4);
            foreach (double p in (double[])[0.025, 0.25, 0.5, 0.8, 0.975])
            {
                double quantile = Math.Log(forecast.Quantile([x], p)[0]);
                Assert.Equal(p, density.Where((_, i) => logs[i] < quantile).Sum(), 2e-3);
            }
        }
    }

    [Fact]
    public void Point_forecast_has_weights_of_its_own()
    {
        Forecast forecast = Of(Member(0.3, 2, 0.4, 0.3) with { PointWeight = 0.6 }, Member(0.1, 2, 0.3, 0.2) with { PointWeight = 0.4 }, Member(5, 2, 0.3, 0.5) with { PointWeight = 0 });
        double one = 0.3 + (2 * Math.Pow(4000, -0.4)), other = 0.1 + (2 * Math.Pow(4000, -0.3));
        Assert.Equal(Math.Exp((0.6 * Math.Log(one)) + (0.4 * Math.Log(other))), forecast.Predict([4000])[0], 1e-14);
    }

    [Fact]
    public void Intervals_hold_one_another()
    {
        Forecast forecast = Of(Member(0.3, 2, 0.4, 0.5) with { Noise = 0.02, Degrees = 4, Drift = 1e-3 }, Member(0.31, 2, 0.4, 0.5) with { Noise = 0.01, Drift = 1e-3 });
        double[] before = [double.PositiveInfinity];
        double last = 0;
        foreach (double level in Forecast.Levels)
        {
            (double[] lower, double[] upper) = forecast.Interval([2000], level);
            (double[] curveLower, double[] curveUpper) = forecast.Interval([2000], level, ForecastOf.Curve);
            Assert.True(lower[0] < curveLower[0] && curveUpper[0] < upper[0]);
            Assert.True(lower[0] < before[0] && upper[0] > last);
            (before, last) = (lower, upper[0]);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => forecast.Quantile([2000], 1));
    }

    private static Forecast Of(params ForecastMember[] members) => new() { LastX = 1000, Members = [.. members] };

    private static ForecastMember Member(double a, double b, double c0, double weight) =>
        new() { Law = "bnsl", Breaks = 0, Weight = weight, PointWeight = weight, Parameters = [One("a", a), One("b", b), One("logB", Math.Log(b)), One("c0", c0), None("c"), None("d"), None("f")] };

    private static Parameter One(string name, double value) => new(name, false, [value]);

    private static Parameter None(string name) => new(name, true, ImmutableArray<double>.Empty);
}
