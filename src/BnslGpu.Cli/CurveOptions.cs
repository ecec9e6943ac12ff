using System.Collections.Immutable;
using System.CommandLine;
using System.IO.Enumeration;

namespace BnslGpu.Cli;

/// <summary>The options of every command that reads curves: which columns mean what, and which rows and curves count.</summary>
internal sealed class CurveOptions
{
    private readonly Option<string?> _x = OptionKinds.Text(
        "--x", "COLUMN,…", "Column of the scale; for a law of several inputs one each, as in N,D. Default: x, or that of a benchmark whose header is known.");
    private readonly Option<string?> _y = OptionKinds.Text(
        "--y", "COLUMN", "Column of the performance. Default: y, or that of a benchmark whose header is known.");
    private readonly Option<bool> _wide = OptionKinds.Switch(
        "--wide", "Read wide tables: every column but x's is a curve, named by its header. x is column x, or that of --x, else the first.");
    private readonly Option<string?> _weight = OptionKinds.Text(
        "--weight", "COLUMN", "Column of how much each point counts, above 0. Only ratios matter. Default: all alike.");
    private readonly Option<string?> _sigma = OptionKinds.Text(
        "--sigma", "COLUMN", "Column of the standard deviation of each measurement, above 0; a point counts by its inverse square.");
    private readonly Option<double?> _ceiling = OptionKinds.Number(
        "--ceiling", "A ceiling of y that is known (1 for accuracy): fits and forecasts are then of the distance to it, C - y, which falls.", "", double.IsFinite);
    private readonly Option<string?> _sigmaOf = OptionKinds.OneOf(
        "--sigma-of", "What --sigma is the standard deviation of: y, or log y. Default: y.", ["y", "log"]);
    private readonly Option<string?> _curve = OptionKinds.Text(
        "--curve", "COLUMN,…", "Columns whose values together name a row's curve. Default: curve, else each file is one.");
    private readonly Option<string?> _fitWhen = OptionKinds.Text(
        "--fit-when", "COLUMN=VALUE", "Rows to fit; the others are held out and only scored. Default: split=fit, if there is such a column.");
    private readonly Option<string?> _holdout = OptionKinds.Text(
        "--holdout", "K|SHARE", "Hold out the last K points of each curve, or this share of them (0.2: the last fifth); of several inputs, the last by the first.");
    private readonly Option<string?> _envelope = OptionKinds.OneOf(
        "--envelope",
        "Fit only each curve's running frontier. lower: the points for which no point of smaller or equal x has a smaller y; upper: none a larger. --holdout then counts points of the frontier. To pool runs into one frontier leave out --curve, or name only columns that they share. Default: all points.",
        ["lower", "upper"]);
    private readonly Option<bool> _keepCopies = OptionKinds.Switch(
        "--keep-copies", "Keep exact copies of a row, which are otherwise dropped.");
    private readonly Option<bool> _skipInvalid = OptionKinds.Switch(
        "--skip-invalid", "Skip wrong rows and say how many; otherwise the first one ends the run. Rows whose numbers are missing are always left out.");
    private readonly Option<string?> _only = OptionKinds.Text(
        "--only", "NAME", "Fit only curves whose name contains this; with * or ?, whose whole name matches.");

    /// <summary>In the order of help.</summary>
    public IEnumerable<Option> All => [_x, _y, _wide, _ceiling, _weight, _sigma, _sigmaOf, _curve, _fitWhen, _holdout, _envelope, _keepCopies, _skipInvalid, _only];

    /// <summary>What the options say of columns; not yet validated.</summary>
    /// <exception cref="WrongCallException">An option stands without the one it speaks of.</exception>
    public CurveColumns Columns(ParseResult call)
    {
        if (call.GetValue(_sigmaOf) is { } of && call.GetValue(_sigma) is null)
            throw new WrongCallException($"--sigma-of is '{of}' and there is no --sigma; expected the column that it speaks of.");
        return new()
        {
            X = call.GetValue(_x) is { } inputs ? [.. inputs.Split(',')] : [],
            Y = call.GetValue(_y),
            Wide = call.GetValue(_wide),
            Ceiling = call.GetValue(_ceiling),
            Weight = call.GetValue(_weight),
            Sigma = call.GetValue(_sigma),
            SigmaOf = call.GetValue(_sigmaOf) == "log" ? SigmaOf.LogY : SigmaOf.Y,
            Curve = call.GetValue(_curve) is { } names ? [.. names.Split(',')] : [],
            FitWhen = call.GetValue(_fitWhen),
            Holdout = call.GetValue(_holdout),
            Envelope = call.GetValue(_envelope) switch { "lower" => Envelope.Lower, "upper" => Envelope.Upper, _ => Envelope.None },
            KeepCopies = call.GetValue(_keepCopies),
            SkipInvalid = call.GetValue(_skipInvalid),
        };
    }

    /// <summary>The columns, with x of any sign where every law takes it.</summary>
    /// <exception cref="WrongCallException">A law has another number of inputs than there are columns of x.</exception>
    public static CurveColumns ForLaws(CurveColumns columns, ImmutableArray<string> names)
    {
        ScalingLaw[] laws = [.. ScalingLaw.All.Where(law => names.Contains(law.Name)).DistinctBy(law => law.Name)];
        int count = Math.Max(columns.X.Length, 1);
        if (Array.Find(laws, law => law.InputCount != count) is { } other)
            throw new WrongCallException($"the law {other.Name} has {Inputs(other.InputCount)} and --x names {count}; expected a column for each.");
        return columns with { AnyX = Array.TrueForAll(laws, law => !law.NeedsPositiveX) };

        static string Inputs(int count) => count == 1 ? "1 input" : $"{count} inputs";
    }

    /// <summary>Reads the curves that were asked for; notes go to standard error.</summary>
    /// <exception cref="WorkException">There is no curve of the name that was asked for.</exception>
    public ImmutableArray<Curve> Read(ParseResult call, string[] files, CurveColumns columns, Streams streams, bool quiet)
    {
        CurveTable table = files is not ["-"] ? CurveCsv.ReadFiles(files, columns)
            : streams.In is StreamReader { BaseStream: var bytes } ? CurveCsv.Read(bytes, "stdin", columns) // which may be packed
            : CurveCsv.Read(streams.In, "stdin", columns);
        if (!quiet)
        {
            foreach (string note in table.Notes) streams.Say(note);
        }
        return call.GetValue(_only) is { } name ? Named(table.Curves, name) : table.Curves;
    }

    private static ImmutableArray<Curve> Named(ImmutableArray<Curve> curves, string name)
    {
        string pattern = name.AsSpan().ContainsAny('*', '?') ? name : $"*{name}*";
        ImmutableArray<Curve> named = [.. curves.Where(curve => FileSystemName.MatchesSimpleExpression(pattern, curve.Name))];
        if (named.Length > 0) return named;
        string some = string.Join(", ", curves.Take(3).Select(curve => $"'{curve.Name}'"));
        throw new WorkException($"--only {name} matches none of the {curves.Length} curves: {some}{(curves.Length > 3 ? ", …" : ".")}");
    }

    /// <summary>The library's complaint about a choice, in the words of these options.</summary>
    public static string Wrong(string complaint) => complaint
        .Replace("CurveColumns.X ", "--x ", StringComparison.Ordinal)
        .Replace("CurveColumns.Y ", "--y ", StringComparison.Ordinal)
        .Replace("CurveColumns.Wide = 'true'", "--wide is given", StringComparison.Ordinal)
        .Replace("CurveColumns.Weight ", "--weight ", StringComparison.Ordinal)
        .Replace("CurveColumns.Sigma ", "--sigma ", StringComparison.Ordinal)
        .Replace("CurveColumns.Envelope ", "--envelope ", StringComparison.Ordinal)
        .Replace("CurveColumns.Curve ", "--curve ", StringComparison.Ordinal)
        .Replace("CurveColumns.FitWhen ", "--fit-when ", StringComparison.Ordinal)
        .Replace("CurveColumns.Holdout ", "--holdout ", StringComparison.Ordinal);
}
