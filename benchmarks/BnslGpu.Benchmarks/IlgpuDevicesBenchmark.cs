using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;

namespace BnslGpu.Benchmarks;

/// <summary>How fast a device searches, against SIMD and against a scalar search on the same machine; and where its time goes.</summary>
/// <remarks>
/// All contestants descend from the same starts, in turn, round by round; ratios are taken within a round. A GPU gets many times as many starts. On a machine that others use a second says
/// little, so seconds of the processor are told too: what a device that is this processor takes of it is in them, what a GPU does is not.
/// </remarks>
internal static class IlgpuDevicesBenchmark
{
    private static readonly int[] PointCounts = [14, 60];

    /// <summary>Starts of a GPU for one of the CPU's: enough to fill it.</summary>
    private const int OfGpu = 128;

    /// <summary>Writes the tables.</summary>
    public static int Run(string[] args, TextWriter output)
    {
        string device = "opencl";
        string? folder = null;
        int rounds = 5, starts = 0, hops = 96;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            switch (args[i])
            {
                case "--device": device = value; break;
                case "--data": folder = value; break;
                case "--rounds": rounds = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "--starts": starts = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "--search-starts": hops = int.Parse(value, CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"devices takes --device NAME, --data DIR, --rounds N, --starts N and --search-starts N; '{args[i]}' was given.", nameof(args));
            }
        }

        List<IlgpuDevice> opened = IlgpuDevice.Open(device);
        if (opened.Count == 0) throw new ArgumentException($"There is no {device} on this machine.", nameof(args));
        using var backend = new IlgpuBackend(opened);
        IBackend[] contestants = [new SimdBackend(LaneWidth.Scalar), new SimdBackend(), backend];
        output.WriteLine($"""
            # Starts a second: a device against SIMD, and against no registers

            {Timing.Machine()}
            - {backend.Description}
            - scalar and simd on as many threads as cores are seen; medians of {rounds} rounds, every contestant in turn; ratios within a round
            - CPU: the ratio of processor seconds, which load by others moves less; only where the device is this processor does it say anything of the device

            ## From given starts to their ends

            Law bnsl, loss msle, planted curves; at most 200 steps a start. mixed is held against scalar double too: it ends where double does.

            | points | breaks | precision | starts ({(opened[0].IsGpu ? $"{device}: times {OfGpu}" : "each")}) | scalar starts/s | simd starts/s | {device} starts/s | {device} / scalar double | CPU | {device} / simd | CPU |
            |---|---|---|---|---|---|---|---|---|---|---|
            """);
        var profiles = new List<string>();
        foreach (int points in PointCounts)
        {
            for (int breaks = 0; breaks <= 3; breaks++)
            {
                var problem = new Problem(LanesBenchmark.Planted(points), ScalingLaw.Get("bnsl", breaks), Loss.Get("msle"));
                Timed[][] reference = [];
                foreach (SearchPrecision precision in (SearchPrecision[])[SearchPrecision.Double, SearchPrecision.Mixed])
                {
                    int count = starts > 0 ? starts : (int)Math.Clamp(4e5 / points / Math.Pow(1 + breaks, 2.5), 256, 8192), times = opened[0].IsGpu ? OfGpu : 1;
                    var options = new SearchOptions(0, 0, 1, precision, 200);
                    Candidates[] few = [IlgpuParityBenchmark.Drawn(problem, count)], many = times == 1 ? few : [IlgpuParityBenchmark.Drawn(problem, count * times)];
                    Action[] calls = [.. contestants.Select(contestant => (Action)(() => contestant.Descend(contestant == backend ? many : few, options)))];
                    Profile before = Profile.Of(opened[0]);
                    Timed cold = Time(calls[2]);
                    Profile first = Profile.Of(opened[0]) - before;
                    foreach (Action call in calls) call();
                    before = Profile.Of(opened[0]);
                    Timed[][] taken = Rounds(calls, rounds);
                    Profile spent = Profile.Of(opened[0]) - before;
                    double onDevice = taken[2].Sum(time => time.Wall);
                    taken[2] = [.. taken[2].Select(time => new Timed(time.Wall / times, time.Cpu / times))];
                    if (precision == SearchPrecision.Double) reference = taken;
                    string name = precision.ToString().ToLowerInvariant();
                    output.WriteLine($"| {points} | {breaks} | {name} | {count} | {string.Join(" | ", taken.Select(own => Rate(count, own)))} "
                        + $"| {Ratio(reference[0], taken[2], time => time.Wall)} | {Ratio(reference[0], taken[2], time => time.Cpu)} "
                        + $"| {Ratio(taken[1], taken[2], time => time.Wall)} | {Ratio(taken[1], taken[2], time => time.Cpu)} |");
                    output.Flush();
                    profiles.Add($"| {points} | {breaks} | {name} | {spent.Row(onDevice, rounds)} | {cold.Wall:F2} | {first.Loading:F2} |");
                }
            }
        }

        output.WriteLine($"""

            ## Where {device}'s time goes

            Of the seconds above: in launches, in taking memory and copying, and the rest, which is the host's: packing, bookkeeping, checks. The first call compiles: in ILGPU,
            and in the driver at the first launch (which may find its work done in a cache of its own).

            | points | breaks | precision | launches | ms a launch | in launches | memory | host | first call s | ILGPU's compilation s |
            |---|---|---|---|---|---|---|---|---|---|
            """);
        foreach (string profile in profiles) output.WriteLine(profile);
        if (folder is not null) WriteSearch(folder, device, contestants, opened[0], rounds, hops, output);
        WriteChoice(folder, output);
        foreach (string remark in backend.Remarks) output.WriteLine($"\nThe backend says: {remark}");
        return 0;
    }

    /// <summary>What --device auto picks, for little and for much work.</summary>
    private static void WriteChoice(string? folder, TextWriter output)
    {
        Points[] curves = folder is null ? [LanesBenchmark.Planted(60)] : [.. CurveCsv.ReadFiles([.. SuiteBenchmark.Files.Select(file => Path.Combine(folder, file))]).Curves.Select(curve => curve.Fit)];
        var batch = new ProblemBatch(curves.SelectMany(points => Enumerable.Range(0, 4).Select(breaks => new Problem(points, ScalingLaw.Get("bnsl", breaks), Loss.Get("msle")))));
        output.WriteLine($"""

            ## What auto picks

            | problems | starts each | picked | seconds to pick |
            |---|---|---|---|
            """);
        foreach (int starts in (int[])[64, 100_000])
        {
            string picked = "";
            Timed taken = Time(() =>
            {
                IBackend choice = Backends.Choose("auto", batch, new SearchOptions(starts, 0, 4, SearchPrecision.Double, 200));
                using var release = choice as IDisposable;
                picked = choice.Description;
            });
            output.WriteLine($"| {batch.Problems.Length} | {starts} | {picked} | {taken.Wall:F2} |");
        }
    }

    /// <summary>Whole searches, random starts and rounds of hops, of the 92 curves.</summary>
    private static void WriteSearch(string folder, string device, IBackend[] contestants, IlgpuDevice opened, int rounds, int starts, TextWriter output)
    {
        ImmutableArray<Curve> curves = CurveCsv.ReadFiles([.. SuiteBenchmark.Files.Select(file => Path.Combine(folder, file))]).Curves;
        var batch = new ProblemBatch(curves.SelectMany(curve => Enumerable.Range(0, 4).Select(breaks => new Problem(curve.Fit, ScalingLaw.Get("bnsl", breaks), Loss.Get("msle")))));
        rounds = Math.Min(rounds, 3);
        output.WriteLine($"""

            ## Whole searches

            {curves.Length} curves of arXiv:2209.06640, 0 to 3 breaks, {batch.Problems.Length} problems in one call, {starts} starts each: {BasinHopping.RandomStarts} random ones, then rounds of {BasinHopping.Hops} hops;
            {rounds} rounds. What is drawn is drawn on the device.

            | precision | scalar starts/s | simd starts/s | {device} starts/s | {device} / scalar double | CPU | {device} / simd | CPU | launches | ms a launch | in launches | memory | host |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|
            """);
        Timed[][] reference = [];
        foreach (SearchPrecision precision in (SearchPrecision[])[SearchPrecision.Double, SearchPrecision.Mixed])
        {
            var options = new SearchOptions(starts, 0, 4, precision, 200);
            contestants[2].Search(batch, options with { Starts = BasinHopping.RandomStarts + 1, Iterations = 2 });
            Profile before = Profile.Of(opened);
            Timed[][] times = Rounds([.. contestants.Select(contestant => (Action)(() => contestant.Search(batch, options)))], rounds);
            Profile spent = Profile.Of(opened) - before;
            if (precision == SearchPrecision.Double) reference = times;
            int count = starts * batch.Problems.Length;
            output.WriteLine($"| {precision.ToString().ToLowerInvariant()} | {string.Join(" | ", times.Select(own => Rate(count, own)))} "
                + $"| {Ratio(reference[0], times[2], time => time.Wall)} | {Ratio(reference[0], times[2], time => time.Cpu)} "
                + $"| {Ratio(times[1], times[2], time => time.Wall)} | {Ratio(times[1], times[2], time => time.Cpu)} | {spent.Row(times[2].Sum(time => time.Wall), rounds)} |");
            output.Flush();
        }
    }

    /// <summary>Seconds, and seconds of the processor.</summary>
    private readonly record struct Timed(double Wall, double Cpu);

    private static Timed Time(Action action)
    {
        using var process = Process.GetCurrentProcess();
        TimeSpan cpu = process.TotalProcessorTime;
        long begun = Stopwatch.GetTimestamp();
        action();
        double wall = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        process.Refresh();
        return new(wall, (process.TotalProcessorTime - cpu).TotalSeconds);
    }

    /// <summary>Shape [contestants][rounds].</summary>
    private static Timed[][] Rounds(Action[] contestants, int rounds)
    {
        Timed[][] all = [.. contestants.Select(_ => new Timed[rounds])];
        for (int round = 0; round < rounds; round++)
            for (int contestant = 0; contestant < all.Length; contestant++) all[contestant][round] = Time(contestants[contestant]);
        return all;
    }

    private static string Rate(int starts, Timed[] times) => (starts / Timing.Median(times.Select(time => time.Wall))).ToString("F0", CultureInfo.InvariantCulture);

    private static string Ratio(Timed[] of, Timed[] to, Func<Timed, double> seconds) =>
        Timing.Median(of.Zip(to, (left, right) => seconds(left) / seconds(right))).ToString("F2", CultureInfo.InvariantCulture);

    /// <summary>What a device has counted.</summary>
    private readonly record struct Profile(long Launches, double Launching, double Copying, double Loading)
    {
        public static Profile Of(IlgpuDevice device) => new(device.Launched.Launches, device.Launched.Seconds, device.CopySeconds, device.LoadSeconds);

        public static Profile operator -(Profile left, Profile right) =>
            new(left.Launches - right.Launches, left.Launching - right.Launching, left.Copying - right.Copying, left.Loading - right.Loading);

        public string Row(double seconds, int calls) => string.Create(CultureInfo.InvariantCulture,
            $"{Launches / calls} | {1e3 * Launching / Math.Max(Launches, 1):F1} | {Launching / seconds:F3} | {Copying / seconds:F3} | {(seconds - Launching - Copying) / seconds:F3}");
    }
}
