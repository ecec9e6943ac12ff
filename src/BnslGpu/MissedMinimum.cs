using System.Globalization;

namespace BnslGpu;

/// <summary>What the starts of a problem witness of its lowest minimum: how often it was found, and by how many that knew nothing of each other.</summary>
/// <param name="RandomStarts">Random starts of all chains.</param>
/// <param name="RandomHits">Those of them that ended at the lowest minimum.</param>
/// <param name="Chains">Complete chains.</param>
/// <param name="ChainHits">Those of them whose best is the lowest minimum.</param>
internal readonly record struct Evidence(int RandomStarts, int RandomHits, int Chains, int ChainHits);

/// <summary>The chance that a hundred times the starts would find a lower minimum than the one reported.</summary>
/// <remarks>
/// <code>
/// logit p = −3 − log(1 + h)                                       less than two breaks
///         = .3 − .4 log(1 + h), 1.5 − .4 log(1 + h)               two, three or more, before a chain is complete
///         = −2.5 − 1.5 log(1 + h) − 2.5 log k + 5 (K − k)/K       after K chains
/// </code>
/// h random starts and k of K chains found the minimum. Slopes by logistic regression on planted curves, flattened by hand where these have few cases; how true
/// they are on planted and on the 92 curves: benchmarks/results/chance.md. Less than .001 cannot be told from so many cases and is not stated. Boender and Rinnooy Kan's (1987) formula answers
/// another question: whether the next start finds any minimum that is new, low or not.
/// </remarks>
internal static class MissedMinimum
{
    /// <summary>Losses within this are one minimum, relative: what a search leaves of a valley.</summary>
    internal const double Same = 1e-3;

    private const double LeastStated = 1e-3;

    /// <summary>The chance that a hundred times the starts would find a lower minimum.</summary>
    /// <param name="problem">The problem.</param>
    /// <param name="losses">Σ w r² at which each start ended, in order.</param>
    public static double Chance(Problem problem, ReadOnlySpan<double> losses) => Chance(problem.Law.Breaks, Of(problem.Law.Breaks, losses, FitSummary.ZeroLoss(problem)));

    /// <summary>A sentence where the chance is worth one.</summary>
    public static IEnumerable<string> Warnings(double chance)
    {
        if (chance > 0.1) yield return string.Create(CultureInfo.InvariantCulture, $"A lower minimum may have been missed (chance {100 * chance:F0} %): more starts would tell.");
    }

    /// <inheritdoc cref="Chance(Problem, ReadOnlySpan{double})"/>
    internal static double Chance(int breaks, Evidence evidence)
    {
        double logHits = Math.Log(1 + evidence.RandomHits), chains = evidence.Chains;
        double logit = breaks < 2 ? -3 - logHits
            : evidence.Chains == 0 ? (breaks == 2 ? 0.3 : 1.5) - (0.4 * logHits)
            : -2.5 - (1.5 * logHits) - (2.5 * Math.Log(evidence.ChainHits)) + (5 * (chains - evidence.ChainHits) / chains);
        return Math.Max(1 / (1 + Math.Exp(-logit)), LeastStated);
    }

    /// <summary>Reads the evidence from where the starts ended.</summary>
    /// <param name="breaks">Number of breaks; a law without has nothing to hop with, and all its starts are random.</param>
    /// <param name="losses">Σ w r² at which each start ended, in order.</param>
    /// <param name="zero">Losses below are all zero to rounding: one minimum.</param>
    public static Evidence Of(int breaks, ReadOnlySpan<double> losses, double zero = 0)
    {
        double best = double.PositiveInfinity;
        foreach (double loss in losses) best = Math.Min(best, double.IsNaN(loss) ? double.PositiveInfinity : loss);
        if (double.IsPositiveInfinity(best)) return default;
        double limit = Math.Max(best * (1 + Same), zero);
        int random = 0, hits = 0, chains = 0, chainHits = 0;
        for (int first = 0; first < losses.Length; first += BasinHopping.ChainStarts)
        {
            ReadOnlySpan<double> chain = losses.Slice(first, Math.Min(BasinHopping.ChainStarts, losses.Length - first));
            bool found = false;
            for (int k = 0; k < chain.Length; k++)
            {
                bool hit = chain[k] <= limit;
                found |= hit;
                if (breaks > 0 && k >= BasinHopping.RandomStarts) continue;
                random++;
                hits += hit ? 1 : 0;
            }

            if (breaks == 0 || chain.Length < BasinHopping.ChainStarts) continue;
            chains++;
            chainHits += found ? 1 : 0;
        }

        return new(random, hits, chains, chainHits);
    }
}
