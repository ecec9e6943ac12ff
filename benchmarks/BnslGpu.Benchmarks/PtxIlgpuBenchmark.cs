using System.Diagnostics;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;

namespace BnslGpu.Benchmarks;

/// <summary>What NVIDIA's compiler makes of the kernels, which needs no GPU: ILGPU writes PTX, ptxas assembles it, nvdisasm lists it.</summary>
internal static class PtxIlgpuBenchmark
{
    private static readonly CudaArchitecture[] Architectures =
        [CudaArchitecture.SM_70, CudaArchitecture.SM_75, CudaArchitecture.SM_80, CudaArchitecture.SM_86, CudaArchitecture.SM_89, CudaArchitecture.SM_90];

    private static readonly CudaArchitecture Reference = CudaArchitecture.SM_80;
    private static readonly string[] Names = ["Descend", "Screen", "Evaluate", "Draw"];
    private static readonly bool[] Precisions = [true, false];

    /// <summary>A kernel to compile, and what its loop over the points is.</summary>
    /// <param name="Name">The kernel.</param>
    /// <param name="Law">The law; null for the one kernel that knows none.</param>
    /// <param name="Loss">The loss.</param>
    /// <param name="IsDouble">The precision.</param>
    /// <param name="InMemoryOnly">Whether sums are kept in device memory whatever their number.</param>
    private sealed record Item(string Name, ScalingLaw? Law, Loss? Loss, bool IsDouble, bool InMemoryOnly = false)
    {
        public override string ToString() => Law is null ? Name : $"{Name} of {Law.Name} with {Law.Breaks} breaks, {Loss!.Name}, {(IsDouble ? "double" : "float")}{(InMemoryOnly ? ", in memory" : "")}";
    }

    /// <summary>What became of it.</summary>
    private sealed record Made(int Registers, int Stack, int SpillStores, int SpillLoads, double Seconds, int Unordered, IReadOnlyList<SassLoop> Loops);

    public static int Run(string[] args, TextWriter output)
    {
        string? tools = null;
        CudaArchitecture[] architectures = Architectures;
        for (int i = 0; i < args.Length; i += 2)
        {
            switch (args[i..])
            {
                case ["--tools", var folder, ..]: tools = folder; break;
                case ["--only", var name, ..] when Name(Reference) == name: architectures = [Reference]; break;
                default: throw new ArgumentException($"ptx takes --tools DIR, where ptxas and nvdisasm are, and --only {Name(Reference)}; '{string.Join(' ', args)}' was given.", nameof(args));
            }
        }

        // A version of ptxas knows some generations of GPUs, and forgets old ones.
        string known = Said(tools, "ptxas", "--help");
        architectures = [.. architectures.Where(architecture => known.Contains($"'{Name(architecture)}'", StringComparison.Ordinal))];
        IlgpuDevice.PrepareCompiler();
        ScalingLaw[] bnsl = [.. Enumerable.Range(0, 5).Select(breaks => ScalingLaw.Get("bnsl", breaks))];
        Loss msle = Loss.Get("msle");
        Item[] items =
        [
            .. from name in Names from isDouble in Precisions from law in bnsl select new Item(name, law, msle, isDouble),
            new("Keep", null, null, true),
        ];
        Item[] inMemory = [.. from isDouble in Precisions from law in bnsl[2..] select new Item("Descend", law, msle, isDouble, true)];
        Item[] others =
        [
            .. ScalingLaw.All.Where(law => law.Name != "bnsl" || law.Breaks > 4).Select(law => new Item("Descend", law, msle, true)),
            .. Loss.All.Where(loss => loss != msle).Select(loss => new Item("Descend", bnsl[1], loss, true)),
        ];

        var made = new Dictionary<(Item Item, CudaArchitecture Architecture), Made>();
        int refused = 0;
        string scratch = Directory.CreateTempSubdirectory("bnsl-ptx").FullName;
        try
        {
            // The first compilation of a process is mostly that of the compiler.
            Compile(items[0], Reference, out _);
            foreach (CudaArchitecture architecture in architectures)
            {
                foreach (Item item in items.Concat(inMemory).Concat(others))
                {
                    Made? one = Make(item, architecture, tools, scratch);
                    if (one is null) refused++;
                    else made[(item, architecture)] = one;
                }
            }
        }
        finally
        {
            Directory.Delete(scratch, true);
        }

        Write(architectures, items, inMemory, others, made, refused, Said(tools, "ptxas", "--version"), output);
        return refused == 0 && made.Values.All(one => one.Unordered == 0) ? 0 : 1;
    }

    private static void Write(CudaArchitecture[] architectures, Item[] items, Item[] inMemory, Item[] others, Dictionary<(Item Item, CudaArchitecture Architecture), Made> made, int refused, string version, TextWriter output)
    {
        int all = architectures.Length * (items.Length + inMemory.Length + others.Length);
        output.WriteLine($"""
            # The kernels as NVIDIA's compiler makes them

            - ILGPU {typeof(Context).Assembly.GetName().Version!.ToString(3)} at O2, PTX ISA 7.8; ptxas and nvdisasm {version.Trim().Split('\n')[^1].Replace("Build ", "", StringComparison.Ordinal)}; no GPU was used: nothing here was run
            - assembled: {all - refused} of {all} kernels, for {string.Join(", ", architectures.Select(Name))}
            - comparisons that PTX calls unordered, true where one of the two is not a number, in {string.Join(" and ", IlgpuPtx.AreOrdered)}, which mean none: {made.Values.Sum(one => one.Unordered)}
            - loop: instructions that a thread issues a point and iteration, counted in the listing; double and float: multiply-adds, products, sums and
              comparisons of that kind; special: reciprocals; device, local: loads + stores. The loop has branches, where none are named, only around the slow path of
              divisions, which only denormal and infinite numbers take and which is not counted
            - spilled: bytes stored + loaded, anywhere in the kernel; what of it is in the loop is under local
            - threads: resident on a multiprocessor in groups of 64 by registers (65,536, given to a warp in pieces of 256), for {Name(Reference)} (2,048 at most) / sm_89 (1,536)
            - compile: CPU-seconds by ILGPU, in a context of its own, its own code already compiled; the driver's assembler comes on top of it

            ## {Name(Reference)}, loss msle, law bnsl

            `Draw` and `Keep` go through no points; starts are drawn in double for either precision.

            | kernel | breaks | numbers | registers | stack | spilled | threads | loop | double | float | special | device | local | compile s |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
            """);
        foreach (Item item in items.Where(item => item.Name != "Draw" || item.IsDouble)) WriteRow(item);
        output.WriteLine($"""

            ## The same with sums in device memory

            What laws of more parameters than registers hold do; `Descend`, {Name(Reference)}. Loops inside the loop are counted as often as they run.

            | kernel | breaks | numbers | registers | stack | spilled | threads | loop | double | float | special | device | local | compile s |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|---|
            """);
        foreach (Item item in inMemory) WriteRow(item);
        output.WriteLine($"""

            ## Other laws and losses

            `Descend` in double, {Name(Reference)}; losses with bnsl and one break. ≥: a loop inside the loop, counted once.

            | law | breaks | parameters | loss | registers | stack | spilled | threads | loop | local | compile s |
            |---|---|---|---|---|---|---|---|---|---|---|
            """);
        foreach (Item item in others)
        {
            if (!made.TryGetValue((item, Reference), out Made? one)) continue;
            SassCount? exact = Loop(item, one);
            SassCount count = exact ?? PointLoop(item, one).Once;
            output.WriteLine($"| {item.Law!.Name} | {item.Law.Breaks} | {item.Law.ParameterCount} | {item.Loss!.Name} | {one.Registers} | {one.Stack} | {one.SpillStores} + {one.SpillLoads} "
                + $"| {Threads(one.Registers)} | {(exact is null ? "≥ " : "")}{count.All:0}{Branches(count)} | {count.LocalLoads:0} + {count.LocalStores:0} | {one.Seconds:F1} |");
        }

        output.WriteLine($"""

            ## Other architectures

            Against {Name(Reference)}, over all kernels above.

            | architecture | assembled | registers, least and most difference | most registers | kernels with spills | most spilled | local in the loop, 0 to 2 breaks |
            |---|---|---|---|---|---|---|
            """);
        foreach (CudaArchitecture architecture in architectures)
        {
            (Item Item, Made Made)[] own = [.. made.Where(pair => pair.Key.Architecture == architecture).Select(pair => (pair.Key.Item, pair.Value))];
            int[] differences = [.. own.Where(pair => made.ContainsKey((pair.Item, Reference))).Select(pair => pair.Made.Registers - made[(pair.Item, Reference)].Registers)];
            double local = own.Where(pair => pair.Item.Law is { Name: "bnsl", Breaks: < 3 }).Select(pair => Loop(pair.Item, pair.Made)).OfType<SassCount>().Sum(count => count.LocalLoads + count.LocalStores);
            output.WriteLine($"| {Name(architecture)} | {own.Length} of {all / architectures.Length} | {differences.Min():+0;-0;0} to {differences.Max():+0;-0;0} | {own.Max(pair => pair.Made.Registers)} "
                + $"| {own.Count(pair => pair.Made.SpillStores > 0)} | {own.Max(pair => pair.Made.SpillStores)} + {own.Max(pair => pair.Made.SpillLoads)} | {local:0} |");
        }

        void WriteRow(Item item)
        {
            if (!made.TryGetValue((item, Reference), out Made? one)) return;
            string loop = Loop(item, one) is { } count
                ? $"{count.All:0}{Branches(count)} | {count.Double:0} | {count.Float:0} | {count.Special:0} | {count.Loads:0} + {count.Stores:0} | {count.LocalLoads:0} + {count.LocalStores:0}"
                : " | | | | | ";
            output.WriteLine($"| {item.Name} | {item.Law?.Breaks} | {(item.Law is null ? "" : item.IsDouble ? "double" : "float")} | {one.Registers} | {one.Stack} | {one.SpillStores} + {one.SpillLoads} "
                + $"| {Threads(one.Registers)} | {loop} | {one.Seconds:F1} |");
        }

        static string Branches(SassCount count) => count.Branches switch { 0 => "", 1 => " (1 branch)", var branches => $" ({branches} branches)" };
    }

    /// <summary>A point and iteration: the loop that evaluates the law. Null where a kernel has none, or one whose loops inside are not known.</summary>
    private static SassCount? Loop(Item item, Made made)
    {
        if (item.Law is not { } law || item.Name == "Draw") return null;

        SassLoop loop = PointLoop(item, made);
        if (loop.Inside.Count == 0) return loop.Own;
        if (law.Name != "bnsl") return null;
        Trip parameters = new(law.ParameterCount), never = new(0);
        Trip[] breaks = law.Breaks > 0 ? [new(law.Breaks)] : [], trips = item.Name switch
        {
            "Descend" => [.. breaks, .. breaks, parameters, new(law.ParameterCount + 1, new Trip((law.ParameterCount + 2) / 2.0))],
            "Screen" => breaks,
            _ => [.. breaks, .. breaks, parameters, never], // the last writes what is not a number
        };
        return trips.Length == loop.Inside.Count ? loop.By(trips) : null;
    }

    /// <summary>Descend steps in a loop around everything, and what stores nothing there sums in registers; the other kernels go through the points once, last.</summary>
    private static SassLoop PointLoop(Item item, Made made)
    {
        if (item.Name != "Descend") return made.Loops.Last(loop => Arithmetic(loop) > 20); // not one that only copies
        IReadOnlyList<SassLoop> loops = made.Loops.MaxBy(Arithmetic)!.Inside;
        return loops.Where(loop => loop.Once.Stores == 0 && Arithmetic(loop) > 0).MaxBy(Arithmetic) ?? loops.MaxBy(Arithmetic)!;

        double Arithmetic(SassLoop some) => item.IsDouble ? some.Once.Double : some.Once.Float;
    }

    /// <summary>Threads that a multiprocessor holds: each of its four parts has 16,384 registers.</summary>
    private static string Threads(int registers)
    {
        int warps = 4 * (16384 / ((registers * 32) + 255 & ~255)), groups = warps / 2;
        return $"{64 * Math.Min(groups, 32)} / {64 * Math.Min(groups, 24)}";
    }

    private static string Name(CudaArchitecture architecture) => $"sm_{architecture.Major}{architecture.Minor}";

    private static Made? Make(Item item, CudaArchitecture architecture, string? tools, string scratch)
    {
        string ptx = Path.Combine(scratch, "kernel.ptx"), cubin = Path.Combine(scratch, "kernel.cubin");
        string source = Compile(item, architecture, out double seconds);
        File.WriteAllText(ptx, source);
        string[] unordered = IlgpuPtx.AreOrdered.Contains(item.Name) ? IlgpuPtx.Unordered(source) : [];
        if (unordered.Length > 0) Console.Error.WriteLine($"{item} for {Name(architecture)}: {unordered.Length} comparisons are true where a number is none, the first of them {unordered[0].Trim()}");
        try
        {
            (int registers, int stack, int stores, int loads) = Sass.Usage(Said(tools, "ptxas", "-v", $"-arch={Name(architecture)}", ptx, "-o", cubin));
            return new(registers, stack, stores, loads, seconds, unordered.Length, Sass.Loops(Said(tools, "nvdisasm", "-c", cubin).Split('\n')));
        }
        catch (InvalidDataException refusal)
        {
            Console.Error.WriteLine($"{item} for {Name(architecture)}: {refusal.Message}");
            return null;
        }
    }

    private static string Compile(Item item, CudaArchitecture architecture, out double seconds)
    {
        TimeSpan begun = Environment.CpuUsage.TotalTime;
        string ptx = IlgpuPtx.Compile(item.Law is { } law ? IlgpuPtx.Kernels(law, item.Loss!, item.IsDouble, item.InMemoryOnly) : typeof(KeepKernel), item.Name, architecture);
        seconds = (Environment.CpuUsage.TotalTime - begun).TotalSeconds;
        return ptx;
    }

    /// <summary>What a tool prints, wherever it prints it.</summary>
    /// <exception cref="InvalidDataException">It failed.</exception>
    private static string Said(string? folder, string tool, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(folder is null ? tool : Path.Combine(folder, tool), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + error.Result;
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidDataException(output.Trim());
    }
}
