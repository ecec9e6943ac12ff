using BnslGpu.Kernels;
using MathNet.Numerics.LinearAlgebra;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The refinement means what it says: every claim of a <see cref="Minimum"/> is computed again from its θ, with another library's algebra.</summary>
public sealed class RefinerTests(ITestOutputHelper output)
{
    private const int Steps = 300;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Termination_bounds_gradient_norm_and_triangle_hold_at_the_returned_parameters()
    {
        var seen = new Dictionary<Termination, int>();
        foreach (Problem problem in EveryKindOfProblem())
        {
            Candidates found = new SimdBackend().Search(new([problem]), new(64, 2, 4, SearchPrecision.Double, 200), stop: Token)[0];
            for (int k = 0; k < found.Losses.Length; k++)
            {
                Minimum minimum = Refiner.Refine(problem, found[k], Steps, TestContext.Current.CancellationToken);
                string what = $"{problem.Law.Breaks} breaks, {problem.Loss.Name}, {problem.Count} points, candidate {k}: {minimum.Termination} after {minimum.Iterations}";
                seen[minimum.Termination] = seen.GetValueOrDefault(minimum.Termination) + 1;
                var at = new Again(problem, minimum);

                // The same sums in another order: n terms, each rounded a few times.
                Assert.Equal(at.Loss, minimum.Loss, 4 * problem.Count * F64.Epsilon * at.Loss);
                Assert.True(minimum.Loss <= found.Losses[k] + Hidden(minimum), $"{what}: {found.Losses[k]:R} became {minimum.Loss:R}");
                for (int j = 0; j < problem.ParameterCount; j++) Assert.InRange(minimum.Parameters[j], problem.Lower[j], problem.Upper[j]);
                if (at.HeldIsClear) Assert.Equal(at.Held, minimum.Held);
                Assert.Equal(at.GradientNorm, minimum.GradientNorm, at.GradientRounding);
                at.CheckTriangle(what);
                switch (minimum.Termination)
                {
                    case Termination.GradientTolerance:
                        // Rounding of Jᵀr moves a cosine by no more than n ε.
                        Assert.True(at.LargestCosine <= Refiner.GradientTolerance + (problem.Count * F64.Epsilon), $"{what}: cosine {at.LargestCosine:g3}");
                        break;
                    case Termination.ResidualTolerance:
                        Assert.True(Math.Sqrt(at.Loss / problem.Count) <= Refiner.ResidualTolerance * (1 + (4 * problem.Count * F64.Epsilon)), $"{what}: rms {Math.Sqrt(at.Loss / problem.Count):g3}");
                        break;
                    case Termination.ObjectiveTolerance:
                        // Gauss-Newton's step or Newton's, whichever was being taken. A promise of 1e-14 is a cosine of 1e-7, which rounding moves by 1e-9 at most;
                        // Newton's is known to what differences of the gradient tell.
                        double promise = Math.Min(at.PromiseOfGaussNewton, at.PromiseOfNewton);
                        Assert.True(promise <= 1.2 * Refiner.ObjectiveTolerance * at.Loss, $"{what}: promised {promise / at.Loss:g3} of the objective");
                        break;
                    case Termination.MaxIterations:
                        output.WriteLine($"{what}; objective {at.Loss / problem.Count:g6}, cosine {at.LargestCosine:g3}, promises {at.PromiseOfGaussNewton / at.Loss:g3} and {at.PromiseOfNewton / at.Loss:g3}");
                        break;
                    case Termination.StepTolerance:
                        break; // no step that is larger lowers the objective: see the test below
                    default:
                        Assert.Fail($"{what}; cosine {at.LargestCosine:g3}");
                        break;
                }
            }
        }

        output.WriteLine(string.Join(", ", seen.Select(pair => $"{pair.Key} {pair.Value}")));
        Assert.True(seen.Count >= 2);
    }

    [Fact]
    public void No_small_step_in_any_direction_lowers_the_objective_visibly()
    {
        var random = new CounterRandom(30, 0, 0);
        foreach (Problem problem in EveryKindOfProblem())
        {
            Candidates found = new SimdBackend().Search(new([problem]), new(64, 2, 1, SearchPrecision.Double, 200), stop: Token)[0];
            Minimum minimum = Refiner.Refine(problem, found[0], Steps, TestContext.Current.CancellationToken);
            int p = problem.ParameterCount;
            const int directions = 60;
            var around = new double[directions * p];
            for (int m = 0; m < around.Length; m++)
            {
                int j = m % p;
                double size = Math.Pow(10, -8 + (m / p % 6)) * (Math.Abs(minimum.Parameters[j]) + 0.1);
                around[m] = Math.Clamp(minimum.Parameters[j] + (size * random.Uniform(-1, 1)), problem.Lower[j], problem.Upper[j]);
            }

            double[] residuals = new SimdBackend().Evaluate([new(problem, around, new double[directions], [])], Token)[0].Residuals;

            if (minimum.Termination == Termination.MaxIterations) continue; // the documentation promises nothing
            foreach (double[] r in residuals.Chunk(problem.Count))
            {
                double loss = r.Sum(value => value * value);
                Assert.True(loss >= (minimum.Loss * (1 - 1e-9)) - Hidden(minimum), $"{problem.Law.Breaks} breaks, {minimum.Termination}: {loss:R} beside {minimum.Loss:R}");
            }
        }
    }

    /// <summary>What rounding hides: log y is of order 1 and wrong by some ε, each r moves by that, and Σr² by 2 ‖r‖ √n and n as much.</summary>
    private static double Hidden(Minimum minimum)
    {
        double perPoint = 64 * F64.Epsilon, n = 24;
        return (2 * Math.Sqrt(minimum.Loss * n) * perPoint) + (n * perPoint * perPoint);
    }

    [Fact]
    public void A_budget_of_Jacobians_that_is_spent_is_MaxIterations()
    {
        Problem problem = new(Examples.FourDigitAddition.Fit, ScalingLaw.Get("bnsl", 1), Loss.Get("msle1p"));
        var θ = new double[problem.ParameterCount];
        problem.Start(1, 0, θ);
        Minimum minimum = Refiner.Refine(problem, θ, 3, TestContext.Current.CancellationToken);
        Assert.Equal((Termination.MaxIterations, 3), (minimum.Termination, minimum.Iterations));
    }

    [Fact]
    public async Task A_beginning_that_is_not_a_number_ends_as_NonFinite()
    {
        Problem problem = new(Examples.FourDigitAddition.Fit, ScalingLaw.Get("bnsl", 1), Loss.Get("msle1p"));
        for (int j = 0; j < problem.ParameterCount; j++)
        {
            var θ = new double[problem.ParameterCount];
            problem.Start(1, 0, θ);
            θ[j] = double.NaN;
            Assert.Equal(Termination.NonFinite, (await Refine(θ)).Termination);
            θ[j] = double.PositiveInfinity;
            Assert.Equal(Termination.NonFinite, (await Refine(θ)).Termination);
        }

        // Every comparison with NaN is false, which a loop may wait for without end.
        Task<Minimum> Refine(double[] beginning) => Task.Run(() => Refiner.Refine(problem, beginning, 50), Token).WaitAsync(TimeSpan.FromSeconds(20), Token);
    }

    [Fact]
    public void Four_digit_addition_is_refined_to_its_known_optimum_from_one_percent_beside_it()
    {
        Problem problem = new(Examples.FourDigitAddition.Fit, ScalingLaw.Get("bnsl", 1), Loss.Get("msle1p"));
        double[] known = Examples.FourDigitAdditionNatural;
        foreach (double factor in (double[])[0.99, 1, 1.01])
        {
            double[] θ = Examples.Solver(problem, known), natural = new double[known.Length];
            for (int j = 0; j < θ.Length; j++) θ[j] *= factor;
            Minimum minimum = Refiner.Refine(problem, θ, Steps, TestContext.Current.CancellationToken);
            problem.Law.ToNatural(minimum.Parameters, problem.Scale, natural, new double[natural.Length * θ.Length]);
            for (int k = 0; k < known.Length; k++) Assert.Equal(known[k], natural[k], 1e-5 * Math.Abs(known[k])); // known to 6 or 7 figures
            Assert.Equal(5.985e-4, Rmsle(), 0.0005e-4);

            double Rmsle() => Math.Sqrt(Enumerable.Range(0, problem.Count).Average(i =>
            {
                double r = Math.Log(problem.Law.Predict(problem.Law.Pack(natural), Examples.FourDigitAddition.Fit.X[i]) / Examples.FourDigitAddition.Fit.Y[i]);
                return r * r;
            }));
        }
    }

    // Householder

    [Fact]
    public void Householder_triangle_is_MathNets_R_up_to_signs()
    {
        var random = new CounterRandom(31, 0, 0);
        for (int draw = 0; draw < 300; draw++)
        {
            int columns = 1 + (int)(random.Uniform() * 12), rows = columns + (int)(random.Uniform() * 30);
            Matrix<double> a = RandomMatrix(ref random, rows, columns), b = RandomMatrix(ref random, rows, 2);
            (Matrix<double> r, Matrix<double> s) = Triangularise(a, b);
            MathNet.Numerics.LinearAlgebra.Factorization.QR<double> qr = a.QR();
            Matrix<double> expected = qr.R.SubMatrix(0, columns, 0, columns), expectedS = (qr.Q.Transpose() * b).SubMatrix(0, columns, 0, 2);

            // Backward error of p reflections of n numbers: n p ε ‖A‖ (Higham 2002, theorem 19.4); R and Qᵀb move with the condition of A.
            double condition = a.Svd().ConditionNumber, tolerance = rows * columns * F64.Epsilon * condition;
            for (int j = 0; j < columns; j++)
            {
                double sign = Math.Sign(r[j, j]) * Math.Sign(expected[j, j]);
                for (int k = j; k < columns; k++) Assert.Equal(expected[j, k], sign * r[j, k], tolerance * a.L2Norm());
                for (int k = 0; k < 2; k++) Assert.Equal(expectedS[j, k], sign * s[j, k], tolerance * b.L2Norm());
            }
        }
    }

    [Fact]
    public void Householder_keeps_inner_products_whatever_the_rank()
    {
        var random = new CounterRandom(32, 0, 0);
        for (int draw = 0; draw < 300; draw++)
        {
            int columns = 2 + (int)(random.Uniform() * 10), rows = 1 + (int)(random.Uniform() * 25), rank = 1 + (int)(random.Uniform() * (columns - 1));
            Matrix<double> a = RandomMatrix(ref random, rows, rank) * RandomMatrix(ref random, rank, columns), b = RandomMatrix(ref random, rows, 1);
            if (draw % 3 == 0) a.ClearColumn(columns / 2);
            if (draw % 3 == 1) a.SetColumn(columns - 1, a.Column(0));
            a *= Math.Pow(10, random.Uniform(-60, 60));
            (Matrix<double> r, Matrix<double> s) = Triangularise(a, b);
            int kept = Math.Min(rows, columns);
            double tolerance = 4 * rows * columns * F64.Epsilon;
            Assert.True(((r.Transpose() * r) - (a.Transpose() * a)).L2Norm() <= tolerance * a.L2Norm() * a.L2Norm(), $"draw {draw}");
            Matrix<double> range = r.Transpose() * s.SubMatrix(0, kept, 0, 1);
            Assert.True((range - (a.Transpose() * b)).L2Norm() <= tolerance * a.L2Norm() * b.L2Norm(), $"draw {draw}");
            Assert.True(s.L2Norm() <= b.L2Norm() * (1 + tolerance));
        }
    }

    private static Matrix<double> RandomMatrix(ref CounterRandom random, int rows, int columns)
    {
        Matrix<double> matrix = Matrix<double>.Build.Dense(rows, columns);
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) matrix[i, j] = random.Uniform(-1, 1);
        return matrix;
    }

    private static (Matrix<double> Triangle, Matrix<double> Others) Triangularise(Matrix<double> a, Matrix<double> b)
    {
        double[] both = [.. a.ToColumnMajorArray(), .. b.ToColumnMajorArray()];
        Householder.Triangularise(both, a.RowCount, a.ColumnCount, b.ColumnCount);
        int kept = Math.Min(a.RowCount, a.ColumnCount);
        return (
            Matrix<double>.Build.Dense(kept, a.ColumnCount, (i, j) => i <= j ? both[(j * a.RowCount) + i] : 0),
            Matrix<double>.Build.Dense(kept, b.ColumnCount, (i, j) => both[((a.ColumnCount + j) * a.RowCount) + i]));
    }

    /// <summary>Everything that a minimum says of itself, computed from its θ by the backend's Evaluate and MathNet.</summary>
    private sealed class Again
    {
        private readonly Problem _problem;
        private readonly Minimum _minimum;
        private readonly Matrix<double> _jacobian;
        private readonly Vector<double> _residuals, _gradient, _gradientTerms;
        private readonly int[] _free;

        public Again(Problem problem, Minimum minimum)
        {
            (_problem, _minimum) = (problem, minimum);
            (_jacobian, _residuals) = At(minimum.Parameters);
            _gradient = _jacobian.TransposeThisAndMultiply(_residuals);
            _gradientTerms = _jacobian.PointwiseAbs().TransposeThisAndMultiply(_residuals.PointwiseAbs());
            Loss = _residuals * _residuals;
            Held = new bool[problem.ParameterCount];
            HeldIsClear = true;
            for (int j = 0; j < Held.Length; j++)
            {
                bool low = minimum.Parameters[j] <= problem.Lower[j], high = minimum.Parameters[j] >= problem.Upper[j];
                Held[j] = (low && _gradient[j] > 0) || (high && _gradient[j] < 0);
                HeldIsClear &= !(low || high) || Math.Abs(_gradient[j]) > 4 * problem.Count * F64.Epsilon * _gradientTerms[j];
            }

            _free = [.. Enumerable.Range(0, Held.Length).Where(j => !minimum.Held[j])];
        }

        public double Loss { get; }

        public bool[] Held { get; }

        /// <summary>False where a gradient at a bound is nothing but rounding, and its sign as well.</summary>
        public bool HeldIsClear { get; }

        public double GradientNorm => _free.Length == 0 ? 0 : _free.Max(j => Math.Abs(2 * _gradient[j] / _problem.Count));

        public double GradientRounding => 4 * F64.Epsilon * _gradientTerms.Maximum();

        public double LargestCosine
        {
            get
            {
                double largest = 0;
                foreach (int j in _free) largest = Math.Max(largest, Math.Abs(_gradient[j]) / (_jacobian.Column(j).L2Norm() * Math.Sqrt(Loss)));
                return largest;
            }
        }

        /// <summary>‖P r‖², P the projection on the free columns of J.</summary>
        public double PromiseOfGaussNewton
        {
            get
            {
                if (_free.Length == 0) return 0;
                Vector<double> s = Columns(_jacobian).QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q.TransposeThisAndMultiply(_residuals);
                return s * s;
            }
        }

        /// <summary>gᵀH⁻¹g, H = JᵀJ + Σ r ∇²r by central differences of g; +∞ where H is not positive definite.</summary>
        public double PromiseOfNewton
        {
            get
            {
                int m = _free.Length;
                Matrix<double> h = Matrix<double>.Build.Dense(m, m);
                for (int k = 0; k < m; k++)
                {
                    double[] ahead = [.. _minimum.Parameters], behind = [.. _minimum.Parameters];
                    double size = 1e-5 * Math.Max(Math.Abs(ahead[_free[k]]), 0.1);
                    ahead[_free[k]] += size;
                    behind[_free[k]] -= size;
                    Vector<double> difference = (Gradient(ahead) - Gradient(behind)) / (2 * size);
                    for (int j = 0; j < m; j++) h[j, k] = difference[_free[j]];
                }

                h = (h + h.Transpose()) / 2;
                if (m == 0 || h.Evd(Symmetricity.Symmetric).EigenValues.Any(value => value.Real <= 0)) return m == 0 ? 0 : double.PositiveInfinity;
                Vector<double> g = Vector<double>.Build.Dense(m, j => _gradient[_free[j]]);
                return g * h.Solve(g);
            }
        }

        /// <summary>RᵀR = JᵀJ and Rᵀs = Jᵀr.</summary>
        public void CheckTriangle(string what)
        {
            int p = _problem.ParameterCount;
            Matrix<double> triangle = Matrix<double>.Build.Dense(p, p + 1, (i, j) => _minimum.Triangle[(i * (p + 1)) + j]), r = triangle.SubMatrix(0, p, 0, p);
            double tolerance = 4 * _problem.Count * p * F64.Epsilon, norm = _jacobian.L2Norm();
            Assert.True((r.TransposeThisAndMultiply(r) - _jacobian.TransposeThisAndMultiply(_jacobian)).L2Norm() <= tolerance * norm * norm, what);
            Assert.True((r.TransposeThisAndMultiply(triangle.Column(p)) - _gradient).L2Norm() <= tolerance * norm * Math.Sqrt(Loss), what);
            int m = _free.Length;
            double[] free = _minimum.Free();
            Matrix<double> freeR = m == 0 ? r : Matrix<double>.Build.Dense(m, m, (i, j) => free[(i * m) + j]);
            if (m > 0) Assert.True((freeR.TransposeThisAndMultiply(freeR) - Columns(_jacobian).TransposeThisAndMultiply(Columns(_jacobian))).L2Norm() <= tolerance * norm * norm, what);
        }

        private Matrix<double> Columns(Matrix<double> of) => Matrix<double>.Build.DenseOfColumnVectors(_free.Select(of.Column));

        private Vector<double> Gradient(double[] θ)
        {
            (Matrix<double> j, Vector<double> r) = At(θ);
            return j.TransposeThisAndMultiply(r);
        }

        private (Matrix<double> Jacobian, Vector<double> Residuals) At(double[] θ)
        {
            Evaluation evaluation = new SimdBackend(LaneWidth.Scalar).Evaluate([new(_problem, θ, new double[1], [])], Token)[0];
            int p = _problem.ParameterCount;
            return (Matrix<double>.Build.Dense(_problem.Count, p, (i, j) => evaluation.Jacobian[(i * p) + j]), Vector<double>.Build.Dense(evaluation.Residuals));
        }
    }

    /// <summary>Noisy, noiseless, flat, rising, sharp; more parameters than points among them.</summary>
    private static IEnumerable<Problem> EveryKindOfProblem()
    {
        var random = new CounterRandom(33, 0, 0);
        double[] x = Examples.Even(24, 30, 3e6), few = Examples.Even(5, 10, 1e4);
        double[][] curves =
        [
            [.. x.Select(value => 0.3 + Math.Pow(value, -0.3))],
            [.. x.Select(value => (0.3 + (4 * Math.Pow(value, -0.3) / (1 + (value / 3000)))) * (1 + random.Uniform(-0.02, 0.02)))],
            [.. x.Select(value => (0.1 + Math.Pow(value, 0.2)) * (1 + random.Uniform(-0.001, 0.001)))],
            [.. x.Select(value => (value < 5000 ? 2 : 0.7) * (1 + random.Uniform(-0.05, 0.05)))],
            [.. x.Select(_ => 2.5)],
        ];
        foreach (int breaks in (int[])[0, 1, 2])
        {
            foreach (Loss loss in Loss.All)
            {
                foreach (double[] y in curves) yield return new(new(x, y), ScalingLaw.Get("bnsl", breaks), loss);
                yield return new(new(few, [3, 2, 1.7, 1.1, 1]), ScalingLaw.Get("bnsl", breaks), loss);
            }
        }
    }
}
