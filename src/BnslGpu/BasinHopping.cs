using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace BnslGpu;

/// <summary>The search for the least minimum: random starts, then hops from the best minima so far, round by round.</summary>
/// <remarks>
/// <code>
/// chain       64 random starts, then 18 rounds of 32 hops: 640 starts; chains of a problem know nothing of each other
/// population  the chain's 4 best minima that differ by a hundredth in loss
/// hop         a minimum of the population with one break or two moved (IScalingLaw.Hop), searched like a start
/// </code>
/// Monotonic basin hopping (Wales and Doye 1997; Leary 2000) with a population. A budget is spent chain by chain, and the last chain stops where it
/// ends. Start s of a problem belongs to the same chain and round, and draws the same numbers, whatever runs beside it. A law with nothing to move
/// is searched from random starts alone.
/// </remarks>
internal static class BasinHopping
{
    internal const int RandomStarts = 64, Hops = 32, Rounds = 18, ChainStarts = RandomStarts + (Rounds * Hops);

    /// <summary>Minima of a chain that are hopped from, and by how much their losses differ: less would fill the population with copies of one.</summary>
    private const int Population = 4;
    private const double PopulationGap = 1e-2;

    /// <summary>Losses that agree within this are one candidate.</summary>
    private const double CandidateGap = 1e-4;

    /// <summary>Starts that are held at a time, about; chains go side by side up to it.</summary>
    private const int Together = 1 << 16;

    /// <summary>Searches every problem.</summary>
    /// <param name="backend">What descends from the starts.</param>
    /// <param name="batch">The problems.</param>
    /// <param name="options">The choices.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="cancellation">Ends the search.</param>
    /// <returns>The distinct minima of least loss, and the loss at which every start ended.</returns>
    public static ImmutableArray<Candidates> Search(
        IBackend backend, ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress, CancellationToken cancellation)
    {
        Candidates[] found = [.. batch.Problems.Select(problem => new Candidates(problem, [], [], new double[options.Starts]))];
        long done = 0, total = (long)options.Starts * found.Length;
        progress?.Report(new("search", 0, total));
        int chains = (options.Starts + ChainStarts - 1) / ChainStarts, sideBySide = Math.Max(Together / RandomStarts / Math.Max(found.Length, 1), 1);
        for (int firstChain = 0; firstChain < chains; firstChain += sideBySide)
        {
            Chain[] wave = [.. Enumerable.Range(firstChain, Math.Min(sideBySide, chains - firstChain)).SelectMany(chain => found.Select(own => new Chain(own, chain, options)))];
            for (int round = 0; round <= Rounds; round++)
            {
                Chain[] going = [.. wave.Where(chain => chain.Left > 0)];
                if (going.Length == 0) break;
                Candidates[] starts = [.. going.Select(chain => chain.Next())];
                ImmutableArray<Candidates> ends = backend.Descend(starts, options, progress is null ? null : new Part(progress, done, total), cancellation);
                for (int k = 0; k < going.Length; k++) going[k].Take(ends[k]);
                done += starts.Sum(some => (long)some.Losses.Length);
            }

            for (int k = 0; k < wave.Length; k++)
            {
                int problem = k % found.Length;
                found[problem] = found[problem].And(wave[k].Best).Best(options.Keep, CandidateGap);
            }
        }

        return ImmutableCollectionsMarshal.AsImmutableArray(found);
    }

    /// <summary>One chain of one problem.</summary>
    private sealed class Chain
    {
        private readonly Problem _problem;
        private readonly SearchOptions _options;
        private readonly double[] _startLosses;
        private readonly int _end;
        private int _next;
        private Candidates _population;

        public Chain(Candidates found, int chain, SearchOptions options)
        {
            (_problem, _options, _startLosses) = (found.Problem, options, found.StartLosses);
            _next = chain * ChainStarts;
            _end = (int)Math.Min((long)_next + ChainStarts, options.Starts);
            Best = _population = new(_problem, [], [], []);
        }

        /// <summary>The candidates of least loss so far.</summary>
        public Candidates Best { get; private set; }

        /// <summary>Starts that are still to be made.</summary>
        public int Left => _end - _next;

        /// <summary>The starts of the next round.</summary>
        public Candidates Next()
        {
            int p = _problem.ParameterCount, count = Math.Min(Left, _next % ChainStarts == 0 ? RandomStarts : Hops);
            var θ = new double[count * p];
            for (int k = 0; k < count; k++)
            {
                Span<double> start = θ.AsSpan(k * p, p);
                if (_population.Losses.Length == 0)
                {
                    _problem.Start(_options.Seed, _next + k, start);
                }
                else
                {
                    _population[k % _population.Losses.Length].CopyTo(start);
                    _problem.Hop(_options.Seed, _next + k, start);
                }
            }

            return new(_problem, θ, new double[count], []);
        }

        /// <summary>Takes where the starts of this round ended.</summary>
        public void Take(Candidates ends)
        {
            ends.Losses.CopyTo(_startLosses, _next);
            _next += ends.Losses.Length;
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
