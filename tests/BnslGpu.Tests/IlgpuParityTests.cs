using System.Collections.Immutable;
using System.Runtime.InteropServices;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The device engine where the public verbs do not reach: float kernels, both ways of summing, layouts, chunks, several devices.</summary>
[Collection(DeviceTests.Name)]
public sealed class IlgpuParityTests(ITestOutputHelper output)
{
    public static TheoryData<string> EveryKind => [.. Backends.Kinds.Where(kind => kind != "simd")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Starts_drawn_by_a_device_are_the_host_s(string kind)
    {
        bool exact = Parity.IsExact(kind);
        using IlgpuDevice device = Open(kind);
        var faults = new Faults();
        IEnumerable<(ScalingLaw Law, Loss Loss)> models = exact
            ? Parity.Models(_ => false)
            : Parity.Models(("bnsl", 2), ("m1", 0), ("m3", 0), (Parity.Own.Name, 0));
        foreach (IGrouping<(ScalingLaw, Loss), Problem> group in Parity.Problems(models).GroupBy(problem => (problem.Law, problem.Loss)))
        {
            // Random starts, hops from two of them, and a large number of start; then no step is made.
            StartSet[] sets = [.. group.SelectMany(problem => (StartSet[])[new(problem, 0, 20, []), new(problem, 20, 20, Drawn(new(problem, 0, 2, []))), new(problem, 5_000_000, 5, [])])];
            var run = new IlgpuCandidates(sets, 7);
            device.Model(group.Key.Item1, group.Key.Item2, SearchPrecision.Double).Descend(run, new(0, 7, 0, SearchPrecision.Double, 0), 1e-8, null, Token);
            double[] expected = [.. sets.SelectMany(Drawn)], actual = MemoryMarshal.Cast<F64, double>(run.Parameters.AsSpan()).ToArray();
            string what = $"{Parity.Name(group.First())}: parameter of a start";
            if (exact) faults.Bits(what, expected, actual);

            // A handful of roundings that may be fewer, of numbers of about 1 before they are added up.
            else faults.Within(what, expected, actual, m => 16 * F64.Epsilon * (1 + Math.Abs(expected[m])));
        }

        faults.Check(output);

        static double[] Drawn(StartSet set)
        {
            var θ = new double[set.Count * set.Problem.ParameterCount];
            set.Draw(7, 0, θ);
            return θ;
        }
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Sums_in_device_memory_are_those_in_registers(string kind)
    {
        bool exact = Parity.IsExact(kind);
        using var backend = new IlgpuBackend([Open(kind, inMemoryOnly: true)]);
        var faults = new Faults();
        Candidates[] some = [.. Few(exact).Select(problem => Parity.Starts(problem, 3))];
        var options = new SearchOptions(90, 5, 4, SearchPrecision.Double, 40);
        Parity.Compare(faults, Parity.Reference.Descend(some, options, cancellation: Token), backend.Descend(some, options, cancellation: Token), exact);
        var batch = new ProblemBatch(some.Select(own => own.Problem));
        Parity.Compare(faults, Parity.Reference.Screen(batch, options, cancellation: Token), backend.Screen(batch, options, cancellation: Token), exact: true);
        Check(faults, backend);
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Layout_and_length_of_launches_change_no_result(string kind)
    {
        bool exact = Parity.IsExact(kind);
        using IlgpuDevice device = Open(kind);
        using var backend = new IlgpuBackend([device]);
        var faults = new Faults();
        Candidates[] some = [.. Parity.Problems(Parity.Models(("bnsl", 1))).Where(problem => problem.Count < 100).Select(problem => Parity.Starts(problem, 2))];
        var options = new SearchOptions(40, 5, 4, SearchPrecision.Mixed, 8);
        ImmutableArray<Candidates> ends = backend.Descend(some, options, cancellation: Token);
        Parity.Compare(faults, Parity.Reference.Descend(some, options, cancellation: Token), ends, exact);
        var batch = new ProblemBatch(some.Select(own => own.Problem));
        ImmutableArray<Candidates> screened = backend.Screen(batch, options, cancellation: Token);
        foreach ((bool interleaved, int points) in ((bool, int)[])[(true, 1), (false, 7), (true, 1000)])
        {
            (device.IsInterleaved, device.PointsOfLaunch) = (interleaved, points);
            Parity.Compare(faults, ends, backend.Descend(some, options, cancellation: Token), exact: true);
            Parity.Compare(faults, screened, backend.Screen(batch, options, cancellation: Token), exact: true);
        }

        Check(faults, backend);
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Float_kernels_are_those_of_scalar_float(string kind)
    {
        bool exact = Parity.IsExact(kind);
        using IlgpuDevice device = Open(kind);
        var faults = new Faults();
        foreach (Problem problem in Few(exact))
        {
            string what = Parity.Name(problem);
            int p = problem.ParameterCount;
            IlgpuModel model = device.Model(problem.Law, problem.Loss, SearchPrecision.Mixed);
            SimdKernel scalar = Parity.Reference.Kernel(problem, SearchPrecision.Mixed);

            // Parameters that are floats.
            Candidates some = Parity.Starts(problem, 5);
            for (int m = 0; m < some.Parameters.Length; m++) some.Parameters[m] = (float)some.Parameters[m];
            int count = some.Losses.Length;
            Evaluation expected = Empty(), actual = Empty();
            scalar.Evaluate(problem, some.Parameters, expected.Residuals, expected.Jacobian);
            model.Evaluate(new([new(problem, 0, count, [], some.Parameters)], 0), [actual], device.MemoryBudget, Token);
            if (exact)
            {
                faults.Bits($"{what}: residual", expected.Residuals, actual.Residuals);
                faults.Bits($"{what}: derivative", expected.Jacobian, actual.Jacobian);
            }
            else
            {
                (RunningError<F32>[] r, RunningError<F32>[] j) = problem.Law.Close<Bounded, (RunningError<F32>[], RunningError<F32>[])>(problem.Loss, new(some));
                faults.Within($"{what}: residual", expected.Residuals, actual.Residuals, m => 2 * F32.Epsilon * r[m].Error);
                faults.Within($"{what}: derivative", expected.Jacobian, actual.Jacobian, m => (2 * F32.Epsilon * j[m].Error) + 1e-35);
            }

            // Where they end; a last bit of float decides more often than one of double.
            double[] θ = [.. some.Parameters], losses = new double[count];
            scalar.Search(problem, θ, losses, SimdBackend.FloatTolerance, 40, Token);
            var run = new IlgpuCandidates([new(problem, 0, count, [], some.Parameters)], 0);
            model.Descend(run, new(0, 0, 0, SearchPrecision.Mixed, 40), SimdBackend.FloatTolerance, null, Token);
            double[] ends = MemoryMarshal.Cast<F64, double>(run.Losses.AsSpan()).ToArray();
            if (exact) faults.Bits($"{what}: loss", losses, ends);
            else if (!(ends.Where(double.IsFinite).Min() <= losses.Where(double.IsFinite).Min() * (1 + (10 * SimdBackend.FloatTolerance)))) faults.Add($"{what}: the best end is worse");

            // The best of what was screened are kept, but for a tie within rounding.
            const int starts = 200, keep = 5;
            double[] drawn = new double[starts * p], screened = new double[starts];
            for (int start = 0; start < starts; start++) problem.Start(5, start, drawn.AsSpan(start * p, p));
            scalar.Screen(problem, drawn, screened);
            List<int> kept = model.Screen([problem], new(starts, 5, keep, SearchPrecision.Mixed, 1), 0, starts, device.MemoryBudget, null, Token)[0];
            double last = screened.Where(double.IsFinite).Order().ElementAt(keep - 1);
            foreach (int start in Enumerable.Range(0, starts).Where(start => screened[start] < last * (1 - 1e-3)))
                if (!kept.Contains(start)) faults.Add($"{what}: start {start} of loss {screened[start]:g6} was not kept; {last:g6} is the last that is");

            Evaluation Empty() => new(new double[count * problem.Count], new double[count * problem.Count * p]);
        }

        faults.Check(output);
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void One_list_keeps_the_starts_that_scalar_double_keeps(string kind)
    {
        const int starts = 150;
        bool exact = Parity.IsExact(kind);
        using IlgpuDevice device = Open(kind);
        var options = new SearchOptions(starts, 5, 7, SearchPrecision.Double, 1);
        var faults = new Faults();
        foreach (IGrouping<(ScalingLaw Law, Loss Loss), Problem> group in Parity.Problems(exact ? Parity.Models(_ => false) : Parity.Models(("bnsl", 1), ("m3", 0))).GroupBy(problem => (problem.Law, problem.Loss)))
        {
            Problem[] problems = [.. group];
            List<int>[] kept = device.Model(group.Key.Law, group.Key.Loss, SearchPrecision.Double).Screen(problems, options, 0, starts * problems.Length, device.MemoryBudget, null, Token);
            for (int k = 0; k < problems.Length; k++) Check(faults, problems[k], kept[k]);
        }

        faults.Check(output);

        // A device that is wrong about the losses of the same starts would be found.
        Problem right = new(Parity.Curve(ScalingLaw.Get("bnsl", 1), 23, 0), ScalingLaw.Get("bnsl", 1), Loss.Get("msle"), 0.01), wrong = new(Parity.Curve(right.Law, 23, 0), right.Law, Loss.Get("mse"), 0.01);
        var found = new Faults();
        Check(found, right, device.Model(wrong.Law, wrong.Loss, SearchPrecision.Double).Screen([wrong], options, 0, starts, device.MemoryBudget, null, Token)[0]);
        Assert.ThrowsAny<Exception>(() => found.Check(output));

        void Check(Faults into, Problem problem, List<int> kept)
        {
            int p = problem.ParameterCount;
            double[] drawn = new double[starts * p], losses = new double[starts];
            for (int start = 0; start < starts; start++) problem.Start(options.Seed, start, drawn.AsSpan(start * p, p));
            Parity.Reference.Kernel(problem, SearchPrecision.Double).Screen(problem, drawn, losses);
            double last = losses.Where(double.IsFinite).Order().ElementAt(options.Keep - 1), within = exact ? 0 : 1e-9;
            if (kept.Count != options.Keep || kept.Distinct().Count() != kept.Count) into.Add($"{Parity.Name(problem)}: {kept.Count} starts were kept");
            foreach (int start in kept.Where(start => !(losses[start] <= last * (1 + within)))) into.Add($"{Parity.Name(problem)}: start {start} of loss {losses[start]:g17} was kept; {last:g17} is the last that should be");
        }
    }

    [Fact]
    public void Screening_goes_in_launches_of_bounded_length()
    {
        using IlgpuDevice device = Open("ilgpu-cpu");
        using var backend = new IlgpuBackend([device]);
        ScalingLaw law = ScalingLaw.Get("m1", 0);
        var options = new SearchOptions(5000, 5, 4, SearchPrecision.Double, 1);
        int together = 4 * device.Slots(1), launches = 0;
        Assert.InRange(together, 1, options.Starts / 2);
        device.Fault = (what, _) => what == "launch" && ++launches < 0;
        var batch = new ProblemBatch([new Problem(Parity.Curve(law, 23, 0), law, Loss.Get("msle"))]);
        var faults = new Faults();
        Parity.Compare(faults, Parity.Reference.Screen(batch, options, cancellation: Token), backend.Screen(batch, options, cancellation: Token), exact: true);

        // One at least that screens and one that keeps, for every few starts that are held; and a list takes no more than a thousand losses at a time.
        Assert.InRange(launches, ((options.Starts + together - 1) / together) + (options.Starts / 1024), 200);
        Check(faults, backend);
    }

    [Fact]
    public void No_budget_of_memory_changes_a_bit()
    {
        using IlgpuDevice device = Open("ilgpu-cpu");
        using var backend = new IlgpuBackend([device]);
        var faults = new Faults();
        long budget = device.MemoryBudget, launches = 0;
        foreach (long some in (long[])[budget, 1 << 16, 1 << 13])
        {
            device.MemoryBudget = some;
            EveryVerb(faults, backend, exact: true);
            output.WriteLine($"{some} bytes: {device.Launched.Launches - launches} launches, {device.Held.Most} bytes held at most so far");
            launches = device.Launched.Launches;
        }

        Assert.Equal(0, device.Held.Now);
        Check(faults, backend);
    }

    [Fact]
    public void Devices_that_share_the_work_change_no_bit()
    {
        IlgpuDevice one = Open("ilgpu-cpu"), other = Open("ilgpu-cpu");
        using var backend = new IlgpuBackend([one, other]);
        var faults = new Faults();
        EveryVerb(faults, backend, exact: true);
        Check(faults, backend);
        Assert.All((IlgpuDevice[])[one, other], device => Assert.NotEqual(0, device.Launched.Launches));
    }

    [Fact]
    public void Devices_of_different_kinds_share_the_work()
    {
        using var backend = new IlgpuBackend([Open("opencl"), Open("ilgpu-cpu")]);
        var faults = new Faults();
        EveryVerb(faults, backend, exact: false);
        Check(faults, backend);
    }

    /// <summary>All verbs for problems of several laws at once.</summary>
    private static void EveryVerb(Faults faults, IlgpuBackend backend, bool exact)
    {
        Problem[] problems = [.. Parity.Problems(exact ? Parity.Models(("bnsl", 1), ("m3", 0), ("chinchilla", 0)) : Parity.Models(("bnsl", 1)))];
        Candidates[] some = [.. problems.Select(problem => Parity.Starts(problem, 9))];
        var batch = new ProblemBatch(problems);
        var options = new SearchOptions(BasinHopping.RandomStarts + BasinHopping.Hops + 3, 7, 4, SearchPrecision.Double, 10);
        Parity.Compare(faults, some, Parity.Reference.Evaluate(some, Token), backend.Evaluate(some, Token), exact);
        Parity.Compare(faults, Parity.Reference.Screen(batch, options, cancellation: Token), backend.Screen(batch, options, cancellation: Token), exact: true);
        Parity.Compare(faults, Parity.Reference.Descend(some, options, cancellation: Token), backend.Descend(some, options, cancellation: Token), exact);
        Parity.Compare(faults, Parity.Reference.Search(batch, options, stop: Token), backend.Search(batch, options, stop: Token), exact);
    }

    private static IEnumerable<Problem> Few(bool exact) => Parity.Problems(exact
        ? Parity.Models(("bnsl", 0), ("bnsl", 1), ("bnsl", 3), ("m1", 0), ("m4", 0), ("chinchilla3", 0), ("bnsl-falling", 2), (Parity.Own.Name, 0))
        : Parity.Models(("bnsl", 1), ("m3", 0)));

    private static IlgpuDevice Open(string kind, bool inMemoryOnly = false)
    {
        List<IlgpuDevice> devices = IlgpuDevice.Open(kind, inMemoryOnly: inMemoryOnly);
        if (devices.Count == 0) Assert.Skip($"There is no {kind} on this machine.");
        foreach (IlgpuDevice other in devices.Skip(1)) other.Dispose();

        // So many lists as a device scans at once keep every start of these small problems, whatever its loss.
        devices[0].ListsOfScreen = 1;
        return devices[0];
    }

    private void Check(Faults faults, IlgpuBackend backend)
    {
        foreach (string remark in backend.Remarks) faults.Add(remark);
        faults.Check(output);
    }

    private readonly struct Bounded(Candidates some) : IModelVisitor<(RunningError<F32>[] Residuals, RunningError<F32>[] Jacobian)>
    {
        public (RunningError<F32>[] Residuals, RunningError<F32>[] Jacobian) Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => SimdBackendTests.Rows<RunningError<F32>, TLaw, TLoss>(some, x => RunningError<F32>.Constant(x));
    }
}
