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

    /// <summary>Residuals and Jacobian at one θ.</summary>
    internal static Evaluation Evaluate(Problem problem, ReadOnlySpan<double> θ)
    {
        var evaluation = new Evaluation(new double[problem.Count], new double[problem.Count * problem.ParameterCount]);
        new SimdBackend(LaneWidth.Scalar).Kernel(problem, SearchPrecision.Double).Evaluate(problem, θ, evaluation.Residuals, evaluation.Jacobian);
        return evaluation;
    }

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
        Each(
            "screen",
            [.. batch.Problems.Select(problem => (problem, options.Starts))],
            options,
            (index, first, θ) => new StartSet(batch.Problems[index], 0, options.Starts, []).Draw(options.Seed, first, θ),
            (problem, θ, losses) => Kernel(problem, SearchPrecision.Double).Screen(problem, θ, losses),
            all => all.Best(options.Keep, gap: 0),
            progress,
            cancellation);

    /// <summary>The best of some starts, screened.</summary>
    /// <returns>Their numbers.</returns>
    internal int[] ScreenPart(StartSet part, SearchOptions options, CancellationToken cancellation)
    {
        int p = part.Problem.ParameterCount;
        var best = new PriorityQueue<int, (double, int)>();
        var θ = new double[256 * p];
        var losses = new double[256];
        for (int first = 0; first < part.Count; first += losses.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = Math.Min(losses.Length, part.Count - first);
            part.Draw(options.Seed, first, θ.AsSpan(0, count * p));
            Kernel(part.Problem, SearchPrecision.Double).Screen(part.Problem, θ.AsSpan(0, count * p), losses.AsSpan(0, count));
            for (int k = 0; k < count; k++)
            {
                // The queue gives up its largest first.
                if (!double.IsFinite(losses[k])) continue;
                best.Enqueue(part.First + first + k, (-losses[k], -(part.First + first + k)));
                if (best.Count > options.Keep) best.Dequeue();
            }
        }

        return [.. best.UnorderedItems.Select(item => item.Element)];
    }

    /// <summary>Starts by number, the best of them first.</summary>
    internal Candidates Rank(Problem problem, int[] starts, SearchOptions options)
    {
        int p = problem.ParameterCount;
        var θ = new double[starts.Length * p];
        var losses = new double[starts.Length];
        for (int k = 0; k < starts.Length; k++) problem.Start(options.Seed, starts[k], θ.AsSpan(k * p, p));
        Kernel(problem, SearchPrecision.Double).Screen(problem, θ, losses);
        return new Candidates(problem, θ, losses, []).Best(options.Keep, gap: 0);
    }

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Descend(
        IReadOnlyList<Candidates> starts, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default) =>
        Descend([.. starts.Select(some => new StartSet(some.Problem, 0, some.Losses.Length, [], some.Parameters))], options, progress, cancellation);

    /// <summary>Levenberg-Marquardt from starts that may still have to be drawn.</summary>
    internal ImmutableArray<Candidates> Descend(IReadOnlyList<StartSet> starts, SearchOptions options, IProgress<FitProgress>? progress, CancellationToken cancellation) =>
        Each(
            "search",
            [.. starts.Select(set => (set.Problem, set.Count))],
            options,
            (index, first, θ) => starts[index].Draw(options.Seed, first, θ),
            (problem, θ, losses) =>
            {
                if (options.Precision == SearchPrecision.Mixed)
                    Kernel(problem, SearchPrecision.Mixed).Search(problem, θ, losses, FloatTolerance, options.Iterations, cancellation);
                Kernel(problem, SearchPrecision.Double).Search(problem, θ, losses, DoubleTolerance, options.Iterations, cancellation);
            },
            all => all,
            progress,
            cancellation);

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Search(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken stop = default) =>
        BasinHopping.Search((sets, part) => Descend(sets, options, part, stop), StartsTogether, ahead: 1, batch, options, progress, stop);

    /// <summary>Random starts that are held at a time, about.</summary>
    private const int StartsTogether = 1 << 16;

    /// <summary>Relative fall below which a start leaves the float search.</summary>
    internal const double FloatTolerance = 1e-3;

    /// <summary>Relative fall below which a start stands: small enough that what remains cannot matter at 1e-6.</summary>
    internal const double DoubleTolerance = 1e-8;

    private delegate void Fill(int index, int first, Span<double> θ);

    private delegate void StartsAction(Problem problem, Span<double> θ, Span<double> losses);

    /// <summary>Hands the starts of every problem to an action in chunks.</summary>
    /// <param name="stage">What progress calls it.</param>
    /// <param name="items">Problems, and how many starts each has.</param>
    /// <param name="options">Threads and chunks.</param>
    /// <param name="fill">Writes the starts of an item from a given one on.</param>
    /// <param name="action">What is done with a chunk.</param>
    /// <param name="finish">What is kept of an item whose chunks are done.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="cancellation">Ends the work.</param>
    private static ImmutableArray<Candidates> Each(
        string stage,
        ImmutableArray<(Problem Problem, int Starts)> items,
        SearchOptions options,
        Fill fill,
        StartsAction action,
        Func<Candidates, Candidates> finish,
        IProgress<FitProgress>? progress,
        CancellationToken cancellation)
    {
        int threads = options.Threads > 0 ? options.Threads : Environment.ProcessorCount;
        long done = 0, total = items.Sum(item => (long)item.Starts);
        int usual = (int)Math.Clamp(total / (threads * 8L), 16, 256);
        var work = new List<(int Item, int First, int Count)>();
        var left = new int[items.Length];

        // The costliest problem first, so that no thread is left with one at the end; its chunks together, so that few problems are in memory at a time.
        foreach (int index in Enumerable.Range(0, items.Length).OrderByDescending(index => Cost(items[index].Problem)))
        {
            int chunk = options.ChunkSize > 0 ? options.ChunkSize : items[index].Problem.Count > LongCurve ? ChunkOfLongCurve : usual;
            for (long first = 0; first < items[index].Starts; first += chunk, left[index]++)
                work.Add((index, (int)first, (int)Math.Min(chunk, items[index].Starts - first)));
        }

        var θ = new double[items.Length][];
        var losses = new double[items.Length][];
        var kept = new Candidates[items.Length];
        progress?.Report(new(stage, 0, total));
        Run(work.Count, threads, item =>
        {
            (int index, int first, int count) = work[item];
            (Problem problem, int starts) = items[index];
            int p = problem.ParameterCount;
            double[] ends = LazyInitializer.EnsureInitialized(ref losses[index], () => new double[starts]);
            Span<double> parameters = LazyInitializer.EnsureInitialized(ref θ[index], () => new double[starts * p]).AsSpan(first * p, count * p);
            fill(index, first, parameters);
            action(problem, parameters, ends.AsSpan(first, count));
            if (Interlocked.Decrement(ref left[index]) == 0)
            {
                kept[index] = finish(new(problem, θ[index], ends, []));
                (θ[index], losses[index]) = ([], []);
            }

            progress?.Report(new(stage, Interlocked.Add(ref done, count), total));
        }, cancellation);
        return ImmutableCollectionsMarshal.AsImmutableArray(kept);

        static long Cost(Problem problem) => (long)problem.Count * problem.ParameterCount * problem.ParameterCount;
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
