using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>The three verbs for candidates of one problem, on one thread.</summary>
internal abstract class SimdKernel
{
    /// <summary>Residuals and Jacobian of every candidate.</summary>
    public abstract void Evaluate(Problem problem, ReadOnlySpan<double> θ, Span<double> residuals, Span<double> jacobian);

    /// <summary>Losses of every candidate.</summary>
    public abstract void Screen(Problem problem, ReadOnlySpan<double> θ, Span<double> losses);

    /// <summary>Steps every candidate until it stands.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="θ">Starts on entry, where they ended on return. Shape [losses.Length, ParameterCount].</param>
    /// <param name="losses">Output, Σ w r²; NaN or infinite where a start is not finite.</param>
    /// <param name="tolerance">Relative fall below which a candidate stands.</param>
    /// <param name="iterations">Steps, at most.</param>
    /// <param name="cancellation">Ends the search after any step.</param>
    public abstract void Search(Problem problem, Span<double> θ, Span<double> losses, double tolerance, int iterations, CancellationToken cancellation);
}

/// <inheritdoc cref="SimdKernel"/>
/// <typeparam name="T">Lanes of candidates.</typeparam>
/// <typeparam name="TMask">Their mask.</typeparam>
/// <typeparam name="TScalar">double or float.</typeparam>
/// <typeparam name="TLaw">The law.</typeparam>
/// <typeparam name="TLoss">The loss.</typeparam>
internal sealed unsafe class SimdKernel<T, TMask, TScalar, TLaw, TLoss> : SimdKernel
    where T : unmanaged, ILanes<T, TMask, TScalar>
    where TMask : struct
    where TScalar : unmanaged
    where TLaw : struct, IScalingLaw
    where TLoss : struct, ILoss
{
    public static readonly SimdKernel<T, TMask, TScalar, TLaw, TLoss> Instance = new();

    private static int P => TLaw.ParameterCount;

    public override void Evaluate(Problem problem, ReadOnlySpan<double> θ, Span<double> residuals, Span<double> jacobian)
    {
        using var memory = new Memory(problem, P + TLaw.WorkCount + P);
        T* lanes = memory.Lanes, work = lanes + P, row = work + TLaw.WorkCount;
        for (int first = 0; first * P < θ.Length; first += T.Count)
        {
            int count = Math.Min(T.Count, (θ.Length / P) - first);
            for (int lane = 0; lane < T.Count; lane++) Load(θ.Slice((first + Math.Min(lane, count - 1)) * P, P), lanes, lane);
            TLaw.Prepare<T, TMask, Block<T>>(new(lanes), new(work));
            for (int i = 0; i < problem.Count; i++)
            {
                T r = LevenbergMarquardt<T, TMask, TLaw, TLoss>.Row(memory.Points, i, memory.Units, new Block<T>(lanes), new Block<T>(work), new Block<T>(row), 0, out _);
                for (int lane = 0; lane < count; lane++)
                {
                    int at = ((first + lane) * problem.Count) + i;
                    residuals[at] = ToDouble(((TScalar*)&r)[lane]);
                    Store(row, lane, jacobian.Slice(at * P, P));
                }
            }

            for (int lane = 0; lane < count; lane++)
            {
                if (IsFinite(θ.Slice((first + lane) * P, P))) continue;
                residuals.Slice((first + lane) * problem.Count, problem.Count).Fill(double.NaN);
                jacobian.Slice((first + lane) * problem.Count * P, problem.Count * P).Fill(double.NaN);
            }
        }
    }

    public override void Screen(Problem problem, ReadOnlySpan<double> θ, Span<double> losses)
    {
        using var memory = new Memory(problem, P + TLaw.WorkCount);
        T* lanes = memory.Lanes;
        for (int first = 0; first < losses.Length; first += T.Count)
        {
            int count = Math.Min(T.Count, losses.Length - first);
            for (int lane = 0; lane < T.Count; lane++) Load(θ.Slice((first + Math.Min(lane, count - 1)) * P, P), lanes, lane);
            T loss = LevenbergMarquardt<T, TMask, TLaw, TLoss>.Loss(memory.Points, problem.Count, memory.Units, new Block<T>(lanes), new Block<T>(lanes + P));
            for (int j = 0; 3 * j < problem.Priors.Length; j++)
                loss += LevenbergMarquardt<T, TMask, TLaw, TLoss>.Prior(memory.Priors, new Block<T>(lanes), j, out _, out _);
            for (int lane = 0; lane < count; lane++)
                losses[first + lane] = IsFinite(θ.Slice((first + lane) * P, P)) ? ToDouble(((TScalar*)&loss)[lane]) : double.NaN;
        }
    }

    public override void Search(Problem problem, Span<double> θ, Span<double> losses, double tolerance, int iterations, CancellationToken cancellation)
    {
        int normalCount = LevenbergMarquardt<T, TMask, TLaw, TLoss>.NormalCount;
        using var memory = new Memory(problem, (2 * P) + (2 * normalCount) + LevenbergMarquardt<T, TMask, TLaw, TLoss>.ScratchCount);
        T* accepted = memory.Lanes, trial = accepted + P, normal = trial + P, trialNormal = normal + normalCount, work = trialNormal + normalCount, scratch = work + TLaw.WorkCount;
        T λ = T.Constant(Damping.First), predicted = T.Constant(0), limit = T.Constant(tolerance);

        // Which start each lane carries, and the steps it has taken.
        int* start = stackalloc int[T.Count];
        int* steps = stackalloc int[T.Count];
        uint busy = 0;
        int next = 0;
        for (int lane = 0; lane < T.Count; lane++)
        {
            if (Next(θ, losses, out start[lane])) busy |= 1u << lane;
            Begin(θ.Slice(start[lane] * P, P), lane);
        }

        while (busy != 0)
        {
            cancellation.ThrowIfCancellationRequested();
            LevenbergMarquardt<T, TMask, TLaw, TLoss>.Normal(
                memory.Points, problem.Count, memory.Units, new Block<T>(trial), new Block<T>(trialNormal), new Block<T>(work), new Block<T>(scratch));
            if (problem.Priors.Length > 0) LevenbergMarquardt<T, TMask, TLaw, TLoss>.AddPriors(memory.Priors, new Block<T>(trial), new Block<T>(trialNormal));
            foreach ((int follower, int leader) in problem.Ties) LevenbergMarquardt<T, TMask, TLaw, TLoss>.Tie(new Block<T>(trialNormal), follower, leader);
            uint done = T.Bits(LevenbergMarquardt<T, TMask, TLaw, TLoss>.Accept(
                new Block<T>(accepted), new Block<T>(normal), new Block<T>(trial), new Block<T>(trialNormal), ref λ, predicted, limit));
            for (int lane = 0; lane < T.Count; lane++)
            {
                uint bit = 1u << lane;
                if ((busy & bit) == 0 || ((done & bit) == 0 && ++steps[lane] <= iterations)) continue;
                Store(accepted, lane, θ.Slice(start[lane] * P, P));
                losses[start[lane]] = ToDouble(((TScalar*)(normal + normalCount - 1))[lane]);
                if (Next(θ, losses, out start[lane])) Begin(θ.Slice(start[lane] * P, P), lane);
                else busy &= ~bit;
            }

            predicted = LevenbergMarquardt<T, TMask, TLaw, TLoss>.Step(
                new Block<T>(accepted), new Block<T>(normal), λ, memory.Lower, memory.Upper, new Block<T>(trial), new Block<T>(scratch));
            foreach ((int follower, int leader) in problem.Ties) trial[follower] = trial[leader];
        }

        // The next start that is finite; 0 where there is none, for an idle lane to do something harmless with.
        bool Next(ReadOnlySpan<double> starts, Span<double> ends, out int which)
        {
            for (; next < ends.Length && !IsFinite(starts.Slice(next * P, P)); next++) ends[next] = double.NaN;
            bool any = next < ends.Length;
            which = any ? next++ : 0;
            return any;
        }

        // A zero gradient at an infinite loss: the next step stays where it is, and is accepted.
        void Begin(ReadOnlySpan<double> from, int lane)
        {
            for (int j = 0; j < P; j++)
            {
                // A float bound lies beside the double one.
                double value = Math.Min(Math.Max(from[j], problem.Lower[j]), problem.Upper[j]);
                ((TScalar*)(accepted + j))[lane] = ((TScalar*)(trial + j))[lane] = FromDouble(value);
            }

            foreach ((int follower, int leader) in problem.Ties)
                ((TScalar*)(accepted + follower))[lane] = ((TScalar*)(trial + follower))[lane] = ((TScalar*)(trial + leader))[lane];

            for (int m = 0; m < normalCount; m++) ((TScalar*)(normal + m))[lane] = FromDouble(m < normalCount - 1 ? 0 : double.PositiveInfinity);
            ((TScalar*)Unsafe.AsPointer(ref λ))[lane] = FromDouble(Damping.First);
            steps[lane] = 0;
        }
    }

    private static bool IsFinite(ReadOnlySpan<double> numbers)
    {
        foreach (double number in numbers)
            if (!double.IsFinite(number)) return false;
        return true;
    }

    private static void Load(ReadOnlySpan<double> from, T* to, int lane)
    {
        for (int j = 0; j < from.Length; j++) ((TScalar*)(to + j))[lane] = FromDouble(from[j]);
    }

    private static void Store(T* from, int lane, Span<double> to)
    {
        for (int j = 0; j < to.Length; j++) to[j] = ToDouble(((TScalar*)(from + j))[lane]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double ToDouble(TScalar value) => typeof(TScalar) == typeof(float) ? Unsafe.BitCast<TScalar, float>(value) : Unsafe.BitCast<TScalar, double>(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TScalar FromDouble(double value) =>
        typeof(TScalar) == typeof(float) ? Unsafe.BitCast<float, TScalar>((float)value) : Unsafe.BitCast<double, TScalar>(value);

    /// <summary>A problem in the kernel's scalars, and lanes to work in; aligned to a cache line.</summary>
    private readonly ref struct Memory
    {
        private readonly void* _block;

        public Memory(Problem problem, int lanes)
        {
            int points = problem.Packed.Length;
            _block = NativeMemory.AlignedAlloc((nuint)((lanes * sizeof(T)) + ((points + (5 * P) + 2) * sizeof(TScalar))), 64);
            Lanes = (T*)_block;
            var scalars = (TScalar*)(Lanes + lanes);
            Points = new(scalars);
            Lower = new(scalars + points);
            Upper = new(scalars + points + P);
            Units = new(scalars + points + (2 * P));
            Priors = new(scalars + points + (2 * P) + 2);
            for (int m = 0; m < problem.Priors.Length; m++) scalars[points + (2 * P) + 2 + m] = FromDouble(problem.Priors[m]);
            (scalars[points + (2 * P)], scalars[points + (2 * P) + 1]) = (FromDouble(problem.LogScale), FromDouble(problem.Delta));
            for (int m = 0; m < points; m++) scalars[m] = FromDouble(problem.Packed[m]);
            for (int j = 0; j < P; j++)
            {
                scalars[points + j] = FromDouble(problem.Lower[j]);
                scalars[points + P + j] = FromDouble(problem.Upper[j]);
            }
        }

        public T* Lanes { get; }

        public Broadcast<T, TMask, TScalar> Points { get; }

        public Broadcast<T, TMask, TScalar> Lower { get; }

        public Broadcast<T, TMask, TScalar> Upper { get; }

        public Broadcast<T, TMask, TScalar> Units { get; }

        public Broadcast<T, TMask, TScalar> Priors { get; }

        public void Dispose() => NativeMemory.AlignedFree(_block);
    }
}
