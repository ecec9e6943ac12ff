using System.Collections.Immutable;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Every verb of every kind of backend against scalar double on a CPU: see <see cref="Parity"/> for how closely.</summary>
/// <remarks>
/// A kernel takes a device's compiler up to some seconds, so that here not every law meets every loss on every device; with BNSL_PARITY=all in the
/// environment all do. A kind that is not here is reported as skipped, with the reason.
/// </remarks>
[Collection(DeviceTests.Name)]
public sealed class BackendParityTests(BackendParityTests.Opened opened, ITestOutputHelper output) : IClassFixture<BackendParityTests.Opened>
{
    public static TheoryData<string> EveryKind => [.. Backends.Kinds];

    public static TheoryData<string, SearchPrecision> EveryKindAndPrecision
    {
        get
        {
            var data = new TheoryData<string, SearchPrecision>();
            foreach (string kind in Backends.Kinds)
                foreach (SearchPrecision precision in Enum.GetValues<SearchPrecision>()) data.Add(kind, precision);
            return data;
        }
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Evaluate_gives_the_residuals_and_derivatives_of_scalar_double(string kind)
    {
        IBackend backend = opened.Get(kind);
        bool exact = Parity.IsExact(kind);
        Candidates[] some = [.. Parity.Problems(Parity.Models(law => exact || law is { Name: "bnsl", Breaks: 1 })).Select(problem => Parity.Starts(problem, 5))];
        var faults = new Faults();
        ImmutableArray<Evaluation> expected = Parity.Reference.Evaluate(some, Token);
        Parity.Compare(faults, some, expected, backend.Evaluate(some, Token), exact);
        Check(faults, backend);
    }

    [Theory]
    [MemberData(nameof(EveryKind))]
    public void Screen_keeps_the_starts_that_scalar_double_keeps(string kind)
    {
        IBackend backend = opened.Get(kind);
        bool exact = Parity.IsExact(kind);
        IEnumerable<(ScalingLaw Law, Loss Loss)> models = exact ? Parity.Models(_ => false) : Parity.Models(("bnsl", 1), ("bnsl", 4), ("m1", 0), ("chinchilla3", 0), ("bnsl-falling", 2), (Parity.Own.Name, 0));
        Problem[] problems = [.. Parity.Problems(models)];
        var options = new SearchOptions(150, 5, 7, SearchPrecision.Double, 1);
        var faults = new Faults();

        // What a device thinks best is drawn and ranked again on the CPU: its starts are exactly the CPU's.
        Parity.Compare(faults, Parity.Reference.Screen(new(problems), options, cancellation: Token), backend.Screen(new(problems), options, cancellation: Token), exact: true);
        Check(faults, backend);
    }

    [Theory]
    [MemberData(nameof(EveryKindAndPrecision))]
    public void Descend_ends_where_scalar_double_ends(string kind, SearchPrecision precision)
    {
        IBackend backend = opened.Get(kind);
        bool exact = Parity.IsExact(kind);
        Candidates[] some = [.. Parity.Problems(DescendModels(exact, precision)).Select(problem => Parity.Starts(problem, problem.Count > 100 ? 2 : 6))];
        var options = new SearchOptions(0, 0, 0, precision, 60);
        var faults = new Faults();
        ImmutableArray<Candidates> ends = backend.Descend(some, options, cancellation: Token);
        Parity.Compare(faults, Parity.Reference.Descend(some, options, cancellation: Token), ends, exact);

        // A batch in another order is the same batch.
        Parity.Compare(faults, [.. ends.Reverse()], backend.Descend([.. some.Reverse()], options, cancellation: Token), exact: true);
        Check(faults, backend);
    }

    [Theory]
    [MemberData(nameof(EveryKindAndPrecision))]
    public void Search_finds_the_minima_that_scalar_double_finds(string kind, SearchPrecision precision)
    {
        IBackend backend = opened.Get(kind);
        bool exact = Parity.IsExact(kind), isMixed = precision == SearchPrecision.Mixed;
        IEnumerable<(ScalingLaw Law, Loss Loss)> models = !exact || isMixed
            ? Parity.Models(("bnsl", 1), ("m1", 0), ("bnsl-falling", 2), (Parity.Own.Name, 0))
            : Parity.Models(("bnsl", 0), ("bnsl", 1), ("bnsl", 4), ("m2", 0), ("m4", 0), ("m3-printed", 0), ("chinchilla", 0), ("chinchilla4", 0), ("bnsl-rising", 3));
        Problem[] problems = [.. Parity.Problems(models)];

        // A first round, two rounds of hops and some.
        var options = new SearchOptions(BasinHopping.RandomStarts + (2 * BasinHopping.Hops) + 5, 7, 4, precision, 12);
        var faults = new Faults();
        Parity.Compare(faults, Parity.Reference.Search(new(problems), options, stop: Token), backend.Search(new(problems), options, stop: Token), exact);
        Check(faults, backend);
    }

    private static IEnumerable<(ScalingLaw Law, Loss Loss)> DescendModels(bool exact, SearchPrecision precision) => (exact, precision) switch
    {
        (true, SearchPrecision.Double) => Parity.Models(law => law is { Name: "bnsl" or "bnsl-rising", Breaks: 1 } || law == Parity.Own),
        (true, _) => Parity.Models(("bnsl", 0), ("bnsl", 2), ("bnsl", 4), ("m1", 0), ("m3", 0), ("chinchilla", 0), ("bnsl-rising", 1), (Parity.Own.Name, 0)),
        (_, SearchPrecision.Double) => Parity.Models(("bnsl", 0), ("bnsl", 1), ("bnsl", 3), ("bnsl", 4), ("m3", 0), ("m4", 0), ("chinchilla3", 0), ("bnsl-rising", 1), ("bnsl-falling", 2), (Parity.Own.Name, 0)),
        _ => Parity.Models(("bnsl", 1), ("bnsl-falling", 2), (Parity.Own.Name, 0)),
    };

    private void Check(Faults faults, IBackend backend)
    {
        // What a device cannot do is done elsewhere and said: here that would be agreement with itself.
        foreach (string remark in backend.Remarks) faults.Add(remark);
        faults.Check(output);
    }

    /// <summary>Backends by kind, opened once: a kernel is compiled once a device.</summary>
    public sealed class Opened : IDisposable
    {
        private readonly Dictionary<string, IBackend> _backends = [];

        /// <summary>Opens a kind, or skips the test with the reason why it cannot.</summary>
        public IBackend Get(string kind)
        {
            if (!_backends.TryGetValue(kind, out IBackend? backend))
            {
                try
                {
                    _backends.Add(kind, backend = Backends.Get(kind));
                }
                catch (ArgumentException unusable)
                {
                    Assert.Skip(unusable.Message);
                }
            }

            return backend;
        }

        public void Dispose()
        {
            foreach (IBackend backend in _backends.Values) (backend as IDisposable)?.Dispose();
        }
    }
}

/// <summary>Tests that open devices, or change how they are looked for, run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class DeviceTests
{
    public const string Name = "devices";
}
