using System.CommandLine;
using System.Globalization;

namespace BnslGpu.Cli;

/// <summary>The options of every command that fits: what is searched, from how many starts, and where.</summary>
internal sealed class SearchChoices
{
    /// <summary>Sets every choice.</summary>
    public Option<string?> Recipe { get; } = OptionKinds.OneOf(
        "--recipe", $"Sets every choice below, which may then be changed one by one. Default: {FitOptions.Recipes[0].Recipe}.",
        FitOptions.Recipes.Select(recipe => recipe.Recipe));

    /// <summary>Numbers of breaks.</summary>
    public Option<int[]?> Breaks { get; } = OptionKinds.Value<int[]>(
        "--breaks", "0,1,…|0-3", "Numbers of breaks to fit side by side, each 0 to 6. Default: 0-3.",
        "whole numbers like 0,1,2 or a range like 0-3", Scales.TryReadBreaks);

    private readonly Option<int?> _starts = OptionKinds.Value<int?>(
        "--starts", "auto|N", "Starts of each curve and number of breaks: your own, random ones, then hops from the best minima; auto spends as many as --missed asks for. Default: auto.",
        $"auto or a whole number from 1 to {FitOptions.MostStarts}", TryReadStarts);
    private readonly Option<double?> _missed = OptionKinds.Number(
        "--missed", "With --starts auto: the chance of a missed minimum at which a search ends. Default: 0.02.", " above 0 and below 1", value => value is > 0 and < 1);
    private readonly Option<ulong?> _seed = OptionKinds.Seed("--seed", "Seed of every random number. Default: 0.");
    private readonly Option<string?> _precision = OptionKinds.OneOf(
        "--precision", "Arithmetic of the search; results are always refined in double. Default: double.",
        Enum.GetNames<SearchPrecision>().Select(Lower));
    private readonly Option<string?> _device = OptionKinds.Text(
        "--device", "auto|simd|cuda[:N]|opencl[:N]|ilgpu-cpu", "Where the search runs; see 'bnsl devices'. Several, with commas, share the work. Default: auto.");
    private readonly Option<int?> _threads = OptionKinds.Whole(
        "--threads", "Threads; 0 takes every core. No result depends on it. Default: 0.", least: 0);
    private readonly Option<int?> _chunk = OptionKinds.Whole(
        "--chunk", "Starts a thread takes at a time; 0 lets the engine choose. No result depends on it. Default: 0.", least: 0);

    public SearchChoices() => OptionKinds.Suggest(_device, ["auto", .. Backends.Kinds]);

    /// <summary>All but <see cref="Recipe"/> and <see cref="Breaks"/>, in the order of help.</summary>
    public IEnumerable<Option> Rest => [_starts, _missed, _seed, _precision, _device, _threads, _chunk];

    /// <summary>The recipe with what was changed of it; not yet validated.</summary>
    public FitOptions Choices(ParseResult call)
    {
        string? recipe = call.GetValue(Recipe);
        FitOptions given = FitOptions.Recipes.First(choices => recipe is null || choices.Recipe == recipe);
        return given with
        {
            Breaks = call.GetValue(Breaks) is { Length: > 0 } breaks ? [.. breaks] : given.Breaks,
            Starts = call.GetValue(_starts) ?? given.Starts,
            MissedChance = call.GetValue(_missed) ?? given.MissedChance,
            Seed = call.GetValue(_seed) ?? given.Seed,
            Precision = Enum.Parse<SearchPrecision>(call.GetValue(_precision) ?? $"{given.Precision}", ignoreCase: true),
            Device = call.GetValue(_device) ?? given.Device,
            Threads = call.GetValue(_threads) ?? given.Threads,
            ChunkSize = call.GetValue(_chunk) ?? given.ChunkSize,
        };
    }

    /// <summary>The library's complaint about a choice, in the words of these options.</summary>
    public static WrongCallException Wrong(string complaint) => new(complaint
        .Replace("FitOptions.Breaks ", "--breaks ", StringComparison.Ordinal)
        .Replace("FitOptions.Device ", "--device ", StringComparison.Ordinal)
        .Replace("FitOptions.Laws ", "--law ", StringComparison.Ordinal)
        .Replace("FitOptions.Starts ", "--starts ", StringComparison.Ordinal));

    private static bool TryReadStarts(string text, out int? starts)
    {
        starts = text == "auto" ? 0 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= FitOptions.MostStarts ? count : null;
        return starts is not null;
    }

    private static string Lower(string name) => name.ToLowerInvariant();
}
