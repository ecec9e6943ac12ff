using System.Collections.Immutable;
using MathNet.Numerics.Distributions;

namespace BnslGpu;

/// <summary>A stretch between two breaks of a law of the BNSL family, on which y − a is nearly proportional to x^(−slope).</summary>
/// <remarks>
/// Caballero et al. 2023, arXiv:2210.14891, §2: with breaks in ascending d, the slope between d_i and d_(i+1) tends to c0 + c1 + … + c_i. Break i
/// takes the slope from a tenth to nine tenths of its change c_i between d_i 9^(−f_i) and d_i 9^(f_i): σ(log(x/d)/f) = 0.1 and 0.9.
/// Intervals are of 95 %, by Student's distribution with as many degrees of freedom as there are points more than free parameters, from the Jacobian's
/// covariance: that of a slope by var(c0 + c1 + …), that of a break's place in log d. They hold as far as residuals are independent and the law is linear
/// in its parameters over them.
/// </remarks>
public sealed record Segment
{
    /// <summary>The break that it begins with, from 1, as the fit's parameters count them; 0 for the first segment, which begins with the data.</summary>
    public required int Break { get; init; }

    /// <summary>Where it begins: d of its break, or the first fit point.</summary>
    public required double From { get; init; }

    /// <summary>Lower end of the interval of <see cref="From"/>; NaN for the first segment, and where the data do not determine it.</summary>
    public required double FromLower { get; init; }

    /// <summary>Upper end of the interval of <see cref="From"/>; NaN as <see cref="FromLower"/>.</summary>
    public required double FromUpper { get; init; }

    /// <summary>Where it ends: d of the next break, or the last fit point. The last segment goes on: the fit's value beyond the data extends it.</summary>
    public required double To { get; init; }

    /// <summary>Where the last transition of a break before it ends, or the first fit point. Below <see cref="PlainTo"/>, unless transitions leave nothing plain.</summary>
    public required double PlainFrom { get; init; }

    /// <summary>Where the first transition of a break after it begins, or the last fit point.</summary>
    public required double PlainTo { get; init; }

    /// <summary>The s of y − a ∝ x^(−s); above 0 where the distance to the limit a falls.</summary>
    public required double Slope { get; init; }

    /// <summary>Its standard error; NaN where the data do not determine one of the c that it sums.</summary>
    public required double SlopeError { get; init; }

    /// <summary>Lower end of its interval; NaN as <see cref="SlopeError"/>.</summary>
    public required double SlopeLower { get; init; }

    /// <summary>Upper end of its interval; NaN as <see cref="SlopeError"/>.</summary>
    public required double SlopeUpper { get; init; }

    /// <summary>Distinct x of fit points from <see cref="From"/> to <see cref="To"/>.</summary>
    public required int Points { get; init; }

    /// <summary>Whether there is a stretch within the data that no transition reaches: every break has there made less than a tenth or more than nine tenths of its change.</summary>
    public bool IsPlain => PlainFrom < PlainTo;

    /// <summary>The segments of a fit, in ascending x.</summary>
    /// <param name="fit">The fit, with its covariance.</param>
    /// <param name="points">The points that were fitted.</param>
    /// <returns>One more than the breaks; none for laws outside the BNSL family and for fits that are not finite.</returns>
    internal static ImmutableArray<Segment> Of(Fit fit, Points points)
    {
        if (fit.Law is not ("bnsl" or "bnsl-rising" or "bnsl-falling") || !double.IsFinite(fit.Objective) || points.Count == 0) return [];
        double t = points.Count > fit.FreeParameters ? StudentT.InvCDF(0, 1, points.Count - fit.FreeParameters, 0.975) : double.NaN;
        double[] x = [.. points.X.ToArray().Distinct()];
        ImmutableArray<double> c = Values("c"), d = Values("d"), f = Values("f");
        int count = fit.Parameters.Sum(parameter => parameter.Values.Length), atC = At("c"), atD = At("d");

        // Breaks that rules tell from one another keep the order of their start.
        int[] order = [.. Enumerable.Range(0, fit.Breaks).OrderBy(i => d[i])];
        List<int> summed = [At("c0")];
        double slope = Values("c0")[0];
        var segments = ImmutableArray.CreateBuilder<Segment>(fit.Breaks + 1);
        for (int k = 0; k <= order.Length; k++)
        {
            int? begins = k > 0 ? order[k - 1] : null, ends = k < order.Length ? order[k] : null;
            if (begins is { } i)
            {
                slope += c[i];
                summed.Add(atC + i);
            }

            double from = begins is { } own ? d[own] : x[0], to = ends is { } next ? d[next] : x[^1];
            double error = Math.Sqrt(Math.Max(summed.Sum(row => summed.Sum(column => fit.Covariance[(row * count) + column])), 0));
            double logError = begins is { } at ? Math.Sqrt(fit.Covariance[(atD + at) * (count + 1)]) / from : double.NaN;
            segments.Add(new()
            {
                Break = begins + 1 ?? 0,
                From = from,
                FromLower = from * Math.Exp(-t * logError),
                FromUpper = from * Math.Exp(t * logError),
                To = to,
                PlainFrom = order[..k].Select(b => d[b] * Math.Pow(9, f[b])).Append(x[0]).Max(),
                PlainTo = order[k..].Select(b => d[b] * Math.Pow(9, -f[b])).Append(x[^1]).Min(),
                Slope = slope,
                SlopeError = error,
                SlopeLower = slope - (t * error),
                SlopeUpper = slope + (t * error),
                Points = x.Count(value => value >= from && value <= to),
            });
        }

        return segments.MoveToImmutable();

        ImmutableArray<double> Values(string name) => fit.Parameters.FirstOrDefault(parameter => parameter.Name == name)?.Values ?? [];
        int At(string name) => fit.Parameters.TakeWhile(parameter => parameter.Name != name).Sum(parameter => parameter.Values.Length);
    }

    /// <summary>Whether a break goes from a tenth to nine tenths of its change between two neighbouring points: its place and width are not determined.</summary>
    /// <param name="d">Its place.</param>
    /// <param name="f">Its width.</param>
    /// <param name="x">The points' x, ascending, each once.</param>
    internal static bool IsSharperThanGap(double d, double f, ReadOnlySpan<double> x)
    {
        int before = 0;
        while (before < x.Length && x[before] <= d) before++;
        return before > 0 && before < x.Length && 2 * Math.Log(9) * f < Math.Log(x[before] / x[before - 1]);
    }
}
