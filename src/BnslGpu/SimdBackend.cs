using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>Width of the registers that carry candidates.</summary>
internal enum LaneWidth
{
    Scalar = 64,
    Bits128 = 128,
    Bits256 = 256,
    Bits512 = 512,
}

/// <summary>The search on CPU cores: one candidate a SIMD lane, all lanes on one problem, problems and chunks of starts over threads.</summary>
public sealed class SimdBackend : IBackend
{
    private readonly LaneWidth _width;

    /// <summary>The widest registers that this machine accelerates.</summary>
    public SimdBackend()
        : this(Widest)
    {
    }

    /// <summary>Registers of a given width, for tests and measurements.</summary>
    internal SimdBackend(LaneWidth width) => _width = width;

    /// <summary>Widths that this machine accelerates, scalar first.</summary>
    internal static ImmutableArray<LaneWidth> Widths =>
    [
        LaneWidth.Scalar,
        .. Vector128.IsHardwareAccelerated ? [LaneWidth.Bits128] : Array.Empty<LaneWidth>(),
        .. Vector256.IsHardwareAccelerated ? [LaneWidth.Bits256] : Array.Empty<LaneWidth>(),
        .. Vector512.IsHardwareAccelerated ? [LaneWidth.Bits512] : Array.Empty<LaneWidth>(),
    ];

    private static LaneWidth Widest => Widths[^1];

    /// <inheritdoc/>
    public string Description => _width == LaneWidth.Scalar
        ? "simd: no vector registers, 1 lane"
        : $"simd: {(int)_width}-bit registers, {(int)_width / 64} double or {(int)_width / 32} float lanes";

    /// <inheritdoc/>
    public ImmutableArray<Evaluation> Evaluate(IReadOnlyList<Candidates> candidates, CancellationToken cancellation = default)
    {
        var answers = new Evaluation[candidates.Count];
        Run(candidates.Count, 0, item =>
        {
            Candidates some = candidates[item];
            int points = some.Problem.Count, count = some.Losses.Length;
            answers[item] = new(new double[count * points], new double[count * points * some.Problem.ParameterCount]);
            Kernel(some.Problem, SearchPrecision.Double).Evaluate(some.Problem, some.Parameters, answers[item].Residuals, answers[item].Jacobian);
        }, cancellation);
        return ImmutableCollectionsMarshal.AsImmutableArray(answers);
    }

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Screen(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default) =>
        Each(batch, options, "screen", distinct: false, progress, (problem, θ, losses) =>
            Kernel(problem, SearchPrecision.Double).Screen(problem, θ, losses), cancellation);

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Search(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default) =>
        Each(batch, options, "search", distinct: true, progress, (problem, θ, losses) =>
        {
            if (options.Precision == SearchPrecision.Mixed)
                Kernel(problem, SearchPrecision.Mixed).Search(problem, θ, losses, FloatTolerance, options.Iterations, cancellation);
            Kernel(problem, SearchPrecision.Double).Search(problem, θ, losses, DoubleTolerance, options.Iterations, cancellation);
        }, cancellation);

    /// <summary>Relative fall below which a start leaves the float search.</summary>
    internal const double FloatTolerance = 1e-3;

    /// <summary>Relative fall below which a start stands: small enough that what remains cannot matter at 1e-6.</summary>
    internal const double DoubleTolerance = 1e-8;

    private delegate void StartsAction(Problem problem, Span<double> θ, Span<double> losses);

    /// <summary>Draws the starts of every problem, hands them to an action in chunks, and keeps the best.</summary>
    private static ImmutableArray<Candidates> Each(
        ProblemBatch batch, SearchOptions options, string stage, bool distinct, IProgress<FitProgress>? progress, StartsAction action, CancellationToken cancellation)
    {
        ImmutableArray<Problem> problems = batch.Problems;
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        int usual = (int)Math.Clamp((long)options.Starts * problems.Length / (threads * 8L), 64, 256);
        var work = new List<(int Problem, int First, int Count)>();
        var left = new int[problems.Length];

        // The costliest problem first, so that no thread is left with one at the end; its chunks together, so that few problems are in memory at a time.
        foreach (int index in Enumerable.Range(0, problems.Length).OrderByDescending(index => (long)problems[index].Count * problems[index].ParameterCount * problems[index].ParameterCount))
        {
            int chunk = options.ChunkSize > 0 ? options.ChunkSize : problems[index].Count > LongCurve ? ChunkOfLongCurve : usual;
            for (long first = 0; first < options.Starts; first += chunk, left[index]++)
                work.Add((index, (int)first, (int)Math.Min(chunk, options.Starts - first)));
        }

        var θ = new double[problems.Length][];
        var losses = new double[problems.Length][];
        var best = new Candidates[problems.Length];
        long done = 0, total = (long)options.Starts * problems.Length;
        progress?.Report(new(stage, 0, total));
        Run(work.Count, threads, item =>
        {
            (int index, int first, int count) = work[item];
            Problem problem = problems[index];
            int p = problem.ParameterCount;
            double[] ends = LazyInitializer.EnsureInitialized(ref losses[index], () => new double[options.Starts]);
            Span<double> parameters = LazyInitializer.EnsureInitialized(ref θ[index], () => new double[options.Starts * p]).AsSpan(first * p, count * p);
            for (int start = 0; start < count; start++) problem.Start(options.Seed, first + start, parameters.Slice(start * p, p));
            action(problem, parameters, ends.AsSpan(first, count));
            if (Interlocked.Decrement(ref left[index]) == 0)
            {
                best[index] = Candidates.Best(problem, θ[index], ends, options.Keep, distinct);
                (θ[index], losses[index]) = ([], []);
            }

            progress?.Report(new(stage, Interlocked.Add(ref done, count), total));
        }, cancellation);
        return ImmutableCollectionsMarshal.AsImmutableArray(best);
    }

    // A chunk of a long curve is a round of lanes or two: progress shows, and threads share even one curve.
    private const int LongCurve = 4096, ChunkOfLongCurve = 16;

    /// <summary>Runs items 0, 1, … on threads that each take the next one.</summary>
    internal static void Run(int count, int threads, Action<int> action, CancellationToken cancellation)
    {
        int next = -1;
        threads = Math.Min(threads > 0 ? threads : Environment.ProcessorCount, count);
        if (threads <= 1)
        {
            Loop(0);
            return;
        }

        try
        {
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellation }, Loop);
        }
        catch (AggregateException several)
        {
            // What one thread would have thrown.
            ExceptionDispatchInfo.Throw(several.InnerExceptions.FirstOrDefault(one => one is not OperationCanceledException) ?? several.InnerExceptions[0]);
        }

        void Loop(int thread)
        {
            for (int item = Interlocked.Increment(ref next); item < count; item = Interlocked.Increment(ref next))
            {
                cancellation.ThrowIfCancellationRequested();
                action(item);
            }
        }
    }

    internal SimdKernel Kernel(Problem problem, SearchPrecision precision)
    {
        var closer = new Closer(_width, precision);
        return problem.Law.Close<Closer, SimdKernel>(problem.Loss, ref closer);
    }

    /// <summary>Picks the kind of number.</summary>
    private readonly struct Closer(LaneWidth width, SearchPrecision precision) : IModelVisitor<SimdKernel>
    {
        public SimdKernel Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => (width, precision) switch
            {
                (LaneWidth.Bits512, SearchPrecision.Double) => SimdKernel<Lanes512<double>, Vector512<double>, double, TLaw, TLoss>.Instance,
                (LaneWidth.Bits512, _) => SimdKernel<Lanes512<float>, Vector512<float>, float, TLaw, TLoss>.Instance,
                (LaneWidth.Bits256, SearchPrecision.Double) => SimdKernel<Lanes256<double>, Vector256<double>, double, TLaw, TLoss>.Instance,
                (LaneWidth.Bits256, _) => SimdKernel<Lanes256<float>, Vector256<float>, float, TLaw, TLoss>.Instance,
                (LaneWidth.Bits128, SearchPrecision.Double) => SimdKernel<Lanes128<double>, Vector128<double>, double, TLaw, TLoss>.Instance,
                (LaneWidth.Bits128, _) => SimdKernel<Lanes128<float>, Vector128<float>, float, TLaw, TLoss>.Instance,
                (_, SearchPrecision.Double) => SimdKernel<F64, bool, double, TLaw, TLoss>.Instance,
                _ => SimdKernel<F32, bool, float, TLaw, TLoss>.Instance,
            };
    }
}
