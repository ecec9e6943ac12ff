using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;
using BnslGpu.Cli;
using BnslGpu.Formats;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>What the readers made of one generated input.</summary>
/// <param name="Kind">How it was made; one of <see cref="InputFuzz.Kinds"/>.</param>
/// <param name="WasRead">Whether it was read; otherwise it was refused with a sentence.</param>
/// <param name="Fault">What must not happen and did; null if all is well.</param>
internal sealed record FuzzOutcome(string Kind, bool WasRead, string? Fault);

/// <summary>Inputs from a grammar, and mutations of them, through the readers of CSV, of saved reports and of options.</summary>
/// <remarks>
/// <para>An input is a function of seed and number alone (<see cref="CounterRandom"/>), so any one can be made again.</para>
/// <para>
/// What is held: no exception but the documented one, with a sentence that names the input and has no control character; every row is a point, a copy or a row that is
/// reported; every point is finite. Of inputs from the grammar it is known what they say: a table that is read has exactly the points that stand in it, to the last
/// bit, and a report all its curves, fits and parameters. What is packed reads like what is not, and what is cut off is refused.
/// </para>
/// </remarks>
internal static class InputFuzz
{
    private const string Source = "fuzz.csv";

    // "fuzz" in ASCII.
    private const ulong Stream = 0x66757A7A;

    /// <summary>Ways in which inputs are made, in turn.</summary>
    public static IReadOnlyList<string> Kinds { get; } = ["csv, grammar", "csv, grammar", "csv, mutated", "csv, mutated", "csv, packed", "json, grammar", "json, mutated", "json, mutated", "bytes", "options"];

    /// <summary>Makes an input and reads it.</summary>
    /// <param name="seed">Of the run.</param>
    /// <param name="number">Which input of the run.</param>
    /// <param name="shown">Takes the input as text.</param>
    public static FuzzOutcome Try(ulong seed, uint number, Action<string>? shown = null)
    {
        string kind = Kinds[(int)(number % (uint)Kinds.Count)];
        var draw = new Draw(new CounterRandom(seed, Stream, number));
        try
        {
            (bool wasRead, string? fault) = kind switch
            {
                "csv, grammar" => Csv(draw, packed: false, shown),
                "csv, packed" => Csv(draw, packed: true, shown),
                "csv, mutated" => MutatedCsv(draw, shown),
                "json, grammar" => Json(draw, shown),
                "json, mutated" => MutatedJson(draw, shown),
                "bytes" => Bytes(draw, shown),
                _ => Options(draw, shown),
            };
            return new(kind, wasRead, fault);
        }
#pragma warning disable CA1031 // Whatever comes is what is looked for.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new(kind, false, $"{e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}");
        }
    }

    private static (bool, string?) Csv(Draw draw, bool packed, Action<string>? shown)
    {
        CsvInput input = CsvInput.Of(draw);
        shown?.Invoke($"{input.Columns}\n{input.Text}");
        byte[] bytes = Encode(draw, input.Text);
        if (!packed) return Read(bytes, input.Columns, input);
        byte[] gzip = Packed(bytes);
        if (draw.Below(2) == 0) return Read(gzip, input.Columns, input);
        (bool wasRead, string? fault) = Read(gzip[..(2 + draw.Below(gzip.Length - 2))], input.Columns, null);
        return (wasRead, fault ?? (wasRead ? "gzip that is cut off was read" : null));
    }

    private static (bool, string?) MutatedCsv(Draw draw, Action<string>? shown)
    {
        CsvInput input = CsvInput.Of(draw);
        byte[] bytes = Mutated(draw, Encode(draw, input.Text), s_csvTokens);
        shown?.Invoke($"{input.Columns}\n{Encoding.UTF8.GetString(bytes)}");
        return Read(bytes, input.Columns, null);
    }

    private static (bool, string?) Bytes(Draw draw, Action<string>? shown)
    {
        byte[] bytes = new byte[draw.Below(200)];
        int of = draw.Below(3);
        for (int i = 0; i < bytes.Length; i++) bytes[i] = of == 0 ? draw.Of("0123456789.,,,\n\n\n"u8.ToArray()) : (byte)draw.Below(128 * of);
        byte[] head = draw.Below(4) switch { 0 => [0x1F, 0x8B, 8, 0], 1 => [.. "x,y\n"u8], 2 => [0xFF, 0xFE], _ => [] };
        bytes = [.. head, .. bytes];
        shown?.Invoke(Convert.ToHexString(bytes));
        (bool wasRead, string? fault) = Read(bytes, new() { SkipInvalid = draw.Below(2) == 0 }, null);
        if (fault is not null) return (wasRead, fault);
        (bool wasReport, fault) = ReadReport(bytes, null);
        return (wasRead || wasReport, fault);
    }

    private static (bool, string?) Read(byte[] bytes, CurveColumns columns, CsvInput? input)
    {
        CurveTable table;
        try
        {
            using var stream = new MemoryStream(bytes);
            table = CurveCsv.Read(stream, Source, columns);
        }
        catch (CurveCsvException e)
        {
            bool isSentence = IsSentence(e.Message, Source) || e.Message.StartsWith("No row is a fit point", StringComparison.Ordinal);
            return (false, !isSentence ? $"not a sentence about it: {e.Message}" : input is { MustBeRead: true } ? $"refused: {e.Message}" : null);
        }

        foreach (Curve curve in table.Curves)
        {
            if (HasControl(curve.Name)) return (true, "a name with a control character");
            foreach (Points points in (Points[])[curve.Fit, curve.HeldOut])
                for (int i = 0; i < points.Count; i++)
                    if (!double.IsFinite(points.Y[i]) || !double.IsFinite(points.X[i]) || (!columns.AnyX && points.X[i] <= 0)) return (true, $"a point at x = {points.X[i]:R} with y = {points.Y[i]:R}");
        }

        long used = table.Curves.Sum(curve => (long)curve.Fit.Count + curve.HeldOut.Count);
        if (table.Rows != used + table.CopiesDropped + table.RowsSkipped) return (true, $"{table.Rows} rows, {used} used, {table.CopiesDropped} copies, {table.RowsSkipped} left out");
        if (table.CopiesDropped != table.Curves.Sum(curve => curve.CopiesDropped)) return (true, "copies of curves do not add up");
        if (table.RowsSkipped > 0 && table.Notes.IsEmpty) return (true, "rows were left out without a note");
        if (table.Notes.FirstOrDefault(note => HasControl(note)) is { } note) return (true, $"a note with a control character: {note}");
        return (true, input?.Differs(table));
    }

    private static (bool, string?) Json(Draw draw, Action<string>? shown)
    {
        JsonInput input = JsonInput.Of(draw);
        shown?.Invoke(input.Text);
        byte[] bytes = Encode(draw, input.Text);
        return ReadReport(draw.Below(8) == 0 ? Packed(bytes) : bytes, input);
    }

    private static (bool, string?) MutatedJson(Draw draw, Action<string>? shown)
    {
        string text = JsonInput.Of(draw).Text;
        bool isJson = draw.Below(2) == 0;
        for (int times = isJson ? 1 + draw.Below(3) : 0; times > 0; times--)
        {
            // One value in the place of another leaves JSON, which gets further into the reader.
            Match[] values = [.. s_jsonValue.Matches(text).Cast<Match>()];
            Match value = draw.Of(values);
            text = string.Concat(text.AsSpan(0, value.Index), draw.Below(2) == 0 ? draw.Of(values).Value : draw.Of(s_jsonValues), text.AsSpan(value.Index + value.Length));
        }

        byte[] bytes = Encode(draw, text);
        if (!isJson) bytes = Mutated(draw, bytes, s_jsonTokens);
        shown?.Invoke(Encoding.UTF8.GetString(bytes));
        return ReadReport(bytes, null);
    }

    private static (bool, string?) ReadReport(byte[] bytes, JsonInput? input)
    {
        SavedReport report;
        try
        {
            using var stream = new MemoryStream(bytes);
            report = JsonReport.Read(stream, Source);
        }
        catch (InvalidDataException e)
        {
            return (false, !IsSentence(e.Message, Source) ? $"not a sentence about it: {e.Message}" : input is not null ? $"refused: {e.Message}" : null);
        }

        foreach (SavedCurve curve in report.Curves)
        {
            if (HasControl(curve.Name)) return (true, "a name with a control character");
            foreach (SavedFit fit in curve.Fits)
            {
                ScalingLaw law = ScalingLaw.Get(fit.Law, fit.Breaks);
                _ = fit.Predict([.. Enumerable.Repeat(10.0, law.InputCount)]);
            }
        }

        return (true, input?.Differs(report));
    }

    private static (bool, string?) Options(Draw draw, Action<string>? shown)
    {
        var text = new StringBuilder();
        for (int parts = 1 + draw.Below(8); parts > 0; parts--) text.Append(draw.Of(s_optionTokens));
        string option = text.ToString();
        shown?.Invoke(option);
        bool wasRead = false;
        foreach (CurveColumns columns in (CurveColumns[])[new() { Holdout = option }, new() { FitWhen = option }, new() { X = [.. option.Split(',')] }])
        {
            try
            {
                columns.Validate();
                if (columns.Holdout is not null && columns.HoldoutOf(10) < 1) return (true, "nothing would be held out");
                wasRead = true;
            }
            catch (ArgumentException e) when (e.GetType() == typeof(ArgumentException))
            {
                if (!e.Message.Contains("Violated constraint", StringComparison.Ordinal)) return (false, $"not a sentence about it: {e.Message}");
            }
        }

        wasRead |= Scales.TryRead(option, out double[] x) | Scales.TryReadPoints(option, out _) | Scales.TryReadNumbers(option, out _) | Scales.TryReadPositive(option, out _) | Scales.TryReadBreaks(option, out _)
            | RuleTexts.TryReadValues(option, out _) | RuleTexts.TryReadRanges(option, out _) | RuleTexts.TryReadTies(option, out _);
        return (wasRead, Array.Exists(x, value => !(value > 0) || !double.IsFinite(value)) ? "a scale that is not above 0 and finite" : null);
    }

    private static bool IsSentence(string message, string source) =>
        message.StartsWith(source, StringComparison.Ordinal) && message.Length < 4000 && message[^1] is '.' or ')' && !HasControl(message);

    private static bool HasControl(string text) => text.Any(char.IsControl);

    private static byte[] Encode(Draw draw, string text) => draw.Below(16) switch
    {
        0 => [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(text)],
        1 => [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(text)],
        2 => [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes(text)],
        _ => Encoding.UTF8.GetBytes(text),
    };

    private static byte[] Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>One to four times a byte changed, a stretch removed, doubled or moved, a token put in, or the end cut off.</summary>
    private static byte[] Mutated(Draw draw, byte[] bytes, string[] tokens)
    {
        List<byte> changed = [.. bytes];
        for (int times = 1 + draw.Below(4); times > 0; times--)
        {
            int at = draw.Below(changed.Count + 1), length = Math.Min(draw.Below(12), changed.Count - at);
            switch (draw.Below(7))
            {
                case 0 when at < changed.Count: changed[at] = (byte)draw.Below(256); break;
                case 1 when at < changed.Count: changed[at] ^= (byte)(1 << draw.Below(8)); break;
                case 2: changed.RemoveRange(at, length); break;
                case 3: changed.InsertRange(draw.Below(changed.Count + 1), changed.GetRange(at, length)); break;
                case 4: changed.RemoveRange(at, changed.Count - at); break;
                default: changed.InsertRange(at, Encoding.UTF8.GetBytes(draw.Of(tokens))); break;
            }
        }

        return [.. changed];
    }

    private static readonly string[] s_csvTokens =
    [
        "\"", "\"\"", ",", ";", "\t", "\n", "\r", "\r\n", "#", "\n#", "\0", "\uFEFF", "\uFFFF", "nan", "inf", "1e999", "-1", "0", "1,5", "1.5", "1,000", "=cmd|'/C calc'!A0", "\u001b[2J", "\u202E", "x", "y", "curve",
        "split", "fit", " ", "\u00A0", "😀", "sep=;\n", new string('9', 400), new string(',', 40), "'", "\\", "{", "<",
    ];

    private static readonly string[] s_jsonTokens =
    [
        "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "1e999", "-1e-999", "2147483648", "\"NaN\"", "\"Infinity\"", "\\u0000", "\\uD800", "\u009B", "\"curve\": 1,", "\"law\": \"bnsl\",", "\"breaks\": 6,", "[]", "{}", "\0",
        "\uFEFF", "//", "\n", "{\"a\":", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "1e", "0.1", new string('9', 400),
    ];

    private static readonly Regex s_jsonValue = new("\"[^\"]*\"|-?[0-9][^,\\] }]*|null|false", RegexOptions.NonBacktracking);

    private static readonly string[] s_jsonValues =
    [
        "null", "true", "false", "{}", "[]", "[[]]", "[null]", "{\"a\": 1}", "0", "-0", "-1", "1.5", "1e999", "7", "2147483648", "\"\"", "\"NaN\"", "\"nan\"", "\"bnsl\"", "\"\\u0000\"", "\"\\uD800\"", "\"\\u001b[2J\"", "[1, 2, 3]",
    ];

    private static readonly string[] s_optionTokens =
    [
        "1", "0", "3", "1e6", "1e9", "0.2", "..", ":", ",", "/", "-", "=", "a", "c0", "f", "d1", "1e6..1e9:5", "0-3", "a=0", "f=0.05:10", ":1e6", "alpha=beta", "|", " ", "", "nan", "inf", "1e999", "1e-999", "٣", "\0", "--", "20%",
        "99999999999999999999", "+", ".",
    ];
}

/// <summary>Draws from a keyed generator.</summary>
internal sealed class Draw(CounterRandom random)
{
    private CounterRandom _random = random;

    /// <summary>A whole number from 0 to below <paramref name="count"/>; 0 for a count of 0.</summary>
    public int Below(int count) => (int)(_random.Uniform() * count);

    public T Of<T>(IReadOnlyList<T> list) => list[Below(list.Count)];

    /// <summary>A number of any magnitude: small wholes, decimals, powers, and the ends of double.</summary>
    public double Number() => Below(8) switch
    {
        0 => 1 + Below(2000),
        1 => Math.Round(_random.Uniform(0, 10), 3),
        2 => Math.Pow(10, _random.Uniform(-300, 300)),
        3 => _random.Uniform(0, 1e6),
        4 => Of([5e-324, 2.2250738585072014e-308, double.MaxValue, 1e300, 1e-300, 9007199254740993]),
        5 => 1000 * (1 + Below(5000)),
        _ => _random.Uniform(),
    };
}

/// <summary>A table from a grammar, with the points that stand in it.</summary>
internal sealed class CsvInput
{
    private static readonly string[] s_missing = ["", "  ", "nan", "NaN", "NA", "N/A", "<NA>", "null", "None", "inf", "-inf", "Infinity", "#N/A", "-nan", "1e999", "∞"];
    private static readonly string[] s_wrong = ["abc", "1 000", "0x10", "1_000", "１２", "--1", "1e", "1..2", "=1+1", "1e-400", "5%", "\u001b[31m", "−1", "1.2.3", "d"];

    private static readonly string[] s_names =
    [
        "a", "b", "two words", "6 Enc, 6 Dec", "semi;colon", "tab\tbed", "\"quoted\"", "line\nbreak", "=cmd|'/C calc'!A0", "../../etc/passwd", "\u001b[2Jclear", "<b>", "#1", "名", "😀", "gpt\u202Eexe", "CON", "-", "a|b", new('n', 300),
    ];

    private static readonly SearchValues<char> s_quoted = SearchValues.Create(",;\t\"\n\r");
    private readonly List<(double X, double Y)> _points = [], _last = [];
    private long _rows;
    private bool _wrong;
    private bool _inDoubt;

    /// <summary>The table.</summary>
    public string Text { get; private set; } = "";

    /// <summary>How it is to be read.</summary>
    public CurveColumns Columns { get; private set; } = new();

    /// <summary>Whether it is a right table with a point.</summary>
    public bool MustBeRead => _points.Count > 0 && (!_wrong || Columns.SkipInvalid) && !_inDoubt;

    public static CsvInput Of(Draw draw)
    {
        var input = new CsvInput();
        input.Make(draw);
        return input;
    }

    /// <summary>What is in the table and was not read, or the other way round; null if nothing.</summary>
    public string? Differs(CurveTable table)
    {
        if (table.Rows != _rows) return $"{_rows} rows were written and {table.Rows} read";
        List<(double X, double Y)> read = [.. table.Curves.SelectMany(curve => (Points[])[curve.Fit, curve.HeldOut]).SelectMany(points => Enumerable.Range(0, points.Count).Select(i => (points.X[i], points.Y[i])))];
        if (read.Count + table.CopiesDropped != _points.Count) return $"{_points.Count} points were written, {read.Count} read and {table.CopiesDropped} dropped as copies";
        return read.Distinct().Order().SequenceEqual(_points.Distinct().Order()) ? null : $"points differ: {Show(_points)} were written and {Show(read)} read";

        static string Show(IEnumerable<(double X, double Y)> points) => string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:R}→{point.Y:R}")));
    }

    private void Make(Draw draw)
    {
        char separator = draw.Of(",,,;;\t".ToCharArray());
        bool wide = draw.Below(4) == 0, curves = !wide && draw.Below(2) == 0, split = draw.Below(4) == 0, comma = separator != ',' && draw.Below(3) == 0, grouped = !comma && draw.Below(12) == 0, dirty = draw.Below(3) == 0;
        string end = draw.Of<string>(["\n", "\n", "\n", "\r\n", "\r"]);
        int others = draw.Below(3), series = wide ? 1 + draw.Below(4) : 1;
        Columns = new() { Wide = wide, SkipInvalid = draw.Below(2) == 0, KeepCopies = draw.Below(2) == 0, Holdout = !split && draw.Below(4) == 0 ? draw.Of<string>(["1", "3", "0.2", "100"]) : null };

        // Columns in an order of their own; x first or by its name, and of a wide table no other.
        List<string> header = ["x", .. wide ? Enumerable.Range(0, series).Select(k => $"{draw.Of(s_names)} {k}") : ["y"], .. curves ? ["curve"] : Array.Empty<string>(), .. split ? ["split"] : Array.Empty<string>(),
            .. wide ? [] : Enumerable.Range(0, others).Select(k => $"{draw.Of(s_names)} {k}")];
        int[] order = [.. Enumerable.Range(0, header.Count)];
        for (int i = order.Length - 1; i > 0; i--)
        {
            int j = draw.Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        var text = new StringBuilder();
        if (draw.Below(8) == 0) text.Append("# a comment with \"quotes").Append(end);
        if (draw.Below(8) == 0) text.Append(end);
        text.AppendJoin(separator, order.Select((column, place) => Field(draw, header[column], separator, place == 0)));
        int rows = draw.Below(draw.Below(50) == 0 ? 200 : 12);
        string? before = null;
        bool certain = false;
        int raggedRows = 0;
        for (int row = 0; row < rows; row++)
        {
            text.Append(end);
            if (draw.Below(12) == 0) text.Append(draw.Of<string>(["", "   ", "# x,\"y", "#"])).Append(end);
            if (before is not null && draw.Below(16) == 0)
            {
                // A copy: its points are written once more.
                text.Append(before);
                _rows += series;
                _points.AddRange(_last);
                continue;
            }

            _last.Clear();
            (string xText, double x, bool xWrong) = Number(draw, dirty, comma, grouped, ref certain);
            bool wrongRow = xWrong;
            var cells = new string[header.Count];
            cells[0] = xText;
            List<(double Y, bool Wrong)> values = [];
            for (int k = 1; k <= series; k++)
            {
                (cells[k], double y, bool yWrong) = Number(draw, dirty, comma, grouped, ref certain);
                values.Add((y, yWrong));
            }

            for (int column = series + 1; column < cells.Length; column++)
            {
                bool badWord = dirty && (header[column] is "split" or "curve") && draw.Below(20) == 0;
                cells[column] = badWord ? header[column] == "split" ? "maybe" : "" : header[column] == "split" ? draw.Of<string>(["fit", "heldout", "Test", "train"]) : draw.Of(s_names);
                wrongRow |= badWord;
            }

            string line = string.Join(separator, order.Select((column, place) => Field(draw, cells[column], separator, place == 0)));
            bool ragged = dirty && draw.Below(20) == 0;
            if (ragged)
            {
                line += separator;
                raggedRows++;
            }

            text.Append(line);
            before = line;
            _rows += series;
            foreach ((double y, bool yWrong) in values)
            {
                bool isPoint = !ragged && !wrongRow && !yWrong && double.IsFinite(x) && x > 0 && double.IsFinite(y);
                _wrong |= ragged || wrongRow || yWrong;
                if (isPoint) _last.Add((x, y));
            }

            _points.AddRange(_last);
        }

        if (draw.Below(2) == 0) text.Append(end);
        _inDoubt = grouped || (comma && (!certain || raggedRows > 0));
        Text = text.ToString();
    }

    /// <summary>A number as it may be spelt, its value (NaN where there is none), and whether it is wrong.</summary>
    private static (string Text, double Value, bool Wrong) Number(Draw draw, bool dirty, bool comma, bool grouped, ref bool certain)
    {
        if (dirty && draw.Below(6) == 0) return draw.Below(3) > 0 ? (draw.Of(s_missing), double.NaN, false) : (draw.Of(s_wrong), double.NaN, true);
        double value = draw.Number();
        if (dirty && draw.Below(8) == 0) value = draw.Below(2) == 0 ? -value : 0;
        string text = value.ToString(draw.Of<string>(["R", "E16", "R"]), CultureInfo.InvariantCulture);
        if (draw.Below(10) == 0 && !text.StartsWith('-')) text = "+" + text;
        if (grouped && value is >= 1000 and < 1e9 && value == Math.Floor(value))
        {
            // To be refused or left out, and never to be 1.
            return (value.ToString("N0", CultureInfo.InvariantCulture), double.NaN, true);
        }

        if (comma)
        {
            text = text.Replace('.', ',');
            int at = text.IndexOf(',', StringComparison.Ordinal);
            if (at >= 0) certain |= !(text[..at].TrimStart('+', '-') is { Length: <= 3 } whole && whole[0] != '0' && text.Length == at + 4 && text[(at + 1)..].All(char.IsAsciiDigit));
        }

        return (draw.Below(10) == 0 ? $" {text} " : text, value, false);
    }

    private static string Field(Draw draw, string text, char separator, bool first)
    {
        // In a header another separator must not outnumber its own; in a row a number may have a comma where that separates nothing.
        bool must = text.AsSpan().ContainsAny(s_quoted) && (text.Contains(separator, StringComparison.Ordinal) || !char.IsAsciiDigit(text.AsSpan().TrimStart(" +-,")[0]));
        bool quoted = must || (first && (text.StartsWith('#') || text.AsSpan().Trim().IsEmpty)) || (text.Length > 0 && draw.Below(12) == 0);
        return quoted ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}

/// <summary>A report from a grammar, with what stands in it.</summary>
internal sealed class JsonInput
{
    private readonly List<(string Name, int Chosen, List<double> Parameters)> _curves = [];

    /// <summary>The report.</summary>
    public string Text { get; private set; } = "";

    public static JsonInput Of(Draw draw)
    {
        var input = new JsonInput();
        var text = new StringBuilder("""{"tool": "bnsl", "version": "0.1.0", "curves": [""");
        for (int curves = draw.Below(4), k = 0; k < curves; k++) text.Append(k > 0 ? ", " : "").Append(input.Curve(draw));
        input.Text = text.Append("]}").ToString();
        return input;
    }

    /// <summary>What is in the report and was not read; null if nothing.</summary>
    public string? Differs(SavedReport report)
    {
        if (report.Curves.Length != _curves.Count) return $"{_curves.Count} curves were written and {report.Curves.Length} read";
        foreach ((SavedCurve read, (string name, int chosen, List<double> parameters)) in report.Curves.Zip(_curves))
        {
            if (read.Name != name || read.Chosen != chosen) return $"'{name}' with {chosen} was read as '{read.Name}' with {read.Chosen}";
            IEnumerable<long> bits = read.Fits.SelectMany(fit => fit.Parameters).SelectMany(parameter => parameter.Values).Select(BitConverter.DoubleToInt64Bits);
            if (!bits.SequenceEqual(parameters.Select(BitConverter.DoubleToInt64Bits))) return $"parameters of '{name}' differ";
        }

        return null;
    }

    private string Curve(Draw draw)
    {
        string name = draw.Of<string>(["a", "two words", "名", "😀", "=1+1", "", "../x", "<b>"]);
        List<double> parameters = [];
        List<string> fits = [];
        for (int count = draw.Below(4); count > 0; count--)
        {
            (string law, string values) = Fit(draw, parameters);
            fits.Add($$"""{ {{law}}, "loss": "msle", "objective": {{Number(draw.Number())}}, "parameters": {{values}} }""");
        }

        int chosen = draw.Below(fits.Count + 1) - 1;
        _curves.Add((name, chosen, parameters));
        string forecast = draw.Below(3) switch { 0 => "null", 1 => Forecast(draw), _ => """{ "noise": 0.1 }""" };
        string names = draw.Below(2) == 0 ? "" : """ "xNames": ["x"], "yName": "y",""";
        return $$"""{ "curve": "{{name}}",{{names}} "chosen": {{(chosen < 0 ? "null" : chosen.ToString(CultureInfo.InvariantCulture))}}, "fits": [{{string.Join(", ", fits)}}], "forecast": {{forecast}} }""";
    }

    private static (string Law, string Parameters) Fit(Draw draw, List<double> parameters)
    {
        ScalingLaw law = draw.Of(ScalingLaw.All);
        var values = new StringBuilder("{");
        foreach (var parameter in law.Parameters)
        {
            double[] numbers = [.. Enumerable.Range(0, parameter.PerBreak ? law.Breaks : 1).Select(_ => draw.Below(12) == 0 ? draw.Of([double.NaN, double.PositiveInfinity, double.NegativeInfinity]) : draw.Number())];
            parameters.AddRange(numbers);
            string written = string.Join(", ", numbers.Select(Number));
            values.Append(values.Length > 1 ? ", " : "").Append($"\"{parameter.Name}\": {(parameter.PerBreak ? $"[{written}]" : written)}");
        }

        return ($"\"law\": \"{law.Name}\", \"breaks\": {law.Breaks}", values.Append('}').ToString());
    }

    private static string Forecast(Draw draw)
    {
        ScalingLaw law = ScalingLaw.Get("bnsl", draw.Below(3));
        string columns = string.Join(", ", ((string[])["weight", "offset", "offsetVariance", "drift", "bend", "noise", "degrees"]).Select(name => $"\"{name}\": [{Number(draw.Number() + (name == "degrees" ? 1 : 0))}]")); // no distribution has 0 degrees of freedom
        string parameters = string.Join(", ", law.Parameters.Select(parameter =>
            $"\"{parameter.Name}\": [{(parameter.PerBreak ? $"[{string.Join(", ", Enumerable.Range(0, law.Breaks).Select(_ => Number(draw.Number())))}]" : Number(draw.Number()))}]"));
        return $$"""{ "lastX": {{Number(draw.Number())}}, "members": { "law": ["bnsl"], "breaks": [{{law.Breaks}}], "pointWeight": [1], {{columns}}, "parameters": { {{parameters}} } } }""";
    }

    private static string Number(double value) =>
        double.IsNaN(value) ? "\"NaN\"" : double.IsInfinity(value) ? value > 0 ? "\"Infinity\"" : "\"-Infinity\"" : value.ToString("R", CultureInfo.InvariantCulture);
}
