using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What weights, standard deviations and several inputs of points mean.</summary>
public sealed class ProblemTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly double[] s_x = Examples.Even(12, 10, 1e5);
    private static readonly double[] s_y = Measured();

    [Theory]
    [InlineData("msle")]
    [InlineData("msle1p")]
    [InlineData("mse")]
    [InlineData("huber")]
    public void Weight_of_two_is_a_point_measured_twice(string loss)
    {
        double[] weights = [.. s_x.Select((_, i) => i % 3 == 0 ? 2.0 : 1)];
        int[] twice = [.. Enumerable.Range(0, s_x.Length).SelectMany(i => Enumerable.Repeat(i, (int)weights[i]))];
        Same(Fitted(new(s_x, 1, s_y, weights), loss), Fitted(new([.. twice.Select(i => s_x[i])], [.. twice.Select(i => s_y[i])]), loss));
    }

    [Fact]
    public void Weights_are_relative_and_the_objective_is_their_mean()
    {
        double[] weights = [.. s_x.Select((_, i) => 1.0 + i)];
        Solved one = Fitted(new(s_x, 1, s_y, weights), "msle"), eight = Fitted(new(s_x, 1, s_y, [.. weights.Select(weight => 8 * weight)]), "msle");
        Assert.Equal(one.Natural, eight.Natural);
        double[] predicted = one.Problem.Law.Predict(one.Problem.Law.Pack(one.Natural), s_x);
        double mean = weights.Select((weight, i) => weight * Math.Pow(Math.Log(predicted[i] / s_y[i]), 2)).Sum() / weights.Sum();
        Assert.Equal(mean, one.Objective, 1e-12 * mean);
    }

    [Fact]
    public void Sigma_counts_by_its_inverse_square()
    {
        double[] sigmas = [.. s_x.Select((_, i) => 0.01 * (1 + (i % 4)))], weights = [.. sigmas.Select(sigma => 1 / (sigma * sigma))];
        Same(Fitted(new(s_x, 1, s_y, weights), "mse"), Fitted(new(s_x, 1, s_y, sigmas: sigmas), "mse"));
        Same(Fitted(new(s_x, 1, s_y, weights), "msle"), Fitted(new(s_x, 1, s_y, sigmas: sigmas, sigmaOf: SigmaOf.LogY), "msle"));
    }

    [Theory]
    [InlineData("msle")]
    [InlineData("msle1p")]
    [InlineData("mse")]
    [InlineData("huber")]
    public void Sigma_of_log_y_is_a_sigma_of_y_relative_to_y(string loss)
    {
        double[] ofLog = [.. s_x.Select((_, i) => 0.01 * (1 + (i % 4)))], ofY = [.. ofLog.Select((sigma, i) => sigma * s_y[i])];
        Same(Fitted(new(s_x, 1, s_y, sigmas: ofLog, sigmaOf: SigmaOf.LogY), loss), Fitted(new(s_x, 1, s_y, sigmas: ofY), loss));
    }

    [Fact]
    public void Held_out_points_and_slices_keep_their_weights()
    {
        Points all = new([3, 1, 2], 1, [30, 10, 20], [0.3, 0.1, 0.2]);
        Assert.Equal([0.1, 0.2, 0.3], all.Weights.ToArray());
        Assert.Equal([0.2, 0.3], all[1..].Weights.ToArray());
    }

    [Fact]
    public void Points_outside_the_domain_of_law_and_sigmas_have_a_reason()
    {
        Assert.Equal("The law chinchilla has 2 inputs; the points have 1.", WhyNot(new([1, 2], [2, 1]), "chinchilla", "msle"));
        Assert.Equal("y = 0 at x = 2; a standard deviation of log y needs y > 0.",
            WhyNot(new([1, 2, 3], 1, [1, 0, -1], sigmas: [1, 1, 1], sigmaOf: SigmaOf.LogY), "bnsl-falling", "mse"));
        Assert.Null(WhyNot(new([1, 2, 3], 1, [1, 0, -1], sigmas: [1, 1, 1]), "bnsl-falling", "mse"));

        static string? WhyNot(Points points, string law, string loss) => Problem.WhyNot(points, ScalingLaw.Get(law, 0), Loss.Get(loss));
    }

    private static Solved Fitted(Points points, string loss) => new(new(points, ScalingLaw.Get("m2", 0), Loss.Get(loss), 0.02), cancellation: Token);

    /// <summary>The same minimum, from sums in another order.</summary>
    private static void Same(Solved expected, Solved actual)
    {
        Assert.Equal(expected.Objective, actual.Objective, 1e-10 * expected.Objective);
        Assert.All(expected.Natural.Zip(actual.Natural), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Abs(pair.First)));
    }

    private static double[] Measured()
    {
        var random = new CounterRandom(72, 0, 0);
        return [.. s_x.Select(value => (0.3 + (3 * Math.Pow(value, -0.35))) * Math.Exp(0.05 * Examples.Normal(ref random)))];
    }
}
