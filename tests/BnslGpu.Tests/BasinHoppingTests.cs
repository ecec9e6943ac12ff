using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The search round by round: what must not change it, what it spends, and a minimum that random starts miss.</summary>
public sealed class BasinHoppingTests(ITestOutputHelper output)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Starts_that_end_at_zero_to_rounding_are_witnesses_of_one_minimum()
    {
        double[] x = Examples.Even(18, 10, 1e5), y = [.. x.Select(value => 0.5 + (3 * Math.Pow(value, -0.4)))];
        Problem problem = new(new(x, y), ScalingLaw.Get("bnsl", 1), Loss.Get("msle"));
        double[] losses = Search(problem, new(BasinHopping.RandomStarts, 0, 4, SearchPrecision.Double, 200)).StartLosses;
        Assert.InRange(MissedMinimum.Of(1, losses, FitSummary.ZeroLoss(problem)).RandomHits, BasinHopping.RandomStarts / 2, BasinHopping.RandomStarts);
    }

    [Fact]
    public void Search_over_several_rounds_and_chains_gives_the_same_bits_for_every_width_thread_count_chunk_and_batch()
    {
        Problem[] problems = [.. new[] { ("bnsl", 0), ("bnsl", 1), ("bnsl", 2), ("m3", 0) }.Select(law => Step(law.Item1, law.Item2))];
        var options = new SearchOptions(BasinHopping.ChainStarts + BasinHopping.RandomStarts + (2 * BasinHopping.Hops) + 5, 7, 5, SearchPrecision.Double, 12, 1);
        Candidates[] reference = [.. new SimdBackend().Search(new(problems), options, stop: Token)];
        foreach (LaneWidth width in SimdBackend.Widths) Same(reference, new SimdBackend(width), problems, options, $"{width}");
        foreach (int chunk in (int[])[1, 7, 1000]) Same(reference, new SimdBackend(), problems, options with { Threads = 2, ChunkSize = chunk }, $"chunks of {chunk}");
        Same([.. reference.Reverse()], new SimdBackend(), [.. problems.Reverse()], options, "reversed");
        for (int k = 0; k < problems.Length; k++) Same([reference[k]], new SimdBackend(), [problems[k]], options with { Threads = 2 }, $"problem {k} alone");
    }

    [Fact]
    public void Chains_side_by_side_give_what_one_after_the_other_gives()
    {
        Problem[] problems = [.. new[] { ("bnsl", 0), ("bnsl", 1), ("bnsl", 2), ("m3", 0) }.Select(law => Step(law.Item1, law.Item2))];
        var simd = new SimdBackend();
        foreach (SearchOptions options in (SearchOptions[])[new(0, 7, 5, SearchPrecision.Double, 12), new((2 * BasinHopping.ChainStarts) + 70, 7, 5, SearchPrecision.Double, 12)])
        {
            Candidates[] reference = [.. simd.Search(new(problems), options, stop: Token)];
            foreach (int together in (int[])[1, 1 << 20])
            {
                Candidates[] other = [.. BasinHopping.Search((sets, part) => simd.Descend(sets, options, part, Token), together, ahead: 3, new(problems), options, null, Token)];
                Assert.All(reference.Zip(other), pair =>
                {
                    Assert.Equal(pair.First.Losses, pair.Second.Losses);
                    Assert.Equal(pair.First.Parameters, pair.Second.Parameters);
                    Assert.Equal(pair.First.StartLosses, pair.Second.StartLosses);
                });
            }
        }
    }

    [Fact]
    public void A_larger_budget_begins_with_the_starts_of_a_smaller_one()
    {
        Problem problem = Step("bnsl", 2);
        var options = new SearchOptions(BasinHopping.ChainStarts + 80, 3, 4, SearchPrecision.Double, 10);
        double[] all = Search(problem, options).StartLosses;
        foreach (int starts in (int[])[1, BasinHopping.RandomStarts, BasinHopping.RandomStarts + 11, BasinHopping.ChainStarts + 1])
            Assert.Equal(all[..starts], Search(problem, options with { Starts = starts }).StartLosses);
    }

    [Fact]
    public void Starts_of_a_law_with_nothing_to_move_are_all_random()
    {
        foreach ((string law, int breaks) in ((string, int)[])[("bnsl", 0), ("m1", 0), ("m4", 0)])
        {
            Problem problem = Step(law, breaks);
            var options = new SearchOptions(150, 4, 4, SearchPrecision.Double, 10);
            Assert.Equal(Descend(problem, options).Losses, Search(problem, options).StartLosses);
        }
    }

    [Fact]
    public void Search_finds_the_minimum_of_a_scan_over_steps_that_random_starts_miss()
    {
        // A step of log y is two opposite breaks at one place. Random starts end at steps beside the best one, a twentieth and more above it.
        Problem problem = Step("bnsl", 2);
        var options = new SearchOptions(256, 0, 4, SearchPrecision.Double, 200);
        double sharp = Math.Log(0.01), height = 0.03;
        double[] scan = [.. Enumerable.Range(0, 200).Select(i => -0.3 * i / 200).SelectMany(d => (double[])[0, 0, 0.2, 20, d - (height / 20), sharp, -20, d, sharp])];
        double least = new SimdBackend().Descend([new(problem, scan, new double[200], [])], options, cancellation: Token)[0].Losses.Min();
        for (ulong seed = 1; seed <= 4; seed++)
        {
            double random = Descend(problem, options with { Seed = seed }).Losses.Min(), found = Search(problem, options with { Seed = seed }).Losses[0];
            output.WriteLine($"seed {seed}: {options.Starts} random starts {random:g5}, the same number with hops {found:g5}; scan {least:g5}");
            Assert.True(found <= least * 1.001 && random > least * 1.05, $"seed {seed}: {found:R} with hops, {random:R} without, {least:R} by the scan.");
        }
    }

    [Fact]
    public void Hops_are_finite_inside_the_box_and_give_finite_residuals()
    {
        for (int breaks = 1; breaks <= 6; breaks++)
        {
            Problem problem = Step("bnsl", breaks);
            int p = problem.ParameterCount;
            const int hops = 500;
            var θ = new double[hops * p];
            for (int hop = 0; hop < hops; hop++)
            {
                Span<double> own = θ.AsSpan(hop * p, p);
                if (hop == 0) problem.Start(5, 0, own);
                else θ.AsSpan((hop - 1) * p, p).CopyTo(own);
                double[] before = own.ToArray();
                problem.Hop(5, hop, own);
                Assert.NotEqual(before, own.ToArray());
                for (int j = 0; j < p; j++) Assert.InRange(own[j], problem.Lower[j], problem.Upper[j]);
            }

            Assert.All(new SimdBackend().Evaluate([new(problem, θ, new double[hops], [])], Token)[0].Residuals, r => Assert.True(double.IsFinite(r)));
        }
    }

    /// <summary>A power law that drops by 3 % between two late points, with a little noise.</summary>
    private static Problem Step(string law, int breaks)
    {
        var random = new CounterRandom(61, 0, 0);
        double[] x = [.. Enumerable.Range(1, 100).Select(i => 1000.0 * i)];
        double[] y = [.. x.Select((value, i) => Math.Pow(value, -0.2) * (i < 85 ? 1 : 0.97) * (1 + random.Uniform(-0.001, 0.001)))];
        return new(new(x, y), ScalingLaw.Get(law, breaks), Loss.Get("msle"));
    }

    private static Candidates Search(Problem problem, SearchOptions options) => new SimdBackend().Search(new([problem]), options, stop: Token)[0];

    private static Candidates Descend(Problem problem, SearchOptions options)
    {
        var θ = new double[options.Starts * problem.ParameterCount];
        for (int start = 0; start < options.Starts; start++) problem.Start(options.Seed, start, θ.AsSpan(start * problem.ParameterCount, problem.ParameterCount));
        return new SimdBackend().Descend([new(problem, θ, new double[options.Starts], [])], options, cancellation: Token)[0];
    }

    private static void Same(Candidates[] expected, SimdBackend backend, Problem[] problems, SearchOptions options, string how)
    {
        Candidates[] actual = [.. backend.Search(new(problems), options, stop: Token)];
        for (int k = 0; k < expected.Length; k++)
        {
            Assert.True(expected[k].StartLosses.AsSpan().SequenceEqual(actual[k].StartLosses), $"{problems[k].Law.Name} with {problems[k].Law.Breaks} breaks, {how}: losses of the starts differ.");
            Assert.True(expected[k].Parameters.AsSpan().SequenceEqual(actual[k].Parameters), $"{problems[k].Law.Name} with {problems[k].Law.Breaks} breaks, {how}: parameters differ.");
        }
    }
}
