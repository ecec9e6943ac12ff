using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>A curve whose law is known: points of a BNSL with noise, and points beyond them to forecast.</summary>
/// <remarks>
/// <code>
/// noise       of log y, log-uniform from .001 to .04
/// points      log-uniform from 6 to 1,000; at least 10 for two and three breaks, 16 for double descent
/// x           even in log x over 3 to 9 e-folds; or Δ, 2Δ, …, nΔ; or random in log x over 3 to 9 e-folds with its ends kept
/// held out    10 points even in log x, up to 2 to 7 times beyond
///
/// breaks      c₀ uniform .05 to .6; c normal, .4; log d uniform over the inner 84 % of the data; f log-uniform .1 to 1.5; in 7 of 10 curves a is 0 to .9 of the last y
/// rising      c₀ from −.6 to −.1; one break in the middle half of the data takes back 60 to 100 % of it; a = 0
/// descent     falls, then rises as x^.3 to x^1.2 for .5 to 1.5 e-folds, then falls as x^−.2 to x^−.8; f from .04 to .2 of how long it rises
/// </code>
/// Numbers are keyed by seed and curve, so that a curve is the same in a longer list.
/// </remarks>
internal sealed record PlantedCurve
{
    /// <summary>The families, in turn.</summary>
    public static ImmutableArray<string> Families { get; } = ["no break", "1 break", "2 breaks", "3 breaks", "rising", "double descent"];

    /// <summary>One of <see cref="Families"/>.</summary>
    public required string Family { get; init; }

    /// <summary>The law.</summary>
    public required ScalingLaw Law { get; init; }

    /// <summary>Its parameters in natural units.</summary>
    public required ImmutableArray<Parameter> Parameters { get; init; }

    /// <summary>Standard deviation of log y about the law.</summary>
    public required double Noise { get; init; }

    /// <summary>The points.</summary>
    public required Curve Curve { get; init; }

    /// <summary>The law at x.</summary>
    public double[] Truth(ReadOnlySpan<double> x) => Law.Predict(Parameters, x);

    /// <summary>Log of the density that the law itself gives the held-out points, per unit of y; their mean.</summary>
    public double LogDensity()
    {
        double[] truth = Truth(Curve.HeldOut.X);
        return truth.Select((at, i) => -(Math.Pow(Math.Log(Curve.HeldOut.Y[i] / at) / Noise, 2) / 2) - Math.Log(Noise * Curve.HeldOut.Y[i]) - (Math.Log(Math.Tau) / 2)).Average();
    }

    /// <summary>Plants curves.</summary>
    /// <param name="count">How many; families follow each other in turn.</param>
    /// <param name="seed">The seed.</param>
    public static PlantedCurve[] Make(int count, ulong seed) => [.. Enumerable.Range(0, count).Select(i => Make(i, new CounterRandom(seed, 0x706c616e746564, (uint)i)))];

    private const double LastX = 1e6;
    private const int HeldOut = 10;

    private static PlantedCurve Make(int number, CounterRandom random)
    {
        string family = Families[number % Families.Length];
        int breaks = family switch { "no break" => 0, "1 break" or "rising" => 1, "3 breaks" => 3, _ => 2 };
        double noise = LogUniform(ref random, 0.001, 0.04);
        int n = (int)Math.Round(LogUniform(ref random, family == "double descent" ? 16 : breaks > 1 ? 10 : 6, 1000));
        double[] u = Places(ref random, n);
        double beyond = random.Uniform(Math.Log(2), Math.Log(7));
        (double a, double c0, Break[] own) = Draw(ref random, family, breaks, -u[0]);

        // Relative to a power part of 1 at the last point; log b is that of x = 1.
        double logB = (c0 * Math.Log(LastX)) + own.Sum(one => one.C * one.F * Softplus(-one.LogD / one.F));
        ScalingLaw law = ScalingLaw.Get("bnsl", breaks);
        ImmutableArray<Parameter> parameters = law.Pack(
            [a, Math.Exp(logB), logB, c0, .. own.Select(one => one.C), .. own.Select(one => LastX * Math.Exp(one.LogD)), .. own.Select(one => one.F)]);
        return new()
        {
            Family = family,
            Law = law,
            Parameters = parameters,
            Noise = noise,
            Curve = new($"planted {number:d4}", Measured(ref random, u), Measured(ref random, [.. Enumerable.Range(1, HeldOut).Select(k => beyond * k / HeldOut)])),
        };

        Points Measured(ref CounterRandom random, double[] at)
        {
            double[] x = [.. at.Select(one => LastX * Math.Exp(one))], y = law.Predict(parameters, x);
            for (int i = 0; i < y.Length; i++) y[i] *= Math.Exp(noise * Normal(ref random));
            return new(x, y);
        }
    }

    /// <summary>A change of slope; d relative to the last point.</summary>
    private readonly record struct Break(double C, double LogD, double F);

    // u = log(x/x_last), ascending to 0.
    private static double[] Places(ref CounterRandom random, int n)
    {
        double kind = random.Uniform(), span = random.Uniform(3, 9);
        var u = new double[n];
        for (int i = 0; i < n - 1; i++)
        {
            u[i] = kind < 1 / 3.0 ? -span * (1 - (i / (n - 1.0)))
                : kind < 2 / 3.0 ? Math.Log((i + 1.0) / n)
                : i == 0 ? -span : -span * random.Uniform();
        }

        Array.Sort(u);
        return u;
    }

    private static (double A, double C0, Break[] Breaks) Draw(ref CounterRandom random, string family, int breaks, double span)
    {
        if (family == "rising")
        {
            double rise = random.Uniform(0.1, 0.6);
            return (0, -rise, [new(rise * random.Uniform(0.6, 1), -span * random.Uniform(0.25, 0.75), LogUniform(ref random, 0.1, 1.5))]);
        }

        double c0 = random.Uniform(0.05, 0.6);
        if (family == "double descent")
        {
            double first = -span * random.Uniform(0.35, 0.75), lasts = random.Uniform(0.5, Math.Min(1.5, -first - (0.1 * span)));
            double up = random.Uniform(0.3, 1.2), down = random.Uniform(0.2, 0.8);
            return (
                Limit(random.Uniform(0, 0.3)), c0,
                [new(-c0 - up, first, lasts * LogUniform(ref random, 0.04, 0.2)), new(up + down, first + lasts, lasts * LogUniform(ref random, 0.04, 0.2))]);
        }

        double a = random.Uniform() < 0.3 ? 0 : Limit(random.Uniform(0, 0.9));
        var own = new Break[breaks];
        for (int k = 0; k < breaks; k++) own[k] = new(0.4 * Normal(ref random), -span * random.Uniform(0.08, 0.92), LogUniform(ref random, 0.1, 1.5));
        return (a, c0, [.. own.OrderBy(one => one.LogD)]);

        // As a share of the last y, whose power part is 1.
        static double Limit(double share) => share / (1 - share);
    }

    private static double LogUniform(ref CounterRandom random, double low, double high) => Math.Exp(random.Uniform(Math.Log(low), Math.Log(high)));

    private static double Normal(ref CounterRandom random) => Math.Sqrt(-2 * Math.Log(random.Uniform())) * Math.Cos(Math.Tau * random.Uniform());

    private static double Softplus(double z) => Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z)));
}
