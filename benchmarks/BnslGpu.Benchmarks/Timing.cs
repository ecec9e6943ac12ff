using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace BnslGpu.Benchmarks;

/// <summary>Times contestants on a machine that is not quiet: all of them in turn, round by round, compared within each round.</summary>
internal static class Timing
{
    private const double LeastSeconds = 4e-3;

    /// <summary>Seconds a call of every contestant takes in every round.</summary>
    /// <param name="contestants">What is timed; each call does the same work.</param>
    /// <param name="rounds">How often each is timed.</param>
    /// <returns>Shape [contestants][rounds].</returns>
    public static double[][] Rounds(IReadOnlyList<Action> contestants, int rounds)
    {
        // Calls until the compiler has had time to replace its first code and a timing is long against the clock's grain.
        int[] calls = [.. contestants.Select(action =>
        {
            for (int call = 0; call < 40; call++) action();
            double seconds = Seconds(action, 3);
            return Math.Max(1, (int)Math.Ceiling(LeastSeconds / seconds));
        })];
        var all = new double[contestants.Count][];
        for (int contestant = 0; contestant < all.Length; contestant++) all[contestant] = new double[rounds];
        for (int round = 0; round < rounds; round++)
            for (int contestant = 0; contestant < all.Length; contestant++)
                all[contestant][round] = Seconds(contestants[contestant], calls[contestant]);
        return all;
    }

    /// <summary>The middle of the sorted values; the mean of the two middle ones of an even number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return 0.5 * (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]);
    }

    /// <summary>Keeps the process on one core, where the system can: a contestant is then not moved in the middle of its turn.</summary>
    public static void StayOnOneCore()
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows()) return;
        using var process = Process.GetCurrentProcess();
        nint allowed = process.ProcessorAffinity;
        process.ProcessorAffinity = allowed & -allowed;
    }

    /// <summary>The machine, as a list in Markdown.</summary>
    public static string Machine()
    {
        string cpu = "unknown processor";
        if (File.Exists("/proc/cpuinfo"))
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
            if (line is not null) cpu = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
        }

        string widths = string.Join(", ", SimdBackend.Widths.Where(width => width != LaneWidth.Scalar).Select(width => ((int)width).ToString(CultureInfo.InvariantCulture)));
        string names = System.Runtime.Intrinsics.X86.Avx512F.IsSupported ? "AVX-512" : System.Runtime.Intrinsics.X86.Avx2.IsSupported ? "AVX2, no AVX-512" : $"Vector<T> of {Vector128<byte>.Count * 8} bits or more";
        return $"""
            - processor: {cpu}, {Environment.ProcessorCount} cores seen, {RuntimeInformation.ProcessArchitecture}
            - registers in use: {widths} bits ({names})
            - {RuntimeInformation.FrameworkDescription}
            """;
    }

    private static double Seconds(Action action, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int call = 0; call < calls; call++) action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds / calls;
    }
}
