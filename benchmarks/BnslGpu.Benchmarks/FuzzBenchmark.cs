using System.Diagnostics;
using System.Globalization;

namespace BnslGpu.Benchmarks;

/// <summary>Generated inputs through the readers: how many of each kind were read, refused with a sentence, or neither.</summary>
internal static class FuzzBenchmark
{
    private const int MostShown = 20;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    public static int Run(string[] args, TextWriter output)
    {
        ulong seed = 0;
        uint count = 1_000_000;
        uint? only = null;
        string[] words = args;
        if (Array.IndexOf(args, "--only") is >= 0 and int at)
        {
            only = uint.Parse(args[at + 1], CultureInfo.InvariantCulture);
            words = [.. args[..at], .. args[(at + 2)..]];
        }

        if (words.Length > 0) count = uint.Parse(words[0], CultureInfo.InvariantCulture);
        if (words.Length > 1) seed = ulong.Parse(words[1], CultureInfo.InvariantCulture);
        return only is { } number ? Show(seed, number, output) : Measure(seed, count, output);
    }

    private static int Show(ulong seed, uint number, TextWriter output)
    {
        FuzzOutcome outcome = InputFuzz.Try(seed, number, output.WriteLine);
        output.WriteLine($"-> {outcome.Kind}: {(outcome.WasRead ? "read" : "refused")}; {outcome.Fault ?? "all is well"}");
        return outcome.Fault is null ? 0 : 1;
    }

    private static int Measure(ulong seed, uint count, TextWriter output)
    {
        string[] kinds = [.. InputFuzz.Kinds.Distinct()];
        long[] made = new long[kinds.Length], read = new long[kinds.Length], ticks = new long[kinds.Length];
        List<(uint Number, FuzzOutcome Outcome)> faults = [];
        var begun = new (uint Number, long Stamp)[Environment.ProcessorCount];
        TimeSpan cpu = Process.GetCurrentProcess().TotalProcessorTime;
        using var watch = new Timer(_ => Watch(begun), null, s_longest, s_longest);
        int next = -1, done = 0;
        long slowest = 0;
        uint slowestNumber = 0;
        Thread[] threads = [.. begun.Select((_, own) => new Thread(() =>
        {
            for (uint number; (number = (uint)Interlocked.Increment(ref next)) < count;)
            {
                long start = Stopwatch.GetTimestamp();
                begun[own] = (number, start);
                FuzzOutcome outcome = InputFuzz.Try(seed, number);
                long taken = Stopwatch.GetTimestamp() - start;
                int kind = Array.IndexOf(kinds, outcome.Kind);
                lock (faults)
                {
                    made[kind]++;
                    ticks[kind] += taken;
                    if (outcome.WasRead) read[kind]++;
                    if (outcome.Fault is not null) faults.Add((number, outcome));
                    if (taken > slowest) (slowest, slowestNumber) = (taken, number);
                    if (++done % 100_000 == 0) Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{done:N0} of {count:N0} inputs, {faults.Count} faults"));
                }
            }

            begun[own] = default;
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
            # Generated inputs

            {count:N0} inputs of seed {seed} from grammars and by mutation through the readers of CSV, of saved reports and of options. InputFuzz.cs says how they are made and what is held:
            no exception but the documented one with its sentence, no row lost, no point that was not written, nothing over {s_longest.TotalSeconds:0} s. `benchmarks/run fuzz --only N` makes input N again and shows it.

            That it finds what is wrong was tried by planting it: of 20,000 inputs, 27 tables showed that commas of thousands were read as decimal marks or that rows whose first field is empty
            were lost, 343 that gzip which is cut off was taken for whole, and 36 reports that half a surrogate pair was not expected. A million inputs of seed 2 found that
            a wide table without a name in its header ended the tool; it is a case of docs/input.md now.

            | kind | inputs | read | refused with a sentence | faults | µs each |
            |---|---|---|---|---|---|
            """));
        for (int k = 0; k < kinds.Length; k++)
        {
            long wrong = faults.Count(fault => fault.Outcome.Kind == kinds[k]);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {kinds[k]} | {made[k]:N0} | {read[k]:N0} | {made[k] - read[k]:N0} | {wrong:N0} | {ticks[k] * 1e6 / Stopwatch.Frequency / Math.Max(1, made[k]):F0} |"));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"\n{cpu.TotalSeconds:F0} s of processor time; the slowest input, {slowestNumber}, took {slowest * 1e3 / Stopwatch.Frequency:F0} ms on a machine with other work."));
        foreach ((uint number, FuzzOutcome outcome) in faults.OrderBy(fault => fault.Number).Take(MostShown)) output.WriteLine($"- {number}, {outcome.Kind}: {outcome.Fault}");
        return faults.Count == 0 ? 0 : 1;
    }

    /// <summary>Ends the process, with the number of the input, where one takes too long: a thread cannot be ended.</summary>
    private static void Watch((uint Number, long Stamp)[] begun)
    {
        foreach ((uint number, long stamp) in begun)
        {
            if (stamp == 0 || Stopwatch.GetElapsedTime(stamp) < s_longest) continue;
            Console.Error.WriteLine($"input {number} takes longer than {s_longest.TotalSeconds:0} s");
            Environment.Exit(3);
        }
    }
}
