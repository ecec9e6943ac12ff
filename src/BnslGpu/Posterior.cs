using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using BnslGpu.Kernels;
using MathNet.Numerics;

namespace BnslGpu;

/// <summary>Draws from the posterior of a BNSL with n breaks that is itself not quite right, and members of a forecast made of them.</summary>
/// <remarks>
/// <code>
/// log yᵢ = log m(xᵢ; θ) + B(uᵢ) + σ εᵢ        u = log(x/x_last), ε standard normal, B Brownian motion of variance τ² a unit of u, B(u₁) = 0
///
/// a/min y    uniform in (0, 1)                log y_last   N(what was measured, .5)
/// c₀         Student t₃, scale 1              cᵢ           Student t₃, scale .5
/// log dᵢ     uniform over the data, in order  log fᵢ       N(0, .8)
/// log σ      N(log .01, 1.5)                  log τ        N(log .01, 1)
/// </code>
/// B is what no power law says: without it an interval knows only the noise and the parameters of a law that is taken for true (Kennedy and O'Hagan 2001).
/// θ, σ and τ are drawn by tempered sequential Monte Carlo (Del Moral, Doucet and Jasra 2006) from a mixture of the prior and of Student's t₅ about the
/// minima of least squares: sharp breaks are found because the search has found them. B is integrated out by Kalman's filter; a draw becomes a member
/// whose offset is B at the last point.
/// </remarks>
internal sealed class Posterior
{
    // Draws, moves of each at every temperature, and temperatures at most; the effective share of draws down to which a temperature falls; the share that begins in the prior.
    private const int Particles = 256, Moves = 6, MostTemperatures = 60;
    private const double LeastShare = 0.5, PriorShare = 0.3;

    internal const double LevelSpread = 0.5, C0Spread = 1, CSpread = 0.5, LogFSpread = 0.8, LogNoiseSpread = 1.5, LogDriftSpread = 1;
    internal static readonly double LogNoise = Math.Log(0.01), LogDrift = Math.Log(0.01);

    private readonly CondensedPoints _points;
    private readonly int _breaks, _p, _d;
    private readonly ulong _seed, _stream;
    private readonly PosteriorKernel _kernel;
    private readonly List<Mode> _modes = [];

    /// <summary>A minimum of least squares: precision = L Lᵀ, and the log of its share of the mixture with t₅'s constant.</summary>
    private readonly record struct Mode(double[] Mean, double[] L, double LogScale);

    private Posterior(CondensedPoints points, Problem problem, IEnumerable<double[]> minima, ulong seed)
    {
        (_points, _breaks, _p, _seed) = (points, problem.Law.Breaks, problem.ParameterCount, seed);
        _d = _p + 2;
        _stream = CounterRandom.Mix(problem.Stream, 'p');
        _kernel = PosteriorKernel.Of(_breaks);
        double[][] all = [.. minima];
        foreach (double[] θ in all) AddMode(problem, θ, all.Length);
    }

    /// <summary>Members of a forecast, alike in weight, and the evidence of their number of breaks.</summary>
    /// <param name="LogEvidence">Log of the marginal likelihood, up to a constant that is the same for every number of breaks.</param>
    /// <param name="Members">The draws.</param>
    internal sealed record Drawn(double LogEvidence, ImmutableArray<ForecastMember> Members);

    /// <summary>Draws.</summary>
    /// <param name="points">The points.</param>
    /// <param name="problem">Least squares of a BNSL on these points.</param>
    /// <param name="minima">Minima of the problem. Each of shape [ParameterCount].</param>
    /// <param name="count">How many members.</param>
    /// <param name="seed">The seed.</param>
    public static Drawn Draw(CondensedPoints points, Problem problem, IEnumerable<double[]> minima, int count, ulong seed)
    {
        var posterior = new Posterior(points, problem, minima, seed);
        (double[] φ, double[] offsets, double[] variances, double logEvidence) = posterior.Draw();
        int d = posterior._d, p = posterior._p;
        return new(logEvidence, [.. Enumerable.Range(0, count).Select(k => k * Particles / count).Select(i => new ForecastMember
        {
            Law = problem.Law.Name,
            Breaks = problem.Law.Breaks,
            Parameters = problem.Law.Natural(φ.AsSpan(i * d, p), problem.Scale),
            Weight = 1.0 / count,
            PointWeight = 1.0 / count,
            Offset = offsets[i],
            OffsetVariance = variances[i],
            Drift = Math.Exp(2 * φ[(i * d) + p + 1]),
            Noise = Math.Exp(φ[(i * d) + p]),
        })]);
    }

    // From the mixture (β = 0) to the posterior (β = 1): target ∝ q^(1 − β) p^β.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private (double[] φ, double[] Offsets, double[] Variances, double LogEvidence) Draw()
    {
        var φ = new double[Particles * _d];
        double[] logP = new double[Particles], logQ = new double[Particles], trial = new double[φ.Length], trialP = new double[Particles];
        for (int i = 0; i < Particles; i++) DrawStart(i, φ.AsSpan(i * _d, _d));
        _kernel.LogDensity(_points, φ, logP, default, default);
        for (int i = 0; i < Particles; i++) logQ[i] = LogMixture(φ.AsSpan(i * _d, _d));
        double β = 0, scale = 1, logEvidence = LogPriorOfBreaks();
        for (int step = 1; β < 1; step++)
        {
            double next = step < MostTemperatures ? NextTemperature(logP, logQ, β) : 1;
            logEvidence += LogMean(logP, logQ, next - β);
            Resample(step, Weights(logP, logQ, next - β), ref φ, ref logP, ref logQ);
            β = next;
            double[] spread = Spread(φ);
            int moves = β >= 1 ? 2 * Moves : Moves;
            for (int move = 0; move < moves; move++)
            {
                int accepted = 0;

                // Each half moves by differences within the other, so that either stays what it was drawn from.
                for (int half = 0; half < 2; half++)
                {
                    const int size = Particles / 2;
                    int from = half * size;
                    for (int i = from; i < from + size; i++) Propose(Random(step, move, 0, i), φ, i, size - from, size, spread, scale, move, trial.AsSpan(i * _d, _d));
                    _kernel.LogDensity(_points, trial.AsSpan(from * _d, size * _d), trialP.AsSpan(from, size), default, default);
                    for (int i = from; i < from + size; i++)
                    {
                        if (double.IsNegativeInfinity(trialP[i])) continue;
                        double q = β < 1 ? LogMixture(trial.AsSpan(i * _d, _d)) : 0;
                        double ratio = (β * (trialP[i] - logP[i])) + (β < 1 ? (1 - β) * (q - logQ[i]) : 0);
                        if (!(Math.Log(Random(step, move, 1, i).Uniform()) < ratio)) continue;
                        accepted++;
                        trial.AsSpan(i * _d, _d).CopyTo(φ.AsSpan(i * _d, _d));
                        (logP[i], logQ[i]) = (trialP[i], q);
                    }
                }

                if (move % 2 == 0) scale = Math.Clamp(scale * (accepted > Particles / 4 ? 1.3 : 0.75), 0.05, 2);
            }
        }

        double[] offsets = new double[Particles], variances = new double[Particles];
        _kernel.LogDensity(_points, φ, logP, offsets, variances);
        return (φ, offsets, variances, logEvidence);
    }

    /// <summary>What the kernel leaves out of the prior and depends on the number of breaks: the densities' constants, and that breaks are in order.</summary>
    private double LogPriorOfBreaks()
    {
        double log = 0;
        for (int i = 0; i < _breaks; i++) log += LogStudent(0) - Math.Log(CSpread) + LogNormal(0, 0, LogFSpread) - Math.Log(-_points.U[0]) + Math.Log(i + 1);
        return log;
    }

    /// <summary>log mean (p/q)^power, the step of the evidence.</summary>
    private static double LogMean(double[] logP, double[] logQ, double power)
    {
        double[] logs = [.. logP.Select((p, i) => double.IsNegativeInfinity(p) ? p : power * (p - logQ[i]))];
        double most = logs.Max();
        return double.IsNegativeInfinity(most) ? most : most + Math.Log(logs.Average(log => Math.Exp(log - most)));
    }

    private CounterRandom Random(int step, int move, int what, int particle) =>
        new(_seed, CounterRandom.Mix(_stream, ((ulong)(uint)step << 32) | ((ulong)(uint)move << 8) | (uint)what), (uint)particle);

    /// <summary>By turns a step of the population's covariance, and one along the difference of two of the other half (ter Braak 2006).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Propose(CounterRandom random, double[] φ, int i, int others, int count, double[] spread, double scale, int move, Span<double> to)
    {
        ReadOnlySpan<double> own = φ.AsSpan(i * _d, _d);
        if (move % 2 == 0)
        {
            Span<double> z = stackalloc double[_d];
            for (int j = 0; j < _d; j++) z[j] = Normal(ref random);
            double length = 2.38 / Math.Sqrt(_d) * scale * (random.Uniform() < 0.3 ? 0.3 : 1);
            for (int j = 0; j < _d; j++)
            {
                double sum = 0;
                for (int k = 0; k <= j; k++) sum += spread[(j * _d) + k] * z[k];
                to[j] = own[j] + (length * sum);
            }
        }
        else
        {
            int a = others + (int)(random.Uniform() * count), b = others + (int)(random.Uniform() * count);
            double length = random.Uniform() < 0.15 ? 1 : 2.38 / Math.Sqrt(2 * _d) * (0.5 + random.Uniform());
            for (int j = 0; j < _d; j++) to[j] = own[j] + (length * (φ[(a * _d) + j] - φ[(b * _d) + j])) + (1e-4 * Normal(ref random) * spread[(j * _d) + j]);
        }

        to[0] = Reflected(to[0]);
    }

    private static double Reflected(double a) => a < 0 ? -a : a > 1 ? 2 - a : a;

    /// <summary>Cholesky factor of the population's covariance.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double[] Spread(double[] φ)
    {
        var mean = new double[_d];
        for (int i = 0; i < Particles; i++)
            for (int j = 0; j < _d; j++) mean[j] += φ[(i * _d) + j] / Particles;
        var covariance = new double[_d * _d];
        for (int i = 0; i < Particles; i++)
            for (int j = 0; j < _d; j++)
                for (int k = 0; k < _d; k++) covariance[(j * _d) + k] += (φ[(i * _d) + j] - mean[j]) * (φ[(i * _d) + k] - mean[k]) / Particles;
        for (int j = 0; j < _d; j++) covariance[(j * _d) + j] += (1e-9 * covariance[(j * _d) + j]) + 1e-12;
        return Cholesky(covariance, _d);
    }

    /// <summary>Systematic resampling; copies of one ancestor go to both halves.</summary>
    private void Resample(int step, double[] weights, ref double[] φ, ref double[] logP, ref double[] logQ)
    {
        double[] to = new double[φ.Length], p = new double[Particles], q = new double[Particles];
        double first = Random(step, 0, 2, 0).Uniform(), sum = 0;
        int next = 0;
        for (int i = 0; i < Particles; i++)
        {
            sum += weights[i] * Particles;
            for (; next < Particles && (first + next <= sum || i == Particles - 1); next++)
            {
                int place = (next % 2 * (Particles / 2)) + (next / 2);
                φ.AsSpan(i * _d, _d).CopyTo(to.AsSpan(place * _d, _d));
                (p[place], q[place]) = (logP[i], logQ[i]);
            }
        }

        (φ, logP, logQ) = (to, p, q);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double NextTemperature(double[] logP, double[] logQ, double β)
    {
        if (Enough(1 - β)) return 1;
        double low = 0, high = 1 - β;
        for (int i = 0; i < 40; i++)
        {
            double middle = (low + high) / 2;
            if (Enough(middle)) low = middle;
            else high = middle;
        }

        return β + Math.Max(low, 1e-5);

        bool Enough(double power) => 1 / Weights(logP, logQ, power).Sum(weight => weight * weight) >= LeastShare * Particles;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double[] Weights(double[] logP, double[] logQ, double power)
    {
        double[] weights = [.. logP.Select((p, i) => double.IsNegativeInfinity(p) ? p : power * (p - logQ[i]))];
        double most = weights.Max();
        if (double.IsNegativeInfinity(most)) return [.. weights.Select(_ => 1.0 / weights.Length)];
        for (int i = 0; i < weights.Length; i++) weights[i] = Math.Exp(weights[i] - most);
        double sum = weights.Sum();
        for (int i = 0; i < weights.Length; i++) weights[i] /= sum;
        return weights;
    }

    private void AddMode(Problem problem, double[] θ, int modes)
    {
        int n = problem.Count;
        Evaluation evaluation = SimdBackend.Evaluate(problem, θ);
        double squares = evaluation.Residuals.Sum(r => r * r), variance = Math.Max(squares / Math.Max(n - _p, 0.5 * n), 1e-10);
        var precision = new double[_d * _d];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < _p; j++)
                for (int k = 0; k < _p; k++) precision[(j * _d) + k] += evaluation.Jacobian[(i * _p) + j] * evaluation.Jacobian[(i * _p) + k] / variance;
        for (int j = 0; j < _p; j++)
        {
            double spread = j switch { 0 => 0.3, 1 => LevelSpread, 2 => C0Spread, _ => (j % 3) switch { 0 => CSpread, 1 => -_points.U[0] / Math.Sqrt(12), _ => LogFSpread } };
            precision[(j * _d) + j] += 1 / (spread * spread);
        }

        precision[(_p * _d) + _p] = 4;
        precision[((_p + 1) * _d) + _p + 1] = 1 / (LogDriftSpread * LogDriftSpread);
        double[] mean = [.. θ, Math.Log(variance) / 2, LogDrift], l = Cholesky(precision, _d);
        mean[0] = Math.Clamp(mean[0], 1e-6, 1 - 1e-6);

        // Student's t₅ in d dimensions: Γ((5 + d)/2)/Γ(5/2) (5π)^(−d/2) |L| (1 + s/5)^(−(5 + d)/2)
        double logDeterminant = Enumerable.Range(0, _d).Sum(j => Math.Log(l[(j * _d) + j]));
        _modes.Add(new(mean, l, Math.Log((1 - PriorShare) / modes) + logDeterminant + SpecialFunctions.GammaLn((5 + _d) / 2.0) - SpecialFunctions.GammaLn(2.5) - (_d / 2.0 * Math.Log(5 * Math.PI))));
    }

    /// <summary>A draw of the mixture, tried again until it is in the support.</summary>
    private void DrawStart(int i, Span<double> φ)
    {
        Span<double> z = stackalloc double[_d];
        for (ulong attempt = 0; attempt < 200; attempt++)
        {
            var random = new CounterRandom(_seed, CounterRandom.Mix(_stream, 's' + (attempt << 8)), (uint)i);
            if (_modes.Count == 0 || random.Uniform() < PriorShare)
            {
                DrawPrior(ref random, φ);
                return;
            }

            // mean + L⁻ᵀ z √(5/χ²₅)
            Mode mode = _modes[(int)(random.Uniform() * _modes.Count)];
            double stretch = Math.Sqrt(5 / ChiSquare(ref random, 5));
            for (int j = 0; j < _d; j++) z[j] = Normal(ref random) * stretch;
            for (int j = _d - 1; j >= 0; j--)
            {
                double sum = z[j];
                for (int k = j + 1; k < _d; k++) sum -= mode.L[(k * _d) + j] * φ[k];
                φ[j] = sum / mode.L[(j * _d) + j];
            }

            for (int j = 0; j < _d; j++) φ[j] += mode.Mean[j];
            φ[0] = Reflected(φ[0]);
            if (PosteriorKernel.IsInSupport(φ, _points.U[0])) return;
        }

        var last = new CounterRandom(_seed, CounterRandom.Mix(_stream, 'l'), (uint)i);
        DrawPrior(ref last, φ);
    }

    private void DrawPrior(ref CounterRandom random, Span<double> φ)
    {
        φ[0] = random.Uniform();
        double above = 0;
        for (int k = 0; k < 50 && !(above > 0); k++) above = Math.Exp(_points.LogY[^1] + (LevelSpread * Normal(ref random))) - φ[0];
        φ[1] = Math.Log(Math.Max(above, 1e-3));
        φ[2] = C0Spread * Student(ref random);
        Span<double> d = stackalloc double[_breaks];
        for (int i = 0; i < _breaks; i++) d[i] = _points.U[0] * random.Uniform();
        d.Sort();
        for (int i = 0; i < _breaks; i++)
        {
            φ[3 + (3 * i)] = CSpread * Student(ref random);
            φ[4 + (3 * i)] = d[i];
            φ[5 + (3 * i)] = LogFSpread * Normal(ref random);
        }

        φ[_p] = LogNoise + (LogNoiseSpread * Normal(ref random));
        φ[_p + 1] = LogDrift + (LogDriftSpread * Normal(ref random));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double LogMixture(ReadOnlySpan<double> φ)
    {
        double g = Math.Exp(φ[1]), y = φ[0] + g;
        double prior = Math.Log(g / y) + LogNormal(Math.Log(y), _points.LogY[^1], LevelSpread) + LogStudent(φ[2] / C0Spread) - Math.Log(C0Spread);
        for (int i = 0; i < _breaks; i++)
            prior += LogStudent(φ[3 + (3 * i)] / CSpread) - Math.Log(CSpread) + LogNormal(φ[5 + (3 * i)], 0, LogFSpread) - Math.Log(-_points.U[0]) + Math.Log(i + 1);
        prior += LogNormal(φ[_p], LogNoise, LogNoiseSpread) + LogNormal(φ[_p + 1], LogDrift, LogDriftSpread);
        if (_modes.Count == 0) return prior;
        Span<double> terms = stackalloc double[_modes.Count + 1];
        terms[^1] = Math.Log(PriorShare) + prior;
        for (int m = 0; m < _modes.Count; m++)
        {
            (double[] mean, double[] l, double logScale) = _modes[m];
            double square = 0;
            for (int j = 0; j < _d; j++)
            {
                double sum = 0;
                for (int k = j; k < _d; k++) sum += l[(k * _d) + j] * (φ[k] - mean[k]);
                square += sum * sum;
            }

            terms[m] = logScale - ((5 + _d) / 2.0 * Math.Log(1 + (square / 5)));
        }

        double most = double.NegativeInfinity, total = 0;
        foreach (double term in terms) most = Math.Max(most, term);
        foreach (double term in terms) total += Math.Exp(term - most);
        return most + Math.Log(total);
    }

    private static double LogNormal(double x, double mean, double spread) => (-(x - mean) * (x - mean) / (2 * spread * spread)) - Math.Log(spread) - Constants.LogSqrt2Pi;

    private static double LogStudent(double x) => Math.Log(2 / (Math.PI * Math.Sqrt(3))) - (2 * Math.Log(1 + (x * x / 3)));

    private static double Normal(ref CounterRandom random) => Math.Sqrt(-2 * Math.Log(random.Uniform())) * Math.Cos(2 * Math.PI * random.Uniform());

    private static double Student(ref CounterRandom random) => Normal(ref random) / Math.Sqrt(ChiSquare(ref random, 3) / 3);

    private static double ChiSquare(ref CounterRandom random, int degrees)
    {
        double sum = 0;
        for (int j = 0; j < degrees; j++)
        {
            double z = Normal(ref random);
            sum += z * z;
        }

        return sum;
    }

    /// <summary>L of A = L Lᵀ, with pivots that are kept above rounding.</summary>
    private static double[] Cholesky(double[] a, int n)
    {
        var l = new double[n * n];
        for (int j = 0; j < n; j++)
        {
            double sum = a[(j * n) + j];
            for (int k = 0; k < j; k++) sum -= l[(j * n) + k] * l[(j * n) + k];
            l[(j * n) + j] = Math.Sqrt(Math.Max(sum, 1e-14 * Math.Max(a[(j * n) + j], 1e-14)));
            for (int i = j + 1; i < n; i++)
            {
                sum = a[(i * n) + j];
                for (int k = 0; k < j; k++) sum -= l[(i * n) + k] * l[(j * n) + k];
                l[(i * n) + j] = sum / l[(j * n) + j];
            }
        }

        return l;
    }
}
