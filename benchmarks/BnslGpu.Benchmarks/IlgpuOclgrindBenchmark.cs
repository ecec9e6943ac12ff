using System.Diagnostics;
using System.Globalization;
using ILGPU;
using ILGPU.Runtime;

namespace BnslGpu.Benchmarks;

/// <summary>Every kernel on oclgrind, an OpenCL device that interprets: data races, accesses out of bounds, reads of what nobody wrote.</summary>
/// <remarks>
/// It takes its orders from the environment and reports on standard error, so every case is a process of its own. Out of bounds is always looked for.
/// Kernels with a planted fault come last, and must be found.
/// </remarks>
internal static class IlgpuOclgrindBenchmark
{
    private static readonly (string Name, string Variable, string Planted)[] Checks =
    [
        ("data races", "OCLGRIND_DATA_RACES", nameof(IlgpuPlantedKernels.Race)),
        ("uninitialised reads", "OCLGRIND_UNINITIALIZED", nameof(IlgpuPlantedKernels.Uninitialised)),
    ];

    private static readonly string[] Kernels = ["Evaluate", "Draw", "Screen", "Keep", "Descend"];

    /// <summary>Writes the table.</summary>
    /// <returns>0 where nothing was found but what was planted, and all of that, else 1.</returns>
    public static int Run(string[] args, TextWriter output)
    {
        string? driver = null;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            switch (args[i])
            {
                case "--driver": driver = value; break;
                case "--run": return RunOne(value, output);
                default: throw new ArgumentException($"oclgrind takes --driver FILE; '{args[i]}' was given.", nameof(args));
            }
        }

        if (driver is null) throw new ArgumentException("oclgrind needs --driver FILE, its liboclgrind-rt-icd.so.", nameof(args));
        string folder = Directory.CreateTempSubdirectory("oclgrind").FullName;
        bool isClean = true;
        try
        {
            File.WriteAllText(Path.Combine(folder, "oclgrind.icd"), driver + "\n");
            output.WriteLine($"""
                # Every kernel under oclgrind

                - {RuntimeInformation()}
                - reports of {Kernels.Length} kernels ({string.Join(", ", Kernels)}); small problems, for it interprets; in registers or in memory says where a candidate's sums are
                - out of bounds is looked for in both columns; races include threads that write the same value
                - right: descents that end where SIMD's do, to 1e-6 (1e-2 in float, which is polished in double by the engine), and residuals that agree to 1e-9 (1e-4)
                """);
            foreach ((string name, string variable, string planted) in Checks)
            {
                output.WriteLine($"""

                    ## {char.ToUpperInvariant(name[0])}{name[1..]}, and out of bounds

                    | law, breaks, loss | precision | sums in | with | {string.Join(" | ", Kernels)} | right | seconds |
                    |---|---|---|---|{string.Concat(Kernels.Select(_ => "---|"))}---|---|
                    """);
                output.Flush();
                for (int k = 0; k < Cases.Length; k++)
                {
                    (string answer, Dictionary<string, int> reports, string[] some) = RunChild(folder, variable, $"case {k}");
                    Case one = Cases[k];
                    output.WriteLine($"| {one.Law}, {one.Breaks}, {one.Loss} | {(one.Precision == SearchPrecision.Double ? "double" : "float")} | {(one.InMemory ? "memory" : "registers")} | {one.With} "
                        + $"| {string.Join(" | ", Kernels.Select(kernel => reports.GetValueOrDefault(kernel)))} | {answer} |");
                    output.Flush();
                    if (reports.Count > 0) output.WriteLine(string.Join('\n', some));
                    isClean &= answer.StartsWith("yes", StringComparison.Ordinal) && reports.Count == 0;
                }

                output.WriteLine("\n| planted | reports |");
                output.WriteLine("|---|---|");
                foreach (string fault in (string[])[nameof(IlgpuPlantedKernels.Correct), planted, nameof(IlgpuPlantedKernels.OutOfBounds)])
                {
                    (string answer, Dictionary<string, int> reports, _) = RunChild(folder, variable, fault);
                    output.WriteLine($"| {fault} | {reports.Values.Sum()} |");
                    isClean &= answer.StartsWith("yes", StringComparison.Ordinal) && (fault == nameof(IlgpuPlantedKernels.Correct)) == (reports.Count == 0);
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        output.WriteLine($"\n{(isClean ? "Passed" : "FAILED")}.");
        return isClean ? 0 : 1;
    }

    private static string RuntimeInformation() => System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription;

    /// <summary>Runs something in a process of its own.</summary>
    /// <returns>What it said, the number of reports of every kernel, and the first lines of the log.</returns>
    private static (string Answer, Dictionary<string, int> Reports, string[] Log) RunChild(string folder, string variable, string what)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(IlgpuOclgrindBenchmark).Assembly.Location);
        foreach (string arg in (string[])["oclgrind", "--run", what]) start.ArgumentList.Add(arg);
        start.Environment["OCL_ICD_VENDORS"] = folder;
        start.Environment["OCLGRIND_MAX_ERRORS"] = "1000";
        start.Environment["OCLGRIND_UNIFORM_WRITES"] = "1";
        start.Environment[variable] = "1";
        using Process child = Process.Start(start)!;
        Task<string> said = child.StandardOutput.ReadToEndAsync(), complained = child.StandardError.ReadToEndAsync();
        child.WaitForExit();
        string[] lines = complained.Result.Split('\n');
        string answer = child.ExitCode == 0 ? said.Result.Trim() : $"NO: exit code {child.ExitCode}, {lines.FirstOrDefault(line => line.Contains("xception", StringComparison.Ordinal))} | ";
        return (answer, Reports(complained.Result), [.. lines.SkipWhile(line => !line.Contains("Kernel:", StringComparison.Ordinal)).Take(24)]);
    }

    private sealed record Case(string Law, int Breaks, string Loss, SearchPrecision Precision, bool InMemory, ParameterRules Rules, string With);

    private static readonly Case[] Cases = MakeCases();

    private static Case[] MakeCases()
    {
        ParameterRules plain = ParameterRules.None;
        ParameterRules tied = plain with
        {
            Ties = [["f"]],
            Ranges = [new("a", 0, 0)],
            Priors = [new("c0", 0.2, 0.5), new("d", -2, 3, 4)],
            Starts = [[new("c0", 0.3)]],
            PriorVariance = 1e-4,
        };
        return
        [
            new("bnsl", 0, "msle", SearchPrecision.Double, false, plain, ""),
            new("bnsl", 1, "msle1p", SearchPrecision.Double, false, plain, ""),
            new("bnsl", 2, "huber", SearchPrecision.Double, false, tied, "fixed, tied, priors, own start"),
            new("bnsl", 2, "huber", SearchPrecision.Double, true, tied, "fixed, tied, priors, own start"),
            new("bnsl", 2, "msle", SearchPrecision.Mixed, false, tied, "fixed, tied, priors, own start"),
            new("bnsl", 1, "msle", SearchPrecision.Mixed, true, plain, ""),
            new("bnsl", 4, "msle", SearchPrecision.Double, true, plain, ""),
            new("bnsl-rising", 1, "mse", SearchPrecision.Double, false, plain, ""),
            new("m4", 0, "msle", SearchPrecision.Mixed, false, plain, ""),
            new("chinchilla", 0, "huber", SearchPrecision.Double, false, plain with { Ties = [["alpha", "beta"]] }, "tied, two inputs"),
        ];
    }

    /// <summary>What a process under oclgrind does: "case 3", or the name of a planted kernel.</summary>
    private static int RunOne(string what, TextWriter output)
    {
        long begun = Stopwatch.GetTimestamp();
        bool isRight = true;
        if (what.Split(' ') is ["case", var number])
        {
            Case one = Cases[int.Parse(number, CultureInfo.InvariantCulture)];
            isRight = Exercised(one);
        }
        else
        {
            using IlgpuDevice device = IlgpuDevice.Open("opencl:0")[0];
            using var memory = new IlgpuMemory(device);
            ArrayView<int> numbers = memory.Allocate<int>(32), from = memory.Upload(Enumerable.Range(0, 32).ToArray());
            var kernel = typeof(IlgpuPlantedKernels).GetMethod(what)!.CreateDelegate<Action<Index1D, ArrayView<int>, ArrayView<int>>>();
            var launch = device.Load(accelerator => accelerator.LoadImplicitlyGroupedStreamKernel(kernel, 16));
            device.Launch(() => launch(32, numbers, from));
        }

        output.WriteLine($"{(isRight ? "yes" : "NO")} | {Stopwatch.GetElapsedTime(begun).TotalSeconds.ToString("F0", CultureInfo.InvariantCulture)}");
        return 0;
    }

    /// <summary>All kernels of a case once.</summary>
    /// <returns>Whether they did what SIMD does.</returns>
    private static bool Exercised(Case one)
    {
        const int Starts = 20, Points = 18, Evaluated = 3;
        ScalingLaw law = ScalingLaw.Get(one.Law, one.Breaks);
        Loss loss = Loss.Get(one.Loss);
        Problem[] problems = [.. Enumerable.Range(0, 2).Select(k => new Problem(Curve(law, Points - (5 * k)), law, loss, rules: one.Rules))];
        var options = new SearchOptions(Starts, 5, 3, SearchPrecision.Double, 6);
        bool isFloat = one.Precision != SearchPrecision.Double;
        var simd = new SimdBackend();

        // A device of its own for each verb: oclgrind keeps the size of a buffer that was given back for the next one with its number, and thinks what is beyond it unwritten.
        bool isRight = true;
        using (IlgpuDevice device = Open()) isRight &= Model(device).Screen(problems, options, 0, Starts * problems.Length, device.MemoryBudget, null, default).All(kept => kept.Count >= options.Keep);
        StartSet[] random = [.. problems.Select(problem => new StartSet(problem, 0, Starts, []))];
        var minima = new double[2 * law.ParameterCount];
        random[0].Draw(options.Seed, 2, minima);
        StartSet[] sets = [.. random, new(problems[0], 64, 7, minima)];
        var run = new IlgpuCandidates(sets, options.Seed);
        using (IlgpuDevice device = Open()) Model(device).Descend(run, options, SimdBackend.DoubleTolerance, null, default);
        double[] ends = [.. simd.Descend(sets, options, null, default).SelectMany(set => set.Losses)];
        isRight &= Agreeing(ends, [.. run.Losses.Select(end => end.Value)], isFloat ? 1e-2 : 1e-6) >= (isFloat ? 0.5 : 0.9) * ends.Length;

        Candidates[] candidates = [.. problems.Select(problem => IlgpuParityBenchmark.Drawn(problem, Evaluated))];
        Evaluation[] answers = [.. problems.Select(problem => new Evaluation(new double[Evaluated * problem.Count], new double[Evaluated * problem.Count * problem.ParameterCount]))];
        using (IlgpuDevice device = Open())
            Model(device).Evaluate(new([.. candidates.Select(some => new StartSet(some.Problem, 0, Evaluated, [], some.Parameters))], 0), answers, device.MemoryBudget, default);
        var expected = simd.Evaluate(candidates);
        for (int k = 0; k < answers.Length; k++)
            isRight &= Agreeing(expected[k].Residuals, answers[k].Residuals, isFloat ? 1e-4 : 1e-9) == answers[k].Residuals.Length;
        return isRight;

        IlgpuDevice Open() => IlgpuDevice.Open("opencl:0", inMemoryOnly: one.InMemory, poisonsByCopy: true)[0];
        IlgpuModel Model(IlgpuDevice device) => device.Model(law, loss, one.Precision);
    }

    private static int Agreeing(double[] expected, double[] found, double tolerance) =>
        expected.Zip(found, (left, right) => Math.Abs(left - right) <= tolerance * Math.Max(1, Math.Abs(left)) || !(double.IsFinite(left) || double.IsFinite(right))).Count(agree => agree);

    /// <summary>A planted curve with weights; of two inputs where the law wants them; one that rises where the law does.</summary>
    private static Points Curve(ScalingLaw law, int count)
    {
        Points planted = LanesBenchmark.Planted(count);
        double[] y = planted.Y.ToArray(), x = planted.X.ToArray(), weights = [.. Enumerable.Range(0, count).Select(i => 1 + (i % 3))];
        if (law.Name == "bnsl-rising") y = [.. y.Select(value => 3 - value)];
        if (law.InputCount == 2) x = [.. x.SelectMany((value, i) => new[] { value, 1e3 * ((i * i) + 1) })];
        return new(x, law.InputCount, y, weights);
    }

    /// <summary>How many reports there are of every kernel.</summary>
    private static Dictionary<string, int> Reports(string text)
    {
        var reports = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            // "	Kernel: Kernel_Descend"
            if (!line.TrimStart().StartsWith("Kernel: ", StringComparison.Ordinal)) continue;
            string kernel = Kernels.FirstOrDefault(name => line.Contains(name, StringComparison.Ordinal)) ?? line;
            reports[kernel] = reports.GetValueOrDefault(kernel) + 1;
        }

        return reports;
    }
}
