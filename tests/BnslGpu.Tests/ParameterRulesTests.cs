using System.Collections.Immutable;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What is said about parameters before the fit: fixed, bounded, tied, starts of one's own, priors.</summary>
public sealed class ParameterRulesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, int> EveryLaw
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (ScalingLaw law in ScalingLaw.All.Where(law => law.Breaks < 3)) data.Add(law.Name, law.Breaks);
            return data;
        }
    }

    // Fixed and bounded

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Fixed_parameter_stays_where_it_is_and_a_bounded_one_within_its_bounds(string name, int breaks)
    {
        ScalingLaw law = ScalingLaw.Get(name, breaks);
        Points points = Curve(law);
        Problem free = new(points, law, Loss.Get("msle"));
        double[] θ = new double[free.ParameterCount], drawn = new double[law.NaturalCount], slopes = new double[law.NaturalCount * θ.Length];
        free.Start(1, 0, θ);
        law.ToNatural(θ, free.Scale, drawn, slopes);
        foreach (string parameter in law.Parameters.Select(parameter => parameter.Name).Where(law.IsSearchedAlone))
        {
            int k = law.NaturalIndices(parameter)[0];
            double value = drawn[k], reach = 0.1 * Math.Abs(value);
            foreach ((double lower, double upper) in ((double, double)[])[(value, value), (value - reach, value + reach), (value - reach, double.PositiveInfinity), (double.NegativeInfinity, value + reach)])
            {
                Problem problem = new(points, law, Loss.Get("msle"), rules: new() { Ranges = [new(parameter, lower, upper)] });
                problem.Start(5, 3, θ);
                var natural = new double[drawn.Length];
                law.ToNatural(Refiner.Refine(problem, θ, 12, Token).Parameters, problem.Scale, natural, slopes);
                double rounding = 1e-13 * (1 + Math.Abs(value)); // exp(log d − log x + log x) is not d
                Assert.All(law.NaturalIndices(parameter), index => Assert.InRange(natural[index], lower - rounding, upper + rounding));
            }
        }
    }

    [Fact]
    public void Fixed_parameter_costs_no_degree_of_freedom_and_reaches_the_report_exactly()
    {
        FitOptions options = FitOptions.LeastSquares with { Breaks = [1], Starts = 32, Parameters = new() { Ranges = [new("a", 0, 0), new("c0", 0.125, 0.125)] } };
        Fit fit = Fitter.Fit([Examples.FourDigitAddition], options, cancellation: Token).Curves[0].Fits[0];
        Assert.Equal((0.0, 0.125), (fit.Parameters[0].Values[0], fit.Parameters[3].Values[0]));
        Assert.Equal(ModelSelection.Aicc(fit.Objective, 14, 4), fit.Aicc);
    }

    [Fact]
    public void Range_that_leaves_no_value_is_the_curve_s_reason()
    {
        Points points = Curve(ScalingLaw.Get("bnsl", 2));
        Assert.Matches("^a = 99 is outside the box of bnsl, which is 0 to [.0-9]+ for these points[.]$", WhyNot(new ParameterRange("a", 99, 99)));
        Assert.Matches("^d from -3 to -1 is outside the box of bnsl, which is ", WhyNot(new ParameterRange("d", -3, -1)));
        Assert.Equal("No c0 of bnsl is within every range that is asked of it and of what it is tied to.", WhyNot(new ParameterRange("c0", 0, 1), new ParameterRange("c0", 2, 3)));
        Assert.Equal("No f of bnsl is within every range that is asked of it and of what it is tied to.",
            Problem.WhyNot(points, ScalingLaw.Get("bnsl", 2), Loss.Get("msle"), new() { Ranges = [new("f1", 0.1, 0.2), new("f2", 1, 2)], Ties = [["f"]] }));
        Assert.Null(WhyNot(new ParameterRange("d", double.NegativeInfinity, 1e3)));
        Assert.Null(WhyNot(new ParameterRange("unknown", 2, 3)));

        string? WhyNot(params ParameterRange[] ranges) => Problem.WhyNot(points, ScalingLaw.Get("bnsl", 2), Loss.Get("msle"), new() { Ranges = [.. ranges] });
    }

    // Tied

    [Fact]
    public void Tied_parameters_have_the_optimum_of_the_law_that_has_only_one_of_them()
    {
        Points points = Curve(ScalingLaw.Get("chinchilla", 0));
        Solved tied = new(new(points, ScalingLaw.Get("chinchilla", 0), Loss.Get("msle"), rules: new() { Ties = [["alpha", "beta"]] }), cancellation: Token);
        Solved shared = new(new(points, new ScalingLaw<Plain<OneExponent>>(), Loss.Get("msle")), cancellation: Token);
        Solved free = new(new(points, ScalingLaw.Get("chinchilla", 0), Loss.Get("msle")), cancellation: Token);
        Assert.Equal(tied["alpha"], tied["beta"]);
        Assert.Equal(shared.Objective, tied.Objective, 1e-9 * shared.Objective);
        foreach (string parameter in (string[])["E", "A", "B", "alpha"]) Assert.Equal(shared[parameter], tied[parameter], 1e-4 * shared[parameter]);
        Assert.True(free.Objective < tied.Objective);
        Assert.Equal((4, 5), (tied.Problem.FreeCount, free.Problem.FreeCount));
    }

    [Fact]
    public void One_symbol_ties_all_breaks()
    {
        Solved solved = new(new(Curve(ScalingLaw.Get("bnsl", 2)), ScalingLaw.Get("bnsl", 2), Loss.Get("msle"), rules: new() { Ties = [["f"]] }), cancellation: Token);
        Assert.Equal(solved["f1"], solved["f2"]);
        Assert.True(solved["d1"] < solved["d2"]);
        Assert.Equal(8, solved.Problem.FreeCount);
    }

    [Fact]
    public void Groups_that_share_a_parameter_are_one_group()
    {
        Points points = Curve(ScalingLaw.Get("chinchilla3", 0));
        Solved together = Fit(["alpha1", "alpha2", "alpha3"]);
        foreach (ImmutableArray<string>[] groups in (ImmutableArray<string>[][])[
            [["alpha1", "alpha2"], ["alpha2", "alpha3"]], [["alpha2", "alpha3"], ["alpha1", "alpha3"]], [["alpha1", "alpha2", "alpha3"], ["alpha3", "alpha1"]]])
        {
            Solved apart = Fit(groups);
            Assert.Equal(together.Natural, apart.Natural);
            Assert.Equal(together.Problem.FreeCount, apart.Problem.FreeCount);
        }

        Solved Fit(params ImmutableArray<string>[] ties) =>
            new(new(points, ScalingLaw.Get("chinchilla3", 0), Loss.Get("msle"), rules: new() { Ties = [.. ties] }), 8, Token);
    }

    // Starts

    [Fact]
    public void Own_start_is_the_first_and_what_it_leaves_out_is_drawn()
    {
        ScalingLaw law = ScalingLaw.Get("bnsl", 1);
        Points points = Curve(law);
        Problem random = new(points, law, Loss.Get("msle"));
        double[] whole = [0.1, 2, Math.Log(2), 0.2, 0.4, 900, 0.3];
        string[] names = ["a", "b", "logB", "c0", "c", "d", "f"];
        ParameterRules rules = new() { Starts = [[.. names.Zip(whole, (name, value) => new ParameterValue(name, value)).Where(value => value.Parameter != "logB")], [new("c0", 0.7)]] };
        Problem problem = new(points, law, Loss.Get("msle"), rules: rules);
        double[] θ = new double[6], drawn = new double[6], natural = new double[7];
        problem.Start(1, 0, θ);
        law.ToNatural(θ, problem.Scale, natural, new double[42]);
        Assert.All(whole.Zip(natural), pair => Assert.Equal(pair.First, pair.Second, 1e-12 * Math.Abs(pair.First)));

        problem.Start(1, 1, θ);
        random.Start(1, 1, drawn);
        Assert.Equal([drawn[0], drawn[1], 0.7, .. drawn[3..]], θ);
        problem.Start(1, 2, θ);
        random.Start(1, 2, drawn);
        Assert.Equal(drawn, θ);
    }

    [Fact]
    public void One_start_of_one_s_own_finds_the_minimum_it_is_near()
    {
        ScalingLaw law = ScalingLaw.Get("bnsl", 3);
        double[] truth = [0.2, 30, Math.Log(30), 0.1, 0.4, -0.3, 0.5, 1e3, 1e5, 1e7, 0.2, 0.3, 0.2], x = Examples.Even(60, 10, 1e9);
        Curve curve = new("three breaks", new(x, law.Predict(law.Pack(truth), x)));
        ImmutableArray<ParameterValue> near =
            [new("a", 0.19), new("b", 31), new("c0", 0.11), new("c1", 0.41), new("c2", -0.31), new("c3", 0.52), new("d1", 1.1e3), new("d2", 1.1e5), new("d3", 0.9e7), new("f", 0.25)];
        FitOptions options = FitOptions.LeastSquares with { Breaks = [3], Starts = 1, Parameters = new() { Starts = [near] } };
        Fit fit = Fitter.Fit([curve], options, cancellation: Token).Curves[0].Fits[0];
        Assert.Equal(1, fit.StartsAtMinimum);
        Assert.All(truth.Zip(fit.Parameters.SelectMany(parameter => parameter.Values)), pair => Assert.Equal(pair.First, pair.Second, 1e-6 * Math.Abs(pair.First)));
    }

    // Priors

    [Theory]
    [InlineData(0.1, 1)]
    [InlineData(0.01, 1)]
    [InlineData(0.01, 0.004)]
    public void Gaussian_prior_of_a_linear_law_has_the_posterior_mode_of_the_normal_equations(double spread, double variance)
    {
        // m1 is log y = α + b u: minimise Σ (α + b u − t)² + κ (b − m)²/σ².
        const double Centre = -0.6;
        Points points = Line();
        Solved solved = new(new(points, ScalingLaw.Get("m1", 0), Loss.Get("msle"), rules: new() { Priors = [new("b", Centre, spread)], PriorVariance = variance }), cancellation: Token);
        double[] u = [.. points.X.ToArray().Select(value => Math.Log(value))], t = [.. points.Y.ToArray().Select(value => Math.Log(value))];
        double n = u.Length, su = u.Sum(), st = t.Sum(), suu = u.Sum(value => value * value), sut = u.Zip(t, (left, right) => left * right).Sum(), π = variance / (spread * spread);
        double b = ((n * (sut + (π * Centre))) - (su * st)) / ((n * (suu + π)) - (su * su));
        Assert.Equal(b, solved["b"], 1e-9);
        Assert.InRange(b, Centre, Slope(points));
    }

    [Fact]
    public void Student_s_prior_tends_to_the_Gaussian_with_its_degrees_and_to_least_squares_with_its_spread()
    {
        Points points = Line();
        double gauss = Fitted(new("b", -0.6, 0.05)), plain = Slope(points);
        Assert.Equal(gauss, Fitted(new("b", -0.6, 0.05, 1e9)), 1e-7);
        double last = double.PositiveInfinity;
        foreach (double degrees in (double[])[1, 10, 100, 1000])
        {
            double gap = Math.Abs(Fitted(new("b", -0.6, 0.05, degrees)) - gauss);
            Assert.True(gap < last);
            last = gap;
        }

        foreach (double degrees in (double[])[1, 5, double.PositiveInfinity]) Assert.Equal(plain, Fitted(new("b", -0.6, 1e6, degrees)), 1e-9);

        double Fitted(Prior prior) => new Solved(new(points, ScalingLaw.Get("m1", 0), Loss.Get("msle"), rules: new() { Priors = [prior] }), 4, Token)["b"];
    }

    [Theory]
    [InlineData(double.PositiveInfinity)]
    [InlineData(2)]
    public void Log_posterior_is_flat_at_the_mode(double degrees)
    {
        // Priors written out as densities, the Hessian from the same differences: the mode is within 1e-5 of a spread of θ.
        const double Variance = 4e-4;
        Prior[] priors = [new("c0", 0.3, 0.05, degrees), new("f", Math.Log(0.5), 0.3, degrees)];
        Problem problem = new(Curve(ScalingLaw.Get("bnsl", 1)), ScalingLaw.Get("bnsl", 1), Loss.Get("msle"), rules: new() { Priors = [.. priors], PriorVariance = Variance });
        Solved solved = new(problem, 64, Token);
        double[] θ = solved.Minimum.Parameters;
        for (int j = 0; j < θ.Length; j++)
        {
            if (solved.Minimum.Held[j]) continue;
            double h = 1e-4, here = NegativeLogPosterior(0), ahead = NegativeLogPosterior(h), behind = NegativeLogPosterior(-h);
            double gradient = (ahead - behind) / (2 * h), curvature = (ahead + behind - (2 * here)) / (h * h);
            Assert.True(curvature > 0);
            Assert.True(Math.Abs(gradient) < 1e-4 * Math.Sqrt(curvature), $"θ[{j}]: gradient {gradient:g3}, curvature {curvature:g3}");

            double NegativeLogPosterior(double step)
            {
                double[] at = [.. θ];
                at[j] += step;
                double[] r = new SimdBackend().Evaluate([new(problem, at, [0], [])], Token)[0].Residuals;
                double sum = r.Sum(value => value * value) / (2 * Variance);
                foreach (Prior prior in priors)
                {
                    double z = (at[problem.Law.CoordinateOf(problem.Law.NaturalIndices(prior.Parameter)[0])] - prior.Centre) / prior.Spread;
                    sum += double.IsPositiveInfinity(prior.Degrees) ? z * z / 2 : (prior.Degrees + 1) / 2 * Math.Log(1 + (z * z / prior.Degrees));
                }

                return sum;
            }
        }
    }

    [Fact]
    public void Tied_parameters_have_one_prior()
    {
        Points points = Curve(ScalingLaw.Get("chinchilla", 0));
        Prior alpha = new("alpha", 0.5, 0.01), beta = alpha with { Parameter = "beta" };
        Solved first = Fit(alpha), second = Fit(beta), both = Fit(alpha, beta);
        Assert.Equal(first.Natural, second.Natural);
        Assert.Equal(first.Natural, both.Natural);
        Assert.True(first["alpha"] > Fit()["alpha"]);

        Solved Fit(params Prior[] priors) =>
            new(new(points, ScalingLaw.Get("chinchilla", 0), Loss.Get("msle"), rules: new() { Priors = [.. priors], Ties = [["alpha", "beta"]] }), 8, Token);
    }

    // Choices

    [Fact]
    public void Rules_that_no_law_can_keep_are_named_with_their_value()
    {
        Assert.Equal("ParameterRules.Ranges = q. Violated constraint: a parameter of the law: a, b, logB, c0, c, d, f (c2 is c of the second break).",
            Violation(new() { Ranges = [new("q", 0, 1)] }));
        Assert.Equal("ParameterRules.Ranges = b. Violated constraint: one of a, c0, c, d, f: bnsl searches b together with others, as the level at the last point.",
            Violation(new() { Ranges = [new("b", 0, 1)] }));
        Assert.Equal("ParameterRules.Ranges = a from 2 to 1. Violated constraint: lowest <= highest.", Violation(new() { Ranges = [new("a", 2, 1)] }));
        Assert.Equal("ParameterRules.Ties = c=f. Violated constraint: parameters of bnsl that are searched in the same coordinate.", Violation(new() { Ties = [["c", "f"]] }));
        Assert.Equal("ParameterRules.Ties = a=c0. Violated constraint: parameters of bnsl that are searched in the same coordinate.", Violation(new() { Ties = [["a", "c0"]] }));
        Assert.Equal("ParameterRules.Starts = d=-1. Violated constraint: > 0.", Violation(new() { Starts = [[new("d", -1)]] }));
        Assert.Equal("ParameterRules.Starts = b=0. Violated constraint: > 0.", Violation(new() { Starts = [[new("b", 0)]] }));
        Assert.Equal("ParameterRules.Starts = a=NaN. Violated constraint: a finite number.", Violation(new() { Starts = [[new("a", double.NaN)]] }));
        Assert.StartsWith("ParameterRules.Priors = ", Violation(new() { Priors = [new("c0", 0, 0)] }), StringComparison.Ordinal);
        Assert.Equal("ParameterRules.PriorVariance = 0. Violated constraint: > 0 and finite.", Violation(new() { PriorVariance = 0 }));
        (FitOptions.LeastSquares with { Parameters = new() { Ranges = [new("c3", 0, 1)], Ties = [["c0", "c"]] } }).Validate();

        static string Violation(ParameterRules rules) => Assert.Throws<ArgumentException>(() => (FitOptions.LeastSquares with { Parameters = rules }).Validate()).Message;
    }

    private static double Slope(Points points) => new Solved(new(points, ScalingLaw.Get("m1", 0), Loss.Get("msle")), 4, Token)["b"];

    private static Points Line()
    {
        var random = new CounterRandom(73, 0, 0);
        double[] x = Examples.Even(20, 1, 1e4);
        return new(x, [.. x.Select(value => 5 * Math.Pow(value, -0.4) * Math.Exp(0.1 * Examples.Normal(ref random)))]);
    }

    /// <summary>A falling curve with a bend and noise; further inputs fall too, each out of step with the others.</summary>
    private static Points Curve(ScalingLaw law)
    {
        var random = new CounterRandom(74, 0, 0);
        int count = 32;
        double[] x = Examples.Even(count, 10, 1e5), inputs = new double[count * law.InputCount], y = new double[count];
        for (int i = 0; i < count; i++)
        {
            y[i] = 0.3 + (3 * Math.Pow(x[i], -0.3) / (1 + Math.Pow(x[i] / 2000, 0.5)));
            for (int k = 0; k < law.InputCount; k++)
            {
                inputs[(i * law.InputCount) + k] = k == 0 ? x[i] : Examples.Even(count, 100, 1e7)[(7 * i * k) % count];
                if (k > 0) y[i] += 2 * k * Math.Pow(inputs[(i * law.InputCount) + k], -0.25);
            }

            y[i] *= Math.Exp(0.02 * Examples.Normal(ref random));
        }

        return new(inputs, law.InputCount, y);
    }
}
