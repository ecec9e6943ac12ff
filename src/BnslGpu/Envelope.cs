using System.Globalization;

namespace BnslGpu;

/// <summary>Which points of a curve count: all, or those on its running frontier.</summary>
/// <remarks>
/// From many runs (model sizes, learning rates) the best that so much compute has reached is the frontier of all of them. It only ever goes one way, and a
/// point is judged by points of smaller or equal x alone, so that what is held out at larger x changes nothing of what is fitted.
/// </remarks>
public enum Envelope
{
    /// <summary>All points.</summary>
    None,

    /// <summary>The points for which no point of smaller or equal x has a smaller y: the compute-optimal frontier of a loss.</summary>
    Lower,

    /// <summary>The points for which no point of smaller or equal x has a larger y: that of an accuracy.</summary>
    Upper,
}

/// <summary>Finds the frontier.</summary>
internal static class Frontier
{
    /// <summary>Parts points on the frontier from the others. Points of the same x and y are on it together.</summary>
    /// <param name="fit">Points to fit, of one input: each is judged by these alone.</param>
    /// <param name="heldOut">Points held out: each is judged by all.</param>
    /// <param name="envelope">Lower or upper.</param>
    public static (Points Fit, Points HeldOut, Points Off) Part(Points fit, Points heldOut, Envelope envelope)
    {
        bool[] fitOn = On(fit, Points.None, envelope), heldOutOn = On(heldOut, fit, envelope);
        return (fit.Where(fitOn), heldOut.Where(heldOutOn), Both(fit.Where(Not(fitOn)), heldOut.Where(Not(heldOutOn))));

        static bool[] Not(bool[] which) => Array.ConvertAll(which, one => !one);
    }

    /// <summary>Which points are on the frontier of themselves and others.</summary>
    private static bool[] On(Points points, Points others, Envelope envelope)
    {
        double sign = envelope == Envelope.Lower ? 1 : -1, best = double.PositiveInfinity;
        var on = new bool[points.Count];
        // Both are in ascending x: all that have the x of a point, or a smaller one, are looked at before it is judged.
        for (int i = 0, seen = 0, other = 0; i < points.Count; i++)
        {
            for (; seen < points.Count && points.X[seen] <= points.X[i]; seen++) best = Math.Min(best, sign * points.Y[seen]);
            for (; other < others.Count && others.X[other] <= points.X[i]; other++) best = Math.Min(best, sign * others.Y[other]);
            on[i] = sign * points.Y[i] <= best;
        }

        return on;
    }

    // Weights and sigmas of points that are left out say nothing any more.
    private static Points Both(Points first, Points second) => new([.. first.X, .. second.X], [.. first.Y, .. second.Y]);

    /// <summary>"12 of 37 points on the lower envelope".</summary>
    public static string Sentence(Curve curve)
    {
        int on = curve.Fit.Count + curve.HeldOut.Count, all = on + curve.OffEnvelope.Count;
        return string.Create(CultureInfo.InvariantCulture, $"{on} of {all} points on the {(curve.Envelope == Envelope.Lower ? "lower" : "upper")} envelope");
    }
}
