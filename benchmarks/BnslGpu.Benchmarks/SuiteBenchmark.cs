using System.Diagnostics;
using System.Globalization;

namespace BnslGpu.Benchmarks;

/// <summary>What a whole run costs and how well it forecasts: the 92 curves of arXiv:2209.06640 with 0 to 3 breaks, in one call.</summary>
/// <remarks>Each number of threads has a process of its own: its peak memory, processor time and compilation are its own.</remarks>
internal static class SuiteBenchmark
{
    internal static readonly string[] Files = ["benchmark.lang.csv", "benchmark.vision.csv"];

    public static int Run(string[] args, TextWriter output)
    {
        (string folder, string? minima, FitOptions options) = Parse(args);
        if (options.Threads > 0)
        {
            Measure(folder, minima, options, output);
            return 0;
        }

        output.WriteLine($"""
            # The learning curves of arXiv:2209.06640

            {Timing.Machine()}
            - least squares on log y, {string.Join(", ", options.Breaks)} breaks, {(options.Starts == 0 ? string.Create(CultureInfo.InvariantCulture, $"starts until the chance of a missed minimum is below {options.MissedChance}") : $"{options.Starts} starts")}, seed {options.Seed}, {options.Precision.ToString().ToLowerInvariant()} precision
            - a process a run: seconds and CPU-seconds include the compilation of the engine, CPU-seconds the whole process
            """);
        for (int threads = 1; threads <= 2; threads++)
        {
            output.WriteLine();
            output.Flush();
            int code = RunChild([.. args, "--threads", threads.ToString(CultureInfo.InvariantCulture)], output);
            if (code != 0) return code;
        }

        return 0;
    }

    private static (string Folder, string? Minima, FitOptions Options) Parse(string[] args)
    {
        string? folder = null, minima = null;
        FitOptions options = FitOptions.LeastSquares;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            switch (args[i])
            {
                case "--data": folder = value; break;
                case "--minima": minima = value; break;
                case "--seed": options = options with { Seed = ulong.Parse(value, CultureInfo.InvariantCulture) }; break;
                case "--starts": options = options with { Starts = int.Parse(value, CultureInfo.InvariantCulture) }; break;
                case "--precision": options = options with { Precision = Enum.Parse<SearchPrecision>(value, ignoreCase: true) }; break;
                case "--threads": options = options with { Threads = int.Parse(value, CultureInfo.InvariantCulture) }; break;
                default: throw new ArgumentException($"suite takes --data DIR, --minima FILE, --seed N, --starts N and --precision double|mixed; '{args[i]}' was given.", nameof(args));
            }
        }

        return (folder ?? throw new ArgumentException("suite needs --data DIR, the folder of " + string.Join(" and ", Files) + ".", nameof(args)), minima, options);
    }

    private static int RunChild(string[] args, TextWriter output)
    {
        // Started by the host of this process, which is dotnet itself or this program's own executable.
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(SuiteBenchmark).Assembly.Location);
        start.ArgumentList.Add("suite");
        foreach (string arg in args) start.ArgumentList.Add(arg);
        using Process child = Process.Start(start)!;
        output.Write(child.StandardOutput.ReadToEnd());
        child.WaitForExit();
        return child.ExitCode;
    }

    private static void Measure(string folder, string? minima, FitOptions options, TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        CurveTable table = CurveCsv.ReadFiles([.. Files.Select(file => Path.Combine(folder, file))]);
        double read = clock.Elapsed.TotalSeconds;
        FitReport report = Fitter.Fit(table.Curves, options);
        using var process = Process.GetCurrentProcess();
        double cpu = process.TotalProcessorTime.TotalSeconds;
        long starts = report.Curves.Sum(curve => curve.Fits.Sum(fit => (long)fit.Starts));
        output.WriteLine($"""
            ## {options.Threads} thread{(options.Threads == 1 ? "" : "s")}

            | curves | fits | read s | search s | refine s | total s | CPU s | peak MiB | starts per CPU-second |
            |---|---|---|---|---|---|---|---|---|
            | {report.Curves.Length} | {report.Curves.Sum(curve => curve.Fits.Length)} | {read:F2} | {report.Seconds.Search:F2} | {report.Seconds.Refine:F2} | {read + report.Seconds.Total:F2} | {cpu:F2} | {process.PeakWorkingSet64 / 1048576.0:F0} | {starts / cpu:F0} |

            Search on {report.Device}.
            """);
        if (options.Threads > 1) return;
        if (minima is not null) WriteFound(KnownMinima.Read(minima), report, output);

        string[] domains = [.. report.Curves.Select(Domain).Distinct(StringComparer.Ordinal)];
        output.WriteLine();
        output.WriteLine("Mean RMSLE of the held-out points, over curves:");
        output.WriteLine();
        output.WriteLine($"| breaks | {string.Join(" | ", domains.Select(domain => $"{domain} ({report.Curves.Count(curve => Domain(curve) == domain)})"))} | all ({report.Curves.Length}) |");
        output.WriteLine($"|---|{string.Concat(domains.Select(_ => "---|"))}---|");
        for (int i = 0; i < options.Breaks.Length; i++) WriteRow(options.Breaks[i].ToString(CultureInfo.InvariantCulture), _ => i);
        WriteRow("chosen", curve => curve.Chosen);
        output.WriteLine();
        output.WriteLine("| termination | fits |");
        output.WriteLine("|---|---|");
        foreach (IGrouping<Termination, Fit> group in report.Curves.SelectMany(curve => curve.Fits).GroupBy(fit => fit.Termination).OrderByDescending(group => group.Count()))
            output.WriteLine($"| {group.Key} | {group.Count()} |");

        void WriteRow(string name, Func<CurveFit, int> which)
        {
            double Mean(IEnumerable<CurveFit> curves) => curves.Average(curve => curve.Fits[which(curve)].Rmsle.HeldOut);
            output.WriteLine($"| {name} | {string.Join(" | ", domains.Select(domain => Mean(report.Curves.Where(curve => Domain(curve) == domain)).ToString("F5", CultureInfo.InvariantCulture)))} "
                + $"| {Mean(report.Curves):F5} |");
        }
    }

    /// <summary>How many of the best known minima were found, within a thousandth of their objective.</summary>
    private static void WriteFound(Dictionary<(string Curve, int Breaks), double> known, FitReport report, TextWriter output)
    {
        var fits = report.Curves.SelectMany(curve => curve.Fits.Select(fit => (Curve: curve.Curve.Name, Fit: fit))).Where(one => known.ContainsKey((one.Curve, one.Fit.Breaks))).ToList();
        output.WriteLine($"""

            Best known minima (benchmarks/results/minima.csv: problems with at least p + 2 fit points) that were found within .1 % of their objective:

            | breaks | problems | found | share | mean starts |
            |---|---|---|---|---|
            """);
        foreach (var group in fits.GroupBy(one => one.Fit.Breaks).Append(fits.GroupBy(_ => -1).Single()))
        {
            int found = group.Count(one => one.Fit.Objective <= known[(one.Curve, one.Fit.Breaks)] * (1 + MissedMinimum.Same));
            output.WriteLine($"| {(group.Key < 0 ? "all" : group.Key)} | {group.Count()} | {found} | {found / (double)group.Count():F4} | {group.Average(one => one.Fit.Starts):F0} |");
        }
    }

    private static string Domain(CurveFit curve) => curve.Curve.Name.Split('|')[0];
}
