using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>A minimum, in the solver's coordinates.</summary>
/// <param name="Parameters">θ, sorted as reported. Shape [p].</param>
/// <param name="Loss">Σ w r².</param>
/// <param name="GradientNorm">max_j |∂ mean(w r²)/∂θ_j| over parameters not held at a bound.</param>
/// <param name="Termination">The inequality that ended it.</param>
/// <param name="Iterations">Jacobians that were factored.</param>
/// <param name="Held">Parameters held at a bound. Shape [p].</param>
/// <param name="Triangle">R of J = QR at θ with s = Qᵀr as its last column, row by row. Shape [p, p + 1].</param>
internal sealed record Minimum(
    double[] Parameters, double Loss, double GradientNorm, Termination Termination, int Iterations, bool[] Held, double[] Triangle)
{
    /// <summary>R of the columns that are free. Shape [free, free], row by row.</summary>
    public double[] Free()
    {
        int p = Parameters.Length;
        int[] free = [.. Enumerable.Range(0, p).Where(j => !Held[j])];
        var a = new double[p * free.Length];
        for (int j = 0; j < free.Length; j++)
            for (int i = 0; i < p; i++) a[(j * p) + i] = Triangle[(i * (p + 1)) + free[j]];
        Householder.Triangularise(a, p, free.Length, 0);
        var triangle = new double[free.Length * free.Length];
        for (int j = 0; j < free.Length; j++)
            for (int i = 0; i <= j; i++) triangle[(i * free.Length) + j] = a[(j * p) + i];
        return triangle;
    }
}

/// <summary>Brings a candidate to its minimum in double: Levenberg-Marquardt with the step from a QR factorisation of J, never from JᵀJ.</summary>
/// <remarks>
/// <code>
/// [J r] = Q [R s]                                    Householder
/// min ‖ [R; √λ D] δ + [s; 0] ‖                       Householder again, p columns, for each λ
/// θ′ = clamp(θ + δ); a parameter at its bound that the gradient pushes outwards is held
/// </code>
/// D is ‖J_j‖ with the same floor as in the search. λ falls tenfold on success, so the last steps are Gauss-Newton steps. Nocedal and Wright 2006, §10.3.
/// </remarks>
internal static class Refiner
{
    internal const double GradientTolerance = 1e-10, ResidualTolerance = 1e-14, ObjectiveTolerance = 1e-14, StepTolerance = 1e-13;
    private const int MaxIterations = 300;

    /// <summary>Refines one candidate.</summary>
    public static Minimum Refine(Problem problem, ReadOnlySpan<double> θ)
    {
        var closer = new Closer(problem, θ.ToArray());
        return problem.Law.Close<Closer, Minimum>(problem.Loss, ref closer);
    }

    private readonly struct Closer(Problem problem, double[] start) : IModelVisitor<Minimum>
    {
        public Minimum Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => new Refinement<TLaw, TLoss>(problem).Run(start);
    }

    private sealed class Refinement<TLaw, TLoss>
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        private readonly Problem _problem;
        private readonly int _n, _p;
        private readonly Heap<F64> _points;
        private readonly F64[] _θ, _work, _row;

        // [J r] by columns, (p + 1) of n; then R by rows with s as its last column, p of (p + 1).
        private readonly double[] _columns, _triangle;

        public Refinement(Problem problem)
        {
            (_problem, _n, _p) = (problem, problem.Count, TLaw.ParameterCount);
            var points = new F64[problem.Packed.Length];
            for (int m = 0; m < points.Length; m++) points[m] = new(problem.Packed[m]);
            _points = new(points);
            (_θ, _work, _row) = (new F64[_p], new F64[TLaw.WorkCount], new F64[_p]);
            _columns = new double[_n * (_p + 1)];
            _triangle = new double[_p * (_p + 1)];
        }

        public Minimum Run(double[] start)
        {
            double[] θ = start, trial = new double[_p], step = new double[_p], norms = new double[_p], gradient = new double[_p];
            var held = new bool[_p];
            double loss = Factor(θ, norms, gradient);
            double λ = 1e-3;
            var termination = Termination.MaxIterations;
            int iteration = 1;
            for (; iteration < MaxIterations; iteration++)
            {
                if (!double.IsFinite(loss) || !Array.TrueForAll(gradient, double.IsFinite))
                {
                    termination = Termination.NonFinite;
                    break;
                }

                for (int j = 0; j < _p; j++)
                {
                    held[j] = _problem.Lower[j] >= _problem.Upper[j]
                        || (θ[j] <= _problem.Lower[j] && gradient[j] > 0)
                        || (θ[j] >= _problem.Upper[j] && gradient[j] < 0);
                }

                if (Math.Sqrt(loss / _n) <= ResidualTolerance)
                {
                    termination = Termination.ResidualTolerance;
                    break;
                }

                if (LargestCosine(gradient, norms, held, loss) <= GradientTolerance)
                {
                    termination = Termination.GradientTolerance;
                    break;
                }

                if (Solve(0, norms, held, step) <= ObjectiveTolerance * loss)
                {
                    termination = Termination.ObjectiveTolerance;
                    break;
                }

                bool stuck = false;
                while (true)
                {
                    Solve(λ, norms, held, step);
                    double size = 0;
                    for (int j = 0; j < _p; j++)
                    {
                        trial[j] = Math.Min(Math.Max(θ[j] + step[j], _problem.Lower[j]), _problem.Upper[j]);
                        size = Math.Max(size, Math.Abs(trial[j] - θ[j]) / (Math.Abs(θ[j]) + 1e-3));
                    }

                    if (Loss(trial) < loss)
                    {
                        λ = Math.Max(λ * 0.1, 1e-16);
                        break;
                    }

                    if (size <= StepTolerance)
                    {
                        stuck = true;
                        break;
                    }

                    λ = Math.Max(λ, 1e-16) * 10;
                }

                if (stuck)
                {
                    termination = Termination.StepTolerance;
                    break;
                }

                trial.CopyTo(θ, 0);
                loss = Factor(θ, norms, gradient);
            }

            // Once more in the order of the report: the triangle belongs to its columns.
            TLaw.Sort(θ);
            loss = Factor(θ, norms, gradient);
            double gradientNorm = 0;
            for (int j = 0; j < _p; j++)
            {
                held[j] = _problem.Lower[j] >= _problem.Upper[j]
                    || (θ[j] <= _problem.Lower[j] && gradient[j] > 0)
                    || (θ[j] >= _problem.Upper[j] && gradient[j] < 0);
                if (!held[j]) gradientNorm = Math.Max(gradientNorm, Math.Abs(2 * gradient[j] / _n));
            }

            return new(θ, loss, gradientNorm, termination, iteration, held, _triangle[..(_p * (_p + 1))]);
        }

        private double LargestCosine(double[] gradient, double[] norms, bool[] held, double loss)
        {
            double largest = 0;
            for (int j = 0; j < _p; j++)
                if (!held[j] && norms[j] > 0) largest = Math.Max(largest, Math.Abs(gradient[j]) / (norms[j] * Math.Sqrt(loss)));
            return largest;
        }

        private double Loss(double[] θ)
        {
            for (int j = 0; j < _p; j++) _θ[j] = new(θ[j]);
            double loss = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Loss(_points, _n, new F64(_problem.LogScale), new Heap<F64>(_θ), new Heap<F64>(_work)).Value;
            return double.IsFinite(loss) ? loss : double.PositiveInfinity;
        }

        /// <summary>[J r] at θ, its column norms, Jᵀr, and R with s = Qᵀr.</summary>
        /// <returns>Σ w r².</returns>
        private double Factor(double[] θ, double[] norms, double[] gradient)
        {
            for (int j = 0; j < _p; j++) _θ[j] = new(θ[j]);
            Heap<F64> parameters = new(_θ), work = new(_work), row = new(_row);
            TLaw.Prepare<F64, bool, Heap<F64>>(parameters, work);
            double loss = 0;
            Array.Clear(gradient);
            Array.Clear(norms);
            for (int i = 0; i < _n; i++)
            {
                double r = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Row(_points, i, new F64(_problem.LogScale), parameters, work, row, 0).Value;
                loss += r * r;
                _columns[(_p * _n) + i] = r;
                for (int j = 0; j < _p; j++)
                {
                    double derivative = _columns[(j * _n) + i] = _row[j].Value;
                    gradient[j] += derivative * r;
                    norms[j] += derivative * derivative;
                }
            }

            for (int j = 0; j < _p; j++) norms[j] = Math.Sqrt(norms[j]);
            Householder.Triangularise(_columns, _n, _p, 1);
            Array.Clear(_triangle);
            for (int k = 0; k <= _p; k++)
                for (int j = 0; j <= Math.Min(k, Math.Min(_p, _n) - 1); j++)
                    _triangle[(j * (_p + 1)) + k] = _columns[(k * _n) + j];
            return loss;
        }

        /// <summary>The damped step over the free parameters.</summary>
        /// <returns>The fall in Σ w r² that the linear model promises.</returns>
        private double Solve(double λ, double[] norms, bool[] held, double[] step)
        {
            int rows = 2 * _p;
            var a = new double[rows * (_p + 1)];
            double before = 0;
            for (int i = 0; i < _p; i++)
            {
                for (int j = 0; j <= _p; j++) a[(j * rows) + i] = j < _p && held[j] ? 0 : _triangle[(i * (_p + 1)) + j];
                before += a[(_p * rows) + i] * a[(_p * rows) + i];
            }

            for (int j = 0; j < _p; j++)
                a[(j * rows) + _p + j] = held[j] ? 1 : Math.Sqrt(λ) * Math.Max(norms[j], Math.Sqrt(Damping.Floor));
            Householder.Triangularise(a, rows, _p, 1);
            double promised = 0;
            for (int j = _p - 1; j >= 0; j--)
            {
                double sum = -a[(_p * rows) + j];
                promised += sum * sum;
                for (int k = j + 1; k < _p; k++) sum -= a[(k * rows) + j] * step[k];
                double pivot = a[(j * rows) + j];
                step[j] = held[j] || pivot == 0 ? 0 : sum / pivot;
            }

            return promised;
        }
    }
}

/// <summary>Orthogonal triangularisation by Householder reflections (Golub and Van Loan 2013, §5.2).</summary>
internal static class Householder
{
    /// <summary>Turns the first columns of A into an upper triangle, and the others along with them.</summary>
    /// <param name="a">A by columns. Shape [columns + others, rows]. What is below the triangle on return is not zeroed.</param>
    /// <param name="rows">Rows of A.</param>
    /// <param name="columns">Columns to triangularise.</param>
    /// <param name="others">Columns that are only multiplied by Qᵀ.</param>
    public static void Triangularise(Span<double> a, int rows, int columns, int others)
    {
        for (int k = 0; k < Math.Min(columns, rows); k++)
        {
            Span<double> v = a.Slice((k * rows) + k, rows - k);
            double norm = Norm(v);
            if (norm == 0) continue;
            double head = v[0], pivot = head > 0 ? -norm : norm;
            v[0] = head - pivot;
            double scale = -1 / (pivot * v[0]); // 2/vᵀv
            for (int j = k + 1; j < columns + others; j++)
            {
                Span<double> column = a.Slice((j * rows) + k, rows - k);
                double dot = 0;
                for (int i = 0; i < v.Length; i++) dot += v[i] * column[i];
                dot *= scale;
                for (int i = 0; i < v.Length; i++) column[i] -= dot * v[i];
            }

            v[0] = pivot;
        }
    }

    private static double Norm(ReadOnlySpan<double> v)
    {
        double sum = 0;
        foreach (double value in v) sum += value * value;
        return Math.Sqrt(sum);
    }
}
