using System.Collections.Immutable;
using System.Globalization;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>The best minimum that is known of every least-squares problem of the 92 curves: found by effort, not by the search that it judges.</summary>
/// <remarks>
/// Two samplers that have nothing in common but the box draw 100,000 starts each for every problem (0 to 3 breaks, at least p + 2 fit points). All take 16
/// steps in float; the best 25th of each sampler go on to their end in double. Then, from both samplers' best: perturbed starts, and starts that put a break without
/// strength anywhere into the best fit with one break fewer. What stands lowest is refined and written, with what each sampler found alone
/// (objective, and how many of its starts ended within a thousandth of the lowest). A file that is there already is completed; its rows are held
/// against four chains of the engine's search by hops, and where that is lower its minimum stands beside the samplers' figures.
/// </remarks>
internal static class MinimaBenchmark
{
    private const int FirstSteps = 16, LastSteps = 300, Kept = 25, Refined = 12, Chains = 4;
    private const double Same = 1e-3;

    public static int Run(string[] args)
    {
        string? folder = null, file = null;
        int starts = 100_000, threads = 1;
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--data": folder = args[i + 1]; break;
                case "--output": file = args[i + 1]; break;
                case "--starts": starts = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                case "--threads": threads = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"minima takes --data DIR, --output FILE, --starts N and --threads N; '{args[i]}' was given.", nameof(args));
            }
        }

        if (folder is null || file is null) throw new ArgumentException("minima needs --data DIR, the folder of the 92 curves, and --output FILE.", nameof(args));
        ImmutableArray<Curve> curves = CurveCsv.ReadFiles([.. Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal)]).Curves;
        var done = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (File.Exists(file))
            foreach (string line in File.ReadLines(file).Skip(1)) done[Key(line)] = line;
        var writing = new Lock();
        int next = -1;
        Parallel.For(0, threads, _ =>
        {
            for (int index = Interlocked.Increment(ref next); index < curves.Length; index = Interlocked.Increment(ref next))
            {
                double[]? fewer = null;
                for (int breaks = 0; breaks <= 3; breaks++)
                {
                    ScalingLaw law = ScalingLaw.Get("bnsl", breaks);
                    if (curves[index].Fit.Count < law.ParameterCount + 2) break;
                    string name = $"{Quoted(curves[index].Name)},{breaks},";
                    string? known;
                    lock (writing) known = done.GetValueOrDefault(Key(name));
                    var problem = new Problem(curves[index].Fit, law, Loss.Get("msle"));
                    if (known is not null) fewer = null;
                    string? row = known is null ? name + Find(problem, starts, ref fewer) : Lower(problem, known);
                    if (row is null) continue;
                    lock (writing)
                    {
                        done[Key(row)] = row;
                        File.WriteAllLines(file + ".new", done.Values.Prepend("curve,breaks,points,objective,first,firstHits,second,secondHits,a,logB,c0,c,d,f"));
                        File.Move(file + ".new", file, overwrite: true);
                        Console.Error.WriteLine(row[..Math.Min(row.Length, 120)]);
                    }
                }
            }
        });
        return 0;

        static string Key(string row) => string.Join(',', Split(row).Take(2));
    }

    /// <summary>A row whose minimum four chains of hops have passed under; null where they have not.</summary>
    private static string? Lower(Problem problem, string row)
    {
        string[] fields = Split(row);
        Candidates found = new SimdBackend().Search(new([problem]), new(Chains * BasinHopping.ChainStarts, 77, Refined, SearchPrecision.Double, LastSteps, 1), null, default)[0];
        Minimum best = Enumerable.Range(0, found.Losses.Length).Select(k => Refiner.Refine(problem, found[k], 300)).MinBy(minimum => minimum.Loss)!;
        if (!(best.Loss / problem.Count < double.Parse(fields[3], CultureInfo.InvariantCulture) * (1 - 1e-6))) return null;
        return string.Join(',', [.. fields[..3], Number(best.Loss / problem.Count), .. fields[4..8], Described(problem, best)]);
    }

    private static string[] Split(string row) =>
        row[0] == '"' ? [row[..(row.IndexOf("\",", StringComparison.Ordinal) + 1)], .. row[(row.IndexOf("\",", StringComparison.Ordinal) + 2)..].Split(',')] : row.Split(',');

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Natural parameters; those a break separated by spaces.</summary>
    private static string Described(Problem problem, Minimum minimum)
    {
        int n = problem.Law.Breaks;
        var natural = new double[problem.Law.NaturalCount];
        problem.Law.ToNatural(minimum.Parameters, problem.Scale, natural, new double[natural.Length * problem.ParameterCount]);
        return string.Join(',', Number(natural[0]), Number(natural[2]), Number(natural[3]), Several(4), Several(4 + n), Several(4 + (2 * n)));

        string Several(int at) => string.Join(' ', natural.AsSpan(at, n).ToArray().Select(Number));
    }

    private static string Quoted(string name) => name.AsSpan().ContainsAny(',', '"') ? $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : name;

    private static string Find(Problem problem, int starts, ref double[]? fewer)
    {
        int p = problem.ParameterCount;
        double[] first = Drawn(problem, starts, second: false), second = Drawn(problem, starts, second: true);
        (double[] θ1, double[] losses1) = Searched(problem, first);
        (double[] θ2, double[] losses2) = Searched(problem, second);
        double[] near = [.. Near(problem, Best(θ1, losses1, p)), .. Near(problem, Best(θ2, losses2, p)), .. fewer is null ? [] : Widened(problem, fewer)];
        double[] losses = new double[near.Length / p];
        new SimdBackend().Kernel(problem, SearchPrecision.Double).Search(problem, near, losses, SimdBackend.DoubleTolerance, LastSteps, default);

        Minimum? best = null;
        double[] all = [.. θ1, .. θ2, .. near], ends = [.. losses1, .. losses2, .. losses];
        foreach (int start in Enumerable.Range(0, ends.Length).Where(start => double.IsFinite(ends[start])).OrderBy(start => ends[start]).Take(Refined))
        {
            Minimum minimum = Refiner.Refine(problem, all.AsSpan(start * p, p), 300);
            if (best is null || minimum.Loss < best.Loss) best = minimum;
        }

        fewer = best!.Parameters;
        return string.Join(',',
            problem.Count.ToString(CultureInfo.InvariantCulture),
            Number(best.Loss / problem.Count),
            Number(losses1.Min() / problem.Count),
            Hits(losses1),
            Number(losses2.Min() / problem.Count),
            Hits(losses2),
            Described(problem, best));

        string Hits(double[] ends) => ends.Count(end => end <= best.Loss * (1 + Same)).ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A few steps of all, then all steps of the best.</summary>
    private static (double[] θ, double[] Losses) Searched(Problem problem, double[] θ)
    {
        int p = problem.ParameterCount;
        var losses = new double[θ.Length / p];
        SimdKernel kernel = new SimdBackend().Kernel(problem, SearchPrecision.Double);
        new SimdBackend().Kernel(problem, SearchPrecision.Mixed).Search(problem, θ, losses, SimdBackend.FloatTolerance, FirstSteps, default);
        int[] order = [.. Enumerable.Range(0, losses.Length).OrderBy(start => double.IsFinite(losses[start]) ? losses[start] : double.PositiveInfinity).Take(losses.Length / Kept)];
        double[] kept = [.. order.SelectMany(start => θ[(start * p)..((start + 1) * p)])], ends = new double[order.Length];
        kernel.Search(problem, kept, ends, SimdBackend.DoubleTolerance, LastSteps, default);
        return (kept, ends);
    }

    private static double[] Best(double[] θ, double[] losses, int p)
    {
        int best = Array.IndexOf(losses, losses.Min());
        return θ[(best * p)..((best + 1) * p)];
    }

    /// <summary>The first sampler is the engine's; the second puts breaks anywhere between points, and slopes without a look at the curve.</summary>
    private static double[] Drawn(Problem problem, int starts, bool second)
    {
        int p = problem.ParameterCount;
        var θ = new double[starts * p];
        for (int start = 0; start < starts; start++)
        {
            Span<double> own = θ.AsSpan(start * p, p);
            problem.Start(20261122, start, own);
            if (!second) continue;
            var random = new CounterRandom(77, problem.Stream, (uint)start);
            own[0] = random.Uniform() < 0.3 ? 0 : random.Uniform(0, 1);
            own[1] = random.Uniform(-4, 1.5);
            own[2] = Slope(ref random);
            for (int i = 0; i < problem.Law.Breaks; i++)
            {
                // Between two points drawn at random, neighbours or not.
                int left = (int)(random.Uniform() * (problem.Count - 1)), right = Math.Min(left + 1 + (int)(2 * random.Uniform()), problem.Count - 1);
                double share = random.Uniform();
                own[3 + (3 * i)] = 2 * Slope(ref random);
                own[4 + (3 * i)] = ((1 - share) * problem.Packed[3 * left]) + (share * problem.Packed[3 * right]);
                own[5 + (3 * i)] = random.Uniform(-4.6, 1.5);
            }

            for (int j = 0; j < p; j++) own[j] = Math.Min(Math.Max(own[j], problem.Lower[j]), problem.Upper[j]);
        }

        return θ;

        // Cauchy with scale .4: mostly gentle, sometimes steep.
        static double Slope(ref CounterRandom random) => 0.4 * Math.Tan(Math.PI * (random.Uniform() - 0.5));
    }

    /// <summary>A fit with one break moved anywhere, or with everything shaken a little.</summary>
    private static double[] Near(Problem problem, double[] best)
    {
        int p = problem.ParameterCount, n = problem.Law.Breaks;
        var θ = new double[2000 * p];
        for (int start = 0; start < 2000; start++)
        {
            Span<double> own = θ.AsSpan(start * p, p);
            best.CopyTo(own);
            var random = new CounterRandom(78, problem.Stream, (uint)start);
            if (start % 2 == 0 || n == 0)
            {
                for (int j = 0; j < p; j++) own[j] += 0.5 * (random.Uniform() - random.Uniform()) * Math.Max(Math.Abs(own[j]), 0.2);
            }
            else
            {
                int at = 3 + (3 * (int)(random.Uniform() * n));
                own[at] = 2 * (random.Uniform() - random.Uniform());
                own[at + 1] = random.Uniform(problem.Lower[at + 1], 0);
                own[at + 2] = random.Uniform(-4.6, 0.5);
            }

            for (int j = 0; j < p; j++) own[j] = Math.Min(Math.Max(own[j], problem.Lower[j]), problem.Upper[j]);
        }

        return θ;
    }

    /// <summary>The best fit with one break fewer, and a weak break somewhere.</summary>
    private static double[] Widened(Problem problem, double[] fewer)
    {
        int p = problem.ParameterCount;
        var θ = new double[1000 * p];
        for (int start = 0; start < 1000; start++)
        {
            Span<double> own = θ.AsSpan(start * p, p);
            fewer.CopyTo(own);
            var random = new CounterRandom(79, problem.Stream, (uint)start);
            own[p - 3] = 0.2 * (random.Uniform() - random.Uniform());
            own[p - 2] = random.Uniform(problem.Lower[p - 2], 0);
            own[p - 1] = random.Uniform(-4.6, 0.5);
        }

        return θ;
    }
}
