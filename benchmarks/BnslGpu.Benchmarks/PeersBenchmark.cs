using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using System.Text;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>The engine's search against other solvers of least squares: same law, loss, gradient, box and starts, one core, in turn round by round.</summary>
/// <remarks>
/// The peers are programs of their own, in <c>benchmarks/peers</c>, which read problems and starts from a file and write where every start ended and
/// the processor time it took. Nothing is timed before their residuals and Jacobians agree with the engine's, and an end counts by the loss that the
/// engine computes there, for peers and engine alike.
/// </remarks>
internal static class PeersBenchmark
{
    /// <summary>Damped steps of a start, at most; the peers' limit too.</summary>
    private const int Steps = 200;

    /// <summary>Of every domain, every so manyth curve in the order of names that has enough points for three breaks.</summary>
    private const int EveryCurve = 8, LeastPoints = 14;

    /// <summary>Starts and seed of the longer search for the least loss; rounds have the seeds 0, 1, …</summary>
    private const int LongStarts = 2048, LongSeed = 1000;

    /// <summary>What is zero, a square: the rounding of residuals.</summary>
    private const double Zero = 1e-24;

    private static readonly LaneWidth Width = SimdBackend.Widths[^1];

    private sealed record Options(string Data, string? Peers, string? Python, int Starts, int SciPyStarts, int Rounds);

    /// <summary>A solver.</summary>
    /// <param name="Name">What the tables call it.</param>
    /// <param name="Command">The program, and what it is given before the name of the solver; nothing for the engine.</param>
    /// <param name="Solver">What the program calls it.</param>
    /// <param name="Starts">How many of a round's starts it has.</param>
    private sealed record Contestant(string Name, string[] Command, string Solver, int Starts);

    /// <summary>What a solver did with one problem in one round.</summary>
    private sealed record Turn(double Seconds, double[] Losses);

    public static int Run(string[] args, TextWriter output)
    {
        Options options = Parse(args);
        Timing.StayOnOneCore(); // so do the processes that are started from here
        (Curve[] curves, Problem[] problems) = Problems(options.Data);
        Contestant[] contestants = [.. Contestants(options)];
        DirectoryInfo folder = Directory.CreateTempSubdirectory("bnsl-peers-");
        try
        {
            foreach (Contestant peer in contestants.Skip(1).DistinctBy(peer => peer.Command[^1])) Agree(peer, problems, folder.FullName);
            WarmUp(problems, options.Starts);
            Turn[][][] turns = [.. contestants.Select(_ => new Turn[options.Rounds][])];
            for (int round = 0; round < options.Rounds; round++)
            {
                for (int index = 0; index < contestants.Length; index++)
                {
                    Console.Error.WriteLine($"round {round + 1} of {options.Rounds}, {contestants[index].Name}");
                    turns[index][round] = Turns(contestants[index], problems, round, folder.FullName);
                }
            }

            Console.Error.WriteLine("the longer search");
            double[] least = [.. problems.Select(LongSearch)];
            foreach (Turn[] all in turns.SelectMany(rounds => rounds))
                for (int index = 0; index < least.Length; index++)
                    least[index] = all[index].Losses.Where(double.IsFinite).Append(least[index]).Min();
            Write(options, curves, problems, contestants, turns, least, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return 0;
    }

    private static Options Parse(string[] args)
    {
        var options = new Options("", null, null, 128, 12, 5);
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            options = args[i] switch
            {
                "--data" => options with { Data = value },
                "--peers" => options with { Peers = value },
                "--python" => options with { Python = value },
                "--starts" => options with { Starts = int.Parse(value, CultureInfo.InvariantCulture) },
                "--scipy-starts" => options with { SciPyStarts = int.Parse(value, CultureInfo.InvariantCulture) },
                "--rounds" => options with { Rounds = int.Parse(value, CultureInfo.InvariantCulture) },
                _ => throw new ArgumentException($"peers takes --data, --peers, --python, --starts, --scipy-starts and --rounds; '{args[i]}' was given.", nameof(args)),
            };
        }

        if (options.Data.Length == 0 || options.Peers is null) throw new ArgumentException("peers needs --data DIR, the learning curves, and --peers DIR, the programs.", nameof(args));
        return options;
    }

    private static (Curve[] Curves, Problem[] Problems) Problems(string folder)
    {
        CurveTable table = CurveCsv.ReadFiles([.. SuiteBenchmark.Files.Select(file => Path.Combine(folder, file))]);
        Curve[] curves = [.. table.Curves.Where(curve => curve.Fit.Count >= LeastPoints)
            .GroupBy(curve => curve.Name.Split('|')[0])
            .SelectMany(domain => domain.Where((_, index) => index % EveryCurve == 0))];
        return (curves, [.. Enumerable.Range(0, 4).SelectMany(breaks => curves.Select(curve => new Problem(curve.Fit, ScalingLaw.Get("bnsl", breaks), Loss.Get("msle"))))]);
    }

    private static IEnumerable<Contestant> Contestants(Options options)
    {
        yield return new("**BnslGpu**", [], "", options.Starts);
        string ceres = Path.Combine(options.Peers!, "obj", "ceres_peer");
        if (File.Exists(ceres))
        {
            yield return new("TinySolver, our floor", [ceres], "tiny-floor", options.Starts);
            yield return new("TinySolver", [ceres], "tiny", options.Starts);
            yield return new("Ceres DENSE_NORMAL_CHOLESKY", [ceres], "cholesky", options.Starts);
            yield return new("Ceres DENSE_QR", [ceres], "qr", options.Starts);
        }

        if (options.Python is null) yield break;
        string scipy = Path.Combine(options.Peers!, "scipy_peer.py");
        yield return new("SciPy lm", [options.Python, scipy], "lm", Math.Min(options.SciPyStarts, options.Starts));
        yield return new("SciPy trf", [options.Python, scipy], "trf", Math.Min(options.SciPyStarts, options.Starts));
    }

    private static double[] Starts(Problem problem, int round, int count)
    {
        int p = problem.ParameterCount;
        var θ = new double[count * p];
        for (int start = 0; start < count; start++) problem.Start((ulong)round, start, θ.AsSpan(start * p, p));
        return θ;
    }

    // The engine.

    private static SimdKernel Kernel(Problem problem) => problem.Law.Breaks switch
    {
        0 => Kernel<Breaks0>(),
        1 => Kernel<Breaks1>(),
        2 => Kernel<Breaks2>(),
        _ => Kernel<Breaks3>(),
    };

    private static SimdKernel Kernel<TBreaks>()
        where TBreaks : struct, IBreaks => Width switch
        {
            LaneWidth.Bits512 => SimdKernel<Lanes512<double>, Vector512<double>, double, Bnsl<TBreaks>, Msle>.Instance,
            LaneWidth.Bits256 => SimdKernel<Lanes256<double>, Vector256<double>, double, Bnsl<TBreaks>, Msle>.Instance,
            LaneWidth.Bits128 => SimdKernel<Lanes128<double>, Vector128<double>, double, Bnsl<TBreaks>, Msle>.Instance,
            _ => SimdKernel<F64, bool, double, Bnsl<TBreaks>, Msle>.Instance,
        };

    private static Turn Search(Problem problem, double[] θ)
    {
        SimdKernel kernel = Kernel(problem);
        var losses = new double[θ.Length / problem.ParameterCount];
        TimeSpan before = Environment.CpuUsage.TotalTime;
        kernel.Search(problem, θ, losses, SimdBackend.DoubleTolerance, Steps, default);
        TimeSpan after = Environment.CpuUsage.TotalTime;
        return new((after - before).TotalSeconds, LossesAt(problem, θ));
    }

    /// <summary>Calls until the compiler has replaced its first code.</summary>
    private static void WarmUp(Problem[] problems, int starts)
    {
        foreach (Problem problem in problems.DistinctBy(problem => problem.ParameterCount))
            for (int call = 0; call < 40; call++) Search(problem, Starts(problem, LongSeed, starts));
    }

    /// <summary>The least loss of many starts, the best of them refined.</summary>
    private static double LongSearch(Problem problem)
    {
        double[] θ = Starts(problem, LongSeed, LongStarts);
        double[] losses = Search(problem, θ).Losses;
        int p = problem.ParameterCount, best = Array.IndexOf(losses, losses.Where(double.IsFinite).Min());
        return Math.Min(losses[best], Refiner.Refine(problem, θ.AsSpan(best * p, p), 400).Loss);
    }

    /// <summary>Σ r² at each θ, cut to the box.</summary>
    private static double[] LossesAt(Problem problem, double[] θ)
    {
        int p = problem.ParameterCount;
        double[] inside = [.. θ.Select((value, at) => Math.Min(Math.Max(value, problem.Lower[at % p]), problem.Upper[at % p]))];
        return [.. Evaluate(problem, inside).Residuals.Chunk(problem.Count).Select(residuals => residuals.Sum(r => r * r))];
    }

    private static Evaluation Evaluate(Problem problem, double[] θ) =>
        new SimdBackend().Evaluate([new(problem, θ, new double[θ.Length / problem.ParameterCount], [])])[0];

    // The peers.

    private static Turn[] Turns(Contestant contestant, Problem[] problems, int round, string folder)
    {
        if (contestant.Command is []) return [.. problems.Select(problem => Search(problem, Starts(problem, round, contestant.Starts)))];
        double[][] ends = Call(contestant, contestant.Solver, problems, round, contestant.Starts, folder);
        return [.. problems.Select((problem, index) =>
        {
            double[] line = ends[index];
            if (line.Length != 1 + (contestant.Starts * problem.ParameterCount)) throw new InvalidOperationException($"{contestant.Name} wrote {line.Length} numbers for problem {index}.");
            return new Turn(line[0], LossesAt(problem, line[1..]));
        })];
    }

    /// <summary>Throws where a peer's residuals or Jacobian at a start are not the engine's.</summary>
    private static void Agree(Contestant peer, Problem[] problems, string folder)
    {
        double[][] lines = Call(peer, "evaluate", problems, 0, 1, folder);
        for (int index = 0; index < problems.Length; index++)
        {
            Evaluation ours = Evaluate(problems[index], Starts(problems[index], 0, 1));
            double[] expected = [.. ours.Residuals, .. ours.Jacobian], theirs = lines[index];
            if (theirs.Length != expected.Length) throw new InvalidOperationException($"{peer.Name} wrote {theirs.Length} numbers for problem {index}, not {expected.Length}.");
            for (int i = 0; i < expected.Length; i++)
            {
                if (!(Math.Abs(theirs[i] - expected[i]) <= 1e-9 * (1 + Math.Abs(expected[i]))))
                    throw new InvalidOperationException($"{peer.Name}, problem {index}, {(i < ours.Residuals.Length ? "residual" : "Jacobian")}: {theirs[i]:R}, the engine has {expected[i]:R}.");
            }
        }
    }

    /// <summary>Runs a peer on the starts of a round; the lines it wrote, one a problem.</summary>
    private static double[][] Call(Contestant peer, string solver, Problem[] problems, int round, int starts, string folder)
    {
        string from = Path.Combine(folder, "problems"), to = Path.Combine(folder, "ends");
        File.WriteAllText(from, ProblemsText(problems, round, starts));
        var start = new ProcessStartInfo(peer.Command[0], [.. peer.Command[1..], solver, from, to]) { UseShellExecute = false };
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{peer.Name} ended with exit code {process.ExitCode}.");
        return [.. File.ReadLines(to).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray())];
    }

    /// <summary>As <c>ceres_peer.cpp</c> says.</summary>
    private static string ProblemsText(Problem[] problems, int round, int starts)
    {
        var text = new StringBuilder().Append(problems.Length).Append('\n');
        foreach (Problem problem in problems)
        {
            int stride = problem.Packed.Length / problem.Count;
            text.Append(CultureInfo.InvariantCulture, $"{problem.Law.Breaks} {problem.Count} {starts}\n");
            Line(problem.Lower.ToArray().Select(bound => Math.Max(bound, double.MinValue)));
            Line(problem.Upper.ToArray().Select(bound => Math.Min(bound, double.MaxValue)));
            Line(problem.Packed.ToArray().Where((_, at) => at % stride == 0)); // log x
            Line(problem.Packed.ToArray().Where((_, at) => at % stride == 1)); // log y
            Line(Starts(problem, round, starts));
        }

        return text.ToString();

        void Line(IEnumerable<double> numbers) => text.AppendJoin(' ', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture))).Append('\n');
    }

    /// <summary>What a peer says of itself.</summary>
    private static string Version(Contestant peer)
    {
        var start = new ProcessStartInfo(peer.Command[0], [.. peer.Command[1..], "version"]) { UseShellExecute = false, RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Trim();
    }

    // The tables.

    private static void Write(Options options, Curve[] curves, Problem[] problems, Contestant[] contestants, Turn[][][] turns, double[] least, TextWriter output)
    {
        output.WriteLine($"""
            # The search against other solvers

            {Timing.Machine()}
            - law bnsl, loss msle, the engine's box; {options.Rounds} rounds of {options.Starts} starts a curve, of which SciPy has the first {Math.Min(options.SciPyStarts, options.Starts)}; one core
            - {string.Join("; ", contestants.Skip(1).DistinctBy(peer => peer.Command[^1]).Select(Version).DefaultIfEmpty("no peer is installed"))}
            - curves (points), of every domain every {EveryCurve}th with at least {LeastPoints} points: {string.Join(", ", curves.Select(curve => $"{curve.Name} ({curve.Fit.Count})"))}

            All solvers take the same starts in turn, round by round; the engine on one thread, in double, with {(int)Width}-bit registers. Residuals and Jacobians of the
            peers agreed with the engine's within 1e-9 before anything was timed. CPU-seconds are those of the solver alone, without reading, writing and
            the first calls. Numbers in brackets are the least and the most.

            - **starts per CPU-second**: over all curves; median of rounds. *engine / peer*: within a round.
            - **within 1 %, 1e-6**: share of starts that ended within so much of the least loss that any solver found or {LongStarts} further starts of the engine with
              the best one refined; mean over curves, median of rounds. The loss is the engine's, at the θ that the solver returned, cut to the box.
            - **CPU-ms to 99 % certainty**: c log .01 / log(1 − h), at least c, with c the CPU-time of a start and h the share within 1 %, of all rounds together; median
              over curves, a curve whose minimum was **not found** as infinite. *peer / engine*: curve by curve; median over the curves that both found. Solvers with
              few starts cannot see a small h.

            | solver | as it was run: at most {Steps} steps, tolerance of the fall 1e-8 of Σr² |
            |---|---|
            | TinySolver | exp and log over the points by libmvec; LLᵀ, which is faster than its own LDLᵀ; first λ .03; steps cut at the box, parameters that the gradient pushes out of it held |
            | TinySolver, our floor | the same; changed to have the engine's damping, D = max(diag JᵀJ, 3) without scaling, and Eigen's product for small matrices |
            | Ceres | libmvec, box, first λ and D as above; non-monotonic steps, which find more. Its own bounds found less and took longer |
            | SciPy lm | numpy over points and breaks; without bounds, so the law is that at the nearest θ in the box |
            | SciPy trf | the same law, its own bounds and scale 1 |
            """);
        for (int breaks = 0; breaks <= 3; breaks++)
        {
            int[] which = [.. Enumerable.Range(0, problems.Length).Where(index => problems[index].Law.Breaks == breaks)];
            output.WriteLine();
            output.WriteLine($"## {breaks} break{(breaks == 1 ? "" : "s")}");
            output.WriteLine();
            output.WriteLine("| solver | starts per CPU-second | engine / peer | within 1 % | within 1e-6 | CPU-ms to 99 % certainty | peer / engine | not found |");
            output.WriteLine("|---|---|---|---|---|---|---|---|");
            double[] oursSpeed = Speed(turns[0], which), oursCertain = Certain(turns[0], which, least);
            for (int index = 0; index < contestants.Length; index++)
            {
                double[] speed = Speed(turns[index], which), certain = Certain(turns[index], which, least);
                double[] ratios = [.. certain.Zip(oursCertain, (theirs, ours) => double.IsFinite(ours) ? theirs / ours : double.NaN).Where(double.IsFinite)];
                output.WriteLine($"| {contestants[index].Name} | {Spread(speed, "F0")} | {Spread(oursSpeed.Zip(speed, (ours, theirs) => ours / theirs), "F2")} "
                    + $"| {Spread(Hits(turns[index], which, least, 1e-2), "F3")} | {Spread(Hits(turns[index], which, least, 1e-6), "F3")} "
                    + $"| {Milliseconds(Timing.Median(certain))} | {(ratios.Length > 0 ? Spread(ratios, "F2") : "")} | {certain.Count(double.IsInfinity)} of {which.Length} |");
            }
        }
    }

    /// <summary>Starts a CPU-second over all problems, a number a round.</summary>
    private static double[] Speed(Turn[][] rounds, int[] which) =>
        [.. rounds.Select(round => which.Sum(index => round[index].Losses.Length) / which.Sum(index => round[index].Seconds))];

    /// <summary>Share of starts that ended within a tolerance of the least loss, the mean over problems, a number a round.</summary>
    private static double[] Hits(Turn[][] rounds, int[] which, double[] least, double tolerance) =>
        [.. rounds.Select(round => which.Average(index => Share([round[index]], least[index], tolerance)))];

    /// <summary>CPU-seconds to 99 % certainty, a number a problem; ∞ where no start found the minimum.</summary>
    private static double[] Certain(Turn[][] rounds, int[] which, double[] least) =>
        [.. which.Select(index =>
        {
            Turn[] turns = [.. rounds.Select(round => round[index])];
            double cost = turns.Sum(turn => turn.Seconds) / turns.Sum(turn => turn.Losses.Length), share = Share(turns, least[index], 1e-2);
            return share > 0 ? cost * Math.Max(1, Math.Log(0.01) / Math.Log(1 - share)) : double.PositiveInfinity;
        })];

    private static double Share(Turn[] turns, double least, double tolerance) =>
        turns.SelectMany(turn => turn.Losses).Average(loss => loss <= Math.Max(least * (1 + tolerance), Zero) ? 1.0 : 0.0);

    private static string Milliseconds(double seconds) => double.IsFinite(seconds) ? (1e3 * seconds).ToString(seconds < 1 ? "G3" : "F0", CultureInfo.InvariantCulture) : "∞";

    private static string Spread(IEnumerable<double> values, string format)
    {
        double[] all = [.. values];
        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return $"{Text(Timing.Median(all))} [{Text(all.Min())}..{Text(all.Max())}]";
    }
}
