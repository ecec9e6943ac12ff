using BnslGpu.Kernels;
using OwnLaw;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Problems for backends to agree on, and what agreeing means.</summary>
/// <remarks>
/// Exactly: ILGPU's simulator runs the same operations with the same rounding as scalar double on a CPU, a multiply-add fused on both. A device's compiler
/// may also fuse a multiplication with the addition after it, which rounds once less: values then agree within twice the running error bound of
/// <see cref="RunningError{TKind}"/>, and a start that stood between two minima may go to the other.
/// </remarks>
internal static class Parity
{
    /// <summary>
    /// A loss at the end of a descent agrees within ten times the tolerance at which a candidate stands: a last bit decides which step is the last.
    /// Where it decides the way, one in a hundred need not agree.
    /// </summary>
    public const double SameLoss = 10 * SimdBackend.DoubleTolerance;

    /// <summary>The best minimum of a problem agrees within this.</summary>
    public const double SameMinimum = 1e-6;

    /// <summary>Scalar double on a CPU: what every backend is held against.</summary>
    public static SimdBackend Reference { get; } = new(LaneWidth.Scalar);

    /// <summary>A plain law of the user's.</summary>
    public static ScalingLaw Own { get; } = new ScalingLaw<Plain<ExponentialLaw>>();

    /// <summary>Every law of up to four breaks, and one of the user's.</summary>
    public static ScalingLaw[] Laws { get; } =
        [.. ScalingLaw.All.Where(law => law.Breaks <= 4 && law.GetType().GetGenericArguments()[0] is { IsGenericType: false } or { Name: not "Plain`1" }), Own];

    /// <summary>Whether a kind of device gives the bits of the reference.</summary>
    public static bool IsExact(string kind) => kind is "simd" or "ilgpu-cpu";

    /// <summary>Every law with every loss; with BNSL_PARITY=all nothing is left out of the tests that take fewer for their compilers' sake.</summary>
    public static IEnumerable<(ScalingLaw Law, Loss Loss)> EveryModel => Laws.SelectMany(law => Loss.All.Select(loss => (law, loss)));

    /// <summary>Every law with one loss, in turn, and every loss with some of them.</summary>
    /// <param name="everyLoss">Which laws have every loss.</param>
    public static IEnumerable<(ScalingLaw Law, Loss Loss)> Models(Func<ScalingLaw, bool> everyLoss) =>
        EveryModel.Where(model => TakesAll || everyLoss(model.Law) || IsTurn(model.Law, model.Loss));

    /// <summary>Some laws with one loss each, in turn.</summary>
    public static IEnumerable<(ScalingLaw Law, Loss Loss)> Models(params (string Law, int Breaks)[] laws) =>
        EveryModel.Where(model => TakesAll || (laws.Contains((model.Law.Name, model.Law.Breaks)) && IsTurn(model.Law, model.Loss)));

    private static bool TakesAll { get; } = Environment.GetEnvironmentVariable("BNSL_PARITY") == "all";

    private static bool IsTurn(ScalingLaw law, Loss loss) => Loss.All[Array.IndexOf(Laws, law) % Loss.All.Length] == loss;

    /// <summary>Three problems of a model: one as it comes with a replicate; one of weighted points, with every rule there is; a long one of points with errors.</summary>
    public static IEnumerable<Problem> Problems(IEnumerable<(ScalingLaw Law, Loss Loss)> models)
    {
        foreach ((ScalingLaw law, Loss loss) in models)
        {
            Problem free = new(Curve(law, 23, 0), law, loss, 0.01);
            yield return free;
            yield return new(Curve(law, 17, 1), law, loss, 0.01, Rules(free));
            yield return new(Curve(law, 130, 2), law, loss, 0.01);
        }
    }

    /// <summary>A curve with a bend and noise; further inputs are out of step with the first. Kind 1 has weights, kind 2 errors of y.</summary>
    public static Points Curve(ScalingLaw law, int count, int kind)
    {
        var random = new CounterRandom(21, (ulong)kind, 0);
        double[] x = [.. Enumerable.Range(0, count - 1).Select(i => Math.Round(50 * Math.Exp(7.7 * i / count))), 50];
        double[] y = [.. x.Select(value => (0.1 + (3 * Math.Pow(value, -0.2) / (1 + (value / 2000)))) * (1 + random.Uniform(-0.02, 0.02)))];
        double[] inputs = [.. x.SelectMany((value, i) => Enumerable.Range(0, law.InputCount).Select(input => Math.Pow(value, 1 + (0.3 * input)) * (1 + (input * (i % 3)))))];
        double[] extra = [.. x.Select((_, i) => 0.01 * (1 + (i % 4)))];
        return new(inputs, law.InputCount, y, kind == 1 ? extra : [], kind == 2 ? extra : []);
    }

    /// <summary>A parameter fixed, one bounded, priors of both kinds, breaks or inputs tied, and a start of one's own: as far as the law has parameters for it.</summary>
    private static ParameterRules Rules(Problem free)
    {
        ScalingLaw law = free.Law;
        double[] θ = new double[law.ParameterCount], natural = new double[law.NaturalCount];
        free.Start(9, 0, θ);
        law.ToNatural(θ, free.Scale, natural, new double[natural.Length * θ.Length]);
        string[] names = [.. law.Parameters.Select(parameter => parameter.Name).Where(law.IsSearchedAlone)];
        string[] tied = law.Name switch { "chinchilla" => ["alpha", "beta"], "chinchilla3" or "chinchilla4" => ["alpha1", "alpha2"], _ => law.Breaks > 1 ? ["c"] : [] };
        double bounded = Of(names[^1]), reach = 0.2 * Math.Abs(bounded);
        return new()
        {
            Ranges = [new(names[^1], bounded - reach, bounded + reach), .. names.Length > 2 ? [new ParameterRange(names[0], Of(names[0]), Of(names[0]))] : Array.Empty<ParameterRange>()],
            Ties = tied.Length > 0 ? [[.. tied]] : [],
            Starts = [[new(names[1 % names.Length], Of(names[1 % names.Length]))], [new(names[^1], bounded)]],
            Priors = [new(names[1 % names.Length], 0.3, 0.2), new(names[^1], 0.2, 0.1, 4)],
            PriorVariance = 1e-3,
        };

        double Of(string name) => natural[law.NaturalIndices(name)[0]];
    }

    /// <summary>Starts of a problem: drawn ones, one far out, and one with a number that is none.</summary>
    public static Candidates Starts(Problem problem, int drawn)
    {
        int p = problem.ParameterCount, count = drawn + 4;
        var θ = new double[count * p];
        for (int start = 0; start < count; start++) problem.Start(3, start, θ.AsSpan(start * p, p));
        for (int j = 0; j < p; j++) θ[(drawn * p) + j] *= 3;
        (θ[((drawn + 1) * p) + (drawn % p)], θ[(drawn + 2) * p], θ[((drawn + 4) * p) - 1]) = (double.NaN, double.PositiveInfinity, double.NegativeInfinity);
        return new(problem, θ, new double[count], []);
    }

    /// <summary>Whether two backends evaluate alike.</summary>
    public static void Compare(Faults faults, IReadOnlyList<Candidates> candidates, IReadOnlyList<Evaluation> expected, IReadOnlyList<Evaluation> actual, bool exact)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int k = 0; k < expected.Count; k++)
        {
            string what = Name(candidates[k].Problem);
            if (exact)
            {
                faults.Bits($"{what}: residual", expected[k].Residuals, actual[k].Residuals);
                faults.Bits($"{what}: derivative", expected[k].Jacobian, actual[k].Jacobian);
                continue;
            }

            (RunningError<F64>[] r, RunningError<F64>[] j) = candidates[k].Problem.Law.Close<BoundedRows, (RunningError<F64>[], RunningError<F64>[])>(candidates[k].Problem.Loss, new(candidates[k]));
            faults.Within($"{what}: residual", expected[k].Residuals, actual[k].Residuals, m => 2 * F64.Epsilon * r[m].Error);
            faults.Within($"{what}: derivative", expected[k].Jacobian, actual[k].Jacobian, m => 2 * F64.Epsilon * j[m].Error);
        }
    }

    /// <summary>Whether two backends came to the same ends.</summary>
    public static void Compare(Faults faults, IReadOnlyList<Candidates> expected, IReadOnlyList<Candidates> actual, bool exact)
    {
        Assert.Equal(expected.Count, actual.Count);
        int ends = 0, others = 0;
        for (int k = 0; k < expected.Count; k++)
        {
            string what = Name(expected[k].Problem);
            if (exact)
            {
                faults.Bits($"{what}: loss", expected[k].Losses, actual[k].Losses);
                faults.Bits($"{what}: parameter", expected[k].Parameters, actual[k].Parameters);
                faults.Bits($"{what}: loss of a start", expected[k].StartLosses, actual[k].StartLosses);
                continue;
            }

            bool isSearch = expected[k].StartLosses.Length > 0;
            double[] left = isSearch ? expected[k].StartLosses : expected[k].Losses, right = isSearch ? actual[k].StartLosses : actual[k].Losses;
            if (left.Length != right.Length)
            {
                faults.Add($"{what}: {right.Length} ends of {left.Length}");
                continue;
            }

            for (int start = 0; start < left.Length; start++)
            {
                ends++;
                double off = Differ(left[start], right[start]);
                if (off > SameLoss) others++;
                else faults.Seen("ends at the same minimum, relative", off);
            }

            double best = Differ(left.Where(double.IsFinite).Min(), right.Where(double.IsFinite).Min());
            faults.Seen("best minimum, relative", best);
            if (best > SameMinimum) faults.Add($"{what}: the best minimum differs by {best:g3}");
        }

        if (ends > 0) faults.Seen("ends elsewhere, share", (double)others / ends);
        if (others > Math.Max(ends / 100, 1)) faults.Add($"{others} of {ends} starts end at another loss");

        static double Differ(double left, double right) =>
            double.IsFinite(left) && double.IsFinite(right) ? Math.Abs(left - right) / Math.Max(Math.Abs(left), 1e-20) : double.IsFinite(left) == double.IsFinite(right) ? 0 : double.PositiveInfinity;
    }

    /// <summary>A problem in words.</summary>
    public static string Name(Problem problem) => $"{problem.Law.Name} with {problem.Law.Breaks} breaks, {problem.Loss.Name}, {problem.Count} points";

    private readonly struct BoundedRows(Candidates some) : IModelVisitor<(RunningError<F64>[] Residuals, RunningError<F64>[] Jacobian)>
    {
        public (RunningError<F64>[] Residuals, RunningError<F64>[] Jacobian) Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => SimdBackendTests.Rows<RunningError<F64>, TLaw, TLoss>(some, x => RunningError<F64>.Constant(x));
    }
}

/// <summary>What is wrong, collected, so that one law's fault does not hide another's; and how large differences were.</summary>
internal sealed class Faults
{
    private readonly List<string> _faults = [];
    private readonly SortedDictionary<string, double> _seen = new(StringComparer.Ordinal);

    public void Add(string fault) => _faults.Add(fault);

    /// <summary>Notes a difference.</summary>
    public void Seen(string what, double difference) => _seen[what] = Math.Max(_seen.GetValueOrDefault(what), difference);

    /// <summary>Two arrays have the same bits; what is not a number is as good as another.</summary>
    public void Bits(string what, double[] expected, double[] actual)
    {
        if (expected.Length != actual.Length) Add($"{what}: {actual.Length} of {expected.Length}");
        for (int m = 0; m < Math.Min(expected.Length, actual.Length); m++)
        {
            if (BitConverter.DoubleToInt64Bits(expected[m]) == BitConverter.DoubleToInt64Bits(actual[m]) || (double.IsNaN(expected[m]) && double.IsNaN(actual[m]))) continue;
            Add($"{what} {m} of {expected.Length} is {actual[m]:R}, not {expected[m]:R}");
            return;
        }
    }

    /// <summary>Two arrays agree within a bound on each entry.</summary>
    public void Within(string what, double[] expected, double[] actual, Func<int, double> bound)
    {
        if (expected.Length != actual.Length) Add($"{what}: {actual.Length} of {expected.Length}");
        for (int m = 0; m < Math.Min(expected.Length, actual.Length); m++)
        {
            if (expected[m].Equals(actual[m])) continue;
            double off = Math.Abs(expected[m] - actual[m]), most = bound(m);
            Seen("difference over bound", off / most);
            if (off <= most) continue;
            Add($"{what} {m} of {expected.Length} is {actual[m]:R}, not {expected[m]:R} within {most:g3}");
            return;
        }
    }

    /// <summary>Fails where there was a fault, and says the first of them.</summary>
    public void Check(ITestOutputHelper output)
    {
        foreach ((string what, double most) in _seen) output.WriteLine($"{what}: {most:g3} at most");
        Assert.True(_faults.Count == 0, string.Join('\n', _faults.Take(12)) + (_faults.Count > 12 ? $"\n… and {_faults.Count - 12} more" : ""));
    }
}
