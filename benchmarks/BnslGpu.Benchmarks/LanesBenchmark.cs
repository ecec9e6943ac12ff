using System.Globalization;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>What one Levenberg-Marquardt iteration costs a candidate, on registers of every width and without them.</summary>
/// <remarks>
/// The engine's own search runs, refill and all, with tolerance 0 and so few steps that no candidate can be given up: every contestant then makes
/// exactly <see cref="Candidates"/> × (<see cref="Steps"/> + 1) iterations (value, gradient, normal equations; acceptance; the next step).
/// All contestants are one source over another kind of number. Ratios are taken within a round and against the faster scalar.
/// </remarks>
internal static class LanesBenchmark
{
    private const int Candidates = 64;

    /// <summary>λ grows fourfold a refused step, from .03: after 15 it cannot have passed the 1e9 at which a start is given up.</summary>
    private const int Steps = 15;

    private static readonly int[] PointCounts = [14, 60];

    public static int Run(string[] args, TextWriter output)
    {
        int rounds = 21;
        if (args is ["--rounds", var number]) rounds = int.Parse(number, CultureInfo.InvariantCulture);
        else if (args.Length != 0) throw new ArgumentException($"lanes takes --rounds N; '{string.Join(' ', args)}' was given.", nameof(args));
        Timing.StayOnOneCore();
        output.WriteLine($"""
            # One Levenberg-Marquardt iteration of a candidate

            {Timing.Machine()}
            - law bnsl, loss msle, planted curves; {Candidates} candidates, {Steps + 1} iterations each; one core; medians [least..most] of {rounds} rounds
            - ratio: time of the faster scalar (marked *) over time of this contestant, within a round
            """);
        foreach (int points in PointCounts)
        {
            output.WriteLine();
            output.WriteLine("| points | breaks | numbers | ns per candidate and iteration | million points/s | ratio |");
            output.WriteLine("|---|---|---|---|---|---|");
            Measure<Breaks0>(points, rounds, output);
            Measure<Breaks1>(points, rounds, output);
            Measure<Breaks2>(points, rounds, output);
            Measure<Breaks3>(points, rounds, output);
        }

        return 0;
    }

    private static void Measure<TBreaks>(int points, int rounds, TextWriter output)
        where TBreaks : struct, IBreaks
    {
        var problem = new Problem(Planted(points), ScalingLaw.Get("bnsl", TBreaks.Count), Loss.Get("msle"));
        int p = problem.ParameterCount;
        var starts = new double[Candidates * p];
        for (int start = 0; start < Candidates; start++) problem.Start(0, start, starts.AsSpan(start * p, p));

        (string Name, SimdKernel Kernel)[] contestants =
        [
            ("double, scalar, Math.Exp, no fma", SimdKernel<MathReal, bool, double, Bnsl<TBreaks>, Msle>.Instance),
            ("double, scalar, the engine's", SimdKernel<F64, bool, double, Bnsl<TBreaks>, Msle>.Instance),
            .. Vector128.IsHardwareAccelerated ? Both<Lanes128<double>, Vector128<double>, Lanes128<float>, Vector128<float>, TBreaks>(128) : [],
            .. Vector256.IsHardwareAccelerated ? Both<Lanes256<double>, Vector256<double>, Lanes256<float>, Vector256<float>, TBreaks>(256) : [],
            .. Vector512.IsHardwareAccelerated ? Both<Lanes512<double>, Vector512<double>, Lanes512<float>, Vector512<float>, TBreaks>(512) : [],
        ];
        var θ = new double[starts.Length];
        var losses = new double[contestants.Length][];
        Action[] actions = [.. contestants.Select((contestant, index) => (Action)(() =>
        {
            starts.CopyTo(θ, 0);
            losses[index] ??= new double[Candidates];
            contestant.Kernel.Search(problem, θ, losses[index], 0, Steps, default);
        }))];
        double[][] seconds = Timing.Rounds(actions, rounds);

        // A wrong answer is not fast: every width of double ends where the engine's scalar does, bit by bit.
        for (int index = 2; index < contestants.Length; index += 2)
            if (!losses[index].AsSpan().SequenceEqual(losses[1])) throw new InvalidOperationException($"{contestants[index].Name} ends elsewhere than {contestants[1].Name}.");

        int scalar = Timing.Median(seconds[0]) < Timing.Median(seconds[1]) ? 0 : 1;
        for (int index = 0; index < contestants.Length; index++)
        {
            double ns = Timing.Median(seconds[index]) * 1e9 / (Candidates * (Steps + 1));
            double[] ratios = [.. seconds[index].Select((time, round) => seconds[scalar][round] / time)];
            output.WriteLine($"| {points} | {TBreaks.Count} | {contestants[index].Name}{(index == scalar ? " *" : "")} | {ns:F0} | {1e3 * points / ns:F1} "
                + $"| {Timing.Median(ratios):F2} [{ratios.Min():F2}..{ratios.Max():F2}] |");
        }
    }

    private static (string Name, SimdKernel Kernel)[] Both<TDouble, TDoubleMask, TFloat, TFloatMask, TBreaks>(int bits)
        where TDouble : unmanaged, ILanes<TDouble, TDoubleMask, double>
        where TDoubleMask : struct
        where TFloat : unmanaged, ILanes<TFloat, TFloatMask, float>
        where TFloatMask : struct
        where TBreaks : struct, IBreaks =>
    [
        ($"double, {bits} bits", SimdKernel<TDouble, TDoubleMask, double, Bnsl<TBreaks>, Msle>.Instance),
        ($"float, {bits} bits", SimdKernel<TFloat, TFloatMask, float, Bnsl<TBreaks>, Msle>.Instance),
    ];

    /// <summary>A curve with three breaks and noise of .005 in log y, over four decades.</summary>
    internal static Points Planted(int count)
    {
        var random = new CounterRandom(1, 1, 0);
        var x = new double[count];
        var y = new double[count];
        for (int i = 0; i < count; i++)
        {
            double u = 9.2 * i / (count - 1), logG = -0.2 * u;
            foreach ((double c, double logD, double f) in new[] { (0.3, 2.5, 0.3), (-0.25, 5.0, 0.4), (0.4, 7.0, 0.2) })
                logG -= c * f * Math.Log(1 + Math.Exp((u - logD) / f));
            x[i] = 1e4 * Math.Exp(u);
            y[i] = (0.1 + Math.Exp(logG)) * Math.Exp(0.01 * (random.Uniform() + random.Uniform() - 1));
        }

        return new(x, y);
    }
}
