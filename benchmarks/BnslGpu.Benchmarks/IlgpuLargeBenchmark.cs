using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace BnslGpu.Benchmarks;

/// <summary>Very many starts through a small memory: whether each was drawn, gone through and written, and by the thread that should have.</summary>
/// <remarks>
/// The classic failure of batched fits on GPUs is silent: past some size results are zeros, or of another fit. So the engine fills what a kernel is to
/// write with bits that no kernel writes and looks for them afterwards; and here results are held against the CPU's, over the whole range of starts.
/// </remarks>
internal static class IlgpuLargeBenchmark
{
    private const int Points = 10, Best = 1000, Sample = 256, Iterations = 4;
    private const double Same = 1e-9;

    /// <summary>Writes the table.</summary>
    /// <returns>0 where everything was written and right, else 1.</returns>
    public static int Run(string[] args, TextWriter output)
    {
        string device = "opencl";
        int screened = 10_000_000, searched = 1_000_000, mebibytes = 64;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            switch (args[i])
            {
                case "--device": device = value; break;
                case "--screen": screened = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "--search": searched = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "--budget": mebibytes = int.Parse(value, CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"large takes --device NAME, --screen N, --search N and --budget MiB; '{args[i]}' was given.", nameof(args));
            }
        }

        List<IlgpuDevice> opened = IlgpuDevice.Open(device.Contains(':', StringComparison.Ordinal) || device == "ilgpu-cpu" ? device : device + ":0");
        if (opened.Count == 0) throw new ArgumentException($"There is no {device} on this machine.", nameof(args));
        using var backend = new IlgpuBackend(opened);
        IlgpuDevice only = opened[0];
        long budget = mebibytes * (1L << 20);
        only.MemoryBudget = budget;
        var problem = new Problem(LanesBenchmark.Planted(Points), ScalingLaw.Get("bnsl", 1), Loss.Get("msle"));
        output.WriteLine($"""
            # Very many starts within a memory budget

            {Timing.Machine()}
            - {backend.Description}
            - budget: {mebibytes} MiB; law bnsl with one break, {Points} points, loss msle, double precision
            - right: the screening's best {Best} starts of all are the CPU's best {Best} of all; a search's starts all end where the CPU's do, and {3 * Sample} starts (the first, the last, random ones) are the
              CPU's in every parameter, to {Text(Same)} relative or a share of 1e-3 that rounding led elsewhere

            | what | starts | launches | seconds | starts/s | most device memory MiB | written | right |
            |---|---|---|---|---|---|---|---|
            """);
        var simd = new SimdBackend();
        var options = new SearchOptions(screened, 7, Best, SearchPrecision.Double, Iterations);
        bool isRight = Screened() & Searched() & Drawn();
        using (var process = Process.GetCurrentProcess()) output.WriteLine($"\nMost memory of the whole process, the CPU's part included: {process.PeakWorkingSet64 >> 20} MiB.");

        output.WriteLine($"""

            ## Planted

            | fault | found |
            |---|---|
            """);
        bool isFound = Planted(only, output);
        foreach (string remark in backend.Remarks) output.WriteLine($"\nThe backend says: {remark}");
        bool isWithin = only.Held.Most <= budget;
        output.WriteLine($"\n{(isRight && isFound && isWithin && backend.Remarks.IsEmpty ? "Passed" : "FAILED")}.");
        return isRight && isFound && isWithin && backend.Remarks.IsEmpty ? 0 : 1;

        bool Screened()
        {
            ImmutableArray<Candidates> found = [];
            (string row, _) = Measured(screened, () => found = backend.Screen(new([problem]), options));
            int[] expected = simd.ScreenPart(new(problem, 0, screened, []), options, CancellationToken.None);
            Candidates best = simd.Rank(problem, expected, options);
            int agreed = best.Losses.Zip(found[0].Losses, Agree).Count(agree => agree);
            int last = expected.Count(start => start >= screened - (screened / 20));
            output.WriteLine($"| screen | {row} | all | {agreed} of {Best}, {last} of them from the last twentieth of the starts |");
            output.Flush();
            return agreed == Best;
        }

        bool Searched()
        {
            SearchOptions few = options with { Starts = searched, Keep = 4 };
            ImmutableArray<Candidates> found = [], expected = simd.Search(new([problem]), few);
            (string row, _) = Measured(searched, () => found = backend.Search(new([problem]), few));
            double[] losses = found[0].StartLosses;
            int agreed = expected[0].StartLosses.Zip(losses, Agree).Count(agree => agree);
            int unwritten = losses.Count(loss => BitConverter.DoubleToUInt64Bits(loss) == ulong.MaxValue);
            output.WriteLine($"| search, {Iterations} iterations, hops of the best | {row} | {(unwritten == 0 && losses.Length == searched ? "all" : $"NOT {unwritten}")} | {agreed} of {searched} |");
            output.Flush();
            return unwritten == 0 && losses.Length == searched && agreed >= searched * 0.999;
        }

        bool Drawn()
        {
            // A step of none: a search that ends where it starts tells what was drawn, and its loss.
            var random = new CounterRandom(1, 2, 3);
            int p = problem.ParameterCount, agreed = 0;
            (StartSet Set, double[] θ, double[] Losses)[] all =
            [
                .. new[] { 0, screened - Sample, (int)(random.Uniform() * (screened - Sample)) }
                    .Select(first => (new StartSet(problem, first, Sample, []), new double[Sample * p], new double[Sample])),
            ];
            var run = new IlgpuCandidates([.. all.Select(own => own.Set)], options.Seed);
            (string row, _) = Measured(3 * Sample, () =>
                only.Model(problem.Law, problem.Loss, SearchPrecision.Double).Descend(run, options with { Iterations = 0 }, SimdBackend.DoubleTolerance, null, CancellationToken.None));
            for (int set = 0; set < all.Length; set++)
            {
                (StartSet own, double[] θ, double[] losses) = all[set];
                own.Draw(options.Seed, 0, θ);
                simd.Kernel(problem, SearchPrecision.Double).Screen(problem, θ, losses);
                for (int k = 0; k < Sample; k++)
                {
                    int at = (set * Sample) + k;
                    bool agree = Agree(losses[k], run.Losses[at].Value);
                    for (int j = 0; j < p; j++) agree &= Math.Abs(θ[(k * p) + j] - run.Parameters[(at * p) + j].Value) <= Same * Math.Max(1, Math.Abs(θ[(k * p) + j]));
                    agreed += agree ? 1 : 0;
                }
            }

            output.WriteLine($"| draw the first, the last and random ones of the screening's starts | {row} | all | {agreed} of {3 * Sample} |");
            return agreed == 3 * Sample;
        }

        (string Row, double Seconds) Measured(int starts, Action action)
        {
            long launches = only.Launched.Launches;
            long begun = Stopwatch.GetTimestamp();
            action();
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            return ($"{starts} | {only.Launched.Launches - launches} | {seconds.ToString("F1", CultureInfo.InvariantCulture)} | {(starts / seconds).ToString("F0", CultureInfo.InvariantCulture)} "
                + $"| {(only.Held.Most / 1048576.0).ToString("F1", CultureInfo.InvariantCulture)}", seconds);
        }
    }

    private static bool Agree(double left, double right) =>
        Math.Abs(left - right) <= Same * Math.Max(Math.Abs(left), Math.Abs(right)) || !(double.IsFinite(left) || double.IsFinite(right));

    /// <summary>A kernel over fewer threads than results, and the two checks that the engine makes of such.</summary>
    private static bool Planted(IlgpuDevice device, TextWriter output)
    {
        const int Count = 1000, Missed = 3;
        using var memory = new IlgpuMemory(device);
        ArrayView<int> numbers = memory.Allocate<int>(Count), from = memory.Upload(new int[Count]);
        var write = device.Load(accelerator => accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<int>, ArrayView<int>>(IlgpuPlantedKernels.Correct));
        var written = new int[Count];
        device.Poison(numbers);
        device.Launch(() => write(Count - Missed, numbers, from));
        device.Download(numbers, written);
        string? said = Said(() => IlgpuDevice.CheckWritten(written));
        output.WriteLine($"| a kernel over {Missed} threads too few, downloaded and checked | {said ?? "NO"} |");

        device.Launch(() => write(Count, numbers, from));
        device.Download(numbers, written);
        string? wrongly = Said(() => IlgpuDevice.CheckWritten(written));
        output.WriteLine($"| none: the same kernel over all threads | {wrongly ?? "nothing, as it should be"} |");

        ArrayView<F64> losses = memory.Allocate<F64>(Count), best = memory.Upload(Enumerable.Repeat(new F64(double.PositiveInfinity), 4).ToArray());
        ArrayView<int> starts = memory.Upload(new int[4]), seen = memory.Upload(new int[4]);
        device.Poison(losses);
        device.Upload(new F64[Count - Missed], losses);
        device.Launch(() => device.Keep(4, new(0, Count, Count, 4, 1, 4), losses, best, starts, seen));
        var counted = new int[4];
        device.Download(seen, counted);
        int missing = Count - counted.Sum();
        output.WriteLine($"| {Missed} screened losses of {Count} unwritten, counted on the device | {(missing == Missed ? missing.ToString(CultureInfo.InvariantCulture) : "NO")} |");
        return said is not null && wrongly is null && missing == Missed;
    }

    private static string? Said(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (InvalidOperationException said)
        {
            return said.Message;
        }
    }

    private static string Text(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}
