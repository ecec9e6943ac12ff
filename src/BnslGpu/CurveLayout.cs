using System.Globalization;
using System.Text;
using CsvHelper;

namespace BnslGpu;

/// <summary>The header of a file and what it says about the rest.</summary>
internal sealed class CurveHeader
{
    /// <summary>A header of a table with thousands of columns is as long as this; a row may be as long as this.</summary>
    private const int Longest = 1 << 20;

    private CurveHeader(string source, string text, long line, long lines, char? separator)
    {
        Source = source;
        Text = text;
        Line = line;
        Lines = lines;
        Separator = separator ?? SeparatorOf(text);
        using CsvReader csv = CsvReader.FromText(text, Options);
        try
        {
            Names = csv.Read() ? [.. Enumerable.Range(0, csv.FieldCount).Select(i => csv.GetString(i).Trim())] : [];
        }
        catch (CsvFormatException e)
        {
            throw IsOther ? Fault("this looks like JSON or a web page; a table in CSV is expected.") : new CurveCsvException(
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
        MaxRecordSize = Longest, // A quote that is never closed would otherwise take the rest of the file into memory.
    };

    /// <summary>Takes the header off a text.</summary>
    /// <returns>The header; null where the text is empty but for comments.</returns>
    /// <exception cref="CurveCsvException">It cannot be the header of a table.</exception>
    public static CurveHeader? Read(TextReader text, string source)
    {
        long lines = 0;
        char? separator = null;
        while (ReadLine(text, source, lines + 1) is { } read)
        {
            string header = lines++ == 0 ? read.TrimStart('\uFEFF') : read;
            if (string.IsNullOrWhiteSpace(header) || header[0] == '#') continue;
            if (separator is null && header is ['s', 'e', 'p', '=', ',' or ';' or '\t'])
            {
                separator = header[4]; // Excel writes such a line, and reads it.
                continue;
            }

            long first = lines;
            while (header.AsSpan().Count('"') % 2 != 0 && header.Length < Longest && ReadLine(text, source, lines + 1) is { } next)
            {
                header += "\n" + next;
                lines++;
            }
            return new CurveHeader(source, header, first, lines, separator);
        }
        return null;
    }

    /// <summary>The next line, unless it is too long to be one.</summary>
    private static string? ReadLine(TextReader text, string source, long number)
    {
        var line = new StringBuilder();
        int c;
        while ((c = text.Read()) is not (-1 or '\n' or '\r'))
        {
            if (line.Length == Longest)
                throw new CurveCsvException($"{source}, line {number}: the line has more than {Longest} characters. Give a table with one row a line.");
            line.Append((char)c);
        }
        if (c == '\r' && text.Peek() == '\n') _ = text.Read();
        return c == -1 && line.Length == 0 ? null : line.ToString();
    }

    /// <summary>Whether it begins like JSON or HTML.</summary>
    public bool IsOther => Text.AsSpan().TrimStart() is ['{' or '[' or '<', ..];

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
    private const int MostShown = 20;
    private const string Separators = "Columns are separated by commas, semicolons or tabs.";
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
        IsWide = columns.Wide;
        X = IsWide && Width > 0 && columns.X.IsDefaultOrEmpty && Count("x", StringComparison.OrdinalIgnoreCase) == 0 ? [0]
            : [.. (!columns.X.IsDefaultOrEmpty ? columns.X : [benchmark ? "Seen Examples" : "x"]).Select(name => Find(name, "--x", optional: true))];
        Y = IsWide ? [] : [Find(columns.Y ?? (benchmark ? "Loss" : "y"), "--y", optional: true)];
        Weight = columns.Weight is { } weight ? Find(weight, "--weight", optional: true) : columns.Sigma is { } sigma ? Find(sigma, "--sigma", optional: true) : -1;
        if (_missing.Count > 0) throw Missing();
        Curve = IsWide ? []
            : !columns.Curve.IsDefaultOrEmpty ? [.. columns.Curve.Select(name => Find(name, "--curve"))]
            : benchmark ? [.. _benchmark.Take(3).Select(name => Find(name, "--curve"))]
            : Count("curve", StringComparison.OrdinalIgnoreCase) > 0 ? [Find("curve", "--curve")]
            : [];

        bool split = Count("split", StringComparison.OrdinalIgnoreCase) > 0;
        string? fitWhen = columns.FitWhen ?? (benchmark && !IsWide && columns.Holdout is null ? "Training=1" : null);
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

        if (IsWide)
        {
            Y = CurvesOfWide(out int unnamed);
            if (unnamed > 0) Note = $"{header.Source}: {unnamed} of its columns {(unnamed == 1 ? "has no name and is" : "have no name and are")} not used; in a wide table a name is a curve's.";
        }
        else if (benchmark && columns.Holdout is not null)
            Note = $"{header.Source}: column \"Training\" is not used, for --holdout says what is held out.";
        else if (split && FitValue is not null && Split != Find("split", "--fit-when"))
            Note = $"{header.Source}: column \"split\" is not used, for column \"{NameOf(Split)}\" says what is held out.";
    }

    /// <summary>Columns of the header; every row has as many fields.</summary>
    public int Width => _header.Names.Length;

    /// <summary>Indices of the columns of x, one an input.</summary>
    public int[] X { get; }

    /// <summary>Whether every column but x's and what says what is held out is a curve that its header names.</summary>
    public bool IsWide { get; }

    /// <summary>Indices of the columns of y: one, or of a wide table one a curve.</summary>
    public int[] Y { get; }

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

    /// <summary>The name of the curve that a column of a wide table has.</summary>
    public string CurveOf(int column) => CurveText.WithoutControls(_header.Names[column]);

    /// <summary>The columns of a wide table that are curves; those that pandas calls Unnamed have no name.</summary>
    private int[] CurvesOfWide(out int unnamed)
    {
        int[] others = [.. Enumerable.Range(0, Width).Where(column => column != Split && !X.Contains(column))];
        int[] named = [.. others.Where(column => _header.Names[column].Length > 0 && !_header.Names[column].StartsWith("Unnamed: ", StringComparison.Ordinal))];
        unnamed = others.Length - named.Length;
        if (named.CountBy(CurveOf).FirstOrDefault(name => name.Value > 1) is { Key: { } name, Value: var count })
            throw _header.Fault($"{count} columns are called \"{CurveText.Printable(name)}\". In a wide table each is a curve; rename all but one.");
        return named.Length > 0 ? named : throw _header.Fault($"there is no named column beside \"{NameOf(X[0])}\". In a wide table each of the others is a curve.{(Width == 1 ? " " + Separators : "")}");
    }

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
        string present = string.Join(", ", _header.Names.Take(MostShown).Select(name => $"\"{CurveText.Printable(name)}\""))
            + (Width > MostShown ? $", … ({Width} in all)" : "");
        string[] likely = [.. _header.Names.Where(name => name.Length <= 80).Select(CurveText.Printable)];
        string? near = _missing.Count == 1 && (EditDistance.Nearest(_missing[0].Name, likely, most: 2) ?? Holding(_missing[0].Name)) is { } found ? $"; did you mean \"{found}\"?" : null;
        string advice = _header.IsOther ? "It looks like JSON or a web page; a table in CSV is expected."
            : _header.Names.All(name => double.TryParse(name, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            ? "The first line must name the columns, such as curve,x,y."
            : Width == 1 ? Separators
            : $"Name the right {(_missing.Count == 1 ? "one" : "ones")} with {options}{(options == "--fit-when" ? " Column=value" : "")}{(_missing.Count > 1 && Width > 2 && !IsWide ? ", or pass --wide if every column but that of x is a curve" : "")}.";
        return _header.Fault($"there {(_missing.Count == 1 ? "is no column" : "are no columns")} {names}{(near is null ? "; the" : near + " The")} columns are {present}. {advice}");

        // tokens for tokens_seen; of one or two letters many hold them.
        string? Holding(string wanted) => wanted.Length > 2 ? likely.FirstOrDefault(name => name.Contains(wanted, StringComparison.OrdinalIgnoreCase)) : null;

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

    /// <summary>Control characters, which a terminal would obey, and those that turn the direction of text, become U+FFFD.</summary>
    public static string WithoutControls(string text)
    {
        char[] chars = text.ToCharArray();
        ReplaceControls(chars);
        return new string(chars);
    }

    /// <inheritdoc cref="WithoutControls"/>
    public static void ReplaceControls(Span<char> text)
    {
        foreach (ref char c in text)
            if (char.IsControl(c) || IsDirection(c)) c = '\uFFFD';
    }

    /// <summary>Line and paragraph separators, and what embeds or overrides a direction: a name could pass for another.</summary>
    private static bool IsDirection(char c) => c is >= '\u2028' and <= '\u202E' or >= '\u2066' and <= '\u2069';

    /// <summary>A field without the white space around it.</summary>
    public static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> field) => field[Ascii.Trim(field)];
}
