using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using System.Text;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The whole pipeline: the known example, independence of everything that must not matter, odd data, choices and their limits.</summary>
public sealed class FitterTests(ITestOutputHelper output)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Where nothing is accelerated every start takes longer.
    private static int Scale => Vector128.IsHardwareAccelerated ? 1 : 4;

    private static FitReport Run(IReadOnlyList<Curve> curves, FitOptions options) => Fitter.Fit(curves, options, cancellation: Token);

    // The known example

    [Fact]
    public void Four_digit_addition_has_the_known_fit_and_nearly_every_start_finds_it()
    {
        int starts = 1000 / Scale;
        CurveFit curve = Run([Examples.FourDigitAddition], FitOptions.Paper with { Starts = starts }).Curves[0];
        Fit fit = Assert.Single(curve.Fits);

        // a, b, log b, c0, c, d, f and the errors as an independent C++ fitter printed them.
        double[] known = Examples.FourDigitAdditionNatural, found = [.. fit.Parameters.SelectMany(parameter => parameter.Values)];
        for (int k = 0; k < known.Length; k++) Assert.Equal(known[k], found[k], 1e-5 * Math.Abs(known[k]));
        Assert.Equal(5.985e-4, fit.Rmsle.Fit, 0.0005e-4);
        Assert.Equal(1.0916e-2, fit.Rmsle.HeldOut, 0.00005e-2);
        Assert.Equal(starts, fit.Starts);
        output.WriteLine($"{fit.StartsAtMinimum} of {starts} starts; {fit.Termination}, gradient {fit.GradientNorm:g3}");
        Assert.True(fit.StartsAtMinimum >= 0.95 * starts, $"{fit.StartsAtMinimum} of {starts} starts end at the minimum.");
        Assert.Equal(["Break 1, at 612.6, has 3 points beyond it; the forecast rests on them."], fit.Warnings);
        Assert.Empty(curve.Warnings);
        Assert.Equal(0, curve.Chosen);
        ForecastMember member = Assert.Single(curve.Forecast!.Members);
        Assert.Equal(fit.Rmsle.Fit * Math.Sqrt(14 / 8.0), member.Noise, 1e-15);
        Assert.Equal(fit.Parameters, member.Parameters);
    }

    [Fact]
    public void Errors_of_log_y_are_what_their_definitions_say()
    {
        Curve data = Examples.FourDigitAddition;
        Fit fit = Run([data], FitOptions.Paper with { Starts = 64 }).Curves[0].Fits[0];
        double[] squares = Squares(data.HeldOut), own = Squares(data.Fit);
        double mean = squares.Average(), deviation = Math.Sqrt(squares.Average(square => (square - mean) * (square - mean)));
        Assert.Equal(Math.Sqrt(own.Average()), fit.Rmsle.Fit, 1e-14);
        Assert.Equal(Math.Sqrt(mean), fit.Rmsle.HeldOut, 1e-14);
        Assert.Equal(Math.Sqrt(mean + (deviation / Math.Sqrt(squares.Length))) - Math.Sqrt(mean), fit.Rmsle.HeldOutError, 1e-10);
        double objective = Enumerable.Range(0, data.Fit.Count).Average(i => Math.Pow(Math.Log(1 + fit.Predict(data.Fit.X[i])) - Math.Log(1 + data.Fit.Y[i]), 2));
        Assert.Equal(objective, fit.Objective, 1e-12 * objective);

        double[] Squares(Points points) => [.. Enumerable.Range(0, points.Count).Select(i => Math.Pow(Math.Log(fit.Predict(points.X[i]) / points.Y[i]), 2))];
    }

    // What must not matter

    [Fact]
    public void Report_is_the_same_to_the_bit_for_any_threads_chunks_order_and_batch()
    {
        Curve[] curves = SomeCurves();
        FitOptions options = FitOptions.LeastSquares with { Starts = 48 / Scale, Breaks = [0, 1, 2], Threads = 1, Seed = 4 };
        string[] reference = [.. Run(curves, options).Curves.Select(Everything)];
        Assert.Equal(curves.Length, reference.Distinct().Count());
        Assert.Equal(reference, Run(curves, options with { Threads = 2 }).Curves.Select(Everything));
        Assert.Equal(reference, Run([.. curves.Reverse()], options with { Threads = 2 }).Curves.Select(Everything));
        Assert.Equal(reference, Run([curves[2], curves[0], curves[3], curves[1]], options).Curves.Select(Everything));
        foreach (int chunk in (int[])[1, 7, 1000]) Assert.Equal(reference, Run(curves, options with { Threads = 2, ChunkSize = chunk }).Curves.Select(Everything));
        foreach (Curve curve in curves)
            Assert.Equal(reference.Single(text => text.StartsWith(curve.Name + "\n", StringComparison.Ordinal)), Everything(Run([curve], options).Curves[0]));
    }

    [Fact]
    public void Numbers_of_breaks_that_are_fitted_beside_do_not_change_a_fit()
    {
        Curve curve = SomeCurves()[0];
        FitOptions options = FitOptions.LeastSquares with { Starts = 32 / Scale };
        ImmutableArray<Fit> both = Run([curve], options with { Breaks = [2, 0] }).Curves[0].Fits;
        Assert.Equal(Text(both[0]), Text(Run([curve], options with { Breaks = [2] }).Curves[0].Fits[0]));
        Assert.Equal(Text(both[1]), Text(Run([curve], options with { Breaks = [0] }).Curves[0].Fits[0]));
    }

    [Fact]
    public void Order_of_the_points_does_not_matter()
    {
        Points points = SomeCurves()[0].Fit;
        double[] x = points.X.ToArray(), y = points.Y.ToArray();
        int[] shuffled = [.. Enumerable.Range(0, x.Length).OrderBy(i => i * 7 % x.Length)];
        FitOptions options = FitOptions.LeastSquares with { Starts = 32 / Scale, Breaks = [1] };
        Assert.Equal(
            Everything(Run([new("one", points)], options).Curves[0]),
            Everything(Run([new("one", new([.. shuffled.Select(i => x[i])], [.. shuffled.Select(i => y[i])]))], options).Curves[0]));
    }

    [Fact]
    public void Units_of_x_and_y_do_not_matter_to_the_fit_on_log_y()
    {
        Points points = SomeCurves()[0].Fit;
        FitOptions options = FitOptions.LeastSquares with { Starts = 64 / Scale, Breaks = [1] };
        Fit one = Run([new("one", points)], options).Curves[0].Fits[0];
        Fit other = Run([new("one", new([.. points.X.ToArray().Select(x => x * 1e9)], [.. points.Y.ToArray().Select(y => y * 1e-4)]))], options).Curves[0].Fits[0];

        // Rounding of the data differs (ε of log y), the minimum is the same: its objective moves in second order, its predictions with √objective's flatness.
        Assert.Equal(one.Objective, other.Objective, 1e-9 * one.Objective);
        foreach (double x in points.X) Assert.Equal(1, other.Predict(x * 1e9) / (one.Predict(x) * 1e-4), 1e-6);
    }

    // Odd data

    [Fact]
    public void Curves_that_cannot_be_fitted_say_why_and_the_rest_is_fitted()
    {
        double[] x = Examples.Even(8, 1, 128);
        Curve[] curves =
        [
            new("negative", new(x, [3, 2, 1, -0.5, 1, 1, 1, 1])),
            new("zero", new(x, [3, 2, 1, 0, 1, 1, 1, 1])),
            new("infinite", new(x, [3, 2, 1, double.PositiveInfinity, 1, 1, 1, 1])),
            new("no number", new(x, [3, 2, 1, double.NaN, 1, 1, 1, 1])),
            new("x not positive", new([0, 1, 2], [3, 2, 1])),
            new("one point", new([5], [2])),
            new("one x", new([5, 5, 5], [2, 2.1, 2.2])),
            new("nothing", Points.None),
            new("two points", new([5, 50], [2, 1])),
            new("flat", new(x, [2, 2, 2, 2, 2, 2, 2, 2])),
            new("good", new(x, [.. x.Select(value => 0.2 + Math.Pow(value, -0.4))])),
        ];
        FitReport report = Run(curves, FitOptions.LeastSquares with { Starts = 32 / Scale, Breaks = [0, 1] });
        Assert.Equal(curves.Select(curve => curve.Name).Order(StringComparer.Ordinal), report.Curves.Select(curve => curve.Curve.Name));
        var byName = report.Curves.ToDictionary(curve => curve.Curve.Name);
        foreach ((string name, string part) in ((string, string)[])[
            ("negative", "y = -0.5"), ("zero", "y = 0"), ("infinite", "y = Infinity"), ("no number", "y = NaN"), ("x not positive", "x = 0"),
            ("one point", "same x"), ("one x", "same x"), ("nothing", "no points")])
        {
            CurveFit curve = byName[name];
            Assert.Contains(part, Assert.Single(curve.Warnings), StringComparison.Ordinal);
            Assert.EndsWith(".", curve.Warnings[0], StringComparison.Ordinal);
            Assert.Empty(curve.Fits);
            Assert.Equal(-1, curve.Chosen);
            Assert.Null(curve.Forecast);
        }

        foreach (string name in (string[])["two points", "flat", "good"])
        {
            CurveFit curve = byName[name];
            Assert.Equal(2, curve.Fits.Length);
            Assert.InRange(curve.Chosen, 0, 1);
            Assert.All(curve.Fits, fit => Assert.True(fit.Termination != Termination.NonFinite && fit.Rmsle.Fit < 1e-6, $"{name}: {Text(fit)}"));
        }

        Assert.Contains("2 points: the data do not determine this fit.", byName["two points"].Fits[0].Warnings[0], StringComparison.Ordinal);
        Assert.Equal(0, byName["two points"].Chosen);
        Assert.Equal(0, byName["flat"].Chosen);
        Assert.All(byName["flat"].Fits, fit => Assert.Equal(2, fit.Predict(1000), 1e-6));
    }

    [Fact]
    public void A_batch_of_nothing_and_a_batch_without_a_curve_that_can_be_fitted_are_reports_too()
    {
        Assert.Empty(Run([], FitOptions.LeastSquares).Curves);
        Assert.Equal(-1, Assert.Single(Run([new("bad", new([1, 2], [0, 1]))], FitOptions.LeastSquares).Curves).Chosen);
    }

    [Fact]
    public void Two_curves_of_one_name_are_the_callers_mistake()
    {
        Points points = new([1, 2], [2, 1]);
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => Run([new("same", points), new("other", points), new("same", points)], FitOptions.LeastSquares));
        Assert.StartsWith("Two curves are called 'same'; names must differ.", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exactly_noiseless_data_choose_the_breaks_they_were_made_with()
    {
        // Fewer cannot follow, more can only repeat: rounding must not look like knowledge.
        double[] x = Examples.Even(40, 10, 1e6);
        ScalingLaw law = ScalingLaw.Get("bnsl", 1);
        ImmutableArray<Parameter> broken = law.Pack([0.2, 3, Math.Log(3), 0.1, 0.5, 3000, 0.4]);
        Curve[] curves =
        [
            new("0 breaks: power", new(x, [.. x.Select(value => 7 * Math.Pow(value, -0.25))])),
            new("0 breaks: power and offset", new(x, [.. x.Select(value => 0.3 + (2 * Math.Pow(value, -0.3)))])),
            new("0 breaks: flat", new(x, [.. x.Select(_ => 0.7)])),
            new("1 breaks", new(x, [.. x.Select(value => law.Predict(broken, value))])),
        ];
        foreach (CurveFit curve in Run(curves, FitOptions.LeastSquares with { Starts = 64 / Scale, Breaks = [0, 1, 2] }).Curves)
        {
            string objectives = string.Join(", ", curve.Fits.Select(fit => $"{fit.Breaks}: {fit.Objective:g3} {fit.Aicc:g6}"));
            output.WriteLine($"{curve.Curve.Name}: {objectives}");
            Assert.True(curve.Fits[curve.Chosen].Breaks == curve.Curve.Name[0] - '0', $"{curve.Curve.Name}: chose {curve.Fits[curve.Chosen].Breaks}; {objectives}");
        }
    }

    // Criteria

    [Fact]
    public void Aicc_and_Bic_are_what_one_computes_by_hand()
    {
        // n = 20, 3 parameters and the noise: k = 4. 20 log .01 + 8 + 40/15 and 20 log .01 + 4 log 20.
        Assert.Equal((20 * Math.Log(0.01)) + 8 + (40 / 15.0), ModelSelection.Aicc(0.01, 20, 3), 1e-12);
        Assert.Equal((20 * Math.Log(0.01)) + (4 * Math.Log(20)), ModelSelection.Bic(0.01, 20, 3), 1e-12);
        Assert.Equal(-81.43673705309521, ModelSelection.Aicc(0.01, 20, 3), 1e-10); // by a pocket calculator
    }

    [Fact]
    public void Aicc_is_infinite_where_there_are_too_few_points()
    {
        for (int parameters = 3; parameters <= 21; parameters += 3)
        {
            int k = parameters + 1;
            Assert.Equal(double.PositiveInfinity, ModelSelection.Aicc(0.01, k + 1, parameters));
            Assert.Equal(double.PositiveInfinity, ModelSelection.Aicc(0.01, 1, parameters));
            Assert.True(double.IsFinite(ModelSelection.Aicc(0.01, k + 2, parameters)));
        }
    }

    [Fact]
    public void Residuals_below_rounding_are_all_the_same_to_the_criteria()
    {
        Assert.Equal(ModelSelection.Aicc(0, 30, 3), ModelSelection.Aicc(1e-31, 30, 3));
        Assert.True(ModelSelection.Aicc(0, 30, 3) < ModelSelection.Aicc(1e-40, 30, 6));
        Assert.True(ModelSelection.Bic(0, 30, 3) < ModelSelection.Bic(1e-40, 30, 6));
    }

    [Fact]
    public void Fits_carry_the_criteria_of_their_objective()
    {
        foreach (CurveFit curve in Run(SomeCurves(), FitOptions.LeastSquares with { Starts = 16, Breaks = [0, 1] }).Curves)
        {
            foreach (Fit fit in curve.Fits)
            {
                int parameters = 3 + (3 * fit.Breaks);
                Assert.Equal(ModelSelection.Aicc(fit.Objective, curve.Curve.Fit.Count, parameters), fit.Aicc);
                Assert.Equal(ModelSelection.Bic(fit.Objective, curve.Curve.Fit.Count, parameters), fit.Bic);
            }

            Assert.Equal(curve.Fits.Min(fit => fit.Aicc), curve.Fits[curve.Chosen].Aicc);
        }
    }

    [Fact]
    public void Criteria_compare_laws_that_see_y_in_different_units()
    {
        var random = new CounterRandom(5, 0, 0);
        double[] x = Examples.Even(14, 100, 1e6), y = [.. x.Select(value => 0.93 - (2 * Math.Pow(value, -0.35)) + (0.003 * Examples.Normal(ref random)))];
        double largest = y.Max();
        FitOptions options = FitOptions.LeastSquares with { Laws = ["bnsl", "bnsl-rising"], Breaks = [0], Loss = "mse", Starts = 16 };
        foreach (Fit fit in Run([new("accuracy", new(x, y))], options).Curves[0].Fits)
        {
            Assert.Equal(ModelSelection.Aicc(fit.Objective / (largest * largest), 14, 3), fit.Aicc, 1e-9);
            Assert.Equal(ModelSelection.Bic(fit.Objective / (largest * largest), 14, 3), fit.Bic, 1e-9);
        }
    }

    // Standard errors

    [Fact]
    public void Standard_errors_of_a_power_law_are_those_of_linear_regression()
    {
        // With a at its bound 0, log y = log b − c0 log x is linear: the textbook's s² (XᵀX)⁻¹.
        var random = new CounterRandom(40, 0, 0);
        double[] x = Examples.Even(30, 10, 1e5), y = [.. x.Select(value => 3 * Math.Pow(value, -0.5) * Math.Exp(0.01 * Examples.Normal(ref random)) * (1 - (1e-7 * value)))];
        Fit fit = Run([new("line", new(x, y))], FitOptions.LeastSquares with { Starts = 32, Breaks = [0] }).Curves[0].Fits[0];
        Assert.Equal(0, fit.Parameters[0].Values[0]);
        Assert.True(double.IsNaN(fit.StandardErrors[0].Values[0]));
        double mean = x.Average(Math.Log), spread = x.Sum(value => Math.Pow(Math.Log(value) - mean, 2)), variance = fit.Objective * x.Length / (x.Length - 2);
        Assert.Equal(Math.Sqrt(variance / spread), fit.StandardErrors[3].Values[0], 1e-9);
        Assert.Equal(Math.Sqrt(variance * ((1.0 / x.Length) + (mean * mean / spread))), fit.StandardErrors[2].Values[0], 1e-9);
    }

    // Options

    [Theory]
    [InlineData("Starts", -1, "0 to 10000000")]
    [InlineData("Refined", 0, ">= 1")]
    [InlineData("SearchIterations", 0, ">= 1")]
    [InlineData("Threads", -1, ">= 0")]
    [InlineData("ChunkSize", -2, ">= 0")]
    [InlineData("Breaks", 7, "0 to 6")]
    [InlineData("Breaks", -1, "0 to 6")]
    public void An_option_that_breaks_its_constraint_is_named_with_its_value(string option, int value, string constraint)
    {
        FitOptions options = option switch
        {
            "Starts" => FitOptions.LeastSquares with { Starts = value },
            "Refined" => FitOptions.LeastSquares with { Refined = value },
            "SearchIterations" => FitOptions.LeastSquares with { SearchIterations = value },
            "Threads" => FitOptions.LeastSquares with { Threads = value },
            "ChunkSize" => FitOptions.LeastSquares with { ChunkSize = value },
            _ => FitOptions.LeastSquares with { Breaks = [value] },
        };
        Assert.Equal($"FitOptions.{option} = {value}. Violated constraint: {constraint}.", Assert.Throws<ArgumentException>(() => Run([], options)).Message);
    }

    [Fact]
    public void Lists_of_breaks_and_unknown_names_are_checked_too()
    {
        Assert.Equal("FitOptions.Breaks = none. Violated constraint: at least one number of breaks.", Message(FitOptions.LeastSquares with { Breaks = [] }));
        Assert.Equal("FitOptions.Breaks = 1,2,1. Violated constraint: each number once.", Message(FitOptions.LeastSquares with { Breaks = [1, 2, 1] }));
        Assert.Contains("Laws = nothing", Message(FitOptions.LeastSquares with { Laws = ["nothing"] }), StringComparison.Ordinal);
        Assert.Contains("'nothing'", Message(FitOptions.LeastSquares with { Loss = "nothing" }), StringComparison.Ordinal);
        Assert.Contains("'nothing'", Message(FitOptions.LeastSquares with { Device = "nothing" }), StringComparison.Ordinal);

        static string Message(FitOptions options) => Assert.Throws<ArgumentException>(() => Run([], options)).Message;
    }

    [Fact]
    public void Recipes_are_valid_and_named_apart()
    {
        foreach (FitOptions recipe in FitOptions.Recipes) recipe.Validate();
        Assert.Equal(FitOptions.Recipes.Length, FitOptions.Recipes.Select(recipe => recipe.Recipe).Distinct().Count());
    }

    // Cancellation

    [Fact]
    public void A_cancelled_run_throws()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        foreach (int threads in (int[])[1, 2])
            Assert.Throws<OperationCanceledException>(() => Fitter.Fit(SomeCurves(), FitOptions.LeastSquares with { Threads = threads }, cancellation: cancelled.Token));
    }

    [Theory]
    [InlineData("search")]
    [InlineData("refine")]
    public void A_run_that_is_cancelled_on_its_way_throws(string stage)
    {
        using var source = new CancellationTokenSource();
        var progress = new CancelAt(stage, source);
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Fitter.Fit(SomeCurves(), FitOptions.LeastSquares with { Starts = 32, Breaks = [0, 1], Threads = 2, ChunkSize = 4 }, progress, source.Token));
    }

    [Fact]
    public void Cancelling_ends_even_one_curve_of_a_hundred_thousand_points_within_seconds()
    {
        double[] x = Examples.Even(100_000, 10, 1e9), y = [.. x.Select(value => 0.3 + Math.Pow(value, -0.2))];
        using var soon = new CancellationTokenSource();

        // A thread of its own: a timer would wait for the threads that the other tests keep busy.
        var canceller = new Thread(() =>
        {
            Thread.Sleep(300);
            soon.Cancel();
        });
        canceller.Start();
        long begin = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.ThrowsAny<OperationCanceledException>(() => Fitter.Fit([new("long", new(x, y))], FitOptions.LeastSquares with { Breaks = [2] }, cancellation: soon.Token));

        // A step over all points takes milliseconds, the whole fit minutes.
        Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(begin).TotalSeconds < 10);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_a_caller_throws_reaches_the_caller_as_it_is_on_any_number_of_threads(int threads) =>
        Assert.Equal("mine", Assert.Throws<InvalidOperationException>(() =>
            Fitter.Fit(SomeCurves(), FitOptions.LeastSquares with { Threads = threads, Starts = 64 }, new Thrower(), Token)).Message);

    private sealed class Thrower : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            if (value.Done > 0) throw new InvalidOperationException("mine");
        }
    }

    // Held-out points and x at the edge

    [Fact]
    public void A_held_out_point_without_a_logarithm_is_said_and_the_others_are_scored()
    {
        double[] x = [1, 10, 100, 1e3, 1e4], y = [1, 0.5, 0.25, 0.125, 0.0625];
        CurveFit with = Run([new("with", new(x, y), new([1e5, 1e6], [-1, 0.02]))], FitOptions.LeastSquares with { Breaks = [0], Starts = 16 }).Curves[0];
        CurveFit without = Run([new("without", new(x, y), new([1e6], [0.02]))], FitOptions.LeastSquares with { Breaks = [0], Starts = 16 }).Curves[0];
        Assert.Equal(without.Fits[0].Rmsle, with.Fits[0].Rmsle);
        Assert.Equal(["1 of 2 held-out points has y <= 0 and no logarithm; the score is of the others."], with.Warnings);
        Assert.Empty(without.Warnings);
    }

    [Fact]
    public void X_that_differ_less_than_their_logarithms_can_is_no_range()
    {
        double[] x = [1e15, 1e15 + 0.125, 1e15 + 0.25], y = [1, 2, 3];
        CurveFit curve = Run([new("close", new(x, y))], FitOptions.LeastSquares with { Starts = 16 }).Curves[0];
        Assert.Empty(curve.Fits);
        Assert.Contains("the same in log x", Assert.Single(curve.Warnings), StringComparison.Ordinal);
    }

    private sealed class CancelAt(string stage, CancellationTokenSource source) : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            if (value.Stage == stage) source.Cancel();
        }
    }

    // Curves and texts

    private static Curve[] SomeCurves()
    {
        var random = new CounterRandom(41, 0, 0);
        var curves = new Curve[4];
        for (int k = 0; k < curves.Length; k++)
        {
            double[] x = Examples.Even(12 + (5 * k), 20, 2e5);
            double[] y = [.. x.Select(value => (0.1 + (0.05 * k) + (2 * Math.Pow(value, -0.2) / (1 + (value / 3000)))) * Math.Exp(0.01 * Examples.Normal(ref random)))];
            curves[k] = new($"curve {k}", new(x.AsSpan(..^3), y.AsSpan(..^3)), new(x.AsSpan(^3..), y.AsSpan(^3..)));
        }

        return curves;
    }

    private static string Everything(CurveFit curve)
    {
        var text = new StringBuilder(curve.Curve.Name).Append('\n').Append(curve.Chosen).AppendJoin(' ', curve.Warnings);
        foreach (Fit fit in curve.Fits) text.Append('\n').Append(Text(fit));
        if (curve.Forecast is { } forecast)
            text.Append('\n').AppendJoin(' ', forecast.Predict(curve.Curve.HeldOut.X).Select(Bits)).AppendJoin(' ', forecast.Quantile(curve.Curve.HeldOut.X, 0.05).Select(Bits));
        return text.ToString();
    }

    private static string Text(Fit fit) => string.Join(' ', [
        $"{fit.Law} {fit.Breaks} {fit.Loss} {fit.Termination} {fit.StartsAtMinimum}/{fit.Starts}",
        .. fit.Parameters.Concat(fit.StandardErrors).Select(parameter => $"{parameter.Name}: {string.Join(' ', parameter.Values.Select(Bits))}"),
        .. ((double[])[fit.Objective, fit.Rmsle.Fit, fit.Rmsle.HeldOut, fit.Rmsle.HeldOutError, fit.Aicc, fit.Bic, fit.GradientNorm]).Select(Bits),
        .. fit.Warnings]);

    /// <summary>The shortest text that is read back as the same bits.</summary>
    private static string Bits(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
