using System.Runtime.Intrinsics;
using BnslGpu.Kernels;
using MathNet.Numerics.LinearAlgebra;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Planted curves come back: the law that made the points is found again from the points.</summary>
public sealed class RecoveryTests(ITestOutputHelper output)
{
    // Where nothing is accelerated fewer curves are planted.
    private static int Curves => Vector128.IsHardwareAccelerated ? 12 : 2;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static int Starts(int breaks) => breaks switch { 0 => 64, 1 => 256, 2 => 512, _ => 2048 };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Noiseless_planted_curves_are_predicted_everywhere_and_their_parameters_come_back(int breaks)
    {
        Plant[] plants = [.. Enumerable.Range(0, Curves).Select(k => Plant.Draw(breaks, 0, k))];
        double largestPrediction = 0, largestParameter = 0;
        var lost = new List<string>();
        foreach ((Plant plant, Fit fit) in Fit(plants, breaks))
        {
            double prediction = plant.X.Max(x => Math.Abs(Math.Log(fit.Predict(x) / plant.Law.Predict(plant.Parameters, x))));

            // A refinement that ends by ResidualTolerance leaves an rms of 1e-14, so no point is off by more than √n times that and the rounding of log y: 1e-12
            // is ten times as much. The solution moves with the rounding of the points times the square of the condition of J (large residuals), or the condition (small ones).
            var problem = new Problem(new(plant.X, plant.Y), plant.Law, Loss.Get("msle"));
            double[] planted = Examples.Solver(problem, plant.Natural), found = Examples.Solver(problem, [.. fit.Parameters.SelectMany(parameter => parameter.Values)]);
            double condition = Condition(problem, found), tolerance = Math.Max(1e-8, 10 * F64.Epsilon * condition * condition);
            double parameter = planted.Zip(found).Max(pair => Math.Abs(pair.First - pair.Second) / Math.Max(1, Math.Abs(pair.First)));
            if (!(prediction <= 1e-12) || !(parameter <= tolerance))
                lost.Add($"{plant}: predictions {prediction:g3}, parameters {parameter:g3} (allowed {tolerance:g3}, condition {condition:g3}); {Describe(fit)}");
            largestPrediction = Math.Max(largestPrediction, prediction);
            largestParameter = Math.Max(largestParameter, parameter / tolerance);
        }

        output.WriteLine($"{breaks} breaks: predictions within {largestPrediction:g3}, parameters within {largestParameter:g3} of what is allowed");
        Assert.True(lost.Count == 0, $"{lost.Count} of {plants.Length} planted curves with {breaks} breaks are lost.\n{string.Join('\n', lost)}");
    }

    [Theory]
    [InlineData(0, 1e-3)]
    [InlineData(1, 1e-3)]
    [InlineData(2, 1e-3)]
    [InlineData(3, 1e-3)]
    [InlineData(0, 1e-2)]
    [InlineData(1, 1e-2)]
    [InlineData(2, 1e-2)]
    [InlineData(3, 1e-2)]
    public void Noisy_planted_curves_are_fitted_at_least_as_well_as_by_the_truth_and_predicted_within_the_noise(int breaks, double noise)
    {
        Plant[] plants = [.. Enumerable.Range(0, Curves).Select(k => Plant.Draw(breaks, noise, k))];
        double largestShare = 0, largestError = 0;
        var lost = new List<string>();
        foreach ((Plant plant, Fit fit) in Fit(plants, breaks))
        {
            double truth = plant.X.Zip(plant.Y).Average(point => Math.Pow(Math.Log(plant.Law.Predict(plant.Parameters, point.First) / point.Second), 2));
            double error = Math.Sqrt(plant.X.Average(x => Math.Pow(Math.Log(fit.Predict(x) / plant.Law.Predict(plant.Parameters, x)), 2)));

            // A linear fit errs by the noise's projection on p directions: σ² χ²(p)/n. Three times its root mean square leaves room for curvature; χ²(p) > 9p
            // has a probability below 1e-5 from p = 3 on.
            double allowed = 3 * noise * Math.Sqrt(plant.Law.ParameterCount / (double)plant.X.Length);
            if (!(fit.Objective <= truth * (1 + 1e-12)) || !(error <= allowed))
                lost.Add($"{plant}: objective {fit.Objective:g6}, of the truth {truth:g6}; error {error:g3}, allowed {allowed:g3}; {Describe(fit)}");
            largestShare = Math.Max(largestShare, fit.Objective / truth);
            largestError = Math.Max(largestError, error / allowed);
        }

        output.WriteLine($"{breaks} breaks, noise {noise}: objective at most {largestShare:g3} of the truth's, errors at most {largestError:g3} of what is allowed");
        Assert.True(lost.Count == 0, $"{lost.Count} of {plants.Length} planted curves with {breaks} breaks and noise {noise} are lost.\n{string.Join('\n', lost)}");
    }

    private static IEnumerable<(Plant Plant, Fit Fit)> Fit(Plant[] plants, int breaks)
    {
        Curve[] curves = [.. plants.Select((plant, k) => new Curve($"{k:d3}", new(plant.X, plant.Y)))];
        FitReport report = Fitter.Fit(curves, FitOptions.LeastSquares with { Breaks = [breaks], Starts = Starts(breaks) }, cancellation: Token);
        return plants.Zip(report.Curves.Select(curve => curve.Fits[0]));
    }

    private static string Describe(Fit fit) =>
        $"found [{string.Join(", ", fit.Parameters.Select(parameter => $"{parameter.Name} {string.Join(' ', parameter.Values.Select(value => value.ToString("g6")))}"))}] objective {fit.Objective:g4}, {fit.Termination}, {fit.StartsAtMinimum} of {fit.Starts} starts";

    private static double Condition(Problem problem, double[] θ)
    {
        Evaluation evaluation = new SimdBackend().Evaluate([new(problem, θ, new double[1], [])], Token)[0];
        int p = problem.ParameterCount;
        bool[] free = [.. Enumerable.Range(0, p).Select(j => θ[j] > problem.Lower[j] && θ[j] < problem.Upper[j])];
        Matrix<double> j = Matrix<double>.Build.Dense(problem.Count, p, (i, k) => evaluation.Jacobian[(i * p) + k]);
        return Matrix<double>.Build.DenseOfColumnVectors(Enumerable.Range(0, p).Where(k => free[k]).Select(j.Column)).Svd().ConditionNumber;
    }

    /// <summary>A curve whose breaks are inside the data, apart from each other and visible.</summary>
    private sealed record Plant(ScalingLaw Law, double[] Natural, double[] X, double[] Y, double Noise, int Index)
    {
        public System.Collections.Immutable.ImmutableArray<Parameter> Parameters => Law.Pack(Natural);

        public static Plant Draw(int breaks, double noise, int index)
        {
            var random = new CounterRandom(50, (ulong)breaks, (uint)index);
            int points = 30 + (int)(random.Uniform() * 31);
            double first = random.Uniform(0, 5), range = random.Uniform(4, 8) * Math.Log(10), logB = random.Uniform(-2, 2), c0 = random.Uniform(0.05, 0.5);
            double[] x = Examples.Even(points, Math.Exp(first), Math.Exp(first + range));
            var natural = new double[4 + (3 * breaks)];
            (natural[1], natural[2], natural[3]) = (Math.Exp(logB), logB, c0);
            for (int i = 0; i < breaks; i++)
            {
                // One in the middle part of each of n equal shares of the middle four fifths.
                natural[4 + i] = (random.Uniform() < 0.5 ? -1 : 1) * random.Uniform(0.2, 0.8);
                natural[4 + breaks + i] = Math.Exp(first + (range * (0.1 + (0.8 * (i + random.Uniform(0.3, 0.7)) / breaks))));
                natural[4 + (2 * breaks) + i] = random.Uniform(0.1, 0.6);
            }

            ScalingLaw law = ScalingLaw.Get("bnsl", breaks);
            double share = index % 4 == 0 ? 0 : random.Uniform(0, 0.5), smallest = x.Min(value => law.Predict(law.Pack(natural), value));
            natural[0] = share / (1 - share) * smallest;
            double[] y = [.. x.Select(value => law.Predict(law.Pack(natural), value) * Math.Exp(noise * Examples.Normal(ref random)))];
            return new(law, natural, x, y, noise, index);
        }

        public override string ToString() =>
            $"Plant {Index}, {X.Length} points from {X[0]:g3} to {X[^1]:g3}, [{string.Join(", ", Parameters.Select(parameter => $"{parameter.Name} {string.Join(' ', parameter.Values.Select(value => value.ToString("g6")))}"))}]";
    }
}
