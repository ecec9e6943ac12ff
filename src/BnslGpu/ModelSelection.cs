using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>Which number of breaks the data can carry.</summary>
internal static class ModelSelection
{
    /// <summary>Mean squared residuals below this are rounding and say nothing about the law: (10 ε)².</summary>
    private const double Rounding = 5e-30;

    /// <summary>Akaike's information criterion with the small-sample correction of Hurvich and Tsai 1989; k counts the noise.</summary>
    /// <param name="objective">Mean squared residual.</param>
    /// <param name="n">Points.</param>
    /// <param name="parameters">Parameters of the law.</param>
    /// <returns>n log objective + 2k + 2k(k + 1)/(n − k − 1); +∞ where n − k − 1 ≤ 0.</returns>
    public static double Aicc(double objective, int n, int parameters)
    {
        int k = parameters + 1;
        return n - k - 1 <= 0
            ? double.PositiveInfinity
            : (n * Math.Log(Math.Max(objective, Rounding))) + (2 * k) + (2.0 * k * (k + 1) / (n - k - 1));
    }

    /// <summary>Schwarz's criterion: n log objective + k log n; k counts the noise.</summary>
    public static double Bic(double objective, int n, int parameters) =>
        (n * Math.Log(Math.Max(objective, Rounding))) + ((parameters + 1) * Math.Log(n));

    /// <summary>The fit of least AICc; where none is finite, the one with the fewest breaks.</summary>
    /// <returns>An index; −1 without fits that are finite.</returns>
    public static int Choose(ImmutableArray<Fit> fits)
    {
        int chosen = -1;
        for (int i = 0; i < fits.Length; i++)
        {
            if (!double.IsFinite(fits[i].Objective)) continue;
            if (chosen < 0
                || fits[i].Aicc < fits[chosen].Aicc
                || (fits[i].Aicc.Equals(fits[chosen].Aicc) && fits[i].Breaks < fits[chosen].Breaks)) chosen = i;
        }

        return chosen;
    }

    /// <summary>The chosen fit alone, with what its residuals say of the noise; null for laws of several inputs and for those whose y may be negative.</summary>
    public static Forecast? Forecast(Curve curve, ImmutableArray<Fit> fits, int chosen)
    {
        Fit fit = fits[chosen];
        ScalingLaw law = ScalingLaw.Get(fit.Law, fit.Breaks);
        if (law.InputCount != 1 || !law.IsPositive) return null;
        int n = curve.Fit.Count, p = fit.FreeParameters;
        return new()
        {
            LastX = curve.Fit.X[^1],
            Members =
            [
                new()
                {
                    Law = fit.Law,
                    Breaks = fit.Breaks,
                    Parameters = fit.Parameters,
                    Weight = 1,
                    PointWeight = 1,
                    Noise = n > p ? fit.Rmsle.Fit * Math.Sqrt(n / (double)(n - p)) : double.NaN,
                },
            ],
        };
    }
}
