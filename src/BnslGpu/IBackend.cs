using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace BnslGpu;

/// <summary>How a search is made.</summary>
/// <param name="Starts">Starts of each problem; 0 spends as many as <paramref name="MissedChance"/> asks for.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Keep">Candidates that are kept of each problem.</param>
/// <param name="Precision">Arithmetic of the search; ranking is always in double.</param>
/// <param name="Iterations">Damped steps of each start, at most.</param>
/// <param name="Threads">Threads; 0 takes every core.</param>
/// <param name="ChunkSize">Starts that a thread takes at a time; 0 lets the backend choose.</param>
/// <param name="MissedChance">Chance of a missed minimum at which a problem's search ends, where <paramref name="Starts"/> is 0.</param>
public sealed record SearchOptions(
    int Starts, ulong Seed, int Keep, SearchPrecision Precision, int Iterations, int Threads = 0, int ChunkSize = 0, double MissedChance = FitOptions.DefaultMissedChance);

/// <summary>What can evaluate, screen and search a batch of problems. Answers come in the order of the problems and do not depend on it.</summary>
public interface IBackend
{
    /// <summary>What runs it, for reports.</summary>
    string Description { get; }

    /// <summary>What a user should know of how the work went, as sentences: a device that failed, memory that ran out.</summary>
    ImmutableArray<string> Remarks => [];

    /// <summary>Residuals and Jacobians, in double.</summary>
    /// <param name="candidates">Problems with parameters.</param>
    /// <param name="cancellation">Ends the work; throws <see cref="OperationCanceledException"/>.</param>
    ImmutableArray<Evaluation> Evaluate(IReadOnlyList<Candidates> candidates, CancellationToken cancellation = default);

    /// <summary>The loss of very many starts, without stepping from any.</summary>
    /// <returns>The starts of least loss.</returns>
    ImmutableArray<Candidates> Screen(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Levenberg-Marquardt from given starts.</summary>
    /// <param name="starts">Problems with the parameters to start from; a problem may come more than once.</param>
    /// <param name="options">How; <see cref="SearchOptions.Starts"/>, the seed and <see cref="SearchOptions.Keep"/> are not asked.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="cancellation">Ends the work; throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>Where every start ended, in their order.</returns>
    ImmutableArray<Candidates> Descend(
        IReadOnlyList<Candidates> starts, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Levenberg-Marquardt from random starts and from hops of the best minima: see <see cref="BasinHopping"/>.</summary>
    /// <param name="batch">The problems.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="stop">Ends the search early; what was found by then is the answer; a problem of which no start had ended gets the best of a few that were screened.</param>
    /// <returns>The distinct minima of least loss, and the loss at which every start ended.</returns>
    ImmutableArray<Candidates> Search(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken stop = default);
}

/// <summary>A place where a search can run, or why it cannot.</summary>
/// <param name="Name">What <see cref="FitOptions.Device"/> calls it.</param>
/// <param name="Description">Hardware, memory, precision; empty where nothing is known.</param>
/// <param name="Rate">Starts a second of one break on 60 points, measured just now; 0 where it was not measured.</param>
/// <param name="WhyNot">Why it cannot be used, as a sentence; null where it can.</param>
public sealed record DeviceStatus(string Name, string Description, double Rate, string? WhyNot);

/// <summary>Where a search can run, by name. Adding a kind is its file and its line here.</summary>
public static class Backends
{
    /// <summary>Kinds of device that <see cref="Get"/> knows: simd, cuda, opencl, ilgpu-cpu.</summary>
    public static ImmutableArray<string> Kinds { get; } = ["simd", "cuda", "opencl", "ilgpu-cpu"];

    /// <summary>
    /// Asked, before drivers of a kind are looked for, whether that is safe: some crash a process that enumerates them, so a tool does it in another
    /// process first. Gives why not, or null. By default nobody is asked.
    /// </summary>
    public static Func<string, string?>? Probe { get; set; }

    /// <summary>How this library was built: with the device engine and which, or why without.</summary>
    public static string Engine { get; } =
        typeof(Backends).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(data => data.Key == "Ilgpu")?.Value ?? "left out";

    /// <summary>Makes a backend.</summary>
    /// <param name="device">auto, simd, cuda, opencl or ilgpu-cpu; a number picks one of several (cuda:1); a list with commas shares the work.</param>
    /// <exception cref="ArgumentException">There is none of that name here; the message says why.</exception>
    /// <remarks>auto alone is simd: whether a GPU is faster depends on the work. See <see cref="Choose"/>.</remarks>
    public static IBackend Get(string device)
    {
        string[] names = Names(device);
        if (names is ["auto"] or ["simd"]) return new SimdBackend();

#if ILGPU
        var opened = new List<IlgpuDevice>();
        var refusals = new List<string>();
        try
        {
            foreach (string name in names)
            {
                if (WhyNot(name.Split(':')[0]) is { } reason) throw new ArgumentException($"{name} cannot be used: {reason}");
                List<IlgpuDevice> found = IlgpuDevice.Open(name, (one, failure) => refusals.Add($"{one} could not be opened ({OneLine(failure)}); the work went without it."));
                IlgpuDevice? twice = found.Find(one => opened.Exists(other => other.Name == one.Name));
                opened.AddRange(found);
                if (found.Count == 0) throw new ArgumentException($"There is no {name} on this machine; bnsl devices lists what there is.");
                if (twice is not null) throw new ArgumentException($"{device} names {twice.Name} twice; expected every device once.");
            }
        }
        catch (Exception failure)
        {
            IlgpuDevice.Close([.. opened]);
            if (failure is ArgumentException) throw;
            throw new ArgumentException($"{device} cannot be used: its driver failed ({OneLine(failure)}).", failure);
        }

        return new IlgpuBackend(opened, refusals);

        static string OneLine(Exception failure) => $"{failure.GetType().Name}: {failure.Message.Split('\n')[0].Trim().TrimEnd('.')}";
#else
        throw new InvalidOperationException(device);
#endif
    }

    /// <summary>The names in a list.</summary>
    /// <exception cref="ArgumentException">One of them is no name of a device, or of none that this build knows.</exception>
    internal static string[] Names(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        string[] names = device.Split(',');
        if (names is ["auto"] or ["simd"]) return names;
        foreach (string name in names)
        {
            string[] parts = name.Split(':');
            bool isKnown = Kinds.Contains(parts[0]) && parts[0] != "simd" && (parts.Length == 1 || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out _)));
            if (name is "auto" or "simd") throw new ArgumentException($"{name} shares no work with a device; expected it alone.");
            if (!isKnown) throw new ArgumentException($"There is no device '{name}'. There is: auto, simd, cuda, opencl, ilgpu-cpu; cuda:1 is the second of its kind, and cuda:0,cuda:1 share the work.");
        }

#if !ILGPU
        throw new ArgumentException($"{device} cannot be used: {WhyNot(device)}");
#else
        return names;
#endif
    }

    /// <summary>What auto means for some work: a GPU where there is enough to do and a short measurement shows it to be faster, else SIMD.</summary>
    /// <param name="device">auto, or a name as in <see cref="Get"/>.</param>
    /// <param name="batch">The work.</param>
    /// <param name="options">How it will be searched.</param>
    /// <exception cref="ArgumentException">There is none of that name here.</exception>
    public static IBackend Choose(string device, ProblemBatch batch, SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(options);
#if ILGPU
        // To open a driver and compile kernels takes seconds; so much work must be there.
        const double WorthLooking = 5e10;
        double work = batch.Problems.Sum(problem => (double)problem.Count * problem.ParameterCount * problem.ParameterCount) * (options.Starts > 0 ? options.Starts : 2000) * 40;
        if (device == "auto" && work > WorthLooking)
        {
            Problem costliest = batch.Problems.MaxBy(problem => problem.Count * problem.ParameterCount)!;

            // Both in double, whatever the search will be in: rates of different work say nothing of each other.
            SearchOptions few = options with { Iterations = 5, Precision = SearchPrecision.Double };
            var opened = new List<IlgpuDevice>();
            double simd;
            try
            {
                foreach (string kind in (string[])["cuda", "opencl"])
                {
                    if (WhyNot(kind) is not null) continue;
                    try
                    {
                        opened.AddRange(IlgpuDevice.Open(kind));
                    }
                    catch (Exception unusable) when (unusable is not OutOfMemoryException)
                    {
                        // A GPU that cannot be opened is not the faster one; bnsl devices says why.
                    }
                }

                simd = opened.Exists(one => one.IsGpu) ? RateOf(new(), costliest, few, (int)Math.Clamp(1e6 / costliest.Count, 16, 1024)) : 0;
            }
            catch
            {
                IlgpuDevice.Close([.. opened]);
                throw;
            }

            return Fastest(opened, simd, one => one.IsGpu ? one.Rate(costliest, few, (int)Math.Clamp(2e7 / costliest.Count, 256, 1 << 14)) : 0) is { } fastest
                ? new IlgpuBackend([fastest])
                : new SimdBackend();
        }
#endif
        return Get(device);
    }

#if ILGPU
    /// <summary>The fastest of some devices, where one is faster than a rate; all others are closed.</summary>
    internal static IlgpuDevice? Fastest(List<IlgpuDevice> opened, double rate, Func<IlgpuDevice, double> rateOf)
    {
        IlgpuDevice? fastest = null;
        try
        {
            foreach (IlgpuDevice one in opened)
            {
                try
                {
                    double own = rateOf(one);
                    if (own > rate) (fastest, rate) = (one, own);
                }
                catch (Exception unusable) when (unusable is not OutOfMemoryException)
                {
                    // One that fails, or cannot be compiled for, is not the faster one; bnsl devices says why.
                }
            }
        }
        catch (OutOfMemoryException)
        {
            fastest = null;
            throw;
        }
        finally
        {
            IlgpuDevice.Close([.. opened.Where(one => one != fastest)]);
        }

        return fastest;
    }
#endif

    /// <summary>Looks at every kind of device, measures what can be used, and says of the rest why not.</summary>
    public static IEnumerable<DeviceStatus> Look()
    {
        Problem problem = Sample();
        var options = new SearchOptions(0, 0, 1, SearchPrecision.Double, 200);
        var simd = new SimdBackend();
        yield return new("simd", $"{simd.Description["simd: ".Length..]}, {Environment.ProcessorCount} threads", RateOf(simd, problem, options, 512), null);
#if ILGPU
        foreach (string kind in Kinds.Skip(1))
        {
            if (WhyNot(kind) is { } reason)
            {
                yield return new(kind, "", 0, reason);
                continue;
            }

            foreach (DeviceStatus status in IlgpuDevice.Look(kind, problem, options)) yield return status;
        }
#else
        yield return new(string.Join(", ", Kinds.Skip(1)), "", 0, WhyNot(Kinds[1]));
#endif
    }

    /// <summary>Looks for devices of a kind in this process and does nothing with them: what a <see cref="Probe"/> does in another.</summary>
    /// <param name="kind">One of <see cref="Kinds"/>.</param>
    /// <returns>How many there are.</returns>
    public static int Enumerate(string kind)
    {
#if ILGPU
        IlgpuDevice.PrepareCompiler();
        return IlgpuDevice.Found(kind).Length;
#else
        return kind == "simd" ? 1 : 0;
#endif
    }

    /// <summary>Why no device of a kind can be looked for; null where it can.</summary>
    private static string? WhyNot(string kind)
    {
#if ILGPU
        return kind is "opencl" ? Probe?.Invoke(kind) : null;
#else
        return $"the device engine is not in this build ({Engine}); README says how to build with it.";
#endif
    }

    private static double RateOf(SimdBackend simd, Problem problem, SearchOptions options, int starts)
    {
        simd.Descend([new StartSet(problem, 0, 16, [])], options, null, CancellationToken.None);
        long begun = Stopwatch.GetTimestamp();
        simd.Descend([new StartSet(problem, 0, starts, [])], options, null, CancellationToken.None);
        return starts / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    private static Problem Sample()
    {
        double[] x = [.. Enumerable.Range(0, 60).Select(i => Math.Pow(1.15, i))];
        double[] y = [.. x.Select((at, i) => 0.3 + (2 * Math.Pow(at, -0.3) * Math.Pow(1 + Math.Pow(at / 100, 2), -0.2) * (1 + (0.01 * Math.Sin(i * i)))))];
        return new(new(x, 1, y), ScalingLaw.Get("bnsl", 1), Loss.Get("msle"));
    }
}
