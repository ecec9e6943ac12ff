using BnslGpu.Benchmarks;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The curves that the benchmark <c>forecast</c> plants are what it says of them.</summary>
public sealed class PlantedCurveTests
{
    private static readonly PlantedCurve[] Curves = PlantedCurve.Make(120, 1);

    [Fact]
    public void Log_y_is_off_the_law_by_the_stated_noise()
    {
        foreach (bool heldOut in (bool[])[false, true])
        {
            double[] z = [.. Curves.SelectMany(curve =>
            {
                Points points = heldOut ? curve.Curve.HeldOut : curve.Curve.Fit;
                return curve.Truth(points.X).Select((truth, i) => Math.Log(points.Y[i] / truth) / curve.Noise);
            })];

            // Five standard errors of the mean and of the mean square of that many normal numbers.
            Assert.InRange(z.Average(), -5 / Math.Sqrt(z.Length), 5 / Math.Sqrt(z.Length));
            Assert.InRange(z.Average(one => one * one), 1 - (5 * Math.Sqrt(2.0 / z.Length)), 1 + (5 * Math.Sqrt(2.0 / z.Length)));
        }
    }

    [Fact]
    public void Counts_noise_and_breaks_are_in_the_stated_ranges()
    {
        foreach (PlantedCurve curve in Curves)
        {
            (int breaks, int least) = curve.Family switch { "no break" => (0, 6), "1 break" or "rising" => (1, 6), "2 breaks" => (2, 10), "3 breaks" => (3, 10), _ => (2, 16) };
            Points fit = curve.Curve.Fit, heldOut = curve.Curve.HeldOut;
            Assert.Equal(breaks, curve.Law.Breaks);
            Assert.InRange(fit.Count, least, 1000);
            Assert.InRange(curve.Noise, 0.001, 0.04);
            Assert.Equal(10, heldOut.Count);
            Assert.True(heldOut.X[0] > fit.X[^1]);
            Assert.InRange(heldOut.X[^1] / fit.X[^1], 2, 7);
            foreach (double d in Of(curve, "d")) Assert.InRange(d, fit.X[0], fit.X[^1]);
            Assert.Equal(Of(curve, "d").Order(), Of(curve, "d"));
        }

        Assert.All(PlantedCurve.Families, family => Assert.Equal(20, Curves.Count(curve => curve.Family == family)));
    }

    [Fact]
    public void Rising_curves_rise_and_double_descent_falls_rises_and_falls()
    {
        foreach (PlantedCurve curve in Curves)
        {
            double first = Math.Log(curve.Curve.Fit.X[0]), last = Math.Log(curve.Curve.HeldOut.X[^1]);
            double[] y = curve.Truth([.. Enumerable.Range(0, 2001).Select(i => Math.Exp(first + ((last - first) * i / 2000)))]);
            int[] signs = [.. y.Zip(y.Skip(1), (left, right) => Math.Sign(right - left))];
            if (curve.Family == "rising") Assert.DoesNotContain(-1, signs);
            if (curve.Family == "double descent") Assert.Equal([-1, 1, -1], Runs(signs));
        }

        static int[] Runs(int[] signs) => [.. signs.Where((sign, i) => i == 0 || sign != signs[i - 1])];
    }

    [Fact]
    public void A_curve_is_the_same_in_a_longer_list()
    {
        PlantedCurve[] fewer = PlantedCurve.Make(7, 1), others = PlantedCurve.Make(7, 2);
        for (int i = 0; i < fewer.Length; i++)
        {
            Assert.Equal(Curves[i].Curve.Fit.Y.ToArray(), fewer[i].Curve.Fit.Y.ToArray());
            Assert.Equal(Curves[i].Curve.HeldOut.Y.ToArray(), fewer[i].Curve.HeldOut.Y.ToArray());
            Assert.NotEqual(Curves[i].Noise, others[i].Noise);
        }
    }

    [Fact]
    public void The_density_of_the_law_is_that_of_a_forecast_which_knows_it()
    {
        foreach (PlantedCurve curve in Curves)
        {
            var known = new Forecast
            {
                LastX = curve.Curve.Fit.X[^1],
                Members = [new() { Law = curve.Law.Name, Breaks = curve.Law.Breaks, Parameters = curve.Parameters, Weight = 1, PointWeight = 1, Noise = curve.Noise }],
            };
            Assert.Equal(known.LogDensity(curve.Curve.HeldOut.X, curve.Curve.HeldOut.Y).Average(), curve.LogDensity(), 1e-9);
        }
    }

    private static double[] Of(PlantedCurve curve, string parameter) => [.. curve.Parameters.Where(one => one.Name == parameter).SelectMany(one => one.Values)];
}
