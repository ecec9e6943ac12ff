using System.Runtime.InteropServices;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace BnslGpu;

/// <summary>The kernels of one law, loss and precision on one accelerator, and what their launches read and write.</summary>
internal abstract class IlgpuModel
{
    /// <summary>Bytes of a slot of the search.</summary>
    public abstract long SlotBytes { get; }

    /// <summary>Steps candidates until they stand: draws them on the device where sets say so.</summary>
    /// <param name="run">What the chunk is, and where its results go.</param>
    /// <param name="options">How.</param>
    /// <param name="tolerance">Relative fall below which a candidate stands.</param>
    /// <param name="progress">Told how many more candidates are done.</param>
    /// <param name="cancellation">Ends the work between launches. What ended by then is in the run; losses of the rest are not numbers.</param>
    public abstract void Descend(IlgpuCandidates run, SearchOptions options, double tolerance, Action<int>? progress, CancellationToken cancellation);

    /// <summary>The best of (problem, start) from a number to another.</summary>
    /// <param name="problems">The problems.</param>
    /// <param name="options">How many starts, which seed, how many to keep.</param>
    /// <param name="first">The first (problem, start), start fastest.</param>
    /// <param name="end">The last, exclusive.</param>
    /// <param name="memory">Bytes to stay within.</param>
    /// <param name="progress">Told how many more starts are done.</param>
    /// <param name="cancellation">Ends the work between launches.</param>
    /// <returns>Starts of every problem, some more than asked for, in no order.</returns>
    public abstract List<int>[] Screen(Problem[] problems, SearchOptions options, long first, long end, long memory, Action<int>? progress, CancellationToken cancellation);

    /// <summary>Residuals and Jacobians.</summary>
    public abstract void Evaluate(IlgpuCandidates run, Evaluation[] answers, long memory, CancellationToken cancellation);
}

/// <summary>Candidates of one chunk on the host, all of one law and loss.</summary>
/// <param name="sets">What is drawn together.</param>
/// <param name="seed">The seed of what is drawn.</param>
internal sealed class IlgpuCandidates(StartSet[] sets, ulong seed)
{
    private readonly Problem[] _problems = [.. sets.Select(set => set.Problem).Distinct()];

    public StartSet[] Sets { get; } = sets;

    public ulong Seed { get; } = seed;

    public Problem[] Problems => _problems;

    public int ParameterCount => Sets[0].Problem.ParameterCount;

    public int Count { get; } = sets.Sum(set => set.Count);

    /// <summary>True where sets say how to draw starts; false where they hold them.</summary>
    public bool AreDrawn => Sets[0].Given is null && Parameters.Length == 0;

    /// <summary>Starts if they are given, and where all ended. Shape [Count, p].</summary>
    public F64[] Parameters { get; set; } = [];

    /// <summary>Draws the starts here, for a device that cannot.</summary>
    public void Draw()
    {
        Parameters = new F64[(long)Count * ParameterCount];
        Span<double> θ = MemoryMarshal.Cast<F64, double>(Parameters.AsSpan());
        foreach (StartSet set in Sets)
        {
            set.Draw(Seed, 0, θ[..(set.Count * ParameterCount)]);
            θ = θ[(set.Count * ParameterCount)..];
        }
    }

    /// <summary>Losses there.</summary>
    public F64[] Losses { get; set; } = [];
}

/// <inheritdoc cref="IlgpuModel"/>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TLaw">The law.</typeparam>
/// <typeparam name="TLoss">The loss.</typeparam>
/// <typeparam name="TPasses">How points are gone through.</typeparam>
internal sealed class IlgpuModel<T, TLaw, TLoss, TPasses> : IlgpuModel
    where T : unmanaged, IScalar<T>
    where TLaw : struct, IScalingLaw
    where TLoss : struct, ILoss
    where TPasses : struct, IPasses<T>
{
    private readonly IlgpuDevice _device;
    private readonly Lazy<Action<Index1D, SearchLaunch, DeviceSlots<T>, DeviceCandidates, DeviceProblems<T>>> _descend;
    private readonly Lazy<Action<Index1D, ulong, DeviceCandidates, DeviceProblems<T>>?> _draw;
    private readonly Lazy<Action<Index1D, ScreenLaunch, DeviceProblems<T>, ArrayView<F64>, ArrayView<T>, ArrayView<F64>>> _screen;
    private readonly Lazy<Action<Index1D, DeviceCandidates, DeviceProblems<T>, ArrayView<int>, ArrayView<T>, ArrayView<T>, ArrayView<T>>> _evaluate;

    /// <summary>Points of a launch that make it last about as long as <see cref="IlgpuDevice.LaunchMilliseconds"/>; found by trying.</summary>
    /// <remarks>Of so many threads; more of them may take longer, fewer say nothing of more.</remarks>
    private int _launchPoints = 256, _launchThreads = 1;

    /// <summary>The same of the screening.</summary>
    private int _screenPoints = 256, _screenThreads = 1;

    /// <summary>Losses that a thread of <see cref="KeepKernel.Keep"/> goes through in a launch.</summary>
    private int _keepLosses = 1024;

    public IlgpuModel(IlgpuDevice device)
    {
        _device = device;
        _descend = new(() => device.Load<Action<Index1D, SearchLaunch, DeviceSlots<T>, DeviceCandidates, DeviceProblems<T>>>(
            accelerator => accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, SearchLaunch, DeviceSlots<T>, DeviceCandidates, DeviceProblems<T>>(
                DeviceKernels<T, TLaw, TLoss, TPasses>.Descend, device.GroupSize)));
        _draw = new(() =>
        {
            try
            {
                return device.Load<Action<Index1D, ulong, DeviceCandidates, DeviceProblems<T>>>(
                    accelerator => accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, ulong, DeviceCandidates, DeviceProblems<T>>(
                        DeviceKernels<T, TLaw, TLoss, TPasses>.Draw, device.GroupSize));
            }
            catch (DeviceCompileException)
            {
                return null; // A law may draw its starts with what devices do not have.
            }
        });
        _screen = new(() => device.Load<Action<Index1D, ScreenLaunch, DeviceProblems<T>, ArrayView<F64>, ArrayView<T>, ArrayView<F64>>>(
            accelerator => accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, ScreenLaunch, DeviceProblems<T>, ArrayView<F64>, ArrayView<T>, ArrayView<F64>>(
                DeviceKernels<T, TLaw, TLoss, TPasses>.Screen, device.GroupSize)));
        _evaluate = new(() => device.Load<Action<Index1D, DeviceCandidates, DeviceProblems<T>, ArrayView<int>, ArrayView<T>, ArrayView<T>, ArrayView<T>>>(
            accelerator => accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, DeviceCandidates, DeviceProblems<T>, ArrayView<int>, ArrayView<T>, ArrayView<T>, ArrayView<T>>(
                DeviceKernels<T, TLaw, TLoss, TPasses>.Evaluate, device.GroupSize)));
    }

    private static int P => TLaw.ParameterCount;

    private static int Columns => DeviceKernels<T, TLaw, TLoss, TPasses>.Columns;

    private static unsafe int Size => sizeof(T);

    public override long SlotBytes => ((long)Columns * Size) + (5 * sizeof(int));

    // A step's factorisation and its passes over N, in points of the law's own cost: measured as 6.5 at p = 9.
    private static int PointsOfStep => 2 + (P * P / 16);

    public override void Descend(IlgpuCandidates run, SearchOptions options, double tolerance, Action<int>? progress, CancellationToken cancellation)
    {
        using var memory = new IlgpuMemory(_device);
        int count = run.Count, slots = Math.Min(count, _device.Slots(SlotBytes));
        if (run.AreDrawn && _draw.Value is null) run.Draw();
        DeviceProblems<T> problems = Pack(run.Problems, run.Seed, memory);
        DeviceCandidates candidates = Candidates(run, memory, out ArrayView<F64> θ, out ArrayView<F64> losses);
        ArrayView<T> numbers = memory.Allocate<T>((long)slots * Columns);
        ArrayView<int> deviceIntegers = memory.Allocate<int>((long)slots * DeviceSlots<T>.IntegerCount), deviceActive = memory.Allocate<int>(slots);

        // Threads that step together read numbers that lie together; a core that takes them in turn wants a slot's numbers in a few lines of its cache.
        (int slotStep, int columnStep) = _device.IsInterleaved ?? _device.IsGpu ? (1, slots) : (Columns, 1);
        _device.Poison(losses);
        if (run.AreDrawn) _device.Poison(θ);
        if (run.AreDrawn) _device.Launch(() => _draw.Value!(count, run.Seed, candidates, problems));

        // A slot gets half of its share of what is left, so that the last ones end together.
        int[] integers = new int[slots * DeviceSlots<T>.IntegerCount], before = new int[integers.Length];
        Span<int> Row(int row) => integers.AsSpan(row * slots, slots);
        Row(DeviceSlots<T>.Candidate).Fill(-1);
        int given = 0, done = 0;
        int[] active = [.. Enumerable.Range(0, slots)];
        while (true)
        {
            int going = 0, held = 0;
            for (int k = 0; k < active.Length; k++)
            {
                int slot = active[k], own = Row(DeviceSlots<T>.Candidate)[slot] < 0 ? 0 : 1, left = Row(DeviceSlots<T>.End)[slot] - Row(DeviceSlots<T>.Next)[slot];
                if (own + left == 0)
                {
                    left = Math.Min(Math.Max((count - given) / (2 * slots), 1), count - given);
                    if (left == 0) continue;
                    (Row(DeviceSlots<T>.Next)[slot], Row(DeviceSlots<T>.End)[slot]) = (given, given + left);
                    given += left;
                }

                held += own + left;
                active[going++] = slot;
            }

            progress?.Invoke(given - held - done);
            done = given - held;
            if (going == 0 || cancellation.IsCancellationRequested) break;
            Array.Resize(ref active, going);
            _device.Upload(integers, deviceIntegers);
            _device.Upload(active, deviceActive);
            int points = _device.PointsOfLaunch ?? PointsOf(going, _launchPoints, _launchThreads);
            var launch = new SearchLaunch(points, PointsOfStep, options.Iterations, tolerance);
            var view = new DeviceSlots<T>(numbers, deviceIntegers, deviceActive, slots, slotStep, columnStep);
            TimeSpan took = _device.Launch(() => _descend.Value(going, launch, view, candidates, problems));
            integers.CopyTo(before, 0);
            _device.Download(deviceIntegers, integers);
            if (integers.AsSpan().SequenceEqual(before)) throw new InvalidOperationException("A launch did nothing.");

            // A launch that was short because threads had nothing left to do is no reason to make the next one longer.
            bool wasFull = Array.TrueForAll(active, slot => Row(DeviceSlots<T>.Candidate)[slot] >= 0 || Row(DeviceSlots<T>.Next)[slot] < Row(DeviceSlots<T>.End)[slot]);
            if (wasFull || took.TotalMilliseconds > IlgpuDevice.LaunchMilliseconds) (_launchPoints, _launchThreads) = (IlgpuDevice.Retime(points, took), going);
        }

        run.Parameters = new F64[(long)count * P];
        run.Losses = new F64[count];
        _device.Download(θ, run.Parameters);
        _device.Download(losses, run.Losses);
        cancellation.ThrowIfCancellationRequested();
        IlgpuDevice.CheckWritten(run.Losses);
        IlgpuDevice.CheckWritten(run.Parameters);
    }

    /// <summary>Points of a launch of some threads, where so many of so many make one last as it should.</summary>
    private static int PointsOf(int threads, int points, int ofThreads) => threads <= ofThreads ? points : (int)Math.Max((long)points * ofThreads / threads, 64);

    public override List<int>[] Screen(Problem[] problems, SearchOptions options, long first, long end, long budget, Action<int>? progress, CancellationToken cancellation)
    {
        using var memory = new IlgpuMemory(_device);
        DeviceProblems<T> packed = Pack(problems, options.Seed, memory);
        int columns = DeviceKernels<T, TLaw, TLoss, TPasses>.ScreenColumns, longest = problems.Max(problem => problem.Count);
        long bytes = ((long)columns * Size) + ((P + 1L) * sizeof(double));

        // Lists are many enough to be scanned at once, and long enough for what is asked for; they take a quarter of the memory at most.
        int keep = Math.Min(options.Keep, options.Starts);
        long room = Math.Min(budget / 4 / (sizeof(double) + sizeof(int)) / keep, int.MaxValue / keep);
        int lists = _device.ListsOfScreen ?? (int)Math.Clamp(Math.Min(1 << 14, room) / problems.Length, 1, 1024), all = lists * problems.Length;
        long left = budget - _device.Held.Now - ((long)all * ((keep * (sizeof(double) + sizeof(int))) + sizeof(int)));

        // No more than fills the device a few times over, so that a launch can be short.
        int chunk = (int)Math.Min(Math.Min(Math.Clamp(left / bytes, 64, int.MaxValue / Math.Max(columns, P)), 4L * _device.Slots(bytes)), end - first);
        ArrayView<F64> starts = memory.Allocate<F64>((long)chunk * P), losses = memory.Allocate<F64>(chunk);
        ArrayView<T> numbers = memory.Allocate<T>((long)chunk * columns);
        ArrayView<F64> best = memory.Upload(Enumerable.Repeat(new F64(double.PositiveInfinity), all * keep).ToArray());
        ArrayView<int> numbersOfBest = memory.Upload(Enumerable.Repeat(-1, all * keep).ToArray()), written = memory.Upload(new int[all]);
        for (long from = first; from < end; from += chunk)
        {
            int count = (int)Math.Min(chunk, end - from);
            _device.Poison(losses);
            for (int point = 0; point < longest;)
            {
                cancellation.ThrowIfCancellationRequested();
                int points = _device.PointsOfLaunch ?? PointsOf(count, _screenPoints, _screenThreads);
                var launch = new ScreenLaunch(options.Seed, from, options.Starts, point, (int)Math.Min((long)point + points, int.MaxValue), count);
                TimeSpan took = _device.Launch(() => _screen.Value(count, launch, packed, starts, numbers, losses));

                // One that was short because there were no more points is no reason to make the next one longer.
                if (launch.EndPoint <= longest || took.TotalMilliseconds > IlgpuDevice.LaunchMilliseconds) (_screenPoints, _screenThreads) = (IlgpuDevice.Retime(points, took), count);
                point = launch.EndPoint;
            }

            for (int at = 0; at < count;)
            {
                cancellation.ThrowIfCancellationRequested();
                int most = (int)Math.Min((long)_keepLosses * lists, int.MaxValue), some = Math.Min(most, count - at);
                var keepLaunch = new KeepLaunch(from + at, some, options.Starts, lists, keep, all);
                ArrayView<F64> own = losses.SubView(at, some);
                TimeSpan took = _device.Launch(() => _device.Keep(all, keepLaunch, own, best, numbersOfBest, written));
                if (some == most || took.TotalMilliseconds > IlgpuDevice.LaunchMilliseconds) _keepLosses = IlgpuDevice.Retime(_keepLosses, took);
                at += some;
            }

            progress?.Invoke(count);
        }

        var seen = new int[all];
        _device.Download(written, seen);
        long unwritten = end - first - seen.Sum(count => (long)count);
        if (unwritten > 0) throw IlgpuDevice.Unwritten(unwritten);
        var found = new int[all * keep];
        _device.Download(numbersOfBest, found);
        var kept = new List<int>[problems.Length];
        for (int problem = 0; problem < problems.Length; problem++)
        {
            kept[problem] = [];
            for (int place = 0; place < keep; place++)
            {
                for (int list = 0; list < lists; list++)
                {
                    int start = found[(place * all) + (problem * lists) + list];
                    if (start >= 0) kept[problem].Add(start);
                }
            }
        }

        return kept;
    }

    public override void Evaluate(IlgpuCandidates run, Evaluation[] answers, long budget, CancellationToken cancellation)
    {
        // A thread goes through so many points of one candidate: what is prepared once is worth a few.
        const int PointsOfThread = 16;
        using var memory = new IlgpuMemory(_device);
        DeviceProblems<T> problems = Pack(run.Problems, run.Seed, memory);
        DeviceCandidates candidates = Candidates(run, memory, out _, out _);
        int columns = P + TLaw.WorkCount;
        long bytes = (4 * sizeof(int)) + ((columns + (PointsOfThread * (P + 1L))) * Size);
        int most = (int)Math.Clamp(budget / bytes, 1, int.MaxValue / (PointsOfThread * (P + 1)));
        var tasks = new List<(int Candidate, int Set, int First, int End, long At)>();
        for (int set = 0, candidate = 0; set < run.Sets.Length; set++)
        {
            int points = run.Sets[set].Problem.Count;
            for (int k = 0; k < run.Sets[set].Count; k++, candidate++)
                for (int point = 0; point < points; point += PointsOfThread)
                    tasks.Add((candidate, set, point, Math.Min(point + PointsOfThread, points), ((long)k * points) + point));
        }

        for (int from = 0; from < tasks.Count; from += most)
        {
            cancellation.ThrowIfCancellationRequested();
            int threads = Math.Min(most, tasks.Count - from), rows = 0;
            var table = new int[4 * threads];
            for (int thread = 0; thread < threads; thread++)
            {
                (int candidate, _, int first, int end, _) = tasks[from + thread];
                (table[4 * thread], table[(4 * thread) + 1], table[(4 * thread) + 2], table[(4 * thread) + 3]) = (candidate, first, end, rows);
                rows += end - first;
            }

            using var own = new IlgpuMemory(_device);
            ArrayView<int> deviceTable = own.Upload(table);
            ArrayView<T> numbers = own.Allocate<T>((long)threads * columns), residuals = own.Allocate<T>(rows), jacobian = own.Allocate<T>((long)rows * P);
            _device.Poison(residuals);
            _device.Poison(jacobian);
            _device.Launch(() => _evaluate.Value(threads, candidates, problems, deviceTable, numbers, residuals, jacobian));
            var r = new T[rows];
            var J = new T[(long)rows * P];
            _device.Download(residuals, r);
            _device.Download(jacobian, J);
            IlgpuDevice.CheckWritten(r);
            IlgpuDevice.CheckWritten(J);
            for (int thread = 0, row = 0; thread < threads; thread++)
            {
                (_, int set, int first, int end, long at) = tasks[from + thread];
                Evaluation answer = answers[set];
                for (int i = first; i < end; i++, at++, row++)
                {
                    answer.Residuals[at] = T.ToDouble(r[row]);
                    for (int j = 0; j < P; j++) answer.Jacobian[(at * P) + j] = T.ToDouble(J[((long)row * P) + j]);
                }
            }
        }
    }

    private static DeviceCandidates Candidates(IlgpuCandidates run, IlgpuMemory memory, out ArrayView<F64> θ, out ArrayView<F64> losses)
    {
        int p = P, count = run.Count, candidate = 0;
        var setOf = new int[count];
        var table = new int[run.Sets.Length * DeviceCandidates.TableWidth];
        var minima = new List<F64>();
        var problems = new Dictionary<Problem, int>(ReferenceEqualityComparer.Instance);
        foreach (Problem problem in run.Problems) problems.Add(problem, problems.Count);
        F64[] given = run.AreDrawn ? [] : run.Parameters.Length > 0 ? run.Parameters : new F64[(long)count * p];
        for (int set = 0; set < run.Sets.Length; set++)
        {
            StartSet own = run.Sets[set];
            Span<int> row = table.AsSpan(set * DeviceCandidates.TableWidth, DeviceCandidates.TableWidth);
            row[DeviceCandidates.Problem] = problems[own.Problem];
            row[DeviceCandidates.FirstStart] = own.First;
            row[DeviceCandidates.FirstCandidate] = candidate;
            row[DeviceCandidates.FirstMinimum] = minima.Count / p;
            row[DeviceCandidates.Minima] = own.Minima.Length / p;
            foreach (double number in own.Minima) minima.Add(new(number));
            if (own.Given is { } starts && run.Parameters.Length == 0)
                for (int k = 0; k < own.Count * p; k++) given[((long)candidate * p) + k] = new(starts[(own.First * p) + k]);
            setOf.AsSpan(candidate, own.Count).Fill(set);
            candidate += own.Count;
        }

        θ = run.AreDrawn ? memory.Allocate<F64>((long)count * p) : memory.Upload(given);
        losses = memory.Allocate<F64>(count);
        return new(memory.Upload(setOf), memory.Upload(table), memory.Upload(minima.ToArray()), θ, losses);
    }

    private static DeviceProblems<T> Pack(Problem[] problems, ulong seed, IlgpuMemory memory)
    {
        int p = P;
        var numbers = new List<T>();
        var table = new int[problems.Length * DeviceProblems<T>.TableWidth];
        var ties = new List<int>();
        List<F64> boxes = [], shapes = [], owns = [];
        var streams = new ulong[problems.Length];
        var own = new double[p];
        for (int k = 0; k < problems.Length; k++)
        {
            Problem problem = problems[k];
            Span<int> row = table.AsSpan(k * DeviceProblems<T>.TableWidth, DeviceProblems<T>.TableWidth);
            row[DeviceProblems<T>.Block] = numbers.Count;
            row[DeviceProblems<T>.Count] = problem.Count;
            row[DeviceProblems<T>.FirstTie] = ties.Count / 2;
            row[DeviceProblems<T>.Ties] = problem.Ties.Length;
            row[DeviceProblems<T>.Priors] = problem.Priors.Length > 0 ? 1 : 0;
            row[DeviceProblems<T>.FirstOwn] = owns.Count / p;
            row[DeviceProblems<T>.Own] = problem.OwnStarts;
            Add(problem.Lower);
            Add(problem.Upper);
            Add([problem.LogScale, problem.Delta]);
            Add(problem.Priors.Length > 0 ? problem.Priors : new double[3 * p]);
            Add(problem.Packed);
            foreach ((int follower, int leader) in problem.Ties) ties.AddRange([follower, leader]);
            foreach (double bound in problem.Lower) boxes.Add(new(bound));
            foreach (double bound in problem.Upper) boxes.Add(new(bound));
            foreach (double value in problem.Shape) shapes.Add(new(value));
            streams[k] = problem.Stream;
            for (int start = 0; start < problem.OwnStarts; start++)
            {
                problem.Start(seed, start, own);
                foreach (double value in own) owns.Add(new(value));
            }
        }

        return new(memory.Upload(numbers.ToArray()), memory.Upload(table), memory.Upload(ties.ToArray()), memory.Upload(boxes.ToArray()), memory.Upload(shapes.ToArray()),
            memory.Upload(streams), memory.Upload(owns.ToArray()));

        void Add(ReadOnlySpan<double> values)
        {
            foreach (double value in values) numbers.Add(T.Constant(value));
        }
    }
}
