using System.Globalization;
using System.Text;
using CsvHelper;

namespace BnslGpu;

/// <summary>The header of a file and what it says about the rest.</summary>
internal sealed class CurveHeader
{
    private CurveHeader(string source, string text, long line, long lines)
    {
        Source = source;
        Text = text;
        Line = line;
        Lines = lines;
        Separator = SeparatorOf(text);
        using CsvReader csv = CsvReader.FromText(text, Options);
        try
        {
            Names = csv.Read() ? [.. Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i).Trim())] : [];
        }
        catch (CsvFormatException e)
        {
            throw new CurveCsvException(
                $"{source}, line {line}: the quotes of the header do not match. Close the quoted field; write \" inside one as \"\".", e);
        }
    }

    /// <summary>What messages call the file.</summary>
    public string Source { get; }

    /// <summary>The header as it stands in the file.</summary>
    public string Text { get; }

    /// <summary>Line where the header starts, from 1.</summary>
    public long Line { get; }

    /// <summary>Lines up to the end of the header.</summary>
    public long Lines { get; }

    /// <summary>What separates fields.</summary>
    public char Separator { get; }

    /// <summary>Names of the columns, trimmed.</summary>
    public string[] Names { get; }

    /// <summary>How the rest is read. The header is read before, so that the separator is taken from it alone.</summary>
    public CsvReaderOptions Options => new()
    {
        Separator = Separator,
        HasHeader = false,
        CommentPrefix = '#',
        TrackLineNumbers = true,
        TrimWhitespace = Separator != '\t',
        MalformedData = CsvMalformedDataHandling.Throw,
        MaxRecordSize = 1 << 20, // A quote that is never closed would otherwise take the rest of the file into memory.
    };

    /// <summary>Takes the header off a text.</summary>
    /// <exception cref="CurveCsvException">The text is empty.</exception>
    public static CurveHeader Read(TextReader text, string source)
    {
        string shown = CurveText.WithoutControls(source);
        long lines = 0;
        while (text.ReadLine() is { } read)
        {
            string header = lines++ == 0 ? read.TrimStart('\uFEFF') : read;
            if (string.IsNullOrWhiteSpace(header) || header[0] == '#') continue;
            long first = lines;
            while (header.AsSpan().Count('"') % 2 != 0 && header.Length < 1 << 20 && text.ReadLine() is { } next)
            {
                header += "\n" + next;
                lines++;
            }
            return new CurveHeader(shown, header, first, lines);
        }
        throw new CurveCsvException($"{shown} is empty. Give a header such as curve,x,y and one row a point.");
    }

    /// <summary>An error about the header.</summary>
    public CurveCsvException Fault(string sentence) => new($"{Source}, line {Line}: {sentence}");

    /// <summary>The separator that stands most often outside quotes; of equals the rarer in names: tab, semicolon, comma.</summary>
    private static char SeparatorOf(string header)
    {
        ReadOnlySpan<char> candidates = "\t;,";
        Span<int> count = stackalloc int[candidates.Length];
        bool quoted = false;
        foreach (char c in header)
        {
            if (c == '"') quoted = !quoted;
            else if (!quoted && candidates.IndexOf(c) is >= 0 and int i) count[i]++;
        }
        int most = 0;
        for (int i = 1; i < count.Length; i++)
            if (count[i] > count[most]) most = i;
        return count[most] == 0 ? ',' : candidates[most];
    }
}

/// <summary>A header with the meaning of its columns.</summary>
internal sealed class CurveLayout
{
    private static readonly string[] _benchmark = ["Domain", "Task", "Model", "Seen Examples", "Loss", "Training"];
    private readonly CurveHeader _header;
    private readonly List<(string Name, string Option)> _missing = [];

    /// <summary>Finds every column.</summary>
    /// <exception cref="CurveCsvException">A column is missing or stands twice, or two things say what is held out.</exception>
    public CurveLayout(CurveHeader header, CurveColumns columns)
    {
        _header = header;
        bool benchmark = _benchmark.All(name => Count(name, StringComparison.OrdinalIgnoreCase) > 0);

        // Together, so that a file with other names is told of both at once.
        X = [.. (!columns.X.IsDefaultOrEmpty ? columns.X : [benchmark ? "Seen Examples" : "x"]).Select(name => Find(name, "--x", optional: true))];
        Y = Find(columns.Y ?? (benchmark ? "Loss" : "y"), "--y", optional: true);
        Weight = columns.Weight is { } weight ? Find(weight, "--weight", optional: true) : columns.Sigma is { } sigma ? Find(sigma, "--sigma", optional: true) : -1;
        if (_missing.Count > 0) throw Missing();
        Curve = !columns.Curve.IsDefaultOrEmpty ? [.. columns.Curve.Select(name => Find(name, "--curve"))]
            : benchmark ? [.. _benchmark.Take(3).Select(name => Find(name, "--curve"))]
            : Count("curve", StringComparison.OrdinalIgnoreCase) > 0 ? [Find("curve", "--curve")]
            : [];

        bool split = Count("split", StringComparison.OrdinalIgnoreCase) > 0;
        string? fitWhen = columns.FitWhen ?? (benchmark && columns.Holdout is null ? "Training=1" : null);
        if (fitWhen is not null)
        {
            int equals = fitWhen.IndexOf('=', StringComparison.Ordinal);
            Split = Find(fitWhen[..equals], "--fit-when");
            FitValue = fitWhen[(equals + 1)..].Trim();
        }
        else if (split)
        {
            Split = Find("split", "--fit-when");
            if (columns.Holdout is not null)
                throw header.Fault(
                    "column \"split\" says what is held out, and so does --holdout. Leave out --holdout, or remove or rename the column.");
        }

        if (benchmark && columns.Holdout is not null)
            Note = $"{header.Source}: column \"Training\" is not used, for --holdout says what is held out.";
        else if (split && FitValue is not null && Split != Find("split", "--fit-when"))
            Note = $"{header.Source}: column \"split\" is not used, for column \"{NameOf(Split)}\" says what is held out.";
    }

    /// <summary>Columns of the header; every row has as many fields.</summary>
    public int Width => _header.Names.Length;

    /// <summary>Indices of the columns of x, one an input.</summary>
    public int[] X { get; }

    /// <summary>Index of the column of y.</summary>
    public int Y { get; }

    /// <summary>Index of the column of weights or sigmas; −1 without.</summary>
    public int Weight { get; }

    /// <summary>Indices of the columns that name the curve; none where the file does.</summary>
    public int[] Curve { get; }

    /// <summary>Index of the column that says what is held out; −1 without.</summary>
    public int Split { get; } = -1;

    /// <summary>The value of <see cref="Split"/> that makes a row a fit point; null where fit and heldout are said in words.</summary>
    public string? FitValue { get; }

    /// <summary>What a reader should know about the choice of columns; null if nothing.</summary>
    public string? Note { get; }

    /// <summary>A column's name as messages show it.</summary>
    public string NameOf(int column) => CurveText.Printable(_header.Names[column]);

    /// <summary>The index of a column.</summary>
    /// <param name="wanted">Its name.</param>
    /// <param name="option">What names it on the command line.</param>
    /// <param name="optional">Whether a column that is not there is remembered, as −1, to be complained of later.</param>
    private int Find(string wanted, string option, bool optional = false)
    {
        wanted = wanted.Trim();
        string shown = CurveText.Printable(wanted);
        foreach (StringComparison comparison in (StringComparison[])[StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase])
        {
            int count = Count(wanted, comparison);
            if (count == 1) return Array.FindIndex(_header.Names, name => name.Equals(wanted, comparison));
            if (count > 1) throw _header.Fault($"{count} columns are called \"{shown}\". Rename all but one, or name another with {option}.");
        }
        _missing.Add((shown, option));
        return optional ? -1 : throw Missing();
    }

    private CurveCsvException Missing()
    {
        string names = Listed(_missing.Select(missing => $"\"{missing.Name}\"")), options = Listed(_missing.Select(missing => missing.Option).Distinct());
        string present = string.Join(", ", _header.Names.Select(name => $"\"{CurveText.Printable(name)}\""));
        string advice = _header.Names.All(name => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            ? "The first line must name the columns, such as curve,x,y."
            : Width == 1 ? "Columns are separated by commas, semicolons or tabs."
            : $"Name the right {(_missing.Count == 1 ? "one" : "ones")} with {options}{(options == "--fit-when" ? " Column=value" : "")}.";
        return _header.Fault($"there {(_missing.Count == 1 ? "is no column" : "are no columns")} {names}; the columns are {present}. {advice}");

        static string Listed(IEnumerable<string> words) =>
            words.Count() == 1 ? words.First() : $"{string.Join(", ", words.SkipLast(1))} and {words.Last()}";
    }

    private int Count(string wanted, StringComparison comparison) => _header.Names.Count(name => name.Equals(wanted, comparison));
}

/// <summary>Text from a file as it may be shown on a terminal.</summary>
internal static class CurveText
{
    /// <summary>A field or a column's name: without controls, and cut after 80 characters.</summary>
    public static string Printable(string text) =>
        WithoutControls(text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "…"));

    /// <summary>Control characters, which a terminal would obey, become U+FFFD.</summary>
    public static string WithoutControls(string text)
    {
        char[] chars = text.ToCharArray();
        ReplaceControls(chars);
        return new string(chars);
    }

    /// <summary>Replaces control characters in place by U+FFFD.</summary>
    public static void ReplaceControls(Span<char> text)
    {
        foreach (ref char c in text)
            if (char.IsControl(c)) c = '\uFFFD';
    }

    /// <summary>A field without the white space around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> field) => field[Ascii.Trim(field)];
}
