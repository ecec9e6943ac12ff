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

/// <summary>Brings a candidate to its minimum in double: Levenberg-Marquardt with the step from a QR factorisation of J, then damped Newton.</summary>
/// <remarks>
/// <code>
/// [J r] = Q [R s]                                    Householder
/// min ‖ [R; √λ D] δ + [s; 0] ‖                       Householder again, p columns, for each λ
/// θ′ = θ + δ; a parameter at its bound that the gradient pushes outwards is held, one that δ would carry
/// over its bound is set there and δ solved again for the others
/// </code>
/// D is the largest ‖J_j‖ so far, with the same floor as in the search: a step from where the residual hardly feels a parameter does not run away
/// (Moré 1978). A damped step is bent along the second order of the residual, so that it follows a curved valley (Transtrum and Sethna 2012).
/// λ falls tenfold on success, so the last steps are undamped. Nocedal and Wright 2006, §10.3.
/// Where the residual is large and curved Gauss-Newton steps converge slowly or not at all (a break sharper than the gap between points). Near a
/// minimum, which is where a step promises less than <see cref="NewtonPromise"/> of Σr², one that promises no less than a quarter of the one before
/// gives way to Newton's, with the whole Hessian JᵀJ + Σ r ∇²r from central differences of the gradient, where that is positive definite; so does every
/// tenth step, because some curved valleys are followed by the one and some by the other.
/// </remarks>
internal static class Refiner
{
    internal const double GradientTolerance = 1e-10, ResidualTolerance = 1e-14, ObjectiveTolerance = 1e-14, StepTolerance = 1e-13;
    private const double NewtonPromise = 1e-3, FinalPromise = 1e-20, Bend = 0.75;
    private const int NewtonEvery = 10;

    /// <summary>Refines one candidate.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="θ">Where to begin.</param>
    /// <param name="iterations">Jacobians that may be factored.</param>
    /// <param name="cancellation">Ends it after any of them.</param>
    public static Minimum Refine(Problem problem, ReadOnlySpan<double> θ, int iterations, CancellationToken cancellation = default)
    {
        var closer = new Closer(problem, θ.ToArray(), iterations, cancellation);
        return problem.Law.Close<Closer, Minimum>(problem.Loss, ref closer);
    }

    private readonly struct Closer(Problem problem, double[] start, int iterations, CancellationToken cancellation) : IModelVisitor<Minimum>
    {
        public Minimum Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => new Refinement<TLaw, TLoss>(problem).Run(start, iterations, cancellation);
    }

    private sealed class Refinement<TLaw, TLoss>
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        /// <summary>Below these a coordinate is not small but near 0; a law in units of its own says nothing of what is near.</summary>
        private static double StepFloor => TLaw.DampingFloor > 0 ? 1e-3 : 0;

        private static double DifferenceFloor => TLaw.DampingFloor > 0 ? 0.1 : 0;

        private readonly Problem _problem;
        private readonly int _n, _p, _rows;

        // What residuals are small against: 1 for those of log y, the largest y for those of y.
        private readonly double _unit;
        private readonly Heap<F64> _points, _units, _priors;
        private readonly F64[] _θ, _work, _row;

        // [J r] by columns, (p + 1) of n and a row a prior; the same, to be triangularised; then R by rows with s as its last column, p of (p + 1).
        private readonly double[] _jacobian, _columns, _triangle;

        // What the last damped step was solved with: [R; √λ D] triangularised, by columns of 2p.
        private readonly double[] _damped;

        // ½∇²Σwr², p by p.
        private readonly double[] _hessian;

        public Refinement(Problem problem)
        {
            (_problem, _n, _p) = (problem, problem.Count, TLaw.ParameterCount);
            var points = new F64[problem.Packed.Length];
            for (int m = 0; m < points.Length; m++) points[m] = new(problem.Packed[m]);
            _points = new(points);
            int stride = TLaw.ColumnCount + 2;
            _unit = TLoss.IsOfLog ? 1 : Enumerable.Range(0, _n).Max(i => Math.Abs(points[(i * stride) + TLaw.ColumnCount].Value));
            _units = new([new(problem.LogScale), new(problem.Delta)]);
            _priors = new(Array.ConvertAll(problem.Priors.ToArray(), number => new F64(number)));
            _rows = _n + (problem.Priors.Length > 0 ? _p : 0);
            (_θ, _work, _row) = (new F64[_p], new F64[TLaw.WorkCount], new F64[_p]);
            _jacobian = new double[_rows * (_p + 1)];
            _columns = new double[_jacobian.Length];
            _damped = new double[2 * _p * (_p + 1)];
            _triangle = new double[_p * (_p + 1)];
            _hessian = new double[_p * _p];
        }

        public Minimum Run(double[] start, int iterations, CancellationToken cancellation)
        {
            double[] θ = start, trial = new double[_p], step = new double[_p], norms = new double[_p], scale = new double[_p], gradient = new double[_p];
            bool[] held = new bool[_p], pinned = new bool[_p];
            double loss = Factor(θ, norms, gradient);
            double λ = 1e-3, lastPromise = double.PositiveInfinity;
            bool newton = false;
            var termination = Termination.MaxIterations;
            int iteration = 1;
            for (; iteration < iterations; iteration++)
            {
                cancellation.ThrowIfCancellationRequested();
                if (!double.IsFinite(loss) || !Array.TrueForAll(gradient, double.IsFinite) || !Array.TrueForAll(θ, double.IsFinite))
                {
                    termination = Termination.NonFinite;
                    break;
                }

                Hold(θ, gradient, held);
                for (int j = 0; j < _p; j++) scale[j] = Math.Max(scale[j], D(norms[j]));
                if (Math.Sqrt(loss / _n) <= ResidualTolerance * _unit)
                {
                    termination = Termination.ResidualTolerance;
                    break;
                }

                Array.Clear(step);
                double promise = Solve(0, scale, held, step) ? Promise(step, gradient) : double.PositiveInfinity;
                bool falls = promise < lastPromise / 4, wasNewton = newton;
                newton = (promise <= NewtonPromise * loss && (newton || !falls)) || iteration % NewtonEvery == 0;
                if (newton)
                {
                    Curvature(θ, held);
                    newton = SolveNewton(0, norms, held, gradient, step);
                    if (newton) (promise, falls) = (Promise(step, gradient), !wasNewton || Promise(step, gradient) < lastPromise / 4);
                }

                // An inequality that holds is not the end while steps still gain digits.
                bool isFlat = LargestCosine(gradient, norms, held, loss) <= GradientTolerance;
                if (isFlat && !(falls && promise <= NewtonPromise * loss && promise > FinalPromise * loss))
                {
                    termination = Termination.GradientTolerance;
                    break;
                }

                if (promise <= ObjectiveTolerance * loss && !falls)
                {
                    termination = Termination.ObjectiveTolerance;
                    break;
                }

                lastPromise = promise;

                // Rounding of y hides a fall of less than this share: a step that promises no more is taken if it does no visible harm.
                double hidden = Math.Max(1e-12, 256 * F64.Epsilon * _unit / Math.Sqrt(loss / _n));
                double best = promise <= hidden * loss ? loss * (1 + hidden) : loss, size;
                if (promise <= hidden * loss) λ = 0;
                while (true)
                {
                    size = double.PositiveInfinity;
                    if (StepInBox(λ))
                    {
                        size = 0;
                        for (int j = 0; j < _p; j++)
                        {
                            trial[j] = Math.Min(Math.Max(θ[j] + step[j], _problem.Lower[j]), _problem.Upper[j]);
                            if (!trial[j].Equals(θ[j])) size = Math.Max(size, Math.Abs(trial[j] - θ[j]) / (Math.Abs(θ[j]) + StepFloor));
                        }

                        Follow(trial);

                        if (Loss(trial) < best)
                        {
                            λ *= 0.1;
                            break;
                        }
                    }

                    if (size <= StepTolerance || λ > 1e30) break;
                    λ = Math.Max(λ * 10, 1e-9);
                }

                if (size <= StepTolerance || λ > 1e30)
                {
                    termination = isFlat ? Termination.GradientTolerance : Termination.StepTolerance;
                    break;
                }

                // The damped step, with what it carries over a bound set there.
                bool StepInBox(double damping)
                {
                    held.CopyTo(pinned, 0);
                    Array.Clear(step);
                    while (true)
                    {
                        if (!(newton ? SolveNewton(damping, norms, pinned, gradient, step) : Solve(damping, scale, pinned, step))) return false;
                        bool inside = true;
                        for (int j = 0; j < _p; j++)
                        {
                            double within = Math.Min(Math.Max(θ[j] + step[j], _problem.Lower[j]), _problem.Upper[j]);
                            if (pinned[j] || within.Equals(θ[j] + step[j])) continue;
                            pinned[j] = true;
                            step[j] = within - θ[j];
                            inside = false;
                        }

                        if (inside) return newton || damping == 0 || Accelerate(θ, scale, pinned, step);
                    }
                }

                trial.CopyTo(θ, 0);
                loss = Factor(θ, norms, gradient);
            }

            // Once more in the order of the report: the triangle belongs to its columns.
            if (_problem.IsSymmetric) TLaw.Sort(θ);
            loss = Factor(θ, norms, gradient);
            Hold(θ, gradient, held);
            double gradientNorm = 0;
            for (int j = 0; j < _p; j++)
            {
                if (!held[j]) gradientNorm = Math.Max(gradientNorm, Math.Abs(2 * gradient[j] / _n));
            }

            return new(θ, loss, gradientNorm, termination, iteration, held, _triangle[..(_p * (_p + 1))]);
        }

        /// <summary>Which parameters no step moves: those that are fixed, those that follow another, those that the gradient pushes out of the box.</summary>
        private void Hold(double[] θ, double[] gradient, bool[] held)
        {
            for (int j = 0; j < _p; j++)
            {
                held[j] = _problem.Lower[j] >= _problem.Upper[j]
                    || (θ[j] <= _problem.Lower[j] && gradient[j] > 0)
                    || (θ[j] >= _problem.Upper[j] && gradient[j] < 0);
            }

            foreach ((int follower, _) in _problem.Ties) held[follower] = true;
        }

        private void Follow(double[] θ)
        {
            foreach ((int follower, int leader) in _problem.Ties) θ[follower] = θ[leader];
        }

        /// <summary>The fall of Σ w r² that the model promises for its own minimum.</summary>
        private static double Promise(double[] step, double[] gradient)
        {
            double promise = 0;
            for (int j = 0; j < step.Length; j++) promise -= step[j] * gradient[j];
            return promise;
        }

        /// <summary>Bends a damped step along the model's second order (Transtrum and Sethna 2012): δ + a/2, a the damped solution of J a = −r″.</summary>
        /// <remarks>r″ is the second derivative along δ, from one more residual at θ + δ/10: with it a step follows a curved valley instead of leaving it.</remarks>
        /// <returns>False where a is not small against δ: the step is too long for its model.</returns>
        private bool Accelerate(double[] θ, double[] scale, bool[] pinned, double[] step)
        {
            const double h = 0.1;
            for (int j = 0; j < _p; j++) _θ[j] = new(θ[j] + (h * step[j]));
            foreach ((int follower, int leader) in _problem.Ties) _θ[follower] = _θ[leader];
            Heap<F64> parameters = new(_θ), work = new(_work);
            TLaw.Prepare<F64, bool, Heap<F64>>(parameters, work);
            var a = new double[_p];
            for (int i = 0; i < _n; i++)
            {
                double r = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Row(_points, i, _units, parameters, work, default(Nowhere<F64>), 0, out _).Value, slope = 0;
                for (int j = 0; j < _p; j++) slope += _jacobian[(j * _rows) + i] * step[j];
                double second = 2 / h * (((r - _jacobian[(_p * _rows) + i]) / h) - slope);
                for (int j = 0; j < _p; j++) a[j] -= _jacobian[(j * _rows) + i] * second;
            }

            // RᵀR a = −Jᵀr″ with the damped R of the step.
            int rows = 2 * _p;
            for (int j = 0; j < _p; j++)
            {
                if (pinned[j]) a[j] = 0;
                for (int k = 0; k < j; k++) a[j] -= pinned[j] ? 0 : _damped[(j * rows) + k] * a[k];
                a[j] /= _damped[(j * rows) + j];
            }

            double bend = 0, length = 0;
            for (int j = _p - 1; j >= 0; j--)
            {
                for (int k = j + 1; k < _p; k++) a[j] -= _damped[(k * rows) + j] * a[k];
                a[j] = pinned[j] ? 0 : a[j] / _damped[(j * rows) + j];
                bend += scale[j] * a[j] * (scale[j] * a[j]);
                length += scale[j] * step[j] * (scale[j] * step[j]);
            }

            if (!(2 * Math.Sqrt(bend) <= Bend * Math.Sqrt(length))) return false;
            for (int j = 0; j < _p; j++) step[j] += a[j] / 2;
            return true;
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
            double loss = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Loss(_points, _n, _units, new Heap<F64>(_θ), new Heap<F64>(_work)).Value;
            for (int j = 0; 3 * j < _problem.Priors.Length; j++) loss += Prior(j, out _, out _);
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
                double r = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Row(_points, i, _units, parameters, work, row, 0, out _).Value;
                loss += r * r;
                _jacobian[(_p * _rows) + i] = r;
                for (int j = 0; j < _p; j++)
                {
                    double derivative = _jacobian[(j * _rows) + i] = _row[j].Value;
                    gradient[j] += derivative * r;
                    norms[j] += derivative * derivative;
                }
            }

            for (int j = 0; 3 * j < _problem.Priors.Length; j++)
            {
                // A row whose square has the term's gradient and curvature; the term itself is larger or smaller.
                loss += Prior(j, out double off, out double weight);
                for (int k = 0; k < _p; k++) _jacobian[(k * _rows) + _n + j] = k == j ? Math.Sqrt(weight) : 0;
                _jacobian[(_p * _rows) + _n + j] = Math.Sqrt(weight) * off;
                gradient[j] += weight * off;
                norms[j] += weight;
            }

            foreach ((int follower, int leader) in _problem.Ties)
            {
                Span<double> from = _jacobian.AsSpan(follower * _rows, _rows), to = _jacobian.AsSpan(leader * _rows, _rows);
                norms[leader] = 0;
                for (int i = 0; i < _rows; i++)
                {
                    to[i] += from[i];
                    norms[leader] += to[i] * to[i];
                }

                from.Clear();
                gradient[leader] += gradient[follower];
                gradient[follower] = norms[follower] = 0;
            }

            for (int j = 0; j < _p; j++) norms[j] = Math.Sqrt(norms[j]);
            _jacobian.CopyTo(_columns, 0);
            Householder.Triangularise(_columns, _rows, _p, 1);
            Array.Clear(_triangle);
            for (int k = 0; k <= _p; k++)
                for (int j = 0; j <= Math.Min(k, Math.Min(_p, _rows) - 1); j++)
                    _triangle[(j * (_p + 1)) + k] = _columns[(k * _rows) + j];
            return loss;
        }

        /// <summary>½∇²Σwr² over the free parameters, from central differences of Jᵀr.</summary>
        private void Curvature(double[] θ, bool[] held)
        {
            var ahead = new double[_p];
            var behind = new double[_p];
            Array.Clear(_hessian);
            for (int k = 0; k < _p; k++)
            {
                if (held[k]) continue;
                double h = 1e-5 * (Math.Max(Math.Abs(θ[k]), DifferenceFloor) is > 0 and var size ? size : 1), value = θ[k];
                θ[k] = value + h;
                Follow(θ);
                Gradient(θ, ahead);
                θ[k] = value - h;
                Follow(θ);
                Gradient(θ, behind);
                θ[k] = value;
                Follow(θ);
                for (int j = 0; j < _p; j++) _hessian[(k * _p) + j] = (ahead[j] - behind[j]) / (2 * h);
            }
        }

        private void Gradient(double[] θ, double[] gradient)
        {
            for (int j = 0; j < _p; j++) _θ[j] = new(θ[j]);
            Heap<F64> parameters = new(_θ), work = new(_work), row = new(_row);
            TLaw.Prepare<F64, bool, Heap<F64>>(parameters, work);
            Array.Clear(gradient);
            for (int i = 0; i < _n; i++)
            {
                double r = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Row(_points, i, _units, parameters, work, row, 0, out _).Value;
                for (int j = 0; j < _p; j++) gradient[j] += _row[j].Value * r;
            }

            for (int j = 0; 3 * j < _problem.Priors.Length; j++)
            {
                Prior(j, out double off, out double weight);
                gradient[j] += weight * off;
            }

            foreach ((int follower, int leader) in _problem.Ties)
            {
                gradient[leader] += gradient[follower];
                gradient[follower] = 0;
            }
        }

        private double Prior(int j, out double off, out double weight)
        {
            F64 term = LevenbergMarquardt<F64, bool, TLaw, TLoss>.Prior(_priors, new Heap<F64>(_θ), j, out F64 difference, out F64 curvature);
            (off, weight) = (difference.Value, curvature.Value);
            return term.Value;
        }

        /// <summary>An entry of the damping diagonal; 1 for a parameter that the residual does not feel.</summary>
        private static double D(double norm) => Math.Max(norm, Math.Sqrt(TLaw.DampingFloor)) is > 0 and var larger ? larger : 1;

        /// <summary>Newton's damped step, by Cholesky in the scale of D.</summary>
        /// <param name="λ">Damping.</param>
        /// <param name="norms">‖J_j‖.</param>
        /// <param name="pinned">Parameters whose step is given.</param>
        /// <param name="gradient">Jᵀr.</param>
        /// <param name="step">Given for the pinned, output for the others.</param>
        /// <returns>False where the damped Hessian is not positive definite.</returns>
        private bool SolveNewton(double λ, double[] norms, bool[] pinned, double[] gradient, double[] step)
        {
            var l = new double[_p * _p];
            var x = new double[_p];
            for (int j = 0; j < _p; j++)
            {
                double right = -gradient[j];
                for (int k = 0; k < _p; k++) right -= pinned[k] ? H(j, k) * step[k] : 0;
                right *= Scale(j);
                for (int k = 0; k <= j; k++)
                {
                    double sum = pinned[j] || pinned[k] ? 0 : H(j, k) * Scale(j) * Scale(k);
                    if (j == k) sum = pinned[j] ? 1 : sum + λ;
                    for (int m = 0; m < k; m++) sum -= l[(j * _p) + m] * l[(k * _p) + m];
                    if (j == k && !(sum > 1e-15)) return false;
                    l[(j * _p) + k] = j == k ? Math.Sqrt(sum) : sum / l[(k * _p) + k];
                    if (k < j) right -= l[(j * _p) + k] * x[k];
                }

                x[j] = pinned[j] ? 0 : right / l[(j * _p) + j];
            }

            for (int j = _p - 1; j >= 0; j--)
            {
                if (pinned[j]) continue;
                for (int k = j + 1; k < _p; k++) x[j] -= l[(k * _p) + j] * x[k];
                x[j] /= l[(j * _p) + j];
                step[j] = x[j] * Scale(j);
            }

            return true;

            double Scale(int j) => 1 / D(norms[j]);

            // Differences are symmetric to rounding only.
            double H(int j, int k) => 0.5 * (_hessian[(j * _p) + k] + _hessian[(k * _p) + j]);
        }

        /// <summary>The damped Gauss-Newton step, from R.</summary>
        /// <inheritdoc cref="SolveNewton"/>
        /// <returns>False where it is not finite.</returns>
        private bool Solve(double λ, double[] scale, bool[] pinned, double[] step)
        {
            int rows = 2 * _p;
            double[] a = _damped;
            Array.Clear(a);
            for (int i = 0; i < _p; i++)
            {
                double right = _triangle[(i * (_p + 1)) + _p];
                for (int j = i; j < _p; j++)
                {
                    double value = _triangle[(i * (_p + 1)) + j];
                    if (pinned[j]) right += value * step[j];
                    else a[(j * rows) + i] = value;
                }

                a[(_p * rows) + i] = right;
            }

            for (int j = 0; j < _p; j++)
                a[(j * rows) + _p + j] = pinned[j] ? 1 : Math.Sqrt(λ) * scale[j];
            Householder.Triangularise(a, rows, _p, 1);
            for (int j = _p - 1; j >= 0; j--)
            {
                if (pinned[j]) continue;
                double sum = -a[(_p * rows) + j];
                for (int k = j + 1; k < _p; k++) sum -= pinned[k] ? 0 : a[(k * rows) + j] * step[k];
                double pivot = a[(j * rows) + j];
                step[j] = pivot == 0 ? 0 : sum / pivot;
                if (!double.IsFinite(step[j])) return false;
            }

            return true;
        }
    }
}
