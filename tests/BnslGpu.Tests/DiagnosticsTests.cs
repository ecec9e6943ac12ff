using BnslGpu.Kernels;
using MathNet.Numerics.LinearAlgebra;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What a fit says about itself is true: covariance against closed forms and plain inverses, each warning on a curve that deserves it.</summary>
public sealed class DiagnosticsTests
{
    private static Fit Fitted(Points points, FitOptions options, int breaks = 0) => Curve(points, options).Fits.Single(fit => fit.Breaks == breaks);

    private static CurveFit Curve(Points points, FitOptions options) =>
        Fitter.Fit([new("curve", points)], options, cancellation: TestContext.Current.CancellationToken).Curves[0];

    private static double[] Range(int count, double from, double factor) => [.. Enumerable.Range(0, count).Select(i => from * Math.Pow(factor, i))];

    private static Points Planted(double[] x, double a, double b, double c0, double noise = 0, params (double C, double D, double F)[] breaks)
    {
        var random = new CounterRandom(41, (ulong)x.Length, 0);
        return new(x, [.. x.Select(value => (a + (b * Math.Pow(value, -c0) * breaks.Aggregate(1.0, (product, one) => product * Math.Pow(1 + Math.Pow(value / one.D, 1 / one.F), -one.C * one.F)))) * Math.Exp(noise * random.Uniform(-1, 1)))]);
    }

    [Fact]
    public void A_line_in_log_log_has_the_covariance_of_linear_regression()
    {
        double[] x = Range(20, 10, 1.7);
        Points points = Planted(x, 0, 3, 0.3, noise: 0.1);
        Fit fit = Fitted(points, FitOptions.LeastSquares with { Laws = ["m1"], Starts = 8 });

        // log y = log a + b log x.
        Matrix<double> design = Matrix<double>.Build.Dense(x.Length, 2, (i, j) => j == 0 ? 1 : Math.Log(points.X[i]));
        Vector<double> target = Vector<double>.Build.Dense(x.Length, i => Math.Log(points.Y[i]));
        Vector<double> solution = design.QR().Solve(target);
        double variance = (target - (design * solution)).DotProduct(target - (design * solution)) / (x.Length - 2);
        Matrix<double> covariance = variance * (design.Transpose() * design).Inverse();
        double a = Math.Exp(solution[0]);
        double[] expected =
        [
            a * a * covariance[0, 0], a * covariance[0, 0], a * covariance[0, 1],
            a * covariance[0, 0], covariance[0, 0], covariance[0, 1],
            a * covariance[0, 1], covariance[0, 1], covariance[1, 1],
        ];
        for (int k = 0; k < 9; k++) Assert.Equal(1, fit.Covariance[k] / expected[k], 1e-7);
        Assert.Equal(Math.Sqrt(covariance[1, 1]), fit.StandardErrors[2].Values[0], 1e-7 * Math.Sqrt(covariance[1, 1]));

        // Two columns of length one with cosine ρ have singular values √(1 ± ρ); the engine's columns are 1 and log x relative to the last.
        double[] u = [.. points.X.ToArray().Select(value => Math.Log(value / points.X[^1]))];
        double ρ = Math.Abs(u.Sum()) / Math.Sqrt(u.Length * u.Sum(value => value * value));
        Assert.Equal(Math.Sqrt((1 + ρ) / (1 - ρ)), fit.Condition, 1e-7 * fit.Condition);
        Assert.Empty(fit.Warnings);
    }

    [Fact]
    public void Standard_errors_tell_how_far_estimates_scatter()
    {
        double[] x = Range(40, 10, 1.3);
        double[] truth = [0.4, 3, 0.35];
        double[] z = new double[3];
        const int repeats = 60;
        for (int repeat = 0; repeat < repeats; repeat++)
        {
            // A sum of twelve uniform numbers less six is normal enough, with variance one.
            var random = new CounterRandom(42, (ulong)repeat, 0);
            double[] y = [.. x.Select(value => (truth[0] + (truth[1] * Math.Pow(value, -truth[2]))) * Math.Exp(0.01 * (Enumerable.Range(0, 12).Sum(_ => random.Uniform()) - 6)))];
            Fit fit = Fitted(new(x, y), FitOptions.LeastSquares with { Breaks = [0], Starts = 8 });
            foreach ((int at, int parameter) in (ReadOnlySpan<(int, int)>)[(0, 0), (1, 1), (2, 3)])
                z[at] += Math.Pow((fit.Parameters[parameter].Values[0] - truth[at]) / fit.StandardErrors[parameter].Values[0], 2) / repeats;
        }

        // A mean of 60 squares of a normal number lies within 1 ± 4 √(2/60).
        foreach (double square in z) Assert.InRange(square, 1 - (4 * Math.Sqrt(2.0 / repeats)), 1 + (4 * Math.Sqrt(2.0 / repeats)));
    }

    [Fact]
    public void A_parameter_on_its_bound_has_no_error_and_a_warning()
    {
        // Slopes that grow: any a > 0 makes the fit worse.
        Fit fit = Fitted(Planted(Range(15, 10, 2), 0, 3, 0.1, 0, (0.5, 2000, 1)), FitOptions.LeastSquares with { Breaks = [0], Starts = 32 });
        Assert.Equal(0, fit.Parameters[0].Values[0]);
        Assert.True(double.IsNaN(fit.StandardErrors[0].Values[0]));
        Assert.False(double.IsNaN(fit.StandardErrors[3].Values[0]));
        Assert.Contains("On the bound of its box: a = 0.", fit.Warnings);
    }

    [Fact]
    public void A_break_near_the_end_a_sharp_one_and_one_that_is_not_needed_are_said()
    {
        Points late = Planted(Range(20, 10, 1.5), 0.1, 3, 0.1, 1e-4, (1.5, 10 * Math.Pow(1.5, 17.5), 0.3));
        Assert.Contains(Fitted(late, FitOptions.LeastSquares with { Breaks = [1], Starts = 64 }, 1).Warnings, warning => warning.Contains("2 points beyond it", StringComparison.Ordinal));

        Points sharp = Planted(Range(20, 10, 1.5), 0.1, 3, 0.1, 1e-4, (1.5, 10 * Math.Pow(1.5, 9.5), 0.02));
        Assert.Contains(Fitted(sharp, FitOptions.LeastSquares with { Breaks = [1], Starts = 64 }, 1).Warnings, warning => warning.Contains("sharper than the gap", StringComparison.Ordinal));

        Points wide = Planted(Range(30, 10, 1.3), 0.1, 3, 0.1, 1e-4, (0.7, 300, 0.5));
        Assert.DoesNotContain(Fitted(wide, FitOptions.LeastSquares with { Breaks = [1], Starts = 64 }, 1).Warnings, warning => warning.StartsWith("Break", StringComparison.Ordinal));
    }

    [Fact]
    public void A_law_whose_breaks_have_other_parameters_has_nothing_said_of_them()
    {
        Points points = Planted(Range(20, 10, 2), 0.2, 3, 0.4, noise: 0.01);
        Solved solved = new(new(points, new ScalingLaw<OtherBreak>(), Loss.Get("msle")), 8, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(new Diagnostics(solved.Problem, solved.Minimum).Warnings(points), warning => warning.StartsWith("Break", StringComparison.Ordinal));
    }

    [Fact]
    public void More_parameters_than_points_are_said()
    {
        Fit fit = Fitted(Planted(Range(3, 10, 2), 0.2, 3, 0.4, noise: 0.05), FitOptions.LeastSquares with { Breaks = [1], Starts = 16 }, 1);
        Assert.Contains(fit.Warnings, warning => warning.StartsWith("6 parameters and 3 points", StringComparison.Ordinal));
        Assert.All(fit.StandardErrors.SelectMany(error => error.Values), error => Assert.True(double.IsNaN(error)));
    }

    [Fact]
    public void A_rising_metric_gets_the_laws_for_it_and_these_find_its_ceiling()
    {
        double[] x = Range(25, 10, 1.6), y = [.. x.Select(value => 0.9 - (1.5 * Math.Pow(value, -0.4)))];
        Assert.Contains(Curve(new(x, [.. y.Select(value => value + 1)]), FitOptions.LeastSquares with { Breaks = [0, 1], Starts = 16 }).Warnings, warning => warning.Contains("bnsl-rising", StringComparison.Ordinal));

        FitOptions rising = FitOptions.LeastSquares with { Laws = ["bnsl-rising"], Loss = "mse", Breaks = [0], Starts = 32 };
        Fit fit = Fitted(new(x, y), rising);
        Assert.Equal([0.9, 1.5, 0.4], [fit.Parameters[0].Values[0], fit.Parameters[1].Values[0], fit.Parameters[3].Values[0]], Close);

        // The same upside down, below zero: an energy, a negated reward.
        Fit falling = Fitted(new(x, [.. y.Select(value => -value)]), rising with { Laws = ["bnsl-falling"] });
        Assert.Equal([-0.9, 1.5, 0.4], [falling.Parameters[0].Values[0], falling.Parameters[1].Values[0], falling.Parameters[3].Values[0]], Close);

        static bool Close(double expected, double actual) => Math.Abs(expected - actual) <= 1e-6 * Math.Abs(expected);
    }

    [Fact]
    public void A_law_that_a_curve_is_not_for_gives_a_reason_and_leaves_the_other_laws_alone()
    {
        double[] x = Range(12, 10, 2), y = [.. x.Select(value => 0.9 - (1.5 * Math.Pow(value, -0.4)) - 0.5)];
        CurveFit curve = Curve(new(x, y), FitOptions.LeastSquares with { Laws = ["bnsl", "bnsl-rising"], Loss = "mse", Breaks = [0], Starts = 32 });
        Assert.Equal("bnsl-rising", Assert.Single(curve.Fits).Law);
        Assert.Contains(curve.Warnings, warning => warning.Contains("the law bnsl is above 0 everywhere", StringComparison.Ordinal));
    }

    /// <summary>A power law that calls its exponent that of a break.</summary>
    private readonly struct OtherBreak : IScalingLaw
    {
        public static string Name => "other-break";

        public static string Formula => PowerLaw.Formula;

        public static string Source => "";

        public static int Breaks => 1;

        public static int ParameterCount => PowerLaw.ParameterCount;

        public static NaturalParameter[] Natural => [.. PowerLaw.Natural.SkipLast(1), new("slope", true)];

        public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
            where TGradient : struct, IArray<T> => PowerLaw.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row);

        public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => PowerLaw.Bounds(parameter, range);

        public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
            where TShape : struct, IArray<F64>
            where TArray : struct, IArray<F64> => PowerLaw.Start(random, shape, θ);

        public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian) => PowerLaw.ToNatural(θ, scale, natural, jacobian);

        public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) => PowerLaw.FromNatural(natural, scale, θ);
    }
}
