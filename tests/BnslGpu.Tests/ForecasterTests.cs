using BnslGpu.Kernels;
using MathNet.Numerics.LinearAlgebra;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>How forecasts are made: the posterior's density against linear algebra, and the same answer however the work is cut.</summary>
public class ForecasterTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Filter_gives_the_density_of_a_normal_vector(int breaks)
    {
        CondensedPoints points = Some();
        int n = points.U.Length, p = 3 + (3 * breaks);
        var random = new CounterRandom(5, 1, (uint)breaks);
        double reference = 0;
        for (int draw = 0; draw < 5; draw++)
        {
            double[] φ = Draw(ref random, breaks, points);
            double[] logs = new double[1], offsets = new double[1], variances = new double[1];
            PosteriorKernel.Of(breaks).LogDensity(points, φ, logs, offsets, variances);

            // Covariance of B(u) + σ ε/√k at the points; B's own with the last point.
            double σ = Math.Exp(φ[p]), τ = Math.Exp(φ[p + 1]), a = φ[0];
            Matrix<double> covariance = Matrix<double>.Build.Dense(n, n, (i, j) =>
                (τ * τ * (Math.Min(points.U[i], points.U[j]) - points.U[0])) + (i == j ? σ * σ / points.Counts[i] : 0));
            Vector<double> r = Vector<double>.Build.Dense(n, i => points.LogY[i] - Law(φ, breaks, points.U[i]));
            Vector<double> own = Vector<double>.Build.Dense(n, i => τ * τ * (points.U[i] - points.U[0])), solved = covariance.Solve(r);
            double log = -0.5 * ((r * solved) + Math.Log(covariance.Determinant()));
            log -= 0.5 * ((2 * points.WithinDegrees * φ[p]) + (points.WithinSquares / (σ * σ)));
            log += Prior(φ, breaks, points);
            Assert.Equal(own * solved, offsets[0], 1e-9);
            Assert.Equal((τ * τ * -points.U[0]) - (own * covariance.Solve(own)), variances[0], 1e-12);
            if (draw == 0) reference = logs[0] - log;
            else Assert.Equal(reference, logs[0] - log, 1e-7 * Math.Max(1, Math.Abs(log)));
        }
    }

    [Fact]
    public void Densities_are_the_same_bits_on_every_width()
    {
        CondensedPoints points = Some();
        foreach (int breaks in (int[])[0, 2, 4])
        {
            var random = new CounterRandom(6, 2, (uint)breaks);
            double[] φ = [.. Enumerable.Range(0, 11).SelectMany(_ => Draw(ref random, breaks, points))];
            double[][] all = [.. SimdBackend.Widths.Select(width =>
            {
                double[] logs = new double[11], offsets = new double[11], variances = new double[11];
                PosteriorKernel.Of(breaks, width).LogDensity(points, φ, logs, offsets, variances);
                return (double[])[.. logs, .. offsets, .. variances];
            })];
            foreach (double[] other in all) Assert.Equal(all[0], other);
        }
    }

    [Fact]
    public void Draws_beyond_their_support_have_no_density()
    {
        CondensedPoints points = Some();
        var random = new CounterRandom(7, 2, 0);
        double[] φ = Draw(ref random, 2, points);
        foreach ((int j, double value) in ((int, double)[])[(0, -0.1), (0, 1.1), (0, double.NaN), (4, points.U[0] - 1), (7, 0.1), (7, φ[4] - 0.01), (5, -6), (9, 4)])
        {
            double[] moved = [.. φ], logs = new double[1];
            moved[j] = value;
            PosteriorKernel.Of(2).LogDensity(points, moved, logs, default, default);
            Assert.Equal(double.NegativeInfinity, logs[0]);
        }
    }

    [Fact]
    public void Long_curves_are_condensed_without_loss_of_weight()
    {
        var random = new CounterRandom(8, 0, 0);
        double[] x = [.. Enumerable.Range(1, 20_000).Select(i => (double)i)], y = [.. x.Select(at => (0.2 + Math.Pow(at, -0.3)) * Math.Exp(0.01 * Examples.Normal(ref random)))];
        CondensedPoints points = CondensedPoints.Of(new(x, y));
        Assert.InRange(points.U.Length, 100, 256);
        Assert.Equal(20_000, points.Counts.Sum(), 1e-6);
        Assert.Equal(20_000 - points.U.Length, points.WithinDegrees);
        Assert.InRange(Math.Sqrt(points.WithinSquares / points.WithinDegrees), 0.0095, 0.0105);
        Assert.True(points.U.Zip(points.U.Skip(1)).All(pair => pair.First < pair.Second));
        Assert.Equal(0, points.U[^1]);
        Assert.Equal(0, points.LogY.Min());
    }

    [Fact]
    public void Weights_are_products_over_origins()
    {
        Stacking.Fitted[] fits = [.. Enumerable.Range(0, 3).Select(n => new Stacking.Fitted(Setting.LeastSquares("bnsl", n), [], 0.01, 0.01))];
        double[] weights = Stacking.Weights(new([.. fits], [[0.03, 0.04, 0.3], [0.05, 0.02, 0.1]], 0.01));

        // δ = .01 from both: a third of the least error is less.
        double[] expected = [.. ((double[][])[[0.03, 0.05], [0.04, 0.02], [0.3, 0.1]]).Select(own => Math.Pow(((own[0] * own[0]) + 1e-4) * ((own[1] * own[1]) + 1e-4), -1.5))];
        for (int k = 0; k < 3; k++) Assert.Equal(expected[k] / expected[1], weights[k], 1e-12);

        // An origin that misleads all alike tells nothing; without origins all weigh alike.
        double[] more = Stacking.Weights(new([.. fits], [[0.03, 0.04, 0.3], [0.05, 0.02, 0.1], [2, 2, 2], [3, 3, 3]], 0.01));
        for (int k = 0; k < 3; k++) Assert.Equal(Math.Sqrt(weights[k]), more[k], 1e-12);
        Assert.Equal([1, 1, 1], Stacking.Weights(new([.. fits], [], 0.01)));
    }

    [Fact]
    public void Repeated_measurements_say_how_noisy_a_new_one_is()
    {
        // Five runs at each of nine x; without knowing that, noise would be that of their means.
        var random = new CounterRandom(9, 0, 0);
        double[] x = [.. Enumerable.Range(0, 45).Select(i => Math.Exp(0.5 * (i / 5)))], y = [.. x.Select(at => (0.2 + Math.Pow(at, -0.3)) * Math.Exp(0.05 * Examples.Normal(ref random)))];
        CondensedPoints points = CondensedPoints.Of(new(x, y));
        Assert.Equal([5, 5, 5, 5, 5, 5, 5, 5, 5], points.Counts);
        Assert.InRange(Math.Sqrt(points.Within), 0.035, 0.055);
        (double[] lower, double[] upper) = Make([new(x, y)], 0, 0)[0].Interval([x[^1]], 0.8);
        Assert.InRange(Math.Log(upper[0] / lower[0]) / (2 * 1.28), 0.035, 0.08);
    }

    [Fact]
    public void Origins_take_what_is_before_them_and_score_what_comes_next()
    {
        double[] x = [.. Enumerable.Range(0, 21).Select(i => Math.Exp(i / 10.0))];
        var points = new Points(x, 1, [.. x.Select(at => 1 / at)], [.. x.Select((_, i) => 1.0 + i)]);
        (Points fit, Points test) = Stacking.From(points, 0.5)!.Value;
        Assert.Equal(x[..16], fit.X.ToArray());
        Assert.Equal(x[16..], test.X.ToArray());
        Assert.Equal([17, 18, 19, 20, 21], test.Weights.ToArray());
        (fit, test) = Stacking.From(points, 1.2)!.Value;
        Assert.Equal((9, 7), (fit.Count, test.Count));
        Assert.Null(Stacking.From(points, 1.8));
    }

    [Fact]
    public void Forecasts_are_the_same_however_the_work_is_cut()
    {
        Points[] curves = [.. Enumerable.Range(0, 5).Select(Planted)];
        string[] together = [.. Make(curves, 3, 2).Select(Bits)];
        for (int i = 0; i < curves.Length; i++) Assert.Equal(together[i], Bits(Make([curves[i]], 3, 1)[0]));
        string[] reversed = [.. Make([.. Enumerable.Reverse(curves)], 3, 0).Select(Bits)];
        Assert.Equal(together, reversed.Reverse());
        Assert.NotEqual(together[0], Bits(Make([curves[0]], 4, 1)[0]));
    }

    [Fact]
    public void Sharp_break_of_the_4_digit_addition_is_forecast()
    {
        Curve curve = Examples.FourDigitAddition;
        for (ulong seed = 0; seed < 3; seed++)
        {
            Forecast forecast = Make([curve.Fit], seed, 0)[0];
            double[] predicted = forecast.Predict(curve.HeldOut.X);
            double error = Math.Sqrt(predicted.Select((y, i) => Math.Pow(Math.Log(y / curve.HeldOut.Y[i]), 2)).Average());
            output.WriteLine($"seed {seed}: {error:g4}");
            Assert.True(error < 0.0125, $"RMSLE {error:g4}");
            Assert.Equal(1, forecast.Members.Sum(member => member.Weight), 1e-12);
            Assert.Equal(1, forecast.Members.Sum(member => member.PointWeight), 1e-12);
        }
    }

    [Fact]
    public void Weights_beyond_all_measure_end_no_run()
    {
        double[] x = [1, 2, 2, 4, 8, 16], y = [3, 2.5, 2.4, 2, 1.8, 1.6];
        Forecast forecast = Make([new(x, 1, y, sigmas: [1e-280, 1, 1, 1, 1, 1])], 0, 0)[0];
        (double[] lower, double[] upper) = forecast.Interval([32], 0.8);
        Assert.True(lower[0] < upper[0] && double.IsFinite(forecast.Predict([32])[0]));
    }

    [Fact]
    public void Draws_have_a_larger_say_on_long_curves()
    {
        foreach ((int count, double point, double distribution) in ((int, double, double)[])[(47, 0, 0.5), (48, 0.3, 0.8)])
        {
            var random = new CounterRandom(13, 0, 0);
            double[] x = [.. Enumerable.Range(0, count).Select(i => Math.Exp(0.1 * i))];
            Forecast forecast = Make([new(x, [.. x.Select(at => (0.2 + Math.Pow(at, -0.3)) * Math.Exp(0.01 * Examples.Normal(ref random)))])], 0, 0)[0];
            ForecastMember[] draws = [.. forecast.Members.Where(member => double.IsPositiveInfinity(member.Degrees))];
            Assert.Equal(point, draws.Sum(member => member.PointWeight), 1e-12);
            Assert.Equal(distribution, draws.Sum(member => member.Weight), 1e-12);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Evidence_is_the_integral_of_the_density(int breaks)
    {
        // Few and noisy points, so that draws from the prior see the posterior; its constants drop out of the difference from no break.
        CondensedPoints points = CondensedPoints.Of(new([1, 2, 4, 8, 16], [1, 0.9, 0.72, 0.7, 0.6]));
        double expected = Integral(breaks) - Integral(0), sampled = Sampled(breaks) - Sampled(0);
        output.WriteLine($"{expected:f2} by sampling the prior, {sampled:f2} by sequential Monte Carlo");
        Assert.Equal(expected, sampled, 0.35);

        double Sampled(int n)
        {
            var problem = new Problem(points.Points, ScalingLaw.Get("bnsl", n), Loss.Get("msle"));
            return Math.Log(Enumerable.Range(0, 32).Average(seed => Math.Exp(Posterior.Draw(points, problem, [], 1, (ulong)seed).LogEvidence)));
        }

        double Integral(int n)
        {
            const int Count = 100_000;
            int d = 5 + (3 * n);
            var random = new CounterRandom(14, 0, (uint)n);
            var φ = new double[Count * d];
            var logs = new double[Count];
            for (int i = 0; i < Count; i++) FromPrior(ref random, n, points.U[0], points.LogY[^1], φ.AsSpan(i * d, d));
            PosteriorKernel.Of(n).LogDensity(points, φ, logs, default, default);

            // The kernel's own prior, taken off again.
            for (int i = 0; i < Count; i++) logs[i] -= Prior(φ[(i * d)..((i + 1) * d)], n, points);
            double most = logs.Max();
            return most + Math.Log(logs.Average(log => Math.Exp(log - most)));
        }
    }

    [Fact]
    public void Few_points_flat_curves_and_weights_have_forecasts()
    {
        double[] x = [1, 2, 4, 8, 16, 32], y = [5, 4, 3.4, 3.05, 2.8, 2.62];
        Points[] curves = [new(x.AsSpan(..2), y.AsSpan(..2)), new(x.AsSpan(..3), y.AsSpan(..3)), new(x, [2, 2, 2, 2, 2, 2]), new(x, y), new(x, 1, y, [1, 1, 1, 1, 1, 5])];
        Forecast[] forecasts = Make(curves, 0, 0);
        foreach (Forecast forecast in forecasts)
        {
            (double[] lower, double[] upper) = forecast.Interval([64], 0.8);
            Assert.True(lower[0] > 0 && lower[0] < upper[0] && double.IsFinite(upper[0]));
            Assert.True(double.IsFinite(forecast.Predict([64])[0]));
        }

        Assert.NotEqual(forecasts[3].Predict([64])[0], forecasts[4].Predict([64])[0]);
    }

    [Fact]
    public void Curves_beyond_all_measure_stop_nothing()
    {
        var random = new CounterRandom(12, 0, 0);
        double[] x = [.. Enumerable.Range(0, 11).Select(i => Math.Pow(10, -300 + (60 * i)))], n = [.. Enumerable.Range(1, 20).Select(i => (double)i)];
        Points good = Planted(2);
        Points[] curves =
        [
            new(x, x.Select((_, i) => 1 + (1.0 / (i + 1))).ToArray()), new(n, n.Select(_ => Math.Pow(10, random.Uniform(-200, 200))).ToArray()),
            new([1e-300, 1e300], [1e-300, 1e300]), new(n, n.Select(i => 5e-324 * i).ToArray()), new(n, n.Select(i => 1.7e308 / i).ToArray()), good,
        ];
        Forecast?[] forecasts = Forecaster.Make(curves, 0, 0, null, Token);
        Assert.Equal(Bits(Make([good], 0, 1)[0]), Bits(forecasts[^1]!));
        foreach (Forecast forecast in forecasts.OfType<Forecast>()) Assert.Equal(1, forecast.Members.Sum(member => member.Weight), 1e-12);
    }

    [Fact]
    public void Rules_losses_and_other_laws_have_the_forecast_of_their_fit()
    {
        Curve curve = Examples.FourDigitAddition;
        FitOptions few = FitOptions.Default with { Starts = 8, Breaks = [0] };
        Assert.True(Members(few) > 1);
        Assert.Equal(1, Members(few with { Forecast = ForecastKind.Chosen }));
        Assert.Equal(1, Members(few with { Laws = ["m4"] }));
        Assert.Equal(1, Members(few with { Loss = "huber" }));
        Assert.Equal(1, Members(few with { Parameters = new() { Ranges = [new("a", 0, 0)] } }));

        int Members(FitOptions options) => Fitter.Fit([curve], options, cancellation: Token).Curves[0].Forecast!.Members.Length;
    }

    [Fact]
    public void Stopped_runs_have_the_forecasts_of_their_fits()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        FitReport report = Fitter.Fit([Examples.FourDigitAddition], FitOptions.Default with { Starts = 8 }, cancellation: Token, stop: stop.Token);
        Assert.Single(report.Curves[0].Forecast!.Members);
        Assert.Contains("forecasts are those of the chosen fits", Assert.Single(report.Remarks), StringComparison.Ordinal);
    }

    private static Forecast[] Make(Points[] curves, ulong seed, int threads) => [.. Forecaster.Make(curves, seed, threads, null, Token).Select(Assert.IsType<Forecast>)];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Bits(Forecast forecast) => string.Join(' ', ((double[])[
        .. forecast.Predict([2e4]), .. forecast.Quantile([2e4, 1e5], 0.1), .. forecast.Quantile([2e4], 0.975, ForecastOf.Curve),
        .. forecast.Members.Select(member => member.Weight)]).Select(number => number.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));

    private static Points Planted(int k)
    {
        var random = new CounterRandom(11, 0, (uint)k);
        double[] x = [.. Enumerable.Range(0, 9 + (4 * k)).Select(i => 50 * Math.Exp(0.25 * i))];
        return new(x, [.. x.Select(at => ((0.1 * k) + (3 * Math.Pow(at, -0.2) * Math.Pow(1 + Math.Pow(at / 800, 2), -0.1))) * Math.Exp(0.01 * Examples.Normal(ref random)))]);
    }

    // Some of its points are means of several.
    private static CondensedPoints Some()
    {
        double[] u = [-4, -3.1, -2.5, -2, -1.4, -1, -0.6, -0.3, -0.1, 0], logY = [1.3, 1.05, 0.8, 0.7, 0.45, 0.33, 0.21, 0.1, 0.05, 0];
        return new(u, logY, [1, 1, 3, 1, 1, 2, 1, 1, 1, 4], 7, 2e-3, new([.. u.Select(Math.Exp)], [.. logY.Select(Math.Exp)]));
    }

    private static double[] Draw(ref CounterRandom random, int breaks, CondensedPoints points)
    {
        var φ = new List<double> { random.Uniform(0.05, 0.9), random.Uniform(-1, 0), random.Uniform(-0.2, 0.8) };
        for (int i = 0; i < breaks; i++)
            φ.AddRange([random.Uniform(-0.5, 0.5), points.U[0] * (1 - ((i + random.Uniform(0.1, 0.9)) / breaks)), random.Uniform(-2, 1)]);
        return [.. φ, random.Uniform(-5, -3), random.Uniform(-5, -3)];
    }

    private static void FromPrior(ref CounterRandom random, int breaks, double firstU, double lastLog, Span<double> φ)
    {
        φ[0] = random.Uniform();
        double level = 0;
        for (int k = 0; k < 100 && !(level > φ[0]); k++) level = Math.Exp(lastLog + (0.5 * Examples.Normal(ref random)));
        φ[1] = Math.Log(level - φ[0]);
        φ[2] = T3(ref random);
        double[] d = new double[breaks];
        for (int i = 0; i < breaks; i++) d[i] = firstU * random.Uniform();
        Array.Sort(d);
        for (int i = 0; i < breaks; i++) (φ[3 + (3 * i)], φ[4 + (3 * i)], φ[5 + (3 * i)]) = (0.5 * T3(ref random), d[i], 0.8 * Examples.Normal(ref random));
        φ[^2] = Math.Log(0.01) + (1.5 * Examples.Normal(ref random));
        φ[^1] = Math.Log(0.01) + Examples.Normal(ref random);

        static double T3(ref CounterRandom random)
        {
            double z = Examples.Normal(ref random), square = 0;
            for (int k = 0; k < 3; k++) square += Math.Pow(Examples.Normal(ref random), 2);
            return z / Math.Sqrt(square / 3);
        }
    }

    private static double Law(double[] φ, int breaks, double u)
    {
        double log = φ[1] - (φ[2] * u);
        for (int j = 3; j < 3 + (3 * breaks); j += 3)
        {
            double f = Math.Exp(φ[j + 2]);
            log -= φ[j] * f * (Math.Log(1 + Math.Exp((u - φ[j + 1]) / f)) - Math.Log(1 + Math.Exp(-φ[j + 1] / f)));
        }

        return Math.Log(φ[0] + Math.Exp(log));
    }

    private static double Prior(double[] φ, int breaks, CondensedPoints points)
    {
        double g = Math.Exp(φ[1]), level = Math.Log(φ[0] + g), log = Math.Log(g / (φ[0] + g)) - (Math.Pow((level - points.LogY[^1]) / 0.5, 2) / 2) + T3(φ[2]);
        for (int j = 3; j < 3 + (3 * breaks); j += 3) log += T3(φ[j] / 0.5) - (Math.Pow(φ[j + 2] / 0.8, 2) / 2);
        return log - (Math.Pow((φ[^2] - Math.Log(0.01)) / 1.5, 2) / 2) - (Math.Pow(φ[^1] - Math.Log(0.01), 2) / 2);

        static double T3(double x) => -2 * Math.Log(1 + (x * x / 3));
    }
}
