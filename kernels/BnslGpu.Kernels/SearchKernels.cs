using ILGPU;

namespace BnslGpu.Kernels;

/// <summary>Problems of one law and loss as device threads read them: ragged, packed into flat arrays.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="numbers">A block a problem: lower bounds [p], upper bounds [p], units [2], priors [3p], then the points [count, stride].</param>
/// <param name="table">Integers a problem, by the constants here. Shape [problems, <see cref="TableWidth"/>].</param>
/// <param name="ties">Followers and leaders. Shape [ties, 2].</param>
/// <param name="boxes">Lower and upper bounds in double. Shape [problems, 2p].</param>
/// <param name="shapes">What a start knows of its curve. Shape [problems, <see cref="CurveShape.Count"/>].</param>
/// <param name="streams">Streams of random numbers. Shape [problems].</param>
/// <param name="ownStarts">Starts that the rules give. Shape [own starts, p].</param>
internal readonly struct DeviceProblems<T>(
    ArrayView<T> numbers, ArrayView<int> table, ArrayView<int> ties, ArrayView<F64> boxes, ArrayView<F64> shapes, ArrayView<ulong> streams, ArrayView<F64> ownStarts)
    where T : unmanaged
{
    /// <summary>Columns of the table: index of a problem's block, number of points, index of the first tie, number of ties, 1 with priors, index and number of own starts.</summary>
    public const int Block = 0, Count = 1, FirstTie = 2, Ties = 3, Priors = 4, FirstOwn = 5, Own = 6, TableWidth = 7;

    private readonly ArrayView<T> _numbers = numbers;
    private readonly ArrayView<int> _table = table;
    private readonly ArrayView<int> _ties = ties;
    private readonly ArrayView<F64> _boxes = boxes;
    private readonly ArrayView<F64> _shapes = shapes;
    private readonly ArrayView<ulong> _streams = streams;
    private readonly ArrayView<F64> _ownStarts = ownStarts;

    /// <summary>An entry of the table.</summary>
    public int Entry(int problem, int column) => _table[(problem * TableWidth) + column];

    /// <summary>A part of a problem's block.</summary>
    public Flat<T> Part(int problem, int from) => new(_numbers, Entry(problem, Block) + from);

    /// <summary>Tie <paramref name="tie"/> of a problem.</summary>
    public int Follower(int problem, int tie) => _ties[2 * (Entry(problem, FirstTie) + tie)];

    /// <inheritdoc cref="Follower"/>
    public int Leader(int problem, int tie) => _ties[(2 * (Entry(problem, FirstTie) + tie)) + 1];

    /// <summary>Lower and upper bounds in double. Shape [2p].</summary>
    public Flat<F64> Box(int problem, int p) => new(_boxes, problem * 2 * p);

    /// <summary>A problem's <see cref="CurveShape"/>.</summary>
    public Flat<F64> Shape(int problem) => new(_shapes, problem * CurveShape.Count);

    /// <summary>A problem's stream of random numbers.</summary>
    public ulong Stream(int problem) => _streams[problem];

    /// <summary>A start that the rules give. Shape [p].</summary>
    public Flat<F64> OwnStart(int problem, int start, int p) => new(_ownStarts, (Entry(problem, FirstOwn) + start) * p);
}

/// <summary>How a candidate's points are gone through, and what comes after.</summary>
/// <typeparam name="T">The number.</typeparam>
internal interface IPasses<T>
    where T : unmanaged, IReal<T, bool>
{
    /// <summary>Numbers of scratch in memory for a law of p parameters.</summary>
    static abstract int ScratchCount(int p);

    /// <summary>N ← N + Σ [J r]ᵢ[J r]ᵢᵀ over points [first, end), from 0 at the first point.</summary>
    static abstract void AddSquares<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, Column<T> normal, Column<T> row)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss;

    /// <summary>sum + Σ w r² over points [first, end).</summary>
    static abstract T AddLosses<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, T sum)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss;

    /// <inheritdoc cref="LevenbergMarquardt{T, TMask, TLaw, TLoss}.Accept"/>
    static abstract bool Accept<TLaw, TLoss>(Column<T> θ, Column<T> normal, Column<T> trial, Column<T> trialNormal, ref T λ, T predicted, T tolerance)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss;

    /// <inheritdoc cref="LevenbergMarquardt{T, TMask, TLaw, TLoss}.Step"/>
    static abstract T Step<TLaw, TLoss>(Column<T> θ, Column<T> normal, T λ, Flat<T> lower, Flat<T> upper, Column<T> trial, Column<T> factor)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss;
}

/// <summary>With N, θ and what the law prepared of it in registers.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TTriangle">N, p + 1 rows.</typeparam>
/// <typeparam name="TParameters">p.</typeparam>
/// <typeparam name="TWork">The law's WorkCount.</typeparam>
internal readonly struct InRegisters<T, TTriangle, TParameters, TWork> : IPasses<T>
    where T : unmanaged, IReal<T, bool>
    where TTriangle : struct, ITriangle<TTriangle, T>
    where TParameters : struct, ISize
    where TWork : struct, ISize
{
    /// <inheritdoc/>
    public static int ScratchCount(int p) => 0;

    /// <inheritdoc/>
    public static void AddSquares<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, Column<T> normal, Column<T> row)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        Local<T> ownθ = DeviceMemory.Allocate<T>(TParameters.Count), ownWork = DeviceMemory.Allocate<T>(TWork.Count), ownRow = DeviceMemory.Allocate<T>(TParameters.Count + 1);
        TTriangle triangle = TTriangle.Allocate();
        TParameters.Copy<T, Column<T>, Local<T>>(θ, ownθ);
        TWork.Copy<T, Column<T>, Local<T>>(work, ownWork);
        if (first == 0) TTriangle.Clear(triangle);
        else TTriangle.Load(triangle, normal);
        for (int i = first; i < end; i++)
        {
            T r = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, i, units, ownθ, ownWork, ownRow, 0, out T scale);
            TParameters.Scale(scale, ownRow);
            ownRow[TParameters.Count] = r;
            TTriangle.AddSquare(triangle, ownRow);
        }

        TTriangle.Store(triangle, normal);
    }

    /// <inheritdoc/>
    public static T AddLosses<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, T sum)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        Local<T> ownθ = DeviceMemory.Allocate<T>(TParameters.Count), ownWork = DeviceMemory.Allocate<T>(TWork.Count);
        TParameters.Copy<T, Column<T>, Local<T>>(θ, ownθ);
        TWork.Copy<T, Column<T>, Local<T>>(work, ownWork);
        for (int i = first; i < end; i++)
        {
            T r = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, i, units, ownθ, ownWork, default(Nowhere<T>), 0, out _);
            sum = T.MultiplyAdd(r, r, sum);
        }

        return sum;
    }

    /// <inheritdoc/>
    public static bool Accept<TLaw, TLoss>(Column<T> θ, Column<T> normal, Column<T> trial, Column<T> trialNormal, ref T λ, T predicted, T tolerance)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        // The decision needs the two losses; what is taken is copied here, all of it on its way at once.
        int last = LevenbergMarquardt<T, bool, TLaw, TLoss>.NormalCount - 1;
        T before = normal[last], after = trialNormal[last];
        bool done = LevenbergMarquardt<T, bool, TLaw, TLoss>.Accept(default, new Only<T>(before), default, new Only<T>(after), ref λ, predicted, tolerance);
        if (T.Less(after, before))
        {
            TTriangle triangle = TTriangle.Allocate();
            Local<T> own = DeviceMemory.Allocate<T>(TParameters.Count);
            TTriangle.Load(triangle, trialNormal);
            TParameters.Copy<T, Column<T>, Local<T>>(trial, own);
            TTriangle.Store(triangle, normal);
            TParameters.Copy<T, Local<T>, Column<T>>(own, θ);
        }

        return done;
    }

    /// <inheritdoc/>
    public static T Step<TLaw, TLoss>(Column<T> θ, Column<T> normal, T λ, Flat<T> lower, Flat<T> upper, Column<T> trial, Column<T> factor)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        TTriangle triangle = TTriangle.Allocate();
        Local<T> own = DeviceMemory.Allocate<T>(TParameters.Count);
        TTriangle.Load(triangle, normal);
        TParameters.Copy<T, Column<T>, Local<T>>(θ, own);
        T floor = T.Constant(TLaw.DampingFloor);
        return TTriangle.Step(triangle, λ, floor, LevenbergMarquardt<T, bool, TLaw, TLoss>.LeastPivot, own, lower, upper, trial);
    }
}

/// <summary>With everything in device memory: for laws of more parameters than there are registers.</summary>
/// <typeparam name="T">The number.</typeparam>
internal readonly struct InMemory<T> : IPasses<T>
    where T : unmanaged, IReal<T, bool>
{
    /// <inheritdoc/>
    public static int ScratchCount(int p) => (p + 1) * (p + 2) / 2;

    /// <inheritdoc/>
    public static void AddSquares<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, Column<T> normal, Column<T> row)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        int p = TLaw.ParameterCount;
        if (first == 0)
            for (int m = 0; m < LevenbergMarquardt<T, bool, TLaw, TLoss>.NormalCount; m++) normal[m] = T.Constant(0);
        for (int i = first; i < end; i++)
        {
            row[p] = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, i, units, θ, work, row, 0, out _);
            for (int j = 0, m = 0; j <= p; j++)
            {
                T entry = row[j];
                for (int k = 0; k <= j; k++, m++) normal[m] = T.MultiplyAdd(entry, row[k], normal[m]);
            }
        }
    }

    /// <inheritdoc/>
    public static T AddLosses<TLaw, TLoss>(Flat<T> points, int first, int end, Flat<T> units, Column<T> θ, Column<T> work, T sum)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        for (int i = first; i < end; i++)
        {
            T r = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, i, units, θ, work, default(Nowhere<T>), 0, out _);
            sum = T.MultiplyAdd(r, r, sum);
        }

        return sum;
    }

    /// <inheritdoc/>
    public static bool Accept<TLaw, TLoss>(Column<T> θ, Column<T> normal, Column<T> trial, Column<T> trialNormal, ref T λ, T predicted, T tolerance)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss => LevenbergMarquardt<T, bool, TLaw, TLoss>.Accept(θ, normal, trial, trialNormal, ref λ, predicted, tolerance);

    /// <inheritdoc/>
    public static T Step<TLaw, TLoss>(Column<T> θ, Column<T> normal, T λ, Flat<T> lower, Flat<T> upper, Column<T> trial, Column<T> factor)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss => LevenbergMarquardt<T, bool, TLaw, TLoss>.Step(θ, normal, λ, lower, upper, trial, factor);
}

/// <summary>Candidates in sets: those of a set are of one problem, and are numbered and drawn together.</summary>
/// <param name="setOf">The set of every candidate. Shape [candidates].</param>
/// <param name="table">Integers a set, by the constants here. Shape [sets, <see cref="TableWidth"/>].</param>
/// <param name="populations">Minima that hops begin at. Shape [minima, p].</param>
/// <param name="θ">Starts, then where they ended. Shape [candidates, p].</param>
/// <param name="losses">Σ w r² there. Shape [candidates].</param>
internal readonly struct DeviceCandidates(ArrayView<int> setOf, ArrayView<int> table, ArrayView<F64> populations, ArrayView<F64> θ, ArrayView<F64> losses)
{
    /// <summary>Columns of the table: problem, number of the first start, index of the first candidate, index and number of its minima.</summary>
    public const int Problem = 0, FirstStart = 1, FirstCandidate = 2, FirstMinimum = 3, Minima = 4, TableWidth = 5;

    private readonly ArrayView<int> _setOf = setOf;
    private readonly ArrayView<int> _table = table;
    private readonly ArrayView<F64> _populations = populations;
    private readonly ArrayView<F64> _θ = θ;
    private readonly ArrayView<F64> _losses = losses;

    /// <summary>An entry of the table, of the set that a candidate is in.</summary>
    public int Entry(int candidate, int column) => _table[(_setOf[candidate] * TableWidth) + column];

    /// <summary>A minimum that hops begin at. Shape [p].</summary>
    public Flat<F64> Minimum(int minimum, int p) => new(_populations, minimum * p);

    /// <summary>A candidate's parameters. Shape [p].</summary>
    public Flat<F64> Parameters(int candidate, int p) => new(_θ, candidate * p);

    /// <summary>Notes a candidate's loss.</summary>
    public void SetLoss(int candidate, double loss) => _losses[candidate] = new F64(loss);
}

/// <summary>What a search keeps between launches: a slot a thread, each with the candidate it is stepping and some that it takes next.</summary>
/// <remarks>The host hands out candidates in ranges, between launches: no thread waits for another, and no two write the same place.</remarks>
/// <typeparam name="T">The number.</typeparam>
/// <param name="numbers"><see cref="DeviceKernels{T, TLaw, TLoss, TPasses}.Columns"/> numbers a slot.</param>
/// <param name="integers">Integers of every slot, by the constants here. Shape [<see cref="IntegerCount"/>, slots].</param>
/// <param name="active">Slots that this launch works on. Shape [threads].</param>
/// <param name="slots">Slots in all.</param>
/// <param name="slotStep">From a slot's number to that of the next slot.</param>
/// <param name="columnStep">From a slot's number to its next.</param>
internal readonly struct DeviceSlots<T>(ArrayView<T> numbers, ArrayView<int> integers, ArrayView<int> active, int slots, int slotStep, int columnStep)
    where T : unmanaged
{
    /// <summary>Rows of the integers: candidate (−1: none), the next candidate of the slot's range, its end, the next point, steps taken.</summary>
    public const int Candidate = 0, Next = 1, End = 2, Point = 3, Steps = 4, IntegerCount = 5;

    private readonly ArrayView<T> _numbers = numbers;
    private readonly ArrayView<int> _integers = integers;
    private readonly ArrayView<int> _active = active;
    private readonly int _slots = slots, _slotStep = slotStep, _columnStep = columnStep;

    /// <summary>The slot that a thread works on.</summary>
    public int Of(int thread) => _active[thread];

    /// <summary>A slot's integers.</summary>
    public Column<int> Integers(int slot) => new(_integers, slot, _slots);

    /// <summary>A slot's numbers from a column on.</summary>
    public Column<T> Numbers(int slot, int column) => new(_numbers, (slot * _slotStep) + (column * _columnStep), _columnStep);
}

/// <summary>What a launch of the search is told.</summary>
/// <param name="Points">Points that a thread goes through in one launch, about.</param>
/// <param name="PointsOfStep">Points that take as long as a step.</param>
/// <param name="Iterations">Steps of a candidate, at most.</param>
/// <param name="Tolerance">Relative fall below which a candidate stands.</param>
internal readonly record struct SearchLaunch(int Points, int PointsOfStep, int Iterations, double Tolerance);

/// <summary>What a launch of the screening is told.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Base">Number of this chunk's first (problem, start), start fastest.</param>
/// <param name="Starts">Starts a problem.</param>
/// <param name="FirstPoint">Points from here.</param>
/// <param name="EndPoint">To here, exclusive.</param>
/// <param name="Threads">Threads of the chunk.</param>
internal readonly record struct ScreenLaunch(ulong Seed, long Base, int Starts, int FirstPoint, int EndPoint, int Threads);

/// <summary>What a launch that keeps the best of what was screened is told.</summary>
/// <param name="Base">Number of the chunk's first (problem, start).</param>
/// <param name="Count">How many are in the chunk.</param>
/// <param name="Starts">Starts a problem.</param>
/// <param name="Lists">Lists a problem: each thread has one, and takes every so manieth start.</param>
/// <param name="Length">Length of a list.</param>
/// <param name="Threads">Lists in all.</param>
internal readonly record struct KeepLaunch(long Base, int Count, int Starts, int Lists, int Length, int Threads);

/// <summary>The kernels of a law, a loss and a kind of number. One thread a candidate.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TLaw">The law.</typeparam>
/// <typeparam name="TLoss">The loss.</typeparam>
/// <typeparam name="TPasses">How points are gone through.</typeparam>
internal static class DeviceKernels<T, TLaw, TLoss, TPasses>
    where T : unmanaged, IScalar<T>
    where TLaw : struct, IScalingLaw
    where TLoss : struct, ILoss
    where TPasses : struct, IPasses<T>
{
    // A slot's columns: θ and N as accepted, θ and N on trial, what the law prepared, scratch, λ and the promised fall.
    private static int P => TLaw.ParameterCount;

    private static int NormalCount => LevenbergMarquardt<T, bool, TLaw, TLoss>.NormalCount;

    private static int Normal => P;

    private static int Trial => P + NormalCount;

    private static int TrialNormal => Trial + P;

    private static int Work => TrialNormal + NormalCount;

    private static int Scratch => Work + TLaw.WorkCount;

    private static int Tail => Scratch + TPasses.ScratchCount(P);

    /// <summary>Numbers that a slot of the search takes.</summary>
    public static int Columns => Tail + 2;

    /// <summary>Numbers that a thread of the screening takes: θ, what the law prepared, and the sum so far.</summary>
    public static int ScreenColumns => P + TLaw.WorkCount + 1;

    /// <summary>Residuals and Jacobians: a thread goes through some points of one candidate.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="candidates">Candidates.</param>
    /// <param name="problems">Their problems.</param>
    /// <param name="tasks">Candidate, first point, end, and index of its first residual, a thread. Shape [threads, 4].</param>
    /// <param name="memory">Columns of θ and what the law prepared, a thread.</param>
    /// <param name="residuals">Output.</param>
    /// <param name="jacobian">Output.</param>
    public static void Evaluate(
        Index1D thread, DeviceCandidates candidates, DeviceProblems<T> problems, ArrayView<int> tasks, ArrayView<T> memory, ArrayView<T> residuals, ArrayView<T> jacobian)
    {
        int threads = (int)tasks.Length / 4, candidate = tasks[4 * thread], first = tasks[(4 * thread) + 1], end = tasks[(4 * thread) + 2], at = tasks[(4 * thread) + 3];
        int problem = candidates.Entry(candidate, DeviceCandidates.Problem), p = P;
        Column<T> θ = new(memory, thread, threads), work = θ.From(p);
        Flat<F64> start = candidates.Parameters(candidate, p);
        bool isFinite = true;
        for (int j = 0; j < p; j++)
        {
            isFinite &= IsFinite(start[j].Value);
            θ[j] = T.Constant(start[j].Value);
        }

        TLaw.Prepare<T, bool, Column<T>>(θ, work);
        for (int i = first; i < end; i++, at++)
        {
            Flat<T> row = new(jacobian, at * p);
            T r = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(problems.Part(problem, (5 * p) + 2), i, problems.Part(problem, 2 * p), θ, work, row, 0, out _);
            residuals[at] = isFinite ? r : T.Constant(double.NaN);
            if (isFinite) continue;
            for (int j = 0; j < p; j++) row[j] = T.Constant(double.NaN);
        }
    }

    /// <summary>Draws starts: random ones, or hops where a set has minima.</summary>
    /// <param name="candidate">The thread.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="candidates">Starts on return.</param>
    /// <param name="problems">Their problems.</param>
    public static void Draw(Index1D candidate, ulong seed, DeviceCandidates candidates, DeviceProblems<T> problems)
    {
        int problem = candidates.Entry(candidate, DeviceCandidates.Problem), place = candidate - candidates.Entry(candidate, DeviceCandidates.FirstCandidate);
        int start = candidates.Entry(candidate, DeviceCandidates.FirstStart) + place, minima = candidates.Entry(candidate, DeviceCandidates.Minima);
        Flat<F64> θ = candidates.Parameters(candidate, P);
        bool hopped = false;
        if (minima > 0 && start >= problems.Entry(problem, DeviceProblems<T>.Own))
        {
            Flat<F64> minimum = candidates.Minimum(candidates.Entry(candidate, DeviceCandidates.FirstMinimum) + (place % minima), P);
            for (int j = 0; j < P; j++) θ[j] = minimum[j];
            hopped = TLaw.Hop(new CounterRandom(seed, CounterRandom.Mix(problems.Stream(problem), 'h'), (uint)start), problems.Shape(problem), θ);
        }

        if (!hopped) Start(problems, problem, seed, start, θ);
        Clamp(problems, problem, θ);
    }

    /// <summary>Draws random starts and sums their losses over some of the points.</summary>
    /// <remarks>Before the last points, a loss is what is not a number, with the points so far in its low bits: a launch that is lost without a word is seen by the next.</remarks>
    /// <param name="thread">The thread.</param>
    /// <param name="launch">What and where.</param>
    /// <param name="problems">The problems.</param>
    /// <param name="starts">Scratch. Shape [threads, p].</param>
    /// <param name="memory">Columns of <see cref="ScreenColumns"/> numbers a thread.</param>
    /// <param name="losses">Output; not a number where a start is not finite. Shape [threads].</param>
    public static void Screen(Index1D thread, ScreenLaunch launch, DeviceProblems<T> problems, ArrayView<F64> starts, ArrayView<T> memory, ArrayView<F64> losses)
    {
        long number = launch.Base + thread;
        int problem = (int)(number / launch.Starts), p = P, count = problems.Entry(problem, DeviceProblems<T>.Count);
        Column<T> θ = new(memory, thread, launch.Threads), work = θ.From(p), sum = work.From(TLaw.WorkCount);
        if (launch.FirstPoint > 0)
        {
            if (launch.FirstPoint >= count) return;
            if (BitConverter.DoubleToUInt64Bits(losses[thread].Value) != (KeepKernel.NotYet | (uint)launch.FirstPoint))
            {
                losses[thread] = new F64(BitConverter.UInt64BitsToDouble(ulong.MaxValue));
                return;
            }
        }
        else
        {
            Flat<F64> start = new(starts, thread * p);
            Start(problems, problem, launch.Seed, (int)(number - ((long)problem * launch.Starts)), start);
            Clamp(problems, problem, start);
            bool isFinite = true;
            for (int j = 0; j < p; j++)
            {
                isFinite &= IsFinite(start[j].Value);
                θ[j] = T.Constant(start[j].Value);
            }

            TLaw.Prepare<T, bool, Column<T>>(θ, work);
            T zero = T.Constant(isFinite ? 0 : double.NaN);
            if (problems.Entry(problem, DeviceProblems<T>.Priors) > 0)
                for (int j = 0; j < p; j++) zero += LevenbergMarquardt<T, bool, TLaw, TLoss>.Prior(problems.Part(problem, (2 * p) + 2), θ, j, out _, out _);
            sum[0] = zero;
        }

        int end = count < launch.EndPoint ? count : launch.EndPoint;
        T loss = TPasses.AddLosses<TLaw, TLoss>(problems.Part(problem, (5 * p) + 2), launch.FirstPoint, end, problems.Part(problem, 2 * p), θ, work, sum[0]);
        sum[0] = loss;
        losses[thread] = end < count ? new F64(BitConverter.UInt64BitsToDouble(KeepKernel.NotYet | (uint)end)) : new F64(T.ToDouble(loss));
    }

    /// <summary>Steps candidates for a while: Levenberg-Marquardt as on a CPU. A slot whose candidate stands takes the next of its range.</summary>
    /// <param name="thread">The thread.</param>
    /// <param name="launch">How long, and how well.</param>
    /// <param name="slots">What is kept between launches.</param>
    /// <param name="candidates">Starts, and where they ended.</param>
    /// <param name="problems">Their problems.</param>
    public static void Descend(Index1D thread, SearchLaunch launch, DeviceSlots<T> slots, DeviceCandidates candidates, DeviceProblems<T> problems)
    {
        int slot = slots.Of(thread), p = P, budget = launch.Points;
        Column<T> θ = slots.Numbers(slot, 0), normal = slots.Numbers(slot, Normal), trial = slots.Numbers(slot, Trial), trialNormal = slots.Numbers(slot, TrialNormal);
        Column<T> work = slots.Numbers(slot, Work), scratch = slots.Numbers(slot, Scratch), tail = slots.Numbers(slot, Tail);
        Column<int> integers = slots.Integers(slot);
        int candidate = integers[DeviceSlots<T>.Candidate], next = integers[DeviceSlots<T>.Next], last = integers[DeviceSlots<T>.End];
        int at = integers[DeviceSlots<T>.Point], steps = integers[DeviceSlots<T>.Steps];
        T λ = tail[0], predicted = tail[1];
        while (budget > 0)
        {
            if (candidate < 0)
            {
                if (next >= last) break;
                candidate = next++;
                at = 0;
                steps = 0;
                λ = T.Constant(Damping.First);
                predicted = T.Constant(0);
                if (!Begin(candidates, candidate, problems, θ, trial, normal))
                {
                    candidates.SetLoss(candidate, double.NaN);
                    candidate = -1;
                    continue;
                }
            }

            int problem = candidates.Entry(candidate, DeviceCandidates.Problem), count = problems.Entry(problem, DeviceProblems<T>.Count);
            if (at == 0) TLaw.Prepare<T, bool, Column<T>>(trial, work);
            int end = count - at < budget ? count : at + budget;
            TPasses.AddSquares<TLaw, TLoss>(problems.Part(problem, (5 * p) + 2), at, end, problems.Part(problem, 2 * p), trial, work, trialNormal, scratch);
            budget -= end - at + launch.PointsOfStep;
            at = end;
            if (at < count) continue;

            at = 0;
            int ties = problems.Entry(problem, DeviceProblems<T>.Ties);
            if (problems.Entry(problem, DeviceProblems<T>.Priors) > 0)
                LevenbergMarquardt<T, bool, TLaw, TLoss>.AddPriors(problems.Part(problem, (2 * p) + 2), trial, trialNormal);
            for (int tie = 0; tie < ties; tie++)
                LevenbergMarquardt<T, bool, TLaw, TLoss>.Tie(trialNormal, problems.Follower(problem, tie), problems.Leader(problem, tie));
            bool done = TPasses.Accept<TLaw, TLoss>(θ, normal, trial, trialNormal, ref λ, predicted, T.Constant(launch.Tolerance));
            steps++;

            // A choice between numbers instead of ways: otherwise ILGPU writes all comparisons behind done out a second time, negated.
            int left = done ? -1 : launch.Iterations - steps;
            if (left < 0)
            {
                Flat<F64> ended = candidates.Parameters(candidate, p);
                for (int j = 0; j < p; j++) ended[j] = new F64(T.ToDouble(θ[j]));
                candidates.SetLoss(candidate, T.ToDouble(normal[NormalCount - 1]));
                candidate = -1;
                continue;
            }

            predicted = TPasses.Step<TLaw, TLoss>(θ, normal, λ, problems.Part(problem, 0), problems.Part(problem, p), trial, scratch);
            for (int tie = 0; tie < ties; tie++) trial[problems.Follower(problem, tie)] = trial[problems.Leader(problem, tie)];
        }

        integers[DeviceSlots<T>.Candidate] = candidate;
        integers[DeviceSlots<T>.Next] = next;
        integers[DeviceSlots<T>.Point] = at;
        integers[DeviceSlots<T>.Steps] = steps;
        tail[0] = λ;
        tail[1] = predicted;
    }

    // A zero gradient at an infinite loss: the next step stays where it is, and is accepted.
    private static bool Begin(DeviceCandidates candidates, int candidate, DeviceProblems<T> problems, Column<T> θ, Column<T> trial, Column<T> normal)
    {
        int p = P, problem = candidates.Entry(candidate, DeviceCandidates.Problem);
        Flat<F64> start = candidates.Parameters(candidate, p), box = problems.Box(problem, p);
        bool isFinite = true;
        for (int j = 0; j < p; j++)
        {
            double value = start[j].Value;
            isFinite &= IsFinite(value);

            // A float bound lies beside the double one.
            T number = T.Constant(Math.Min(Math.Max(value, box[j].Value), box[p + j].Value));
            θ[j] = number;
            trial[j] = number;
        }

        int ties = problems.Entry(problem, DeviceProblems<T>.Ties);
        for (int tie = 0; tie < ties; tie++)
        {
            int follower = problems.Follower(problem, tie);
            T number = trial[problems.Leader(problem, tie)];
            θ[follower] = number;
            trial[follower] = number;
        }

        for (int m = 0; m < NormalCount; m++) normal[m] = T.Constant(m < NormalCount - 1 ? 0 : double.PositiveInfinity);
        return isFinite;
    }

    private static void Start(DeviceProblems<T> problems, int problem, ulong seed, int start, Flat<F64> θ)
    {
        if (start < problems.Entry(problem, DeviceProblems<T>.Own))
        {
            Flat<F64> own = problems.OwnStart(problem, start, P);
            for (int j = 0; j < P; j++) θ[j] = own[j];
        }
        else
        {
            TLaw.Start(new CounterRandom(seed, problems.Stream(problem), (uint)start), problems.Shape(problem), θ);
        }
    }

    private static void Clamp(DeviceProblems<T> problems, int problem, Flat<F64> θ)
    {
        Flat<F64> box = problems.Box(problem, P);
        for (int j = 0; j < P; j++) θ[j] = new F64(Math.Min(Math.Max(θ[j].Value, box[j].Value), box[P + j].Value));
        int ties = problems.Entry(problem, DeviceProblems<T>.Ties);
        for (int tie = 0; tie < ties; tie++) θ[problems.Follower(problem, tie)] = θ[problems.Leader(problem, tie)];
    }

    private static bool IsFinite(double number) => number - number == 0;
}

/// <summary>The kernel that keeps the best of what was screened; it knows no law.</summary>
internal static class KeepKernel
{
    /// <summary>Bits above these are no loss: what is not a number, but in another way than what arithmetic gives.</summary>
    public const ulong NotYet = 0xFFF8_0000_0000_0000;

    /// <summary>Sorts a chunk's losses into lists of the best: ascending loss, then start.</summary>
    /// <param name="thread">The thread: a list.</param>
    /// <param name="launch">Which.</param>
    /// <param name="losses">The chunk's losses. Shape [count].</param>
    /// <param name="best">Losses of every list, infinite where there is none; list fastest. Shape [length, lists].</param>
    /// <param name="starts">Their starts. Shape [length, lists].</param>
    /// <param name="written">Output: adds the losses that were there. Shape [lists].</param>
    public static void Keep(Index1D thread, KeepLaunch launch, ArrayView<F64> losses, ArrayView<F64> best, ArrayView<int> starts, ArrayView<int> written)
    {
        int problem = thread / launch.Lists, last = launch.Length - 1;
        long first = (long)problem * launch.Starts, from = first > launch.Base ? first : launch.Base, end = Math.Min(first + launch.Starts, launch.Base + launch.Count);
        Column<F64> list = new(best, thread, launch.Threads);
        Column<int> numbers = new(starts, thread, launch.Threads);
        int seen = 0;
        for (long number = from + (thread - (problem * launch.Lists)); number < end; number += launch.Lists)
        {
            double loss = losses[number - launch.Base].Value;
            if (BitConverter.DoubleToUInt64Bits(loss) <= NotYet) seen++;
            if (!(loss < list[last].Value)) continue;
            int place = last;
            for (; place > 0 && loss < list[place - 1].Value; place--)
            {
                list[place] = list[place - 1];
                numbers[place] = numbers[place - 1];
            }

            list[place] = new F64(loss);
            numbers[place] = (int)(number - first);
        }

        written[thread] += seen;
    }
}
