using System.Collections.Immutable;
using System.Runtime.InteropServices;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Runtime;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What a device does wrong costs no result: it is said in a sentence, and done elsewhere.</summary>
[Collection(DeviceTests.Name)]
public sealed class IlgpuFailureTests(ITestOutputHelper output)
{
    private const string Left = "ilgpu-cpu failed (InvalidOperationException: planted) and was left; nothing is lost.", ByCpu = "What no device did was done on the CPU.";

    private static readonly SearchOptions Options = new(BasinHopping.RandomStarts + BasinHopping.Hops, 7, 4, SearchPrecision.Double, 10);

    public static TheoryData<string> EveryVerb => ["evaluate", "screen", "descend", "search"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Problem[] Problems => [.. Parity.Problems(Parity.Models(("bnsl", 1), ("m3", 0)))];

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void A_device_that_fails_is_left_and_the_cpu_does_the_work(string verb)
    {
        foreach (int launches in (int[])[0, 1, 3])
        {
            using var backend = new IlgpuBackend([Failing(launches)]);
            Same(verb, backend);
            Assert.Equal(verb == "evaluate" && launches > 1 ? [] : [Left, ByCpu], backend.Remarks);

            // It stays left, and that is said once.
            Same(verb, backend);
            Assert.Equal([Left, ByCpu], backend.Remarks);
        }
    }

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void Another_device_does_the_work_of_one_that_fails(string verb)
    {
        IlgpuDevice other = Open();
        using var backend = new IlgpuBackend([Failing(0), other]);
        Same(verb, backend);
        Assert.Contains(Left, backend.Remarks);
        Assert.NotEqual(0, other.Launched.Launches);
    }

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void Memory_that_runs_out_makes_smaller_chunks(string verb)
    {
        foreach (int times in (int[])[1, 3])
        {
            IlgpuDevice device = Open();
            long budget = device.MemoryBudget;
            int left = times;
            device.Fault = (what, bytes) => what == "allocate" && left-- > 0 ? throw OutOfMemory() : false;
            using var backend = new IlgpuBackend([device]);
            Same(verb, backend);
            Assert.Equal(["ilgpu-cpu had not the memory that was asked of it; the rest went in smaller pieces."], backend.Remarks);
            Assert.Equal(budget >> times, device.MemoryBudget);
            Assert.Equal(0, device.Held.Now);
        }
    }

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void Memory_that_never_suffices_leaves_the_device(string verb)
    {
        IlgpuDevice device = Open();
        int asked = 0;
        device.Fault = (what, bytes) => what == "allocate" && asked++ >= 0 ? throw OutOfMemory() : false;
        using var backend = new IlgpuBackend([device]);
        Same(verb, backend);
        Assert.Equal(3, backend.Remarks.Length);
        Assert.Matches("^ilgpu-cpu failed \\(DeviceMemoryException: planted\\) and was left; nothing is lost[.]$", backend.Remarks[1]);
        Assert.Equal(ByCpu, backend.Remarks[2]);
        Assert.InRange(asked, 1, 60);
    }

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void Launches_that_are_lost_without_a_word_are_found(string verb)
    {
        // All of them; only the first, which draws or screens; only a later one, which screens further points, or keeps what was screened best.
        foreach (Func<int, bool> isLost in (Func<int, bool>[])[_ => true, .. Enumerable.Range(0, 4).Select(lost => (Func<int, bool>)(launch => launch == lost))])
        {
            IlgpuDevice device = Open();
            int launches = 0;
            bool wasLost = false;
            device.Fault = (what, _) =>
            {
                bool isOne = what == "launch" && isLost(launches++);
                wasLost |= isOne;
                return isOne;
            };
            using var backend = new IlgpuBackend([device]);
            Same(verb, backend);
            foreach (string remark in backend.Remarks.Where(remark => remark != ByCpu))
                Assert.Matches("^ilgpu-cpu failed \\(InvalidOperationException: (The device left [0-9]+ results unwritten|A launch did nothing)\\) and was left; nothing is lost[.]$", remark);
            Assert.Equal(wasLost, !backend.Remarks.IsEmpty);
            Assert.True(wasLost || launches > 0);
        }
    }

    [Fact]
    public void Poison_that_is_left_is_counted()
    {
        using IlgpuDevice device = Open();
        using var memory = new IlgpuMemory(device);
        var numbers = memory.Allocate<F64>(10);
        device.Poison(numbers);
        device.Upload(new F64[7], numbers);
        var found = new F64[10];
        device.Download(numbers, found);
        Assert.Equal("The device left 3 results unwritten.", Assert.Throws<InvalidOperationException>(() => IlgpuDevice.CheckWritten(found)).Message);
        IlgpuDevice.CheckWritten((F64[])[new(double.NaN), new(0), new(double.NegativeInfinity)]);
        Assert.Throws<InvalidOperationException>(() => IlgpuDevice.CheckWritten((F32[])[new(BitConverter.UInt32BitsToSingle(uint.MaxValue))]));
    }

    [Fact]
    public void A_driver_that_fails_again_when_it_is_closed_loses_nothing()
    {
        IlgpuDevice device = Failing(0);
        var backend = new IlgpuBackend([device]);
        Same("descend", backend);
        device.Fault = (_, _) => throw new InvalidOperationException("planted");
        backend.Dispose();
        device.Fault = null;
        device.Dispose();
    }

    [Fact]
    public void A_driver_that_fails_when_it_is_closed_leaves_no_other_open()
    {
        IlgpuDevice bad = Open(), other = Open();
        int closed = 0;
        bad.Fault = (what, _) => throw new InvalidOperationException("planted");
        other.Fault = (what, _) => what == "dispose" && ++closed < 0;
        new IlgpuBackend([bad, other]).Dispose();
        Assert.Equal(1, closed);
    }

    [Fact]
    public void A_device_that_cannot_be_opened_is_named_and_the_others_are_used()
    {
        Func<string, Func<Context, Accelerator>[]> before = IlgpuDevice.Found;
        Func<Context, Accelerator> broken = _ => throw new InvalidOperationException("planted\nand more");
        try
        {
            IlgpuDevice.Found = kind => kind == "cuda" ? [broken, .. before("ilgpu-cpu"), broken] : before(kind);
            using (var backend = (IlgpuBackend)Backends.Get("cuda"))
            {
                Assert.StartsWith("cuda:1: ", backend.Description, StringComparison.Ordinal);
                Assert.Equal([Refused("cuda:0"), Refused("cuda:2")], backend.Remarks);
            }

            string[] lines = CliRunner.Run("devices").Out.Split('\n');
            Assert.Contains(lines, line => line.StartsWith("cuda:0 ", StringComparison.Ordinal) && line.Contains("not usable: it could not be opened (InvalidOperationException: planted", StringComparison.Ordinal));
            Assert.Contains(lines, line => line.StartsWith("cuda:1 ", StringComparison.Ordinal) && line.Contains("starts/s", StringComparison.Ordinal));
            Assert.Equal("cuda:2 cannot be used: its driver failed (InvalidOperationException: planted).", Assert.Throws<ArgumentException>(() => Backends.Get("cuda:2")).Message);
            Assert.StartsWith("There is no cuda:3 ", Assert.Throws<ArgumentException>(() => Backends.Get("cuda:3")).Message, StringComparison.Ordinal);
        }
        finally
        {
            IlgpuDevice.Found = before;
        }

        static string Refused(string name) => $"{name} could not be opened (InvalidOperationException: planted); the work went without it.";
    }

    [Fact]
    public void A_device_is_named_once()
    {
        Assert.Equal("ilgpu-cpu,ilgpu-cpu names ilgpu-cpu twice; expected every device once.", Assert.Throws<ArgumentException>(() => Backends.Get("ilgpu-cpu,ilgpu-cpu")).Message);
        Func<string, Func<Context, Accelerator>[]> before = IlgpuDevice.Found;
        try
        {
            IlgpuDevice.Found = _ => [.. before("ilgpu-cpu"), .. before("ilgpu-cpu")];
            Assert.Equal("cuda,cuda:1 names cuda:1 twice; expected every device once.", Assert.Throws<ArgumentException>(() => Backends.Get("cuda,cuda:1")).Message);
            using var both = (IlgpuBackend)Backends.Get("cuda:1,cuda:0");
            Assert.StartsWith("cuda:1: ", both.Description, StringComparison.Ordinal);
        }
        finally
        {
            IlgpuDevice.Found = before;
        }
    }

    [Fact]
    public void The_fastest_device_is_kept_and_every_other_one_closed()
    {
        Dictionary<IlgpuDevice, double> rates = [];
        List<double> closed = [];
        foreach (double rate in (double[])[3, 1, 5, double.NaN, 4])
        {
            IlgpuDevice device = Open();
            rates.Add(device, rate);
            device.Fault = (what, _) =>
            {
                if (what == "dispose") closed.Add(rate);
                return false;
            };
        }

        using (IlgpuDevice? fastest = Backends.Fastest([.. rates.Keys], 2, one => double.IsNaN(rates[one]) ? throw new InvalidOperationException("planted") : rates[one]))
        {
            Assert.Equal(5, rates[Assert.IsType<IlgpuDevice>(fastest)]);
            Assert.Equal([3, 1, double.NaN, 4], closed);
        }

        // None is faster; and a measurement that takes the last memory.
        closed.Clear();
        IlgpuDevice one = Open();
        one.Fault = (_, _) =>
        {
            closed.Add(0);
            return false;
        };
        Assert.Null(Backends.Fastest([one], 2, _ => 2));
        IlgpuDevice last = Open();
        last.Fault = one.Fault;
        Assert.Throws<OutOfMemoryException>(() => Backends.Fastest([last], 0, _ => throw OutOfMemory()));
        Assert.Equal(2, closed.Count);
    }

    [Fact]
    public void A_resolver_of_native_libraries_that_is_set_already_is_left()
    {
        IlgpuDevice.PrepareCompiler();
        Assert.Throws<InvalidOperationException>(() => NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (_, _, _) => 0));
        IlgpuDevice.FindLibraries();
        Assert.NotNull(IlgpuDevice.Open("cuda"));
    }

    [Fact]
    public void Progress_does_not_pass_its_end_where_work_is_done_twice()
    {
        using var backend = new IlgpuBackend([Failing(4)]);
        var seen = new List<FitProgress>();
        backend.Descend(Starts(), Options, new Sink(seen), Token);
        Assert.All(seen, progress => Assert.InRange(progress.Done, 0, progress.Total));
        Assert.Equal(seen[^1].Total, seen[^1].Done);
    }

    // Ends before the end

    [Theory]
    [MemberData(nameof(EveryVerb))]
    public void Cancelled_verbs_end_and_a_stopped_search_answers(string verb)
    {
        using var source = new CancellationTokenSource();
        IlgpuDevice device = Open();
        int launches = 0;
        device.Fault = (what, _) =>
        {
            if (what == "launch" && ++launches == (verb == "evaluate" ? 1 : 3)) source.Cancel();
            return false;
        };
        device.PointsOfLaunch = 5;
        using var backend = new IlgpuBackend([device]);
        var batch = new ProblemBatch(Problems);
        if (verb == "search")
        {
            ImmutableArray<Candidates> found = backend.Search(batch, Options, stop: source.Token);
            Assert.Equal(Problems.Length, found.Length);

            // No start had ended: what is screened instead counts as none.
            Assert.All(found, own => Assert.True(own.StartLosses.Length == 0 && double.IsFinite(own.Losses[0])));
        }
        else
        {
            Assert.Throws<OperationCanceledException>(() => _ = verb switch
            {
                "evaluate" => (object)backend.Evaluate(Starts(), source.Token),
                "screen" => backend.Screen(batch, Options, cancellation: source.Token),
                _ => backend.Descend(Starts(), Options, cancellation: source.Token),
            });
        }

        Assert.Empty(backend.Remarks);
        Assert.Equal(0, device.Held.Now);
    }

    [Fact]
    public void A_search_that_is_stopped_in_its_first_round_keeps_the_starts_that_ended()
    {
        using var source = new CancellationTokenSource();
        IlgpuDevice device = Open();
        device.PointsOfLaunch = 20;
        using var backend = new IlgpuBackend([device]);
        var batch = new ProblemBatch(Problems.Take(1));
        SearchOptions options = Options with { Iterations = 200 };
        double[] whole = [.. Parity.Reference.Search(batch, options, stop: Token)[0].StartLosses.Take(BasinHopping.RandomStarts)];
        var progress = new Doing(seen =>
        {
            if (seen.Done > 5) source.Cancel();
        });
        Candidates found = Assert.Single(backend.Search(batch, options, progress, source.Token));
        Assert.InRange(found.StartLosses.Length, 6, BasinHopping.RandomStarts - 1);
        Assert.All(found.StartLosses, loss => Assert.Contains(loss, whole));
        Assert.Equal(found.StartLosses.Min(), found.Losses[0]);
        Assert.Empty(backend.Remarks);
        Assert.Equal(0, device.Held.Now);
    }

    [Fact]
    public void A_fit_that_is_stopped_is_reported_whole()
    {
        using var source = new CancellationTokenSource();
        var progress = new Doing(seen =>
        {
            if (seen.Stage == "search" && seen.Done >= BasinHopping.RandomStarts * 2) source.Cancel();
        });
        FitOptions options = FitOptions.LeastSquares with { Breaks = [0, 1], Starts = 600, Device = "ilgpu-cpu" };
        FitReport report = Fitter.Fit([Examples.FourDigitAddition], options, progress, Token, source.Token);
        Assert.Equal(2, report.Curves[0].Fits.Length);
        Assert.StartsWith("The search was stopped after ", Assert.Single(report.Remarks), StringComparison.Ordinal);
        Assert.StartsWith("ilgpu-cpu: ", report.Device, StringComparison.Ordinal);
    }

    // What devices cannot do

    [Theory]
    [InlineData("ilgpu-cpu")]
    [InlineData("opencl")]
    public void A_law_that_devices_do_not_have_is_done_on_the_cpu_and_spoils_no_other(string kind)
    {
        using var backend = new IlgpuBackend([Open(kind)]);
        var faults = new Faults();
        ScalingLaw refused = new ScalingLaw<Plain<AsksForTypes>>(), known = ScalingLaw.Get("m1", 0);
        Problem[] problems = [.. Parity.Problems([(refused, Loss.Get("msle")), (known, Loss.Get("msle"))])];
        Parity.Compare(faults, Parity.Reference.Search(new(problems), Options, stop: Token), backend.Search(new(problems), Options, stop: Token), Parity.IsExact(kind));
        string remark = Assert.Single(backend.Remarks);
        output.WriteLine(remark);
        Assert.Matches($"^{kind}(:0)? cannot compile a kernel \\([^\n]+\\); what needs it was done on the CPU[.]$", remark);

        // ILGPU keeps what it began of a kernel that it refused.
        foreach ((string law, int breaks) in ((string, int)[])[("bnsl", 1), ("m4", 0)])
        {
            Candidates[] some = [.. Parity.Problems([(ScalingLaw.Get(law, breaks), Loss.Get("mse"))]).Select(problem => Parity.Starts(problem, 3))];
            Parity.Compare(faults, Parity.Reference.Descend(some, Options, cancellation: Token), backend.Descend(some, Options, cancellation: Token), Parity.IsExact(kind));
        }

        Assert.Single(backend.Remarks);
        faults.Check(output);
    }

    [Fact]
    public void Starts_that_a_device_cannot_draw_are_drawn_for_it()
    {
        IlgpuDevice device = Open();
        using var backend = new IlgpuBackend([device]);
        Problem problem = new(Parity.Curve(Parity.Own, 23, 0), new ScalingLaw<DrawsFromAList>(), Loss.Get("msle"));
        var faults = new Faults();
        foreach (SearchPrecision precision in Enum.GetValues<SearchPrecision>())
        {
            SearchOptions options = Options with { Precision = precision };
            Parity.Compare(faults, Parity.Reference.Search(new([problem]), options, stop: Token), backend.Search(new([problem]), options, stop: Token), exact: true);
        }

        Assert.Empty(backend.Remarks);
        Assert.NotEqual(0, device.Launched.Launches);
        Parity.Compare(faults, Parity.Reference.Screen(new([problem]), Options, cancellation: Token), backend.Screen(new([problem]), Options, cancellation: Token), exact: true);
        Assert.Matches("cannot compile a kernel", Assert.Single(backend.Remarks));
        faults.Check(output);
    }

    private static IlgpuDevice Open(string kind = "ilgpu-cpu")
    {
        List<IlgpuDevice> devices = IlgpuDevice.Open(kind);
        if (devices.Count == 0) Assert.Skip($"There is no {kind} on this machine.");
        foreach (IlgpuDevice other in devices.Skip(1)) other.Dispose();
        return devices[0];
    }

#pragma warning disable CA1859, CA2201 // It is what a device's memory ends with.
    private static Exception OutOfMemory() => new OutOfMemoryException("planted");
#pragma warning restore CA1859, CA2201

    /// <summary>A device whose launches fail after some.</summary>
    private static IlgpuDevice Failing(int launches)
    {
        IlgpuDevice device = Open();
        device.Fault = (what, _) => what == "launch" && launches-- <= 0 ? throw new InvalidOperationException("planted") : false;
        return device;
    }

    private static Candidates[] Starts() => [.. Problems.Select(problem => Parity.Starts(problem, 4))];

    /// <summary>A verb gives what scalar double gives.</summary>
    private void Same(string verb, IlgpuBackend backend)
    {
        var faults = new Faults();
        var batch = new ProblemBatch(Problems);
        Candidates[] some = Starts();
        switch (verb)
        {
            case "evaluate":
                Parity.Compare(faults, some, Parity.Reference.Evaluate(some, Token), backend.Evaluate(some, Token), exact: true);
                break;
            case "screen":
                Parity.Compare(faults, Parity.Reference.Screen(batch, Options, cancellation: Token), backend.Screen(batch, Options, cancellation: Token), exact: true);
                break;
            case "descend":
                Parity.Compare(faults, Parity.Reference.Descend(some, Options, cancellation: Token), backend.Descend(some, Options, cancellation: Token), exact: true);
                break;
            default:
                Parity.Compare(faults, Parity.Reference.Search(batch, Options, stop: Token), backend.Search(batch, Options, stop: Token), exact: true);
                break;
        }

        faults.Check(output);
    }

    private sealed class Sink(List<FitProgress> seen) : IProgress<FitProgress>
    {
        public void Report(FitProgress value)
        {
            lock (seen) seen.Add(value);
        }
    }

    private sealed class Doing(Action<FitProgress> action) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => action(value);
    }

    /// <summary>A line whose value asks what it is made of; devices have no types at run time.</summary>
    private readonly struct AsksForTypes : IPlainLaw
    {
        public static string Name => "asks-for-types";

        public static string Formula => "y = a + b x";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => [new("a", 0.1, 1), new("b", -1, 1)];

        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> => typeof(T).Name == "none" ? θ[0] : T.MultiplyAdd(θ[1], x[point], θ[0]);
    }

    /// <summary>A power law that keeps what it draws in a list.</summary>
    private readonly struct DrawsFromAList : IScalingLaw
    {
        public static string Name => "draws-from-a-list";

        public static string Formula => PowerLaw.Formula;

        public static string Source => "";

        public static int ParameterCount => PowerLaw.ParameterCount;

        public static NaturalParameter[] Natural => PowerLaw.Natural;

        public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => PowerLaw.Bounds(parameter, range);

        public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
            where TGradient : struct, IArray<T> => PowerLaw.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row);

        public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
            where TShape : struct, IArray<F64>
            where TArray : struct, IArray<F64>
        {
            List<double> drawn = [random.Uniform(-1, 1), random.Uniform(-1, 0.2)];
            for (int j = 0; j < drawn.Count; j++) θ[j] = new F64(drawn[j]);
        }

        public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian) => PowerLaw.ToNatural(θ, scale, natural, jacobian);

        public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) => PowerLaw.FromNatural(natural, scale, θ);
    }
}
