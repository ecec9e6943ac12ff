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
/// logit p = w₀ + w₁ log(1 + random hits) + w₂ log(1 + chain hits) + w₃ chains that missed/(1 + chains)      one row of w a number of breaks
/// </code>
/// Calibrated by logistic regression: see docs/method.md and benchmarks/results/chance.md. Boender and Rinnooy Kan's (1987) formula answers another question,
/// whether the next start finds any minimum that is new, low or not.
/// </remarks>
internal static class MissedMinimum
{
    /// <summary>Losses within this are one minimum, relative: what a search leaves of a valley.</summary>
    internal const double Same = 1e-3;

    /// <summary>Reads the evidence from where the starts ended.</summary>
    /// <param name="losses">Σ w r² at which each start ended, in order.</param>
    public static Evidence Of(ReadOnlySpan<double> losses)
    {
        double best = double.PositiveInfinity;
        foreach (double loss in losses) best = Math.Min(best, double.IsNaN(loss) ? double.PositiveInfinity : loss);
        double limit = best * (1 + Same);
        int random = 0, hits = 0, chains = 0, chainHits = 0;
        for (int first = 0; first < losses.Length; first += BasinHopping.ChainStarts)
        {
            ReadOnlySpan<double> chain = losses.Slice(first, Math.Min(BasinHopping.ChainStarts, losses.Length - first));
            bool found = false;
            for (int k = 0; k < chain.Length; k++)
            {
                bool hit = chain[k] <= limit;
                found |= hit;
                if (k >= BasinHopping.RandomStarts) continue;
                random++;
                hits += hit ? 1 : 0;
            }

            if (chain.Length < BasinHopping.ChainStarts) continue;
            chains++;
            chainHits += found ? 1 : 0;
        }

        return new(random, hits, chains, chainHits);
    }
}
