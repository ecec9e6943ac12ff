using System.Collections.Immutable;
using System.Globalization;
using BnslGpu.Formats;

namespace BnslGpu;

/// <summary>What the chosen fit says of its curve, as sentences for a person. What is wrong with it is said by its warnings; here nothing is said twice.</summary>
internal static class FitSentences
{
    // Differences of AICc (Burnham and Anderson 2002, §2.6): two units are worth a factor e in likelihood, too little to tell a break from noise;
    // above ten there is essentially no support for the other fit.
    private const double Indistinct = 2, Clear = 10;

    /// <summary>A slope or place is told with no fewer digits than these.</summary>
    private const int Digits = 3;

    /// <summary>The sentences; none for laws of several inputs and for x that has no logarithm.</summary>
    public static ImmutableArray<string> Of(Curve curve, ImmutableArray<Fit> fits, int chosen)
    {
        Fit fit = fits[chosen];
        if (fit.Segments.IsEmpty || curve.Fit.Inputs != 1 || !(curve.Fit.X[0] > 0)) return [];
        return [Shape(fit), .. Places(fit, curve.Fit), .. Unseen(fit), .. Evidence(curve.Fit, fits, chosen), .. Reach(curve, fit)];
    }

    /// <summary>Whether the fit without breaks is as good by AICc as the chosen one, which has some.</summary>
    public static bool NoBreakWouldDo(ImmutableArray<Fit> fits, int chosen) =>
        fits[chosen].Breaks > 0 && WithBreaks(fits, chosen, 0) is { } plain && plain.Aicc - fits[chosen].Aicc < Indistinct;

    private static Fit? WithBreaks(ImmutableArray<Fit> fits, int chosen, int breaks) =>
        fits.FirstOrDefault(fit => fit.Law == fits[chosen].Law && fit.Breaks == breaks);

    /// <summary>Segments with two points or more, which alone show a slope, and the last one, which a forecast follows whatever shows it.</summary>
    private static IEnumerable<Segment> Told(Fit fit) => fit.Segments.Where((segment, i) => segment.Points >= 2 || i == fit.Segments.Length - 1);

    /// <summary>"2 segments: y - 0.417 falls as x^-0.0551 up to 612.8, then as x^-5.75."</summary>
    internal static string Shape(Fit fit)
    {
        double a = fit.Parameters[0].Values[0];
        string limit = Readable.Number(Math.Abs(a), Digits);
        string distance = fit.Law == "bnsl-rising" ? $"{(a < 0 ? "-" : "")}{limit} - y" : a == 0 ? "y" : $"y {(a < 0 ? "+" : "-")} {limit}";
        Segment[] segments = [.. Told(fit)];
        var pieces = new List<string>();
        string before = "";
        for (int i = 0; i < segments.Length; i++)
        {
            double slope = segments[i].Slope;
            string verb = slope > 0 ? "falls as" : slope < 0 ? "rises as" : "stays";
            string power = slope == 0 ? "as it is" : $"x^{Readable.Number(-slope, Digits)}";
            string until = i < segments.Length - 1 ? $" up to {Place(fit.Segments[fit.Segments.IndexOf(segments[i]) + 1])}" : "";
            pieces.Add($"{(i > 0 && i == segments.Length - 1 ? "then " : "")}{(verb == before && slope != 0 ? "as" : verb)} {power}{until}");
            before = verb;
        }

        return $"{(segments.Length == 1 ? "One segment" : Readable.Count(segments.Length, "segment"))}: {distance} {string.Join(", ", pieces)}.";
    }

    /// <summary>"Break 1 is at 612.8 (95 %: 604.5 to 621.2); its transition goes from 538 to 698." Those that a warning calls undetermined are left out.</summary>
    internal static IEnumerable<string> Places(Fit fit, Points points)
    {
        double[] x = Distinct(points);
        for (int i = 1; i < fit.Segments.Length; i++)
        {
            // Of two breaks with nothing between them only their sum is determined.
            Segment segment = fit.Segments[i];
            if ((i > 1 && fit.Segments[i - 1].Points < 2) || (i < fit.Segments.Length - 1 && segment.Points < 2)) continue;
            double f = fit.Parameters.First(parameter => parameter.Name == "f").Values[segment.Break - 1];
            if (!double.IsFinite(segment.FromLower) || !double.IsFinite(segment.FromUpper) || Segment.IsSharperThanGap(segment.From, f, x)) continue;
            string lower = Place(segment, segment.FromLower), upper = Place(segment, segment.FromUpper);
            string where = segment.FromLower <= x[0] && segment.FromUpper >= x[^1] ? " (95 %: anywhere in the data)" : lower == upper ? "" : $" (95 %: {lower} to {upper})";
            yield return $"Break {segment.Break} is at {Place(segment)}{where}; its transition goes from {Rough(segment.From * Math.Pow(9, -f))} to {Rough(segment.From * Math.Pow(9, f))}.";
        }
    }

    /// <summary>Segments whose slope the data do not show, because breaks are in transition wherever there are points.</summary>
    internal static IEnumerable<string> Unseen(Fit fit)
    {
        for (int i = 0; i < fit.Segments.Length && fit.Breaks > 0; i++)
        {
            Segment segment = fit.Segments[i];
            if (i > 0 && i < fit.Segments.Length - 1 && segment.Points < 2)
                yield return $"Breaks {segment.Break} and {fit.Segments[i + 1].Break} have {(segment.Points == 0 ? "no point" : "one point")} between them: they make a step or a bump, not a segment.";
            else if (segment.IsPlain) continue;
            else if (i == 0)
            {
                // A break at the first point has a warning that says so.
                if (segment.Points >= 2)
                    yield return $"The data begin within a transition: the slope before break {fit.Segments[1].Break} is inferred from its bend, not seen.";
            }
            else if (i < fit.Segments.Length - 1)
            {
                yield return $"Between breaks {segment.Break} and {fit.Segments[i + 1].Break} transitions overlap: the slope there is inferred from the bend, not seen.";
            }
            else
            {
                yield return $"The data end within a transition, which goes on to {Rough(segment.PlainFrom)}: the slope beyond break {segment.Break} is inferred from its bend, not seen.";
            }
        }
    }

    /// <summary>What AICc says of one break fewer, or, without breaks, of one more.</summary>
    internal static IEnumerable<string> Evidence(Points points, ImmutableArray<Fit> fits, int chosen)
    {
        Fit fit = fits[chosen];
        if (fit.Breaks > 0)
        {
            if (NoBreakWouldDo(fits, chosen) || WithBreaks(fits, chosen, fit.Breaks - 1) is not { } fewer || !double.IsFinite(fewer.Aicc - fit.Aicc)) yield break;
            double more = fewer.Aicc - fit.Aicc;
            string without = fit.Breaks == 1 ? "Without a break" : $"With {Readable.Count(fewer.Breaks, "break")}";
            string verdict = more < Indistinct ? "one break fewer would do" : $"{(more < Clear ? "some" : "clear")} evidence of {(fit.Breaks == 1 ? "a" : "another")} break";
            yield return $"{without} {Larger(fewer, fit)} (AICc larger by {Rough(more)}): {verdict}.";
            yield break;
        }

        Fit[] broken = [.. fits.Where(other => other.Law == fit.Law && other.Breaks > 0)];
        Fit? best = broken.Where(other => double.IsFinite(other.Aicc)).MinBy(other => other.Aicc);
        if (best is not null && double.IsFinite(fit.Aicc))
        {
            double less = best.Aicc - fit.Aicc;
            yield return less < Indistinct
                ? $"With {Readable.Count(best.Breaks, "break")} AICc is larger by only {Rough(less)}: the data do not tell whether there is a break."
                : $"A break does not pay: with {Readable.Count(best.Breaks, "break")} AICc is larger by {Rough(less)}.";
        }
        else if (broken.MinBy(other => other.FreeParameters) is { } least && double.IsFinite(least.Objective))
        {
            // AICc is finite from n = k + 2 on, and k counts the noise.
            yield return $"{Readable.Count(points.Count, "point")} cannot tell whether there is a break: AICc needs {least.FreeParameters + 3} for {Readable.Count(least.Breaks, "break")}.";
        }
    }

    /// <summary>How far beyond the data the last segment may be followed before it is extended by more than its own length.</summary>
    internal static IEnumerable<string> Reach(Curve curve, Fit fit)
    {
        // Where fewer than two points show it, a warning says so.
        Segment last = fit.Segments[^1];
        double end = curve.Fit.X[^1], span = last.Points < 2 ? 0 : Math.Log10(end) - Math.Log10(last.From), twice = end * (end / last.From);
        if (span > 0) yield return $"The {(Told(fit).Count() == 1 ? "only" : "last")} segment spans {Decades(span)} of data{(double.IsFinite(twice) ? $"; beyond {Rough(twice)} a forecast more than doubles it" : "")}.";
        double reach = curve.HeldOut.Count == 0 ? 0 : Math.Log10(curve.HeldOut.X[^1]) - Math.Log10(end);
        if (reach > 0) yield return $"The held-out points reach {Decades(reach)} beyond the data{(span > 0 ? $", {Rough(reach / span)} times its span" : "")}.";
    }

    /// <summary>"RMSLE would be 281 times as large", by what the table shows.</summary>
    private static string Larger(Fit fewer, Fit fit)
    {
        bool log = ScalingLaw.Get(fit.Law, fit.Breaks).IsPositive;
        (string name, double without, double with) = log ? ("RMSLE", fewer.Rmsle.Fit, fit.Rmsle.Fit) : ("RMSE", fewer.Rmse.Fit, fit.Rmse.Fit);
        return with > 0 ? $"{name} would be {Rough(without / with)} times as large" : $"{name} would be {Rough(without)} instead of 0";
    }

    private static string Place(Segment segment) => Place(segment, segment.From);

    /// <summary>To the digits that the break's interval leaves it, at most six.</summary>
    private static string Place(Segment segment, double x)
    {
        double width = segment.FromUpper - segment.FromLower;
        return double.IsFinite(width) && width > 1e-5 * x ? Readable.Number(x, width / 4) : Readable.Number(x, 4);
    }

    private static string Rough(double value) => Readable.Number(value, value is >= 1 and < 10 ? 2 : Digits);

    private static string Decades(double value) => $"{value.ToString("F2", CultureInfo.InvariantCulture)} decades";

    private static double[] Distinct(Points points) => [.. points.X.ToArray().Distinct()];
}
