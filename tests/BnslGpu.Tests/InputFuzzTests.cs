using BnslGpu.Benchmarks;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>A short run of <c>benchmarks/run fuzz</c>, which has the long one.</summary>
public sealed class InputFuzzTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Generated_inputs_are_read_whole_or_refused_with_a_sentence(ulong seed)
    {
        List<string> faults = [];
        HashSet<(string, bool)> outcomes = [];
        Parallel.For(0, 10_000, number =>
        {
            FuzzOutcome outcome = InputFuzz.Try(seed, (uint)number);
            lock (faults)
            {
                if (outcome.Fault is not null) faults.Add($"{number}, {outcome.Kind}: {outcome.Fault}");
                outcomes.Add((outcome.Kind, outcome.WasRead));
            }
        });
        Assert.Empty(faults);
        // Reports from the grammar are right; of every other kind some are read and some are not.
        Assert.Equal(2 * InputFuzz.Kinds.Distinct().Count() - 1, outcomes.Count);
    }
}
