using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>The arithmetic of the search. The best candidates are always refined in double.</summary>
public enum SearchPrecision
{
    /// <summary>Every start runs in float until it nearly stands, then in double; ranking is in double.</summary>
    Mixed,

    /// <summary>Double throughout.</summary>
    Double,
}

/// <summary>What a forecast is made of.</summary>
public enum ForecastKind
{
    /// <summary>The chosen fit alone, with the noise of its residuals.</summary>
    Chosen,

    /// <summary>
    /// Fits of BNSL in some fifty settings, weighed by how well each forecast the curve's own later points from earlier ones, mostly say where it goes; draws from
    /// the posterior of a law that is not quite right mostly say how far off that may be. For law bnsl under loss msle, curves of one input with y above 0, and no rules for parameters; others have that of the chosen fit.
    /// </summary>
    Stacked,
}

/// <summary>Every choice of a fit that a result depends on, and those it does not depend on (threads, chunk size).</summary>
/// <remarks>Vary with <c>with</c>; == compares the lists by reference. Checked once, by <see cref="Validate"/>, when a fit begins.</remarks>
public sealed record FitOptions
{
    /// <summary>The default: fits as in <see cref="LeastSquares"/>, and a forecast that is made to be right beyond the data: see <see cref="ForecastKind.Stacked"/>.</summary>
    public static FitOptions Default { get; } = new() { Recipe = "forecast", Forecast = ForecastKind.Stacked };

    /// <summary>The choices of plain least squares on log y: 0..3 breaks, 0 ≤ a ≤ .9999 min y, f ≥ .01, log d within the data, |c| ≤ 20; the forecast is the chosen fit.</summary>
    public static FitOptions LeastSquares { get; } = new();

    /// <summary>The choices of the BNSL paper's released script: one break, least squares on log(1 + y), same bounds.</summary>
    public static FitOptions Paper { get; } = new() { Recipe = "paper", Loss = "msle1p", Breaks = [1] };

    /// <summary>The recipes by name, the default first.</summary>
    public static ImmutableArray<FitOptions> Recipes => [Default, LeastSquares, Paper];

    /// <summary>Name of the recipe these choices started from.</summary>
    public string Recipe { get; init; } = "least-squares";

    /// <summary>Names of the functional forms that are fitted side by side, those of <see cref="ScalingLaw.All"/>; <c>bnsl laws</c> lists them. Default bnsl.</summary>
    public ImmutableArray<string> Laws { get; init; } = ["bnsl"];

    /// <summary>Numbers of breaks that are fitted side by side, each 0..6; laws without breaks are fitted once. Default 0, 1, 2, 3.</summary>
    public ImmutableArray<int> Breaks { get; init; } = [0, 1, 2, 3];

    /// <summary>Name of the loss: msle (squared error of log y), msle1p (of log(1 + y)), mse (of y) or huber (of log y). Default msle.</summary>
    public string Loss { get; init; } = "msle";

    /// <summary>δ of loss huber: errors of log y beyond it count linearly. &gt; 0. Default 1e-3.</summary>
    public double Delta { get; init; } = DefaultDelta;

    internal const double DefaultDelta = 1e-3;

    /// <summary>What the forecast is made of. Default the chosen fit; <see cref="Default"/> has the better one.</summary>
    public ForecastKind Forecast { get; init; }

    /// <summary>What is said about parameters before the fit: fixed, bounded, tied, own starts, priors. Default nothing.</summary>
    public ParameterRules Parameters { get; init; } = ParameterRules.None;

    /// <summary>Most <see cref="Starts"/> of one problem.</summary>
    public const int MostStarts = 10_000_000;

    /// <summary>
    /// Starts of each curve and number of breaks: those of <see cref="Parameters"/>, random ones, and hops from the best minima. 1 to
    /// <see cref="MostStarts"/>, or 0, the default, for as many as <see cref="MissedChance"/> asks for.
    /// </summary>
    /// <remarks>The search goes in chains of 640: 64 random starts, then 18 rounds of 32 hops; with 0, up to eight of them.</remarks>
    public int Starts { get; init; }

    /// <summary>Where <see cref="Starts"/> is 0: a search ends when the chance that a hundred times the starts would find a lower minimum is no larger than this. (0, 1). Default 0.02.</summary>
    public double MissedChance { get; init; } = DefaultMissedChance;

    internal const double DefaultMissedChance = 0.02;

    /// <summary>The seed of every random number.</summary>
    public ulong Seed { get; init; }

    /// <summary>Arithmetic of the search. Default <see cref="SearchPrecision.Double"/>.</summary>
    public SearchPrecision Precision { get; init; } = SearchPrecision.Double;

    /// <summary>
    /// Where the search runs: auto, simd, cuda, opencl or ilgpu-cpu; a number picks one of several (cuda:1), a list with commas shares the work. auto
    /// takes a GPU where there is much to do and a short measurement shows it to be faster. Default auto.
    /// </summary>
    public string Device { get; init; } = "auto";

    /// <summary>Candidates of each problem that are refined. ≥ 1. Default 4.</summary>
    public int Refined { get; init; } = 4;

    /// <summary>Damped steps of the search for each start, at most. ≥ 1. Default 200.</summary>
    public int SearchIterations { get; init; } = 200;

    /// <summary>Threads; 0 takes every core. No result depends on it. Default 0.</summary>
    public int Threads { get; init; }

    /// <summary>Starts that one thread takes at a time; 0 lets the engine choose. No result depends on it. Default 0.</summary>
    public int ChunkSize { get; init; }

    /// <summary>Checks every choice.</summary>
    /// <exception cref="ArgumentException">A choice breaks its constraint; the message names its value and the constraint.</exception>
    public void Validate()
    {
        if (Laws.IsDefaultOrEmpty) throw Violated(nameof(Laws), "none", "at least one law");
        if (Laws.Distinct().Count() != Laws.Length) throw Violated(nameof(Laws), string.Join(',', Laws), "each law once");
        string[] known = [.. ScalingLaw.All.Select(law => law.Name).Distinct()];
        foreach (string law in Laws)
            if (!known.Contains(law)) throw Violated(nameof(Laws), law, $"one of {string.Join(", ", known)}");
        if (Breaks.IsDefaultOrEmpty) throw Violated(nameof(Breaks), "none", "at least one number of breaks");
        foreach (int breaks in Breaks)
            if (breaks is < 0 or > 6) throw Violated(nameof(Breaks), breaks, "0 to 6");
        if (Breaks.Distinct().Count() != Breaks.Length) throw Violated(nameof(Breaks), string.Join(',', Breaks), "each number once");
        _ = BnslGpu.Loss.Get(Loss);
        Parameters.Validate(AllLaws);
        if (!(Delta > 0) || !double.IsFinite(Delta)) throw Violated(nameof(Delta), Delta, "> 0 and finite");
        if (Starts is < 0 or > MostStarts) throw Violated(nameof(Starts), Starts, $"0 to {MostStarts}");
        if (!(MissedChance is > 0 and < 1)) throw Violated(nameof(MissedChance), MissedChance, "> 0 and < 1");
        if (Starts > 0 && Starts < Parameters.Starts.Length) throw Violated(nameof(Starts), Starts, $"at least the {Parameters.Starts.Length} starts of one's own");
        _ = Backends.Names(Device);
        if (Refined < 1) throw Violated(nameof(Refined), Refined, ">= 1");
        if (SearchIterations < 1) throw Violated(nameof(SearchIterations), SearchIterations, ">= 1");
        if (Threads < 0) throw Violated(nameof(Threads), Threads, ">= 0");
        if (ChunkSize < 0) throw Violated(nameof(ChunkSize), ChunkSize, ">= 0");
    }

    /// <summary>Every law with every number of breaks, in the order of fits.</summary>
    internal IEnumerable<ScalingLaw> AllLaws => Laws.SelectMany(name => ScalingLaw.Of(name, Breaks));

    private static ArgumentException Violated(string option, object value, string constraint) =>
        new($"FitOptions.{option} = {value}. Violated constraint: {constraint}.");
}
