using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>The search for the least minimum: random starts, then hops from the best minima so far, round by round.</summary>
/// <remarks>
/// <code>
/// chain       64 random starts, then 18 rounds of 32 hops: 640 starts; chains of a problem know nothing of each other
/// population  the chain's 4 best minima that differ by a hundredth in loss
/// hop         a minimum of the population with one break or two moved (IScalingLaw.Hop), searched like a start
/// </code>
/// Monotonic basin hopping (Wales and Doye 1997; Leary 2000) with a population. A budget is spent chain by chain, and the last chain stops where it
/// ends; without a budget, a problem gets chain after chain until its chance of a missed minimum (<see cref="MissedMinimum"/>) is small: after its
/// first random starts, or after any chain, <see cref="MostChains"/> at most. Start s of a problem belongs to the same chain and round, and draws the same numbers, whatever runs beside it. A law with nothing to move
/// is searched from random starts alone.
/// </remarks>
internal static class BasinHopping
{
    internal const int RandomStarts = 64, Hops = 32, Rounds = 18, ChainStarts = RandomStarts + (Rounds * Hops);

    /// <summary>Chains of a problem without a budget, at most.</summary>
    internal const int MostChains = 8;

    /// <summary>Minima of a chain that are hopped from, and by how much their losses differ: less would fill the population with copies of one.</summary>
    private const int Population = 4;
    private const double PopulationGap = 1e-2;

    /// <summary>Losses that agree within this are one candidate.</summary>
    private const double CandidateGap = 1e-4;

    /// <summary>What draws starts and descends from them: where every start ended, set by set. When stopped it throws, or gives a loss that is not a number where a start did not end.</summary>
    public delegate ImmutableArray<Candidates> Descent(IReadOnlyList<StartSet> starts, IProgress<FitProgress>? progress);

    /// <summary>Searches every problem.</summary>
    /// <param name="descend">What draws starts and descends from them.</param>
    /// <param name="together">Random starts that are held at a time, about; chains go side by side up to it.</param>
    /// <param name="ahead">Chains of a problem without a budget that go side by side, at most: those after the one that suffices were for nothing.</param>
    /// <param name="batch">The problems.</param>
    /// <param name="options">The choices.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="stop">
    /// Ends the search early. Of the round that is then under way counts what <paramref name="descend"/> gives of it; a problem of which nothing ended is
    /// screened, and has no losses of starts.
    /// </param>
    /// <returns>The distinct minima of least loss, and the loss at which every start ended.</returns>
    public static ImmutableArray<Candidates> Search(
        Descent descend, int together, int ahead, ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress, CancellationToken stop)
    {
        bool auto = options.Starts == 0;
        Candidates[] found = [.. batch.Problems.Select(problem => new Candidates(problem, [], [], []))];
        List<double>[] losses = [.. found.Select(_ => new List<double>(options.Starts))];
        int budget = auto ? MostChains * ChainStarts : options.Starts, chains = (budget + ChainStarts - 1) / ChainStarts;
        int sideBySide = Math.Clamp(together / RandomStarts / Math.Max(found.Length, 1), 1, auto ? ahead : chains);
        var sure = new bool[found.Length];
        Chain[] wave = [];

        // Of an open budget nobody knows the end: progress is then in problems.
        long done = 0, total = auto ? found.Length : (long)budget * found.Length;
        progress?.Report(new("search", 0, total));
        try
        {
            for (int firstChain = 0; firstChain < chains && !Array.TrueForAll(sure, own => own); firstChain += sideBySide)
            {
                wave =
                [
                    .. Enumerable.Range(firstChain, Math.Min(sideBySide, chains - firstChain))
                        .SelectMany(chain => Enumerable.Range(0, found.Length).Where(problem => !sure[problem]).Select(problem => new Chain(found[problem].Problem, problem, chain, budget, options))),
                ];
                for (int round = 0; round <= Rounds; round++) Step(round);
                MergeRest();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            MergeRest();
            for (int k = 0; k < found.Length; k++)
                if (losses[k].Count == 0) found[k] = new SimdBackend().Rank(found[k].Problem, [.. Enumerable.Range(0, RandomStarts)], options);
        }

        return [.. found.Select((own, k) => own with { StartLosses = [.. losses[k]] })];

        void Step(int round)
        {
            // Those of one problem in their order, which is the order in which they count.
            Chain[] going = [.. wave.Where(chain => chain.Left > 0 && !sure[chain.Index])];
            if (going.Length == 0) return;
            stop.ThrowIfCancellationRequested();
            StartSet[] starts = [.. going.Select(chain => chain.Next())];
            ImmutableArray<Candidates> ends = descend(starts, progress is null || auto ? null : new Part(progress, done, total));
            bool isWhole = !stop.IsCancellationRequested;
            SimdBackend.Run(going.Length, options.Threads, k => going[k].Take(ends[k], isWhole), CancellationToken.None);
            if (!isWhole) stop.ThrowIfCancellationRequested();
            foreach (Chain chain in going)
            {
                if (!auto || sure[chain.Index] || (chain.Left > 0 && !(chain.First == 0 && round == 0))) continue;
                sure[chain.Index] = MissedMinimum.Chance(chain.Problem, [.. losses[chain.Index], .. chain.Losses]) <= options.MissedChance;
                done += sure[chain.Index] ? 1 : 0;
                if (sure[chain.Index] || chain.Left == 0) Merge(chain);
            }

            if (auto) progress?.Report(new("search", done, total));
            else done += starts.Sum(some => (long)some.Count);
        }

        void MergeRest()
        {
            foreach (Chain chain in wave)
                if (!chain.IsMerged && !sure[chain.Index]) Merge(chain);
        }

        void Merge(Chain chain)
        {
            losses[chain.Index].AddRange(chain.Losses);
            found[chain.Index] = found[chain.Index].And(chain.Best).Best(options.Keep, CandidateGap);
            chain.IsMerged = true;
        }
    }

    /// <summary>One chain of one problem.</summary>
    private sealed class Chain
    {
        private readonly SearchOptions _options;
        private readonly double[] _losses;
        private int _made;
        private Candidates _population;

        public Chain(Problem problem, int index, int chain, int budget, SearchOptions options)
        {
            (Problem, Index, _options, First) = (problem, index, options, chain * ChainStarts);
            _losses = new double[(int)Math.Min((long)ChainStarts, budget - (long)First)];
            Best = _population = new(problem, [], [], []);
        }

        public Problem Problem { get; }

        /// <summary>Which problem of the batch.</summary>
        public int Index { get; }

        /// <summary>Number of its first start.</summary>
        public int First { get; }

        /// <summary>Where the starts that were made ended.</summary>
        public ReadOnlySpan<double> Losses => _losses.AsSpan(0, _made);

        /// <summary>The candidates of least loss so far.</summary>
        public Candidates Best { get; private set; }

        /// <summary>Whether it counts already in what was found.</summary>
        public bool IsMerged { get; set; }

        /// <summary>Starts that are still to be made.</summary>
        public int Left => _losses.Length - _made;

        /// <summary>The starts of the next round.</summary>
        public StartSet Next() => new(Problem, First + _made, Math.Min(Left, _made == 0 ? RandomStarts : Hops), _population.Parameters);

        /// <summary>Takes where the starts of this round ended.</summary>
        /// <param name="ends">Where.</param>
        /// <param name="isWhole">False where some may not have ended, whose losses are not numbers.</param>
        public void Take(Candidates ends, bool isWhole)
        {
            double[] losses = isWhole ? ends.Losses : [.. ends.Losses.Where(loss => !double.IsNaN(loss))];
            losses.CopyTo(_losses, _made);
            _made += losses.Length;
            Best = Best.And(ends).Best(_options.Keep, CandidateGap);
            _population = _population.And(ends).Best(Population, PopulationGap);
        }
    }

    /// <summary>The progress of a round as progress of the whole.</summary>
    private sealed class Part(IProgress<FitProgress> whole, long before, long total) : IProgress<FitProgress>
    {
        public void Report(FitProgress value) => whole.Report(new(value.Stage, before + value.Done, total));
    }
}
