using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using CsvHelper;

namespace BnslGpu;

/// <summary>A released file of a suite.</summary>
/// <param name="Name">What it is called in a folder.</param>
/// <param name="Address">Where it is to be had.</param>
/// <param name="Sha256">What it must hash to, in lower-case hexadecimal digits.</param>
public sealed record SuiteFile(string Name, Uri Address, string Sha256);

/// <summary>Domains that are also averaged together.</summary>
/// <param name="Name">What they are called together.</param>
/// <param name="Domains">Which they are.</param>
public sealed record SuiteGroup(string Name, ImmutableArray<string> Domains);

/// <summary>Curves that everybody scores forecasts on. A new one is an entry of <see cref="All"/>.</summary>
public sealed record Suite
{
    /// <summary>What a person types to choose it: lower case, no spaces.</summary>
    public required string Name { get; init; }

    /// <summary>What it holds, in one sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Who made it, with the paper.</summary>
    public required string Source { get; init; }

    /// <summary>Its files; <see cref="CurveCsv"/> recognises their columns.</summary>
    public required ImmutableArray<SuiteFile> Files { get; init; }

    /// <summary>Domains that are averaged together, beside each domain and all of them.</summary>
    public ImmutableArray<SuiteGroup> Groups { get; init; } = [];

    /// <summary>Errors of released fits, to compare with; null without.</summary>
    public ReleasedFits? Released => Resource is null ? null : ReleasedFits.Read(Resource);

    // Read when it is asked for: every call of the tool makes this list.
    private string? Resource { get; init; }

    /// <summary>Every suite that has a name.</summary>
    public static ImmutableArray<Suite> All { get; } =
    [
        new()
        {
            Name = "revisiting",
            Description = "92 learning curves of image classification (72), translation (5), language modelling (5) and BIG-Bench (10)",
            Source = "Alabdulmohsin, Neyshabur and Zhai 2022, arXiv:2209.06640",
            Files =
            [
                new("benchmark.lang.csv", Revisiting("benchmark.lang.csv"), "63c346db00a66b692e1ea9a0f71a2f2b267e55f74be5b863a92e199dffbf0983"),
                new("benchmark.vision.csv", Revisiting("benchmark.vision.csv"), "23b00692d71e58aa5a2a941e831d57688e0977fdcf5f5125ff7b64283b5d9e83"),
            ],
            Groups = [new("language", ["BB", "LM", "NMT"])],
            Resource = "revisiting-released.csv",
        },
    ];

    /// <summary>Finds a suite.</summary>
    /// <returns>Null where none has that name.</returns>
    public static Suite? Find(string name) => All.FirstOrDefault(suite => suite.Name == name);

    private static Uri Revisiting(string file) =>
        new($"https://raw.githubusercontent.com/google-research/google-research/master/revisiting_neural_scaling_laws/data/{file}");
}

/// <summary>Errors of fits that others made of the curves of a suite.</summary>
public sealed class ReleasedFits
{
    private readonly FrozenDictionary<string, ImmutableArray<double>> _rmsle;

    private ReleasedFits(ImmutableArray<string> forms, FrozenDictionary<string, ImmutableArray<double>> rmsle) => (Forms, _rmsle) = (forms, rmsle);

    /// <summary>Laws that were fitted, by name.</summary>
    public ImmutableArray<string> Forms { get; }

    /// <summary>Number of curves.</summary>
    public int Count => _rmsle.Count;

    /// <summary>RMSLE on the held-out points of a curve.</summary>
    /// <param name="curve">Its name.</param>
    /// <returns>One a form; empty where the curve is not among them. Shape [Forms].</returns>
    public ImmutableArray<double> Rmsle(string curve) => _rmsle.GetValueOrDefault(curve, []);

    /// <summary>Reads a table with columns curve and one a form; lines that start with # are passed over.</summary>
    internal static ReleasedFits Read(string resource)
    {
        using var text = new StreamReader(typeof(ReleasedFits).Assembly.GetManifestResourceStream(resource)!);
        using CsvReader csv = CsvReader.FromText(text.ReadToEnd(), new CsvReaderOptions { HasHeader = false, CommentPrefix = '#' });
        csv.Read();
        string[] forms = [.. Enumerable.Range(1, csv.FieldCount - 1).Select(csv.GetString)];
        var rmsle = new Dictionary<string, ImmutableArray<double>>(StringComparer.Ordinal);
        while (csv.Read())
            rmsle.Add(csv.GetString(0), [.. forms.Select((_, i) => double.Parse(csv.GetString(i + 1), CultureInfo.InvariantCulture))]);
        return new([.. forms], rmsle.ToFrozenDictionary(StringComparer.Ordinal));
    }
}
