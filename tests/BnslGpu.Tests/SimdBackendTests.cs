using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The verbs of the backend against plain loops, and the claim that no width, thread count, chunk or neighbour changes a bit of an answer.</summary>
public sealed class SimdBackendTests
{
    public static TheoryData<int> EveryWidth
    {
        get
        {
            var data = new TheoryData<int>();
            foreach (LaneWidth width in SimdBackend.Widths) data.Add((int)width);
            return data;
        }
    }

    // Where nothing is accelerated every start takes longer.
    private static int Scale => Vector128.IsHardwareAccelerated ? 1 : 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Evaluate and screen

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void Evaluate_gives_the_bits_of_the_plain_scalar_rows_in_the_documented_layout(int width)
    {
        foreach (Problem problem in EveryProblem())
        {
            foreach (int count in (int[])[1, 3, 17]) // less than a register, and not a multiple of one
            {
                Candidates some = Starts(problem, count);
                Evaluation evaluation = new SimdBackend((LaneWidth)width).Evaluate([some], Token)[0];
                Evaluation plain = problem.Law.Close<PlainRows, Evaluation>(problem.Loss, new(some));
                Assert.Equal(plain.Residuals, evaluation.Residuals);
                Assert.Equal(plain.Jacobian, evaluation.Jacobian);
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void Evaluate_in_float_agrees_with_double_within_the_running_error(int width)
    {
        foreach (Problem problem in EveryProblem())
        {
            // Parameters and points that are floats, so that only the arithmetic differs.
            Candidates some = Starts(problem, 19);
            for (int m = 0; m < some.Parameters.Length; m++) some.Parameters[m] = (float)some.Parameters[m];
            double[] residuals = new double[19 * problem.Count], jacobian = new double[residuals.Length * problem.ParameterCount];
            new SimdBackend((LaneWidth)width).Kernel(problem, SearchPrecision.Mixed).Evaluate(problem, some.Parameters, residuals, jacobian);
            (RunningError<F32>[] r, RunningError<F32>[] j) = problem.Law.Close<BoundedRows, (RunningError<F32>[], RunningError<F32>[])>(problem.Loss, new(some));
            for (int m = 0; m < r.Length; m++) Assert.True(Math.Abs(residuals[m] - r[m].Value) <= F32.Epsilon * r[m].Error, $"{problem.Law.Name} {problem.Law.Breaks}: r[{m}] is {residuals[m]:R}, not {r[m]}");
            for (int m = 0; m < j.Length; m++) Assert.True(Math.Abs(jacobian[m] - j[m].Value) <= (F32.Epsilon * j[m].Error) + 1e-35, $"{problem.Law.Name} {problem.Law.Breaks}: J[{m}] is {jacobian[m]:R}, not {j[m]}");
        }
    }

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void Screen_ranks_starts_by_the_sum_of_squares_that_Evaluate_gives(int width)
    {
        var backend = new SimdBackend((LaneWidth)width);
        Problem[] problems = [.. EveryProblem()];
        const int starts = 131;
        var screened = backend.Screen(new(problems), new(starts, 5, starts, SearchPrecision.Double, 1, 2, 50), cancellation: Token);
        for (int k = 0; k < problems.Length; k++)
        {
            Candidates all = Starts(problems[k], starts, seed: 5);
            double[] residuals = backend.Evaluate([all], Token)[0].Residuals;
            double[] sums = [.. residuals.Chunk(problems[k].Count).Select(r => r.Sum(value => value * value))];
            int[] order = [.. Enumerable.Range(0, starts).OrderBy(start => sums[start])];
            Assert.Equal(starts, screened[k].Losses.Length);
            Assert.Empty(screened[k].StartLosses);
            for (int place = 0; place < starts; place++)
            {
                // n products and sums of squares, each rounded by ε/2; here once more.
                Assert.Equal(sums[order[place]], screened[k].Losses[place], problems[k].Count * F64.Epsilon * sums[order[place]]);
                Assert.Equal(all[order[place]], screened[k][place]);
            }
        }
    }

    // Search

    [Theory]
    [InlineData(SearchPrecision.Double)]
    [InlineData(SearchPrecision.Mixed)]
    public void Search_gives_the_same_bits_for_every_width_thread_count_and_chunk(SearchPrecision precision)
    {
        Problem[] problems = [.. EveryProblem(most: 3)];
        int starts = 60 / Scale;
        var options = new SearchOptions(starts, 7, 5, precision, 100, 1, 64);
        var reference = new SimdBackend(LaneWidth.Scalar).Search(new(problems), options, stop: Token);
        foreach (LaneWidth width in SimdBackend.Widths)
        {
            foreach (int threads in (int[])[1, 2])
            {
                foreach (int chunk in (int[])[1, 7, 64, 1000])
                    Same(reference, new SimdBackend(width).Search(new(problems), options with { Threads = threads, ChunkSize = chunk }, stop: Token), $"{width}, {threads} threads, chunks of {chunk}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void Search_does_not_depend_on_the_batch_or_its_order(int width)
    {
        Problem[] problems = [.. EveryProblem(most: 2)];
        var options = new SearchOptions(40 / Scale, 8, 4, SearchPrecision.Double, 100, 2);
        var backend = new SimdBackend((LaneWidth)width);
        var together = backend.Search(new(problems), options, stop: Token);
        Same([.. together.Reverse()], backend.Search(new(problems.Reverse()), options, stop: Token), "reversed");
        for (int k = 0; k < problems.Length; k++) Same([together[k]], backend.Search(new([problems[k]]), options, stop: Token), $"problem {k} alone");
    }

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void Search_never_ends_above_its_start_nor_outside_the_box(int width)
    {
        foreach (Problem problem in EveryProblem())
        {
            const int starts = 37;
            foreach (SearchPrecision precision in Enum.GetValues<SearchPrecision>())
            {
                SimdKernel kernel = new SimdBackend((LaneWidth)width).Kernel(problem, precision);
                Candidates from = Starts(problem, starts);
                double[] before = new double[starts], after = new double[starts], screened = new double[starts], θ = [.. from.Parameters];
                kernel.Screen(problem, θ, before);
                kernel.Search(problem, θ, after, precision == SearchPrecision.Mixed ? SimdBackend.FloatTolerance : SimdBackend.DoubleTolerance, 50, Token);
                kernel.Screen(problem, θ, screened);
                double ε = precision == SearchPrecision.Mixed ? F32.Epsilon : F64.Epsilon;
                for (int start = 0; start < starts; start++)
                {
                    // Search and screen sum the same squares in the same order.
                    Assert.True(after[start] <= before[start], $"{problem.Law.Breaks} breaks, start {start}: {before[start]:R} became {after[start]:R}");
                    Assert.Equal(screened[start], after[start], problem.Count * ε * screened[start]);
                    for (int j = 0; j < problem.ParameterCount; j++)
                        Assert.InRange(θ[(start * problem.ParameterCount) + j], Rounded(problem.Lower[j]), Rounded(problem.Upper[j]));

                    double Rounded(double bound) => precision == SearchPrecision.Mixed ? (float)bound : bound;
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryWidth))]
    public void A_start_that_is_not_finite_ends_with_a_loss_that_is_not_finite_and_disturbs_nobody(int width)
    {
        foreach (Problem problem in EveryProblem(most: 2))
        {
            const int starts = 35;
            int p = problem.ParameterCount;
            foreach (SearchPrecision precision in Enum.GetValues<SearchPrecision>())
            {
                SimdKernel kernel = new SimdBackend((LaneWidth)width).Kernel(problem, precision);
                double[] alone = [.. Starts(problem, starts).Parameters], disturbed = [.. alone], losses = new double[starts], disturbedLosses = new double[starts];
                kernel.Search(problem, alone, losses, 1e-6, 30, Token);
                for (int start = 0; start < starts; start += 3) disturbed[(start * p) + (start / 3 % p)] = double.NaN;
                kernel.Search(problem, disturbed, disturbedLosses, 1e-6, 30, Token);
                for (int start = 0; start < starts; start++)
                {
                    if (start % 3 == 0)
                    {
                        Assert.False(double.IsFinite(disturbedLosses[start]), $"{problem.Law.Name} with {problem.Law.Breaks} breaks, {problem.Loss.Name}, {precision}: θ[{start / 3 % p}] was NaN and the loss is {disturbedLosses[start]:R}.");
                    }
                    else
                    {
                        Assert.Equal(losses[start], disturbedLosses[start]);
                        Assert.Equal(alone.AsSpan(start * p, p), disturbed.AsSpan(start * p, p));
                    }
                }
            }
        }
    }

    [Fact]
    public void Search_reports_every_start_and_keeps_distinct_minima_in_ascending_order()
    {
        foreach (Candidates found in new SimdBackend().Search(new(EveryProblem()), new(90 / Scale, 1, 6, SearchPrecision.Double, 100), stop: Token))
        {
            Assert.Equal(90 / Scale, found.StartLosses.Length);
            Assert.InRange(found.Losses.Length, 1, 6);
            Assert.Equal(found.StartLosses.Min(), found.Losses[0]);
            for (int k = 1; k < found.Losses.Length; k++) Assert.True(found.Losses[k] > found.Losses[k - 1] * (1 + 1e-4));
        }
    }

    [Fact]
    public void Search_of_another_seed_starts_elsewhere()
    {
        Problem problem = EveryProblem().First();
        double[] one = Starts(problem, 3, seed: 1).Parameters, other = Starts(problem, 3, seed: 2).Parameters;
        Assert.NotEqual(one, other);
    }

    [Fact]
    public void Search_that_is_stopped_answers_with_what_it_found_and_a_start_of_every_problem()
    {
        using var stopped = new CancellationTokenSource();
        Problem[] problems = [.. EveryProblem(most: 1)];
        var options = new SearchOptions(200, 1, 2, SearchPrecision.Double, 10, 1);
        ImmutableArray<Candidates> whole = new SimdBackend().Search(new(problems), options, stop: Token);

        // After the first round; the second begins when the token is set already.
        var progress = new Doing(seen =>
        {
            if (seen.Done >= 64 * problems.Length) stopped.Cancel();
        });
        ImmutableArray<Candidates> some = new SimdBackend().Search(new(problems), options, progress, stopped.Token);
        Assert.All(some.Zip(whole), pair =>
        {
            Assert.InRange(pair.First.StartLosses.Length, 64, 199);
            Assert.Equal(pair.Second.StartLosses.Take(pair.First.StartLosses.Length), pair.First.StartLosses);
            Assert.Equal(pair.First.StartLosses.Min(), pair.First.Losses[0]);
        });

        // Before the first: screened starts.
        Assert.All(new SimdBackend().Search(new(problems), options, stop: stopped.Token), own => Assert.True(double.IsFinite(own.Losses[0])));
    }

    [Fact]
    public void Descent_ends_when_it_is_cancelled()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Problem problem = EveryProblem().First();
        var start = new double[problem.ParameterCount];
        problem.Start(0, 0, start);
        Assert.Throws<OperationCanceledException>(() => new SimdBackend().Descend([new(problem, start, [0], [])], new(1, 1, 1, SearchPrecision.Double, 10, 1), cancellation: cancelled.Token));
    }

    private sealed class Doing(Action<FitProgress> action) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => action(value);
    }

    [Fact]
    public void Progress_ends_at_the_total()
    {
        var seen = new List<FitProgress>();
        Problem[] problems = [.. EveryProblem(most: 1)];
        new SimdBackend().Search(new(problems), new(20, 1, 1, SearchPrecision.Double, 10, 1, 6), new Sink(seen), Token);
        Assert.Equal(new("search", problems.Length * 20, problems.Length * 20), seen[^1]);
        Assert.Equal(seen.Select(progress => progress.Done).Order(), seen.Select(progress => progress.Done));
    }

    private sealed class Sink(List<FitProgress> seen) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => seen.Add(value);
    }

    // Problems and plain loops

    /// <summary>Every law with every loss, on a curve with a bend, noise and replicates.</summary>
    private static IEnumerable<Problem> EveryProblem(int most = int.MaxValue)
    {
        var random = new CounterRandom(21, 0, 0);
        double[] x = [.. Enumerable.Range(0, 22).Select(i => Math.Round(50 * Math.Exp(0.35 * i))), 50];
        double[] y = [.. x.Select(value => (0.1 + (3 * Math.Pow(value, -0.2) / (1 + (value / 2000)))) * (1 + random.Uniform(-0.02, 0.02)))];
        foreach (ScalingLaw law in ScalingLaw.All.Where(law => law.Breaks <= most && (law.IsPositive || law.Breaks < 2)))
        {
            // Further inputs are powers of the first, out of step with it.
            double[] inputs = [.. x.SelectMany((value, i) => Enumerable.Range(0, law.InputCount).Select(input => Math.Pow(value, 1 + (0.3 * input)) * (1 + (input * (i % 3)))))];
            foreach (Loss loss in Loss.All) yield return new(new(inputs, law.InputCount, y), law, loss);
        }
    }

    private static Candidates Starts(Problem problem, int count, ulong seed = 3)
    {
        var θ = new double[count * problem.ParameterCount];
        for (int start = 0; start < count; start++) problem.Start(seed, start, θ.AsSpan(start * problem.ParameterCount, problem.ParameterCount));
        return new(problem, θ, new double[count], []);
    }

    private static void Same(IReadOnlyList<Candidates> expected, IReadOnlyList<Candidates> actual, string how)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int k = 0; k < expected.Count; k++)
        {
            string what = $"{expected[k].Problem.Law.Name} with {expected[k].Problem.Law.Breaks} breaks, {expected[k].Problem.Loss.Name}; {how}";
            Check("losses of the starts", expected[k].StartLosses, actual[k].StartLosses);
            Check("losses", expected[k].Losses, actual[k].Losses);
            Check("parameters", expected[k].Parameters, actual[k].Parameters);

            void Check(string name, double[] left, double[] right)
            {
                for (int m = 0; m < Math.Max(left.Length, right.Length); m++)
                {
                    if (m >= left.Length || m >= right.Length || BitConverter.DoubleToInt64Bits(left[m]) != BitConverter.DoubleToInt64Bits(right[m]))
                        Assert.Fail($"{what}: {name}[{m}] of {left.Length} and {right.Length} differ: {(m < left.Length ? left[m] : double.NaN):R}, {(m < right.Length ? right[m] : double.NaN):R}");
                }
            }
        }
    }

    /// <summary>Row by row in double, as the documentation of <see cref="Evaluation"/> lays it out.</summary>
    private readonly struct PlainRows(Candidates some) : IModelVisitor<Evaluation>
    {
        public Evaluation Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            (F64[] r, F64[] j) = Rows<F64, TLaw, TLoss>(some, x => new(x));
            return new([.. r.Select(value => value.Value)], [.. j.Select(value => value.Value)]);
        }
    }

    private readonly struct BoundedRows(Candidates some) : IModelVisitor<(RunningError<F32>[] Residuals, RunningError<F32>[] Jacobian)>
    {
        public (RunningError<F32>[] Residuals, RunningError<F32>[] Jacobian) Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => Rows<RunningError<F32>, TLaw, TLoss>(some, x => RunningError<F32>.Constant(x));
    }

    internal static (T[] Residuals, T[] Jacobian) Rows<T, TLaw, TLoss>(Candidates some, Func<double, T> number)
        where T : struct, IReal<T, bool>
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        Problem problem = some.Problem;
        int n = problem.Count, p = problem.ParameterCount, count = some.Losses.Length;
        T[] points = [.. problem.Packed.ToArray().Select(number)], residuals = new T[count * n], jacobian = new T[count * n * p];
        for (int candidate = 0; candidate < count; candidate++)
        {
            Heap<T> θ = new([.. some[candidate].ToArray().Select(number)]), work = new(new T[TLaw.WorkCount]);
            TLaw.Prepare<T, bool, Heap<T>>(θ, work);
            for (int i = 0; i < n; i++)
                residuals[(candidate * n) + i] = LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(new Heap<T>(points), i, new Heap<T>([number(problem.LogScale), number(problem.Delta)]), θ, work, new Heap<T>(jacobian), ((candidate * n) + i) * p, out _);
        }

        return (residuals, jacobian);
    }
}

/// <summary>Closing a visitor that is a value needs a place to stand.</summary>
internal static class Closing
{
    public static TResult Close<TVisitor, TResult>(this ScalingLaw law, Loss loss, TVisitor visitor)
        where TVisitor : IModelVisitor<TResult> => law.Close<TVisitor, TResult>(loss, ref visitor);
}
