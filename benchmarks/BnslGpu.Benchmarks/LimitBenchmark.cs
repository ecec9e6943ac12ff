using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>From how far before a sharp break it can be foreseen: the limit of predictability of arXiv:2210.14891, with the global optimum and with noise.</summary>
/// <remarks>
/// The law fitted to 4-digit addition at x = 1, 2, …, 4095, its break at 612.6; the first N points are fitted and the law itself, without noise, is scored beyond
/// them. The engine's box ends d at the last fit point, so a break ahead cannot be found in it; <see cref="BnslBeyond"/> lets d lie up to ten times farther.
/// </remarks>
internal static class LimitBenchmark
{
    private const int Last = 4095;
    private const double Foreseen = 0.3;
    private static readonly double[] Noises = [0, 1e-4, 1e-3, 1e-2];
    private static readonly string[] Colours = ["#000000", "#0072B2", "#009E73", "#D55E00"];

    // a, b, log b, c0, c, d, f of the least-squares fit of log(1 + y) to the 14 points of examples/four-digit-addition.csv.
    private static readonly double[] Law = [.413885, 2.277272, Math.Log(2.277272), .0550774, 5.662906, 612.5836, .0591930];

    public static int Run(string[] args, TextWriter output)
    {
        string? figure = null;
        int draws = 5;
        for (int i = 0; i + 1 < args.Length; i += 2)
        {
            switch (args[i])
            {
                case "--figure": figure = args[i + 1]; break;
                case "--draws": draws = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"limit takes --figure FILE and --draws N; '{args[i]}' was given.", nameof(args));
            }
        }

        ScalingLaw.Add<BnslBeyond>();
        int[] counts = [80, 100, 150, 200, 250, 300, 350, 390, 405, 450, 500, 525, 550, 575, 600, 620, 640, 700, 800, 1000, 1300];
        double[] x = [.. Enumerable.Range(1, Last).Select(i => (double)i)], truth = ScalingLaw.Get("bnsl", 1).Predict(Parameters, x);
        var outcomes = new List<Outcome>();
        foreach (int n in counts)
        {
            Console.Error.Write($"\r{n} of {counts[^1]} points ");
            List<(Curve Curve, double Noise, double AtTruth)> curves = [];
            foreach (double noise in Noises)
            {
                for (int draw = 0; draw < (noise == 0 ? 1 : draws); draw++)
                {
                    double[] normal = [.. Enumerable.Range(0, n).Select(i => Normal(draw, i))];
                    double[] y = [.. normal.Select((z, i) => truth[i] * Math.Exp(noise * z))];
                    curves.Add((new Curve($"{noise:R} {draw}", new(x.AsSpan(0, n), y), new(x.AsSpan(n), truth.AsSpan(n))), noise, noise * noise * normal.Average(z => z * z)));
                }
            }

            FitOptions options = FitOptions.LeastSquares with { Laws = ["bnsl", BnslBeyond.Name], Breaks = [1], Starts = BasinHopping.ChainStarts };
            Dictionary<string, CurveFit> fitted = Fitter.Fit([.. curves.Select(one => one.Curve)], options).Curves.ToDictionary(curve => curve.Curve.Name);
            foreach ((Curve curve, double noise, double atTruth) in curves)
            {
                ImmutableArray<Fit> fits = fitted[curve.Name].Fits;

                // What lies below the law that made the data is a global optimum as far as one can know.
                outcomes.Add(new(n, noise, fits[0].Rmsle.HeldOut, fits[1].Rmsle.HeldOut, fits[1].Parameters[5].Values[0], fits[1].Objective <= Math.Max(atTruth, 1e-24)));
            }
        }

        Console.Error.WriteLine();
        Tabulate(outcomes, counts, draws, output);
        if (figure is not null) File.WriteAllText(figure, Figure(outcomes, counts));
        return 0;
    }

    /// <summary>Errors beyond N of both boxes, the d of the wide one, and whether its fit lies as low as the law that made the data.</summary>
    private sealed record Outcome(int Count, double Noise, double Within, double Beyond, double Break, bool IsLow);

    private static ImmutableArray<Parameter> Parameters =>
        [new("a", false, [Law[0]]), new("b", false, [Law[1]]), new("logB", false, [Law[2]]), new("c0", false, [Law[3]]), new("c", true, [Law[4]]), new("d", true, [Law[5]]), new("f", true, [Law[6]])];

    private static double Normal(int draw, int point)
    {
        var random = new CounterRandom(2023, (ulong)draw, (uint)point);
        return Math.Sqrt(-2 * Math.Log(random.Uniform())) * Math.Cos(Math.Tau * random.Uniform());
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Tabulate(List<Outcome> outcomes, int[] counts, int draws, TextWriter output)
    {
        output.WriteLine($"""
            # How early a sharp break can be foreseen

            The law of 4-digit addition (arXiv:2210.14891) at x = 1, 2, …, {Last}: its break is at d = 612.6, and its transition goes from a tenth to nine tenths between 538
            and 698. The first N points are fitted with one break (loss msle, {BasinHopping.ChainStarts} starts), with noise of log y of this standard deviation; the score is the RMSLE
            of the fit against the law itself at all x from N + 1 to {Last}. With noise it is the median of {draws} draws. "d ≤ 10 N" is a box that lets the break lie
            ahead of the data, "d ≤ N" the one that `bnsl fit` has. A break counts as foreseen from the N on from which the error stays below {Foreseen.ToString(CultureInfo.InvariantCulture)}; the
            limit a = .414 is nearly reached only behind x = 2000.

            Ahead of the break its trace in log(y - a) is c f (x/d)^(1/f), here .34 (x/d)^16.9: each tenth of the noise lets one see it 10^(1/16.9) earlier, 13 % of x, and no
            optimum changes that. Without noise only rounding is left: what limits a fit then is how far its flat valley is followed, in the paper (whose limit lies between
            390 and 405 points) as here (N = 250 to 450 below).

            | box | noise | foreseen from N = | decades before the break |
            |---|---|---|---|
            """);
        foreach (bool beyond in (bool[])[true, false])
        {
            foreach (double noise in Noises)
            {
                int first = counts.Reverse().TakeWhile(n => Error(outcomes, n, noise, beyond) < Foreseen).DefaultIfEmpty(0).Last();
                string ahead = first == 0 ? "" : Math.Log10(Law[5] / first).ToString("F2", CultureInfo.InvariantCulture);
                output.WriteLine($"| {(beyond ? "d ≤ 10 N" : "d ≤ N")} | {Noise(noise)} | {(first == 0 ? $"not by {counts[^1]}" : $"{first}")} | {ahead} |");
            }
        }

        int low = outcomes.Count(outcome => outcome.IsLow);
        output.WriteLine();
        output.WriteLine($"Of {outcomes.Count} fits in the wide box {low} lie no higher than the law that made their data, as a global optimum must (without noise: a mean square of at most 1e-24) ({string.Join(", ", Noises.Select(noise => $"noise {Noise(noise)}: {outcomes.Count(outcome => outcome.Noise == noise && outcome.IsLow)} of {outcomes.Count(outcome => outcome.Noise == noise)}"))}).");
        output.WriteLine();
        output.WriteLine($"| N | {string.Join(" | ", Noises.Select(noise => $"noise {Noise(noise)}"))} | {string.Join(" | ", Noises.Select(noise => $"d, noise {Noise(noise)}"))} | d ≤ N, noise 0 | d ≤ N, noise {Noise(Noises[^1])} |");
        output.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---|", (2 * Noises.Length) + 2))}");
        foreach (int n in counts)
        {
            IEnumerable<string> errors = Noises.Select(noise => Error(outcomes, n, noise, true).ToString("g3", CultureInfo.InvariantCulture));
            IEnumerable<string> places = Noises.Select(noise => Median(outcomes.Where(one => one.Count == n && one.Noise == noise).Select(one => one.Break)).ToString("g5", CultureInfo.InvariantCulture));
            IEnumerable<string> within = new[] { Noises[0], Noises[^1] }.Select(noise => Error(outcomes, n, noise, false).ToString("g3", CultureInfo.InvariantCulture));
            output.WriteLine($"| {n} | {string.Join(" | ", errors.Concat(places).Concat(within))} |");
        }
    }

    private static double Error(List<Outcome> outcomes, int n, double noise, bool beyond) =>
        Median(outcomes.Where(one => one.Count == n && one.Noise == noise).Select(one => beyond ? one.Beyond : one.Within));

    private static string Noise(double noise) => noise == 0 ? "0" : noise.ToString("0e0", CultureInfo.InvariantCulture);

    /// <summary>Error beyond N against N, a line a noise; dashed in the engine's box.</summary>
    private static string Figure(List<Outcome> outcomes, int[] counts)
    {
        const double Left = 60, Right = 466, Top = 34, Bottom = 314, Least = 1e-14, LegendLeft = Right - 184, LegendTop = Bottom - 142;
        static double Room(Tick one, Tick next) => ((one.Ems + next.Ems) / 2 * 10) + 12;
        var across = new LinearAxis(0, counts[^1] + 20, Left, Right, Room);
        var up = new LogAxis(-14, 1, Bottom, Top, (_, _) => 22);
        var svg = new StringBuilder();
        svg.Append("""
            <svg xmlns="http://www.w3.org/2000/svg" width="480pt" height="360pt" viewBox="0 0 480 360"
                font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" font-size="10" fill="#333333">
            <title>How early a sharp break can be foreseen</title>
            <rect width="480" height="360" fill="#ffffff"/>
            <text x="263" y="18" font-size="12" font-weight="bold" text-anchor="middle">Error beyond the first N points, by noise</text>

            """);
        foreach (Tick tick in across.Labelled)
        {
            Line(across.Place(tick.Value), Top, across.Place(tick.Value), Bottom, "stroke='#e4e4e4' stroke-width='0.6'");
            svg.Append($"<text x='{SvgPlot.N(across.Place(tick.Value))}' y='{SvgPlot.N(Bottom + 14)}' text-anchor='middle'>{tick.Text}</text>\n");
        }

        foreach (Tick tick in up.Labelled)
        {
            Line(Left, up.Place(tick.Value), Right, up.Place(tick.Value), "stroke='#e4e4e4' stroke-width='0.6'");
            svg.Append($"<text x='{SvgPlot.N(Left - 6)}' y='{SvgPlot.N(up.Place(tick.Value) + 3)}' text-anchor='end'>{tick.Text}<tspan dy='-4' font-size='7'>{tick.Exponent}</tspan></text>\n");
        }

        Line(across.Place(Law[5]), Top, across.Place(Law[5]), Bottom, "stroke='#666666' stroke-width='0.8' stroke-dasharray='1 2.5'");
        Line(Left, up.Place(Foreseen), Right, up.Place(Foreseen), "stroke='#999999' stroke-width='0.8' stroke-dasharray='4 3'");
        for (int k = 0; k < Noises.Length; k++)
        {
            foreach (bool beyond in (bool[])[true, false])
            {
                if (!beyond && k > 0) continue;
                string path = string.Join(' ', counts.Select((n, i) => $"{(i == 0 ? "M" : "L")}{SvgPlot.N(across.Place(n))},{SvgPlot.N(up.Place(Math.Max(Error(outcomes, n, Noises[k], beyond), Least)))}"));
                svg.Append($"<path fill='none' stroke='{Colours[k]}' stroke-width='1.6' {(beyond ? "" : "stroke-dasharray='5 3' ")}d='{path}'/>\n");
            }
        }

        string[] keys = [.. Noises.Select(noise => noise == 0 ? "no noise" : $"noise {Noise(noise)}"), "no noise, d not beyond the data"];
        svg.Append($"<rect x='{SvgPlot.N(LegendLeft)}' y='{SvgPlot.N(LegendTop)}' width='176' height='74' fill='#ffffff' fill-opacity='.85' stroke='#cccccc' stroke-width='0.5'/>\n");
        for (int k = 0; k < keys.Length; k++)
        {
            double y = LegendTop + 10 + (13.5 * k);
            Line(LegendLeft + 6, y, LegendLeft + 30, y, $"stroke='{Colours[k % Colours.Length]}' stroke-width='1.6'{(k < Noises.Length ? "" : " stroke-dasharray='5 3'")}");
            svg.Append($"<text x='{SvgPlot.N(LegendLeft + 36)}' y='{SvgPlot.N(y + 3.4)}' font-size='9.5'>{keys[k]}</text>\n");
        }

        svg.Append($"<rect x='{Left}' y='{Top}' width='{Right - Left}' height='{Bottom - Top}' fill='none' stroke='#333333' stroke-width='0.8'/>\n");
        svg.Append($"<text x='263' y='{SvgPlot.N(Bottom + 33)}' font-size='12' text-anchor='middle'>points fitted, x = 1 … N; the break is at 612.6</text>\n");
        svg.Append("<text x='16' y='174' font-size='12' text-anchor='middle' transform='rotate(-90 16 174)'>RMSLE beyond</text>\n");
        return svg.Append("</svg>\n").ToString();

        void Line(double x1, double y1, double x2, double y2, string style) =>
            svg.Append($"<line x1='{SvgPlot.N(x1)}' y1='{SvgPlot.N(y1)}' x2='{SvgPlot.N(x2)}' y2='{SvgPlot.N(y2)}' {style}/>\n");
    }
}

/// <summary>BNSL with one break that may lie ahead of the data, up to ten times the last fit point.</summary>
public readonly struct BnslBeyond : IScalingLaw
{
    private const int C = 3, LogD = 4, LogF = 5;

    /// <inheritdoc/>
    public static string Name => "bnsl-beyond";

    /// <inheritdoc/>
    public static string Formula => Bnsl<Breaks1>.Formula;

    /// <inheritdoc/>
    public static string Source => Bnsl<Breaks1>.Source;

    /// <inheritdoc/>
    public static int Breaks => 1;

    /// <inheritdoc/>
    public static int ParameterCount => Bnsl<Breaks1>.ParameterCount;

    /// <inheritdoc/>
    public static int WorkCount => Bnsl<Breaks1>.WorkCount;

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => Bnsl<Breaks1>.Natural;

    /// <inheritdoc/>
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T> => Bnsl<Breaks1>.Prepare<T, TMask, TArray>(θ, work);

    /// <inheritdoc/>
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T> => Bnsl<Breaks1>.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row);

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range)
    {
        (double lower, double upper) = Bnsl<Breaks1>.Bounds(parameter, range);
        return (lower, parameter == LogD ? Math.Log(10) : upper);
    }

    /// <summary>As BNSL starts; then in half of the starts the break lies ahead, with a strength from 1 to 10 and a width from .02 to .5.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        bool ahead = random.Uniform() < 0.5;
        (double c, double logD, double logF) = Ahead(ref random);
        Bnsl<Breaks1>.Start(random, shape, θ);
        if (ahead) (θ[C], θ[LogD], θ[LogF]) = (new F64(c), new F64(logD), new F64(logF));
    }

    /// <inheritdoc/>
    public static bool Hop<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        if (random.Uniform() < 0.5) return Bnsl<Breaks1>.Hop(random, shape, θ);
        (double c, double logD, double logF) = Ahead(ref random);
        (θ[C], θ[LogD], θ[LogF]) = (new F64(c), new F64(logD), new F64(logF));
        return true;
    }

    private static (double C, double LogD, double LogF) Ahead(ref CounterRandom random) =>
        (Math.Exp(random.Uniform(0, Math.Log(10))), random.Uniform(0, Math.Log(10)), random.Uniform(Math.Log(0.02), Math.Log(0.5)));

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian) => Bnsl<Breaks1>.ToNatural(θ, scale, natural, jacobian);

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) => Bnsl<Breaks1>.FromNatural(natural, scale, θ);
}
