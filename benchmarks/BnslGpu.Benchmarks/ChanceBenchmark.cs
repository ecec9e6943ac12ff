using System.Globalization;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>Whether the stated chance of a missed minimum is true: of fits that state p, a share p should be beaten by a hundred times the starts.</summary>
/// <remarks>
/// The 92 curves are judged by their known minima (200,000 starts a problem, and hops), planted curves by a run of a hundred times as many starts with
/// another seed. Beaten is by more than a thousandth of Σr². Rows that a file has already are not made again.
/// </remarks>
internal static class ChanceBenchmark
{
    private const int Planted = 40, Longest = 100;
    private static readonly int[] Budgets = [64, 640, 1280];

    public static int Run(string[] args, TextWriter output)
    {
        string? folder = null, minima = null, rows = null;
        int seeds = 2;
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--data": folder = args[i + 1]; break;
                case "--minima": minima = args[i + 1]; break;
                case "--rows": rows = args[i + 1]; break;
                case "--seeds": seeds = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"chance takes --data DIR, --minima FILE, --seeds N and --rows FILE; '{args[i]}' was given.", nameof(args));
            }
        }

        if (folder is null || minima is null) throw new ArgumentException("chance needs --data DIR, the folder of the 92 curves, and --minima FILE, their known minima.", nameof(args));
        rows ??= Path.GetTempFileName();
        string[] done = File.Exists(rows) ? File.ReadAllLines(rows) : [];
        if (done.Length == 0) done = [.. Made(folder, minima, seeds, rows)];
        Tabulate([.. done.Skip(1).Select(line => line.Split('\t'))], seeds, output);
        return 0;
    }

    /// <summary>A row a fit: what its starts witnessed, and what a hundred times as many found.</summary>
    private static IEnumerable<string> Made(string folder, string minima, int seeds, string rows)
    {
        using StreamWriter table = new(rows);
        string header = "set\tcurve\tbreaks\tseed\tstarts\trandomStarts\trandomHits\tchains\tchainHits\tobjective\treference";
        table.WriteLine(header);
        yield return header;
        foreach ((Problem problem, string set, string name, double? known) in Real(folder, minima).Concat(PlantedCurves()))
        {
            double reference = known ?? Searched(problem, Longest * BasinHopping.ChainStarts, 999).Losses[0] / problem.Count;
            for (int seed = 1; seed <= seeds; seed++)
            {
                double[] all = Searched(problem, Budgets[^1], (ulong)seed).StartLosses;
                foreach (int budget in Budgets)
                {
                    Evidence evidence = MissedMinimum.Of(problem.Law.Breaks, all.AsSpan(0, budget));
                    double objective = all.AsSpan(0, budget).ToArray().Where(double.IsFinite).Min() / problem.Count;
                    string row = string.Create(CultureInfo.InvariantCulture, $"{set}\t{name}\t{problem.Law.Breaks}\t{seed}\t{budget}\t{evidence.RandomStarts}\t{evidence.RandomHits}\t{evidence.Chains}\t{evidence.ChainHits}\t{objective:R}\t{reference:R}");
                    table.WriteLine(row);
                    yield return row;
                }
            }

            table.Flush();
        }
    }

    private static void Tabulate(string[][] rows, int seeds, TextWriter output)
    {
        output.WriteLine($"""
            # The stated chance of a missed minimum

            Of fits that state p, a share p should be beaten: by more than a thousandth of Σr², by a hundred times the starts. The 92 curves (problems with at
            least p + 2 points, 1 to 3 breaks) are held against their known minima (200,000 starts of two samplers, and hops; minima.csv), {Planted} planted
            curves (up to three breaks, noise .1 to 5 %, 15 to 60 points) against {Longest} chains with another seed. Each with {seeds} seeds, judged after 64 random
            starts, one chain (640 starts) and two. The slopes come from a regression on the planted curves; they were flattened where those have few cases, with both
            sets in sight.

            | curves | breaks fitted | stated | fits | mean stated | beaten | |
            |---|---|---|---|---|---|---|
            """);
        double[] borders = [0, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
        foreach (string set in (string[])["planted", "real"])
        {
            foreach (int breaks in (int[])[1, 2, 3])
            {
                (double Stated, bool Beaten)[] fits =
                [
                    .. rows.Where(row => row[0] == set && row[2] == breaks.ToString(CultureInfo.InvariantCulture))
                        .Select(row => (MissedMinimum.Chance(breaks, new(Whole(row[5]), Whole(row[6]), Whole(row[7]), Whole(row[8]))), Number(row[9]) > Number(row[10]) * (1 + MissedMinimum.Same))),
                ];
                for (int bin = 1; bin < borders.Length; bin++)
                {
                    (double Stated, bool Beaten)[] inside = [.. fits.Where(fit => fit.Stated >= borders[bin - 1] && fit.Stated < borders[bin])];
                    if (inside.Length == 0) continue;
                    int beaten = inside.Count(fit => fit.Beaten);
                    output.WriteLine($"| {set} | {breaks} | {borders[bin - 1]} to {borders[bin]} | {inside.Length} | {inside.Average(fit => fit.Stated):f4} | {beaten / (double)inside.Length:f4} | {beaten} of {inside.Length} |");
                }
            }
        }

        static int Whole(string text) => int.Parse(text, CultureInfo.InvariantCulture);
        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static Candidates Searched(Problem problem, int starts, ulong seed) =>
        new SimdBackend().Search(new([problem]), new(starts, seed, 4, SearchPrecision.Double, 200), null, default)[0];

    private static IEnumerable<(Problem Problem, string Set, string Name, double? Known)> Real(string folder, string minima)
    {
        Dictionary<(string, int), double> known = KnownMinima.Read(minima);
        foreach (Curve curve in CurveCsv.ReadFiles([.. Directory.EnumerateFiles(folder, "*.csv").Order(StringComparer.Ordinal)]).Curves)
        {
            for (int breaks = 1; breaks <= 3; breaks++)
                if (known.TryGetValue((curve.Name, breaks), out double objective)) yield return (Problem(curve.Fit, breaks), "real", curve.Name, objective);
        }
    }

    /// <summary>BNSL with up to three breaks and noise from .1 to 5 %, 15 to 60 points over one to four decades.</summary>
    private static IEnumerable<(Problem Problem, string Set, string Name, double? Known)> PlantedCurves()
    {
        for (int curve = 0; curve < Planted; curve++)
        {
            var random = new CounterRandom(4242, 7, (uint)curve);
            int count = 15 + (int)(46 * random.Uniform()), n = (int)(4 * random.Uniform());
            double span = random.Uniform(1, 4) * Math.Log(10), noise = Math.Exp(random.Uniform(Math.Log(1e-3), Math.Log(0.05)));
            double a = random.Uniform() < 0.3 ? 0 : random.Uniform(0, 0.5), c0 = random.Uniform(0.02, 0.6);
            (double C, double LogD, double F)[] breaks = [.. Enumerable.Range(0, n).Select(_ => (random.Uniform(-0.5, 1), -span * random.Uniform(), Math.Exp(random.Uniform(-3, 0.5))))];
            double[] x = new double[count], y = new double[count];
            for (int i = 0; i < count; i++)
            {
                double u = -span * (1 - ((i + (0.6 * (random.Uniform() - 0.5))) / count)), normal = -6;
                for (int k = 0; k < 12; k++) normal += random.Uniform();
                double logG = -c0 * u;
                foreach ((double c, double logD, double f) in breaks) logG -= c * f * Math.Log(1 + Math.Exp((u - logD) / f));
                (x[i], y[i]) = (Math.Exp(u), (a + Math.Exp(logG)) * Math.Exp(noise * normal));
            }

            for (int fitted = 1; fitted <= 3; fitted++) yield return (Problem(new(x, y), fitted), "planted", curve.ToString(CultureInfo.InvariantCulture), null);
        }
    }

    private static Problem Problem(Points points, int breaks) => new(points, ScalingLaw.Get("bnsl", breaks), Loss.Get("msle"));
}

/// <summary>The best known minima, as <see cref="MinimaBenchmark"/> wrote them.</summary>
internal static class KnownMinima
{
    /// <summary>Objectives by curve and number of breaks.</summary>
    public static Dictionary<(string Curve, int Breaks), double> Read(string file)
    {
        var known = new Dictionary<(string, int), double>();
        using CsvHelper.CsvReader csv = CsvHelper.CsvReader.FromText(File.ReadAllText(file), new() { HasHeader = false });
        csv.Read();
        while (csv.Read()) known[(csv.GetString(0), int.Parse(csv.GetString(1), CultureInfo.InvariantCulture))] = double.Parse(csv.GetString(3), CultureInfo.InvariantCulture);
        return known;
    }
}
