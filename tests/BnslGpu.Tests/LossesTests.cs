using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What each loss says of a fit is its formula, and what it is for.</summary>
public sealed class LossesTests
{
    public static TheoryData<string> EveryLoss => [.. Loss.All.Select(loss => loss.Name)];

    /// <summary>The published formulas, as plainly as they can be written; a loss that is added to the list is added here.</summary>
    private static double Plain(string loss, double predicted, double y, double δ)
    {
        double e = Math.Log(predicted) - Math.Log(y);
        return loss switch
        {
            "msle" => e * e,
            "msle1p" => Math.Pow(Math.Log(1 + predicted) - Math.Log(1 + y), 2),
            "mse" => Math.Pow(predicted - y, 2),
            "huber" => Math.Abs(e) <= δ ? e * e : 2 * δ * (Math.Abs(e) - (δ / 2)),
            _ => throw new ArgumentException($"{loss} wants its formula here.", nameof(loss)),
        };
    }

    /// <summary>y = .5 + 3 x^-.3 with 5 % noise at 25 places from 1 to 1e6, times a unit; the fifth point may be wrong by a factor.</summary>
    private static Curve Noisy(double unit, double wrong)
    {
        var random = new CounterRandom(21, 1, 0);
        double[] x = [.. Enumerable.Range(0, 25).Select(i => Math.Pow(10, i * 0.25))];
        double[] y = [.. x.Select(value => unit * (0.5 + (3 * Math.Pow(value, -0.3))) * Math.Exp(random.Uniform(-0.05, 0.05)))];
        y[4] *= wrong;
        return new("noisy", new(x, y));
    }

    private static Fit Fitted(Curve curve, string loss) =>
        Fitter.Fit([curve], FitOptions.LeastSquares with { Loss = loss, Breaks = [0], Starts = 32, Delta = 0.02 }, cancellation: TestContext.Current.CancellationToken).Curves[0].Fits[0];

    [Theory]
    [MemberData(nameof(EveryLoss))]
    public void Objective_is_the_mean_of_the_formula_over_the_fit_points(string loss)
    {
        Curve curve = Noisy(unit: 40, wrong: 1);
        Fit fit = Fitted(curve, loss);
        double mean = Enumerable.Range(0, curve.Fit.Count).Average(i => Plain(loss, fit.Predict(curve.Fit.X[i]), curve.Fit.Y[i], 0.02));

        // Each squared residual r² moves by 2 r times what rounding leaves of log y, some ε; mse is in the square of y's unit.
        Assert.Equal(1, fit.Objective / mean, 1e-11);
    }

    [Theory]
    [MemberData(nameof(EveryLoss))]
    public void Fitted_parameters_lie_where_no_neighbour_is_better(string loss)
    {
        Curve curve = Noisy(unit: 1, wrong: 1);
        Fit fit = Fitted(curve, loss);
        ScalingLaw law = ScalingLaw.Get("bnsl", 0);
        double[] natural = [.. fit.Parameters.SelectMany(parameter => parameter.Values)];
        foreach (int moved in new[] { 0, 2, 3 })
        {
            foreach (double share in new[] { 0.999, 1.001 })
            {
                double[] beside = [.. natural];
                beside[moved] *= share;
                double mean = Enumerable.Range(0, curve.Fit.Count)
                    .Average(i => Plain(loss, law.Predict(law.Pack(beside), curve.Fit.X[i]), curve.Fit.Y[i], 0.02));
                Assert.True(mean > fit.Objective, $"parameter {moved} times {share}: {mean:R}, fitted {fit.Objective:R}");
            }
        }
    }

    [Theory]
    [InlineData("msle")]
    [InlineData("msle1p")]
    [InlineData("huber")]
    public void A_law_of_any_sign_stays_above_zero_under_a_loss_of_log_y(string loss)
    {
        double[] x = [1, 2, 4, 8, 16, 32, 64, 128], y = [3, 1, 0.3, 0.05, 0.004, 0.0003, 0.0001, 0.0009];
        Solved solved = new(new(new(x, y), ScalingLaw.Get("bnsl-falling", 0), Loss.Get(loss)), cancellation: TestContext.Current.CancellationToken);
        Assert.All(solved.Problem.Law.Predict(solved.Problem.Law.Pack(solved.Natural), x), predicted => Assert.True(predicted > 0, $"{predicted}"));
    }

    [Fact]
    public void Unit_of_y_changes_no_fit_under_losses_of_log_y_or_of_y()
    {
        foreach (string loss in new[] { "msle", "mse", "huber" })
        {
            Fit one = Fitted(Noisy(1, 1), loss), million = Fitted(Noisy(1e6, 1), loss);
            Assert.Equal(1, million.Predict(1e7) / (1e6 * one.Predict(1e7)), 1e-7);
        }
    }

    [Fact]
    public void One_point_that_is_wrong_tenfold_moves_a_Huber_fit_little_and_a_least_squares_fit_much()
    {
        double truth = 0.5 + (3 * Math.Pow(1e7, -0.3));
        double Error(string loss) => Math.Abs(Math.Log(Fitted(Noisy(1, 10), loss).Predict(1e7) / truth));
        Assert.True(Error("huber") < 0.05, $"Huber {Error("huber")}");
        Assert.True(Error("msle") > 2 * Error("huber"), $"least squares {Error("msle")}, Huber {Error("huber")}");
    }
}
