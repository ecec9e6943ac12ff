using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>How a search is made.</summary>
/// <param name="Starts">Starts of each problem; 0 spends as many as <paramref name="MissedChance"/> asks for.</param>
/// <param name="Seed">The seed.</param>
/// <param name="Keep">Candidates that are kept of each problem.</param>
/// <param name="Precision">Arithmetic of the search; ranking is always in double.</param>
/// <param name="Iterations">Damped steps of each start, at most.</param>
/// <param name="Threads">Threads; 0 takes every core.</param>
/// <param name="ChunkSize">Starts that a thread takes at a time; 0 lets the backend choose.</param>
/// <param name="MissedChance">Chance of a missed minimum at which a problem's search ends, where <paramref name="Starts"/> is 0.</param>
public sealed record SearchOptions(
    int Starts, ulong Seed, int Keep, SearchPrecision Precision, int Iterations, int Threads = 0, int ChunkSize = 0, double MissedChance = FitOptions.DefaultMissedChance);

/// <summary>What can evaluate, screen and search a batch of problems. Answers come in the order of the problems and do not depend on it.</summary>
public interface IBackend
{
    /// <summary>What runs it, for reports.</summary>
    string Description { get; }

    /// <summary>Residuals and Jacobians, in double.</summary>
    /// <param name="candidates">Problems with parameters.</param>
    /// <param name="cancellation">Ends the work; throws <see cref="OperationCanceledException"/>.</param>
    ImmutableArray<Evaluation> Evaluate(IReadOnlyList<Candidates> candidates, CancellationToken cancellation = default);

    /// <summary>The loss of very many starts, without stepping from any.</summary>
    /// <returns>The starts of least loss.</returns>
    ImmutableArray<Candidates> Screen(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Levenberg-Marquardt from given starts.</summary>
    /// <param name="starts">Problems with the parameters to start from; a problem may come more than once.</param>
    /// <param name="options">How; <see cref="SearchOptions.Starts"/>, the seed and <see cref="SearchOptions.Keep"/> are not asked.</param>
    /// <param name="progress">Told how many starts are done.</param>
    /// <param name="cancellation">Ends the work; throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>Where every start ended, in their order.</returns>
    ImmutableArray<Candidates> Descend(
        IReadOnlyList<Candidates> starts, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default);

    /// <summary>Levenberg-Marquardt from random starts and from hops of the best minima: see <see cref="BasinHopping"/>.</summary>
    /// <returns>The distinct minima of least loss, and the loss at which every start ended.</returns>
    ImmutableArray<Candidates> Search(ProblemBatch batch, SearchOptions options, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default);
}

/// <summary>The backends by name. Adding one is its file and its line here.</summary>
public static class Backends
{
    /// <summary>Names and how to make them; auto takes the first.</summary>
    public static ImmutableArray<(string Name, Func<IBackend> Create)> All { get; } = [("simd", () => new SimdBackend())];

    /// <summary>Makes a backend.</summary>
    /// <param name="name">auto, or a name in <see cref="All"/>.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static IBackend Get(string name)
    {
        if (name == "auto") return All[0].Create();
        foreach ((string known, Func<IBackend> create) in All)
            if (known == name) return create();
        throw new ArgumentException($"There is no device '{name}'. There is: auto, {string.Join(", ", All.Select(backend => backend.Name))}.");
    }
}
