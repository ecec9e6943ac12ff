using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>Log prior + log likelihood of many draws: one a SIMD lane.</summary>
/// <remarks>A draw φ is θ of the BNSL, then log σ and log τ.</remarks>
internal abstract class PosteriorKernel
{
    /// <summary>Evaluates.</summary>
    /// <param name="points">The points.</param>
    /// <param name="φ">Draws. Shape [count, p + 2].</param>
    /// <param name="logs">Output, up to a constant; −∞ outside the support. Shape [count].</param>
    /// <param name="offsets">Output: mean of B at the last point; empty if not wanted. Shape [count].</param>
    /// <param name="variances">Output: its variance. Shape [count].</param>
    public abstract void LogDensity(CondensedPoints points, ReadOnlySpan<double> φ, Span<double> logs, Span<double> offsets, Span<double> variances);

    /// <summary>The kernel of a number of breaks, on registers of a width; the widest by default. Results do not depend on it.</summary>
    public static PosteriorKernel Of(int breaks, LaneWidth? width = null) => breaks switch
    {
        0 => Of<Breaks0>(width),
        1 => Of<Breaks1>(width),
        2 => Of<Breaks2>(width),
        3 => Of<Breaks3>(width),
        4 => Of<Breaks4>(width),
        5 => Of<Breaks5>(width),
        _ => Of<Breaks6>(width),
    };

    private static PosteriorKernel Of<TBreaks>(LaneWidth? width)
        where TBreaks : struct, IBreaks => (width ?? SimdBackend.Widths[^1]) switch
        {
            LaneWidth.Bits512 => new PosteriorKernel<Lanes512<double>, Vector512<double>, TBreaks>(),
            LaneWidth.Bits256 => new PosteriorKernel<Lanes256<double>, Vector256<double>, TBreaks>(),
            LaneWidth.Bits128 => new PosteriorKernel<Lanes128<double>, Vector128<double>, TBreaks>(),
            _ => new PosteriorKernel<F64, bool, TBreaks>(),
        };

    /// <summary>Whether a draw has a density: 0 &lt; a &lt; min y, breaks in order within the data, nothing beyond all measure.</summary>
    public static bool IsInSupport(ReadOnlySpan<double> φ, double firstU)
    {
        foreach (double value in φ)
            if (!double.IsFinite(value)) return false;
        if (!(φ[0] is > 0 and < 1) || Math.Abs(φ[2]) > 30) return false;
        double before = firstU;
        for (int j = 3; j < φ.Length - 2; j += 3)
        {
            if (Math.Abs(φ[j]) > 30 || !(φ[j + 1] > before && φ[j + 1] < 0) || !(φ[j + 2] is > -5.5 and < 5)) return false;
            before = φ[j + 1];
        }

        return φ[^2] is > -16 and < 3 && φ[^1] is > -16 and < 3;
    }
}

/// <inheritdoc cref="PosteriorKernel"/>
internal sealed unsafe class PosteriorKernel<T, TMask, TBreaks> : PosteriorKernel
    where T : unmanaged, ILanes<T, TMask, double>
    where TMask : struct
    where TBreaks : struct, IBreaks
{
    private static int P => Bnsl<TBreaks>.ParameterCount;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void LogDensity(CondensedPoints points, ReadOnlySpan<double> φ, Span<double> logs, Span<double> offsets, Span<double> variances)
    {
        int count = logs.Length, width = P + 2;
        void* memory = NativeMemory.AlignedAlloc((nuint)((width + Bnsl<TBreaks>.WorkCount) * sizeof(T)), 64);
        T* lanes = (T*)memory;
        for (int first = 0; first < count; first += T.Count)
        {
            for (int lane = 0; lane < T.Count; lane++)
                for (int j = 0; j < width; j++) ((double*)(lanes + j))[lane] = φ[(Math.Min(first + lane, count - 1) * width) + j];
            T log = LogLikelihood(points, lanes, lanes + width, out T offset, out T variance) + LogPrior(points, lanes);
            for (int lane = 0; lane < T.Count && first + lane < count; lane++)
            {
                int i = first + lane;
                double value = ((double*)&log)[lane];
                logs[i] = IsInSupport(φ.Slice(i * width, width), points.U[0]) && !double.IsNaN(value) ? value : double.NegativeInfinity;
                if (offsets.Length > 0) (offsets[i], variances[i]) = (((double*)&offset)[lane], ((double*)&variance)[lane]);
            }
        }

        NativeMemory.AlignedFree(memory);
    }

    /// <summary>Kalman's filter for B: S = P + σ²/k, K = P/S, B ← B + K r, P ← K σ²/k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static T LogLikelihood(CondensedPoints points, T* φ, T* work, out T offset, out T variance)
    {
        T σ = Functions.ExpClamped<T, TMask>(φ[P]), τ = Functions.ExpClamped<T, TMask>(φ[P + 1]), noise = σ * σ, drift = τ * τ;
        Bnsl<TBreaks>.Prepare<T, TMask, Block<T>>(new(φ), new(work));
        T mean = T.Constant(0), spread = T.Constant(0), sum = T.Constant(0);
        fixed (double* u = points.U)
        {
            for (int i = 0; i < points.U.Length; i++)
            {
                T law = Bnsl<TBreaks>.Evaluate<T, TMask, Broadcast<T, TMask, double>, Block<T>, Nowhere<T>>(new(u), i, new(φ), new(work), default, 0);
                if (i > 0) spread = T.MultiplyAdd(drift, T.Constant(u[i] - u[i - 1]), spread);
                T own = noise * T.Constant(1 / points.Counts[i]), r = T.Constant(points.LogY[i]) - law - mean;
                T log = T.Log(spread + own, out T inverse), gain = spread * inverse;
                mean = T.MultiplyAdd(gain, r, mean);
                spread = own * gain;
                sum += T.MultiplyAdd(r * r, inverse, log);
            }
        }

        // Within what was condensed: −(k − 1) log σ − Σ(y − ȳ)²/2σ².
        if (points.WithinDegrees > 0) sum += (T.Constant(2 * points.WithinDegrees) * φ[P]) + (T.Constant(points.WithinSquares) / noise);
        (offset, variance) = (mean, spread);
        return T.Constant(-0.5) * sum;
    }

    private static T LogPrior(CondensedPoints points, T* φ)
    {
        T g = Functions.ExpClamped<T, TMask>(φ[1]), level = T.Log(φ[0] + g, out T inverse);
        T log = T.Log(g * inverse, out _); // ∂ log y_last/∂ log g
        log -= Gauss(level, points.LogY[^1], Posterior.LevelSpread) + Student(φ[2], Posterior.C0Spread);
        for (int j = 3; j < P; j += 3) log -= Student(φ[j], Posterior.CSpread) + Gauss(φ[j + 2], 0, Posterior.LogFSpread);
        return log - (Gauss(φ[P], Posterior.LogNoise, Posterior.LogNoiseSpread) + Gauss(φ[P + 1], Posterior.LogDrift, Posterior.LogDriftSpread));
    }

    private static T Gauss(T x, double mean, double spread)
    {
        T z = (x - T.Constant(mean)) * T.Constant(1 / spread);
        return z * z * T.Constant(0.5);
    }

    private static T Student(T x, double spread)
    {
        T z = x * T.Constant(1 / spread);
        return T.Constant(2) * T.Log(T.MultiplyAdd(z * z, T.Constant(1 / 3.0), T.Constant(1)), out _);
    }
}
