using System.Collections.Immutable;
using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace BnslGpu;

/// <summary>What a forecast is about at some x.</summary>
public enum ForecastOf
{
    /// <summary>A new measurement there, noise and all.</summary>
    Measurement,

    /// <summary>The curve: what measurements there have for their median.</summary>
    Curve,
}

/// <summary>One of the laws that a forecast is made of. Beyond the last fit point, log y is distributed about log law(x) + <see cref="Offset"/>.</summary>
/// <remarks>With h = log(x/x_last), and 0 before it, the variance of the curve is OffsetVariance + Drift h + Bend h²; a measurement's is that and Noise².</remarks>
public sealed record ForecastMember
{
    /// <summary>Name of the law.</summary>
    public required string Law { get; init; }

    /// <summary>Its number of breaks.</summary>
    public required int Breaks { get; init; }

    /// <summary>Its parameters in natural units.</summary>
    public required ImmutableArray<Parameter> Parameters { get; init; }

    /// <summary>Its share of the distribution; shares sum to one.</summary>
    public required double Weight { get; init; }

    /// <summary>Its share of the point forecast; these sum to one too. Who sees best where a curve goes need not know best how far off that may be.</summary>
    public required double PointWeight { get; init; }

    /// <summary>What the curve is off the law at the last fit point, in log y.</summary>
    public double Offset { get; init; }

    /// <summary>Variance of that.</summary>
    public double OffsetVariance { get; init; }

    /// <summary>Variance that the curve gains per unit of log x.</summary>
    public double Drift { get; init; }

    /// <summary>Variance that it gains with the square of log x.</summary>
    public double Bend { get; init; }

    /// <summary>Standard deviation of a measurement about the curve, in log y.</summary>
    public double Noise { get; init; }

    /// <summary>Degrees of freedom of Student's distribution; infinite for Gauss's. The variances above are then squared scales.</summary>
    public double Degrees { get; init; } = double.PositiveInfinity;
}

/// <summary>What is said about points that were not fitted: at every x a distribution of log y, a mixture over laws.</summary>
public sealed record Forecast
{
    /// <summary>The levels of intervals that reports give: 50, 80 and 95 %.</summary>
    public static ImmutableArray<double> Levels { get; } = [0.5, 0.8, 0.95];

    /// <summary>How far beyond the last fitted x reports look: so many times that.</summary>
    internal static ImmutableArray<double> Ahead { get; } = [2, 10];

    /// <summary>What it is made of.</summary>
    public required ImmutableArray<ForecastMember> Members { get; init; }

    /// <summary>The last fitted x.</summary>
    public required double LastX { get; init; }

    /// <summary>The forecast: the y whose log is the members' mean at each x, by <see cref="ForecastMember.PointWeight"/>.</summary>
    /// <param name="x">Where. &gt; 0.</param>
    /// <returns>Shape as <paramref name="x"/>.</returns>
    public double[] Predict(ReadOnlySpan<double> x)
    {
        var y = new double[x.Length];
        foreach ((ForecastMember member, double[] logs) in Curves(x))
            for (int i = 0; i < y.Length && member.PointWeight > 0; i++) y[i] += member.PointWeight * logs[i];
        for (int i = 0; i < y.Length; i++) y[i] = Math.Exp(y[i]);
        return y;
    }

    /// <summary>Central intervals of y.</summary>
    /// <param name="x">Where. &gt; 0.</param>
    /// <param name="level">Probability inside, in (0, 1).</param>
    /// <param name="of">Of a measurement or of the curve.</param>
    public (double[] Lower, double[] Upper) Interval(ReadOnlySpan<double> x, double level, ForecastOf of = ForecastOf.Measurement)
    {
        double[][] ends = Quantiles(x, [(1 - level) / 2, (1 + level) / 2], of);
        return (ends[0], ends[1]);
    }

    /// <summary>Quantiles of y.</summary>
    /// <param name="x">Where. &gt; 0.</param>
    /// <param name="probability">In (0, 1).</param>
    /// <param name="of">Of a measurement or of the curve.</param>
    /// <returns>Shape as <paramref name="x"/>.</returns>
    public double[] Quantile(ReadOnlySpan<double> x, double probability, ForecastOf of = ForecastOf.Measurement) => Quantiles(x, [probability], of)[0];

    private double[][] Quantiles(ReadOnlySpan<double> x, double[] probabilities, ForecastOf of)
    {
        foreach (double p in probabilities)
            if (!(p is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(probabilities), p, "expected a number in (0, 1)");
        (double[] means, double[] scales) = Spreads(x, of);
        return Array.ConvertAll(probabilities, probability => Quantiles(means, scales, probability));
    }

    private double[] Quantiles(double[] means, double[] scales, double probability)
    {
        var y = new double[means.Length / Members.Length];
        int count = Members.Length;
        var own = new double[count];
        for (int k = 0; k < count; k++) own[k] = k > 0 && Members[k].Degrees.Equals(Members[k - 1].Degrees) ? own[k - 1] : Inverse(Members[k].Degrees, probability);
        for (int i = 0; i < y.Length; i++) y[i] = Math.Exp(Invert(means.AsSpan(i * count, count), scales.AsSpan(i * count, count), own, probability));
        return y;
    }

    /// <summary>How far <see cref="Reach"/> looks: up to so many times <see cref="LastX"/>.</summary>
    public const double Farthest = 1000;

    /// <summary>The scale at which the curve comes down to a level: the first x from <see cref="LastX"/> on with P(curve(x) ≤ y) ≥ p.</summary>
    /// <remarks>
    /// It is where the curve's quantile of p has come down to y. Of curves that do not rise it is the quantile of p of the first x at which y is reached; a curve
    /// that rises again may have reached it earlier. P is taken at 512 steps of log x and then by bisection: a stay at y or below that ends within a step is not seen.
    /// </remarks>
    /// <param name="y">The level. &gt; 0.</param>
    /// <param name="probabilities">p, each in (0, 1).</param>
    /// <returns>
    /// x of each p: <see cref="LastX"/> where it is so there already, +∞ where it is not so within <see cref="Farthest"/> times that. Shape as <paramref name="probabilities"/>.
    /// </returns>
    public double[] Reach(double y, ReadOnlySpan<double> probabilities)
    {
        if (!(y > 0)) throw new ArgumentOutOfRangeException(nameof(y), y, "expected a number above 0");
        foreach (double p in probabilities)
            if (!(p is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(probabilities), p, "expected a number in (0, 1)");
        const int Steps = 512;
        double z = Math.Log(y), step = Math.Log(Farthest) / Steps;
        double[] coarse = Below([.. Enumerable.Range(0, Steps + 1).Select(i => LastX * Math.Exp(i * step))], z);
        var reached = new double[probabilities.Length];
        for (int k = 0; k < reached.Length; k++)
        {
            double p = probabilities[k];
            int first = Array.FindIndex(coarse, below => below >= p);
            double low = (first - 1) * step, high = first * step;
            while (first > 0 && high - low > 1e-12)
            {
                double middle = (low + high) / 2;
                if (Below([LastX * Math.Exp(middle)], z)[0] >= p) high = middle;
                else low = middle;
            }

            reached[k] = first < 0 ? double.PositiveInfinity : LastX * Math.Exp(high);
        }

        return reached;
    }

    /// <summary>P(log curve(x) ≤ z).</summary>
    private double[] Below(double[] x, double z)
    {
        (double[] means, double[] scales) = Spreads(x, ForecastOf.Curve);
        int count = Members.Length;
        return [.. x.Select((_, i) => Members.Select((member, k) => member.Weight * Below(member.Degrees, (z - means[(i * count) + k]) / scales[(i * count) + k])).Sum())];
    }

    /// <summary>Log of the density of measurements at points, per unit of y.</summary>
    /// <param name="x">Where. &gt; 0.</param>
    /// <param name="y">What was measured. &gt; 0. Shape as <paramref name="x"/>.</param>
    public double[] LogDensity(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        (double[] means, double[] scales) = Spreads(x, ForecastOf.Measurement);
        var densities = new double[x.Length];
        int count = Members.Length;
        var terms = new double[count];
        for (int i = 0; i < densities.Length; i++)
        {
            double log = Math.Log(y[i]);
            for (int k = 0; k < count; k++) terms[k] = Math.Log(Members[k].Weight) + LogDensity(Members[k].Degrees, (log - means[(i * count) + k]) / scales[(i * count) + k]) - Math.Log(scales[(i * count) + k]);
            double most = terms.Max();
            densities[i] = most + Math.Log(terms.Sum(term => Math.Exp(term - most))) - log;
        }

        return densities;
    }

    // Shape [points, members].
    private (double[] Means, double[] Scales) Spreads(ReadOnlySpan<double> x, ForecastOf of)
    {
        int count = Members.Length;
        var means = new double[x.Length * count];
        var scales = new double[means.Length];
        int k = 0;
        foreach ((ForecastMember member, double[] logs) in Curves(x))
        {
            for (int i = 0; i < x.Length; i++)
            {
                double h = Math.Max(Math.Log(x[i] / LastX), 0);
                double variance = member.OffsetVariance + (member.Drift * h) + (member.Bend * h * h) + (of == ForecastOf.Measurement ? member.Noise * member.Noise : 0);
                means[(i * count) + k] = logs[i];
                scales[(i * count) + k] = Math.Sqrt(Math.Max(variance, LeastVariance));
            }

            k++;
        }

        return (means, scales);
    }

    // A law through every point has no noise; a density needs some.
    private const double LeastVariance = 1e-18;

    private List<(ForecastMember Member, double[] Logs)> Curves(ReadOnlySpan<double> x)
    {
        var curves = new List<(ForecastMember, double[])>(Members.Length);
        foreach (ForecastMember member in Members)
        {
            double[] logs = ScalingLaw.Get(member.Law, member.Breaks).Predict(member.Parameters, x);
            for (int i = 0; i < logs.Length; i++) logs[i] = Math.Log(logs[i]) + member.Offset;
            curves.Add((member, logs));
        }

        return curves;
    }

    /// <summary>The z at which the mixture's distribution function is p, by bisection and Newton's steps within it.</summary>
    private double Invert(ReadOnlySpan<double> means, ReadOnlySpan<double> scales, double[] quantiles, double p)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        for (int k = 0; k < means.Length; k++)
        {
            // Each member's own quantile; the mixture's lies among them.
            double own = means[k] + (scales[k] * quantiles[k]);
            (low, high) = (Math.Min(low, own), Math.Max(high, own));
        }

        if (!(low < high)) return low;
        double z = (low + high) / 2;
        for (int step = 0; step < 100; step++)
        {
            double below = -p, density = 0;
            for (int k = 0; k < means.Length; k++)
            {
                double t = (z - means[k]) / scales[k], ν = Members[k].Degrees;
                below += Members[k].Weight * Below(ν, t);
                density += Members[k].Weight * Density(ν, t) / scales[k];
            }

            if (below < 0) low = z;
            else high = z;
            double next = z - (below / density);
            if (!(next > low && next < high)) next = (low + high) / 2;
            if (Math.Abs(next - z) <= 1e-12 * Math.Max(1, Math.Abs(z))) return next;
            z = next;
        }

        return z;
    }

    private static double LogDensity(double ν, double t) =>
        double.IsPositiveInfinity(ν) ? -(t * t / 2) - Constants.LogSqrt2Pi
        : ν == 4 ? -0.9808292530117262 - (2.5 * Math.Log(1 + (t * t / 4))) // log 3/8
        : SpecialFunctions.GammaLn((ν + 1) / 2) - SpecialFunctions.GammaLn(ν / 2) - (Math.Log(ν * Math.PI) / 2) - ((ν + 1) / 2 * SpecialFunctions.Log1p(t * t / ν));

    // As LogDensity, with a root where four degrees have one.
    private static double Density(double ν, double t)
    {
        if (ν != 4) return Math.Exp(LogDensity(ν, t));
        double u = 1 + (t * t / 4);
        return 0.375 / (u * u * Math.Sqrt(u));
    }

    private static double Below(double ν, double t) =>
        double.IsPositiveInfinity(ν) ? SpecialFunctions.Erfc(-t / Constants.Sqrt2) / 2
        : ν == 4 ? BelowOfFour(t)
        : StudentT.CDF(0, 1, ν, t);

    // Four degrees have a plain formula, s = t/√(4 + t²): 1/2 + 3s/4 − s³/4.
    private static double BelowOfFour(double t)
    {
        double s = t / Math.Sqrt(4 + (t * t));
        return 0.5 + (s * (3 - (s * s)) / 4);
    }

    private static double Inverse(double ν, double p) => double.IsPositiveInfinity(ν) ? -Constants.Sqrt2 * SpecialFunctions.ErfcInv(2 * p) : StudentT.InvCDF(0, 1, ν, p);
}
