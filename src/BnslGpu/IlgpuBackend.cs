using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>The search on devices: work in chunks that fit into their memory, shared by all of them, and by the CPU where one fails.</summary>
/// <remarks>
/// A chunk is of one law and loss. Its results do not depend on what else is in it. A chunk that runs out of memory is halved; a device that fails is
/// left, and its chunk done by another, or by SIMD where there is none. What was said on the way is in <see cref="Remarks"/>.
/// </remarks>
internal sealed class IlgpuBackend : IBackend, IDisposable
{
    private readonly List<IlgpuDevice> _devices;
    private readonly HashSet<IlgpuDevice> _failed = [];
    private readonly SimdBackend _simd = new();
    private readonly ConcurrentQueue<string> _remarks = new();

    /// <summary>A search on some devices.</summary>
    /// <param name="devices">The devices, which it closes.</param>
    /// <param name="remarks">What was to be said already.</param>
    public IlgpuBackend(List<IlgpuDevice> devices, IEnumerable<string>? remarks = null)
    {
        _devices = devices;
        foreach (string remark in remarks ?? []) Say(remark);
    }

    /// <inheritdoc/>
    public string Description => string.Join("; ", _devices.Select(device => device.Description));

    /// <inheritdoc/>
    public ImmutableArray<string> Remarks => [.. _remarks];

    /// <inheritdoc/>
    public ImmutableArray<Evaluation> Evaluate(IReadOnlyList<Candidates> candidates, CancellationToken cancellation = default)
    {
        var answers = new Evaluation[candidates.Count];
        for (int item = 0; item < answers.Length; item++)
        {
            int points = candidates[item].Problem.Count, count = candidates[item].Losses.Length;
            answers[item] = new(new double[count * points], new double[count * points * candidates[item].Problem.ParameterCount]);
        }

        Share(
            [.. Groups(candidates.Select(some => some.Problem)).SelectMany(group => group.Chunk(1024))],
            (device, items) =>
            {
                Evaluation[] own = [.. items.Select(item => answers[item])];
                var run = new IlgpuCandidates([.. items.Select(item => new StartSet(candidates[item].Problem, 0, candidates[item].Losses.Length, [], candidates[item].Parameters))], 0);
                device.Model(run.Sets[0].Problem.Law, run.Sets[0].Problem.Loss, SearchPrecision.Double).Evaluate(run, own, device.MemoryBudget, cancellation);
            },
            Halves,
            items =>
            {
                ImmutableArray<Evaluation> own = _simd.Evaluate([.. items.Select(item => candidates[item])], cancellation);
                for (int k = 0; k < items.Length; k++) answers[items[k]] = own[k];
            });
        return ImmutableCollectionsMarshal.AsImmutableArray(answers);
    }

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Screen(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default)
    {
        var kept = new List<int>[batch.Problems.Length];
        for (int problem = 0; problem < kept.Length; problem++) kept[problem] = [];
        var counter = new Counter("screen", progress, (long)options.Starts * kept.Length);
        var chunks = new List<(int[] Problems, long First, long End)>();
        foreach (int[] group in Groups(batch.Problems))
        {
            long all = (long)group.Length * options.Starts, share = Math.Max((all + (4L * _devices.Count) - 1) / (4L * _devices.Count), 1 << 16);
            for (long first = 0; first < all; first += share) chunks.Add((group, first, Math.Min(first + share, all)));
        }

        Share(
            chunks,
            (device, chunk) =>
            {
                Problem[] problems = [.. chunk.Problems.Select(problem => batch.Problems[problem])];
                List<int>[] own = device.Model(problems[0].Law, problems[0].Loss, SearchPrecision.Double)
                    .Screen(problems, options, chunk.First, chunk.End, device.MemoryBudget, counter.Add, cancellation);
                for (int k = 0; k < own.Length; k++)
                    lock (kept) kept[chunk.Problems[k]].AddRange(own[k]);
            },
            chunk => chunk.End - chunk.First < 2 ? [] : [(chunk.Problems, chunk.First, (chunk.First + chunk.End) / 2), (chunk.Problems, (chunk.First + chunk.End) / 2, chunk.End)],
            chunk =>
            {
                for (int k = 0; k < chunk.Problems.Length; k++)
                {
                    long first = Math.Max(chunk.First - ((long)k * options.Starts), 0), end = Math.Min(chunk.End - ((long)k * options.Starts), options.Starts);
                    if (first >= end) continue;
                    int[] own = _simd.ScreenPart(new(batch.Problems[chunk.Problems[k]], (int)first, (int)(end - first), []), options, cancellation);
                    lock (kept) kept[chunk.Problems[k]].AddRange(own);
                }
            });

        // What a device thinks best is drawn and ranked again here: the last word is the CPU's.
        return [.. kept.Select((starts, problem) => _simd.Rank(batch.Problems[problem], [.. starts.Order()], options))];
    }

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Descend(
        IReadOnlyList<Candidates> starts, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default) =>
        Descend([.. starts.Select(some => new StartSet(some.Problem, 0, some.Losses.Length, [], some.Parameters))], options, progress, isSearch: false, cancellation);

    /// <inheritdoc/>
    public ImmutableArray<Candidates> Search(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken stop = default) =>
        BasinHopping.Search((sets, part) => Descend(sets, options, part, isSearch: true, stop), StartsTogether, Ahead, batch, options, progress, stop);

    /// <summary>Random starts that are held at a time, about: the hops that follow are half as many, and should still fill every device.</summary>
    private int StartsTogether => (int)Math.Min(_devices.Sum(device => 4L * device.Slots(1 << 12)), 1 << 22);

    /// <summary>A GPU has room for chains that may not be needed; a CPU that plays the device has not.</summary>
    private int Ahead => _devices.Exists(device => device.IsGpu) ? BasinHopping.MostChains : 1;

    /// <summary>Descends from starts.</summary>
    /// <param name="sets">The starts.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="isSearch">Whether what ended before a cancellation is an answer, losses of the rest not a number: a first round may be millions of starts.</param>
    /// <param name="cancellation">Ends the work.</param>
    private ImmutableArray<Candidates> Descend(IReadOnlyList<StartSet> sets, SearchOptions options, IProgress<FitProgress>? progress, bool isSearch, CancellationToken cancellation)
    {
        Candidates[] answers = [.. sets.Select(set => new Candidates(set.Problem, new double[set.Count * set.Problem.ParameterCount], new double[set.Count], []))];
        foreach (Candidates answer in answers) Array.Fill(answer.Losses, double.NaN);
        var counter = new Counter("search", progress, sets.Sum(set => (long)set.Count));
        var chunks = new List<Part[]>();
        foreach (int[] group in Groups(sets.Select(set => set.Problem)))
        {
            int p = sets[group[0]].Problem.ParameterCount;
            long all = group.Sum(set => (long)sets[set].Count), share = _devices.Count == 1 ? all : Math.Max(all / (4L * _devices.Count), 256);
            long most = Math.Clamp(Math.Min(_devices.Min(device => device.MemoryBudget) / 2 / ((p + 3L) * sizeof(double)), share), 1, int.MaxValue / 2 / p);
            var chunk = new List<Part>();
            long held = 0;
            foreach (int set in group)
            {
                for (int first = 0; first < sets[set].Count;)
                {
                    int count = (int)(sets[set].CanBeSplit ? Math.Min(sets[set].Count - first, most - held) : sets[set].Count);
                    chunk.Add(new(set, first, count));
                    held += count;
                    first += count;
                    if (held < most) continue;
                    chunks.Add([.. chunk]);
                    chunk.Clear();
                    held = 0;
                }
            }

            if (chunk.Count > 0) chunks.Add([.. chunk]);
        }

        try
        {
            Share(chunks, OnDevice, parts => HalvesOf(parts, sets), OnCpu);
        }
        catch (OperationCanceledException) when (isSearch && cancellation.IsCancellationRequested)
        {
            // What ended by then is there.
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(answers);

        void OnDevice(IlgpuDevice device, Part[] parts)
        {
            var run = new IlgpuCandidates([.. parts.Select(StartSetOf)], options.Seed);
            Problem first = run.Sets[0].Problem;
            if (options.Precision == SearchPrecision.Mixed)
                device.Model(first.Law, first.Loss, SearchPrecision.Mixed).Descend(run, options, SimdBackend.FloatTolerance, null, cancellation);
            run.Losses = [];
            try
            {
                device.Model(first.Law, first.Loss, SearchPrecision.Double).Descend(run, options, SimdBackend.DoubleTolerance, counter.Add, cancellation);
            }
            catch (OperationCanceledException) when (run.Losses.Length > 0)
            {
                Take(run, parts);
                throw;
            }

            Take(run, parts);
        }

        void Take(IlgpuCandidates run, Part[] parts)
        {
            int p = run.ParameterCount, at = 0;
            foreach (Part part in parts)
            {
                MemoryMarshal.Cast<F64, double>(run.Parameters.AsSpan(at * p, part.Count * p)).CopyTo(answers[part.Set].Parameters.AsSpan(part.First * p));
                MemoryMarshal.Cast<F64, double>(run.Losses.AsSpan(at, part.Count)).CopyTo(answers[part.Set].Losses.AsSpan(part.First));
                at += part.Count;
            }
        }

        void OnCpu(Part[] parts)
        {
            ImmutableArray<Candidates> own = _simd.Descend([.. parts.Select(StartSetOf)], options, null, cancellation);
            for (int k = 0; k < parts.Length; k++)
            {
                own[k].Parameters.CopyTo(answers[parts[k].Set].Parameters, parts[k].First * own[k].Problem.ParameterCount);
                own[k].Losses.CopyTo(answers[parts[k].Set].Losses, parts[k].First);
                counter.Add(parts[k].Count);
            }
        }

        StartSet StartSetOf(Part part) => part.Count == sets[part.Set].Count ? sets[part.Set] : sets[part.Set].Part(part.First, part.Count);
    }

    /// <summary>Bytes below which a device that still has not so much is left.</summary>
    private const long LeastBudget = 1 << 16;

    /// <summary>Some starts of a set.</summary>
    private readonly record struct Part(int Set, int First, int Count);

    private static List<Part[]> HalvesOf(Part[] parts, IReadOnlyList<StartSet> sets)
    {
        if (parts.Length > 1) return Halves(parts);
        Part only = parts[0];
        int half = only.Count / 2;
        return only.Count < 2 || !sets[only.Set].CanBeSplit ? [] : [[only with { Count = half }], [only with { First = only.First + half, Count = only.Count - half }]];
    }

    private static List<TItem[]> Halves<TItem>(TItem[] items) => items.Length < 2 ? [] : [items[..(items.Length / 2)], items[(items.Length / 2)..]];

    /// <summary>Places of problems of one law and loss, no more together than an eighth of a device's budget holds the points of.</summary>
    private IEnumerable<int[]> Groups(IEnumerable<Problem> problems)
    {
        long most = _devices.Min(device => device.MemoryBudget) / 8 / sizeof(double);
        foreach (var group in problems.Select((problem, index) => (problem, index)).GroupBy(item => (item.problem.Law, item.problem.Loss)))
        {
            var together = new List<int>();
            var held = new HashSet<Problem>(ReferenceEqualityComparer.Instance);
            long numbers = 0;
            foreach ((Problem problem, int index) in group)
            {
                long own = held.Contains(problem) ? 0 : problem.Packed.Length;
                if (together.Count > 0 && numbers + own > most)
                {
                    yield return [.. together];
                    together.Clear();
                    held.Clear();
                    numbers = 0;
                    own = problem.Packed.Length;
                }

                together.Add(index);
                held.Add(problem);
                numbers += own;
            }

            yield return [.. together];
        }
    }

    /// <summary>Hands chunks to devices, each on a thread; what none of them can do goes to the CPU.</summary>
    /// <param name="chunks">The work.</param>
    /// <param name="onDevice">Does a chunk on a device.</param>
    /// <param name="halve">Makes two chunks of one; none where it cannot be.</param>
    /// <param name="onCpu">Does a chunk on the CPU.</param>
    private void Share<TChunk>(IReadOnlyCollection<TChunk> chunks, Action<IlgpuDevice, TChunk> onDevice, Func<TChunk, IReadOnlyList<TChunk>> halve, Action<TChunk> onCpu)
    {
        var waiting = new ConcurrentQueue<TChunk>(chunks);
        var refused = new ConcurrentQueue<TChunk>();
        IlgpuDevice[] devices = [.. _devices.Where(device => !_failed.Contains(device))];
        SimdBackend.Run(devices.Length, devices.Length, index =>
        {
            IlgpuDevice device = devices[index];
            while (waiting.TryDequeue(out TChunk? chunk))
            {
                try
                {
                    onDevice(device, chunk);
                }
                catch (OperationCanceledException)
                {
                    throw;
                }
                catch (DeviceMemoryException) when (device.MemoryBudget > LeastBudget)
                {
                    device.MemoryBudget = Math.Max(device.MemoryBudget / 2, LeastBudget);
                    Say($"{device.Name} had not the memory that was asked of it; the rest went in smaller pieces.");
                    IReadOnlyList<TChunk> halves = halve(chunk);
                    foreach (TChunk half in halves.Count > 0 ? halves : [chunk]) waiting.Enqueue(half);
                }
                catch (DeviceCompileException unable)
                {
                    Say($"{device.Name} cannot compile a kernel ({OneLine(unable)}); what needs it was done on the CPU.");
                    refused.Enqueue(chunk);
                }
                catch (Exception failure)
                {
                    lock (_failed) _failed.Add(device);
                    waiting.Enqueue(chunk);
                    Say($"{device.Name} failed ({failure.GetType().Name}: {OneLine(failure)}) and was left; nothing is lost.");
                    return;
                }
            }
        }, CancellationToken.None);

        // Another device may have ended before one that failed: what is left then is nobody's.
        foreach (TChunk chunk in waiting.Concat(refused)) onCpu(chunk);
        if (!waiting.IsEmpty) Say("What no device did was done on the CPU.");
    }

    private static string OneLine(Exception failure) => failure.GetBaseException().Message.Trim().Split('\n')[0].TrimEnd('.', '\r');

    private void Say(string sentence)
    {
        if (!_remarks.Contains(sentence)) _remarks.Enqueue(sentence);
    }

    /// <inheritdoc/>
    public void Dispose() => IlgpuDevice.Close([.. _devices]); // the work is done: what fails now loses nothing

    private sealed class Counter(string stage, IProgress<FitProgress>? progress, long total)
    {
        private long _done;

        /// <summary>What a device did before it failed is done again, and counted once.</summary>
        public void Add(int count) => progress?.Report(new(stage, Math.Min(Interlocked.Add(ref _done, count), total), total));
    }
}
