using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using CsvHelper;

namespace BnslGpu;

/// <summary>Gathers rows into curves, file by file.</summary>
internal sealed class CurveTableBuilder
{
    private const string NotNumber = "is not a number; expected a finite number";
    private const string NotFinite = "is not finite; expected a finite number";
    private const string TooSmall = "is smaller than the smallest number above 0, 5e-324; give the column in another unit";
    private const string Comma =
        "is not a number; decimal commas (in a file that commas separate) and thousands separators are not accepted, expected a finite number such as 2.5";
    private const string NotPositive = "is not greater than 0; x is fitted on a log scale, expected a finite number > 0";
    private const string NotWeight = "is not greater than 0; expected a finite number > 0";
    private const string NotSplit =
        "says neither what is fitted nor what is held out; expected fit or heldout (--fit-when takes any column and value)";
    private const string NotName = "does not name a curve; expected a name";

    private readonly CurveColumns _columns;
    private ImmutableArray<string> _xNames;
    private string? _yName;
    private double[] _x = [];
    private readonly Dictionary<string, Rows> _curves = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SeenRows> _seen = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _fileOfCurve = new(StringComparer.Ordinal);
    private readonly List<string> _notes = [];
    private readonly List<string> _otherValues = [];
    private readonly List<string> _empty = [];
    private string? _fitWhen;
    private bool _anyFit;
    private long _rows;
    private long _copies;
    private long _skipped;
    private char[] _name = new char[256];

    public CurveTableBuilder(CurveColumns columns)
    {
        columns.Validate();
        _columns = columns;
    }

    /// <summary>Adds the rows of one file.</summary>
    /// <remarks>A file without a row to use is an error only if no other has one.</remarks>
    public void Add(TextReader text, string source)
    {
        string shown = CurveText.WithoutControls(source);
        if (CurveHeader.Read(text, shown) is not { } header)
        {
            _empty.Add($"{shown} is empty. Give a header such as curve,x,y and one row a point.");
            return;
        }

        var layout = new CurveLayout(header, _columns);
        if (layout.Note is not null) _notes.Add(layout.Note);
        if (_yName is null) (_xNames, _yName) = ([.. layout.X.Select(column => layout.NameOf(column) is { Length: > 0 } name ? name : "x")], NameOfY(layout));
        _x = new double[layout.X.Length];
        string fileName = NameOfFile(shown);
        if (layout.Curve.Length == 0 && !layout.IsWide) RememberFile(fileName, shown);
        if (layout.FitValue is not null)
            _fitWhen = $"column \"{layout.NameOf(layout.Split)}\" is never '{CurveText.Printable(layout.FitValue)}'";
        SeenRows seen = SeenIn(header, layout, fileName);

        using CsvReader csv = CsvReader.Create(text, header.Options, leaveOpen: true);
        var row = new Row(csv, layout, header);
        Rows[]? curvesOfWide = layout.IsWide ? [.. layout.Y.Select(column => CurveCalled(layout.CurveOf(column)))] : null;
        Runs? runs = layout.Curve.Length == 0 && !layout.IsWide ? new(layout) : null;
        long rows = 0;
        Faults noNumber = new(), notPositive = new(), wrong = new();
        try
        {
            while (csv.Read())
            {
                if (row.IsBlank) continue;
                rows += layout.Y.Length;
                bool? isCopy = null;
                Fault ofX = TryInputs(row);
                for (int k = 0; k < layout.Y.Length; k++)
                {
                    Rows? curve = curvesOfWide?[k];
                    Fault fault = TryRead(row, layout.Y[k], ofX, fileName, ref curve, out double y, out double weight, out bool fit);
                    if (fault.Kind != FaultKind.None)
                    {
                        Faults faults = fault.Kind == FaultKind.NoNumber ? noNumber : fault.Kind == FaultKind.NotPositive ? notPositive : wrong;
                        if (faults.Count++ == 0) faults.First = row.Describe(fault.Column, fault.Why);
                    }
                    else if (isCopy ??= !_columns.KeepCopies && !seen.Add(csv.RawRecord))
                    {
                        curve!.Copies++;
                        _copies++;
                    }
                    else
                    {
                        (fit ? curve!.Fit : curve!.HeldOut).Add(_x, y, weight);
                        _anyFit |= fit;
                        runs?.Add(row, _x[0]);
                    }
                }
            }
        }
        catch (CsvFormatException e)
        {
            if (wrong.Count > 0 && !_columns.SkipInvalid) throw new CurveCsvException($"{wrong.First}. {Remedy(layout)}", e);
            long line = header.Lines + Math.Max(1, e.LineNumber);
            throw new CurveCsvException(
                $"{shown}, line {line}: the quotes of the row do not match. Close the quoted field; write \" inside one as \"\".", e);
        }

        if (wrong.Count > 0 && !_columns.SkipInvalid) throw new CurveCsvException($"{wrong.First}. {Remedy(layout)}{More(wrong.Count - 1)}");
        if (row.Marks.Doubt is { } doubt) throw new CurveCsvException(doubt);
        long leftOut = noNumber.Count + notPositive.Count + wrong.Count;
        _rows += rows;
        _skipped += leftOut;
        if (rows == 0) _empty.Add($"{shown} has a header and no rows. Give one row a point.");
        else if (leftOut == rows) _empty.Add($"{(wrong.Count > 0 ? wrong : noNumber.Count > 0 ? noNumber : notPositive).First}. No row of the file is right.");
        else
        {
            string what = layout.IsWide ? "cell" : "row";
            if (noNumber.Count > 0) _notes.Add($"{shown}: {Counted(noNumber.Count, $"{what} without a finite number is", $"{what}s without a finite number are")} left out. The first: {noNumber.First}.");
            if (notPositive.Count > 0) _notes.Add($"{shown}: {Counted(notPositive.Count, $"{what} without an x above 0 is", $"{what}s without an x above 0 are")} left out. The first: {notPositive.First}.");
            if (wrong.Count > 0) _notes.Add($"{shown}: {Counted(wrong.Count, $"wrong {what} was", $"wrong {what}s were")} skipped. The first: {wrong.First}.");
            if (row.Marks.Note is { } note) _notes.Add(note);
            if (runs?.Note is { } several) _notes.Add($"{shown}: {several}");
        }
    }

    /// <summary>Whether rows that are read as one curve look like those of several: the same x again and again, and a column of text that tells them apart.</summary>
    private sealed class Runs(CurveLayout layout)
    {
        // Enough to see it.
        private const int MostRows = 10_000, MostTexts = 1_000;

        private readonly int[] _others = [.. Enumerable.Range(0, layout.Width).Where(column => column != layout.Split && column != layout.Weight && !layout.X.Contains(column) && !layout.Y.Contains(column))];
        private readonly Dictionary<int, HashSet<string>> _texts = [];
        private readonly HashSet<double> _x = [];
        private int _rows;

        public void Add(Row row, double x)
        {
            if (_rows >= MostRows || _others.Length == 0) return;
            _rows++;
            _x.Add(x);
            foreach (int column in _others)
            {
                HashSet<string> texts = CollectionsMarshal.GetValueRefOrAddDefault(_texts, column, out _) ??= [];
                if (texts.Count < MostTexts) texts.Add(Encoding.UTF8.GetString(row.Field(column)));
            }
        }

        public string? Note
        {
            get
            {
                if (_rows == 0 || layout.X.Length > 1 || _rows < 2 * _x.Count) return null;
                foreach (int column in _others)
                {
                    HashSet<string> texts = _texts[column];
                    if (texts.Count < 2 || texts.Count > _rows / 2 || texts.Any(text => text.Length == 0 || double.TryParse(text, CultureInfo.InvariantCulture, out _))) continue;
                    string name = layout.NameOf(column);
                    return $"points share their {layout.NameOf(layout.X[0])}, and column \"{name}\" has {texts.Count} different texts. If these are several curves, --curve {name} fits each.";
                }

                return null;
            }
        }
    }

    /// <summary>Adds what a reader should know of a file.</summary>
    public void Note(string sentence) => _notes.Add(sentence);

    private static string Remedy(CurveLayout layout) => $"Remove the {(layout.IsWide ? "column" : "row")} or pass --skip-invalid.";

    /// <summary>The curves, once every file is added.</summary>
    /// <exception cref="CurveCsvException">No file has a row to use, or none is a fit point.</exception>
    public CurveTable Build()
    {
        if (_curves.Values.All(rows => rows.Fit.Y.Count + rows.HeldOut.Y.Count == 0) && _empty.Count > 0) throw new CurveCsvException(_empty[0]);
        _notes.AddRange(_empty);
        if (_fitWhen is not null && !_anyFit)
        {
            string others = string.Join(", ", _otherValues.Select(value => $"'{CurveText.Printable(value)}'"));
            throw new CurveCsvException(
                $"No row is a fit point: {_fitWhen} (it is {others}). Name the right value with --fit-when Column=value.");
        }
        if (_copies > 0)
            _notes.Add($"{Counted(_copies, "exact copy of a row was", "exact copies of rows were")} dropped; --keep-copies keeps them.");
        ImmutableArray<Curve> curves =
            [.. _curves.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => CurveOf(entry.Key, entry.Value))];
        if (_columns.Envelope != Envelope.None) _notes.Add(EnvelopeNote(curves));
        return new CurveTable(curves, _rows, _copies, _skipped, [.. _notes]);
    }

    private string EnvelopeNote(ImmutableArray<Curve> curves)
    {
        long on = curves.Sum(curve => (long)curve.Fit.Count + curve.HeldOut.Count), all = on + curves.Sum(curve => (long)curve.OffEnvelope.Count);
        string of = curves.Length == 1 ? "the curve" : "their curves";
        return string.Create(CultureInfo.InvariantCulture, $"{on:N0} of {Counted(all, "point is", "points are")} on the {(_columns.Envelope == Envelope.Lower ? "lower" : "upper")} envelope of {of}; the others are left out.");
    }

    /// <summary>Reads the inputs of a row into <see cref="_x"/>.</summary>
    private Fault TryInputs(Row row)
    {
        CurveLayout layout = row.Layout;
        if (row.Csv.FieldCount != layout.Width) return new(FaultKind.Wrong, -1, "");
        Fault worst = default;
        for (int k = 0; k < _x.Length; k++)
        {
            Fault fault = TryNumber(row, layout.X[k], out _x[k]);
            if (fault.Kind == FaultKind.None && !_columns.AnyX && !(_x[k] > 0)) fault = new(FaultKind.NotPositive, layout.X[k], NotPositive);
            if (fault.Kind > worst.Kind) worst = fault;
        }
        return worst;
    }

    /// <summary>Reads a point of one row.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">Its column of y.</param>
    /// <param name="ofX">What is wrong with its inputs.</param>
    /// <param name="fileName">The curve's name where no column has it.</param>
    /// <param name="curve">The curve, where that is known before. A curve without any right row is one all the same: its fit says so.</param>
    /// <param name="y">What is fitted.</param>
    /// <param name="weight">Its weight or sigma.</param>
    /// <param name="fit">Whether it is a fit point.</param>
    /// <returns>What is wrong; the worst of it, for what has no number may be left out and what is no number may not.</returns>
    private Fault TryRead(Row row, int column, Fault ofX, string fileName, ref Rows? curve, out double y, out double weight, out bool fit)
    {
        (y, weight, fit) = (0, 1, true);
        CurveLayout layout = row.Layout;
        if (ofX.Column == -1 && ofX.Kind == FaultKind.Wrong) return ofX;
        Fault worst = Worse(ofX, TryNumber(row, column, out y));
        if (_columns.Ceiling is { } ceiling) y = ceiling - y;
        if (layout.Weight >= 0)
        {
            Fault ofWeight = TryNumber(row, layout.Weight, out weight);
            worst = Worse(worst, ofWeight.Kind == FaultKind.None && !(weight > 0) ? new(FaultKind.Wrong, layout.Weight, NotWeight) : ofWeight);
        }

        // A row that is empty but for its separators has no measurement; that it has no split and no name either is no mistake.
        bool isEmpty = worst.Kind == FaultKind.NoNumber && row.IsEmpty;
        if (layout.Split >= 0 && !isEmpty && !TrySplit(row, out fit)) worst = Worse(worst, new(FaultKind.Wrong, layout.Split, NotSplit));
        if (curve is null && !isEmpty && !TryCurve(row, fileName, out curve)) worst = Worse(worst, new(FaultKind.Wrong, layout.Curve[0], NotName));
        return worst;

        static Fault Worse(Fault first, Fault second) => second.Kind > first.Kind ? second : first;
    }

    /// <summary>What is fitted: the column, or its distance to a ceiling.</summary>
    private string NameOfY(CurveLayout layout)
    {
        string name = layout.IsWide ? "y" : layout.NameOf(layout.Y[0]);
        return _columns.Ceiling is { } ceiling ? $"{ceiling.ToString("R", CultureInfo.InvariantCulture)} - {name}" : name;
    }

    private static Fault TryNumber(Row row, int column, out double value)
    {
        ReadOnlySpan<byte> field = row.Field(column);
        if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out value))
        {
            row.Marks.Saw(field, column);
            if (!double.IsFinite(value)) return new(FaultKind.NoNumber, column, NotFinite);
            return value == 0 && field[..(field.IndexOfAny((byte)'e', (byte)'E') is >= 0 and int e ? e : field.Length)].ContainsAnyInRange((byte)'1', (byte)'9')
                ? new(FaultKind.Wrong, column, TooSmall)
                : default;
        }
        if (field.Contains((byte)','))
            return row.Marks.TryComma(field, column, out value) ? double.IsFinite(value) ? default : new(FaultKind.NoNumber, column, NotFinite) : new(FaultKind.Wrong, column, Comma);
        return IsNoNumber(field) ? new(FaultKind.NoNumber, column, field.IsEmpty || IsMissing(field) ? NotNumber : NotFinite) : new(FaultKind.Wrong, column, NotNumber);
    }

    /// <summary>Whether a field says that there is no number: as pandas writes and reads it, in any case, and as printf and NumPy spell what is not finite.</summary>
    private static bool IsNoNumber(ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty || IsMissing(field)) return true;
        ReadOnlySpan<byte> unsigned = field[0] is (byte)'-' or (byte)'+' ? field[1..] : field;
        return Is(unsigned, "nan"u8) || Is(unsigned, "inf"u8) || Is(unsigned, "infinity"u8)
            || Is(unsigned, "1.#ind"u8) || Is(unsigned, "1.#qnan"u8) || Is(unsigned, "1.#inf"u8) || unsigned.SequenceEqual("∞"u8);
    }

    private static bool IsMissing(ReadOnlySpan<byte> field) =>
        Is(field, "na"u8) || Is(field, "n/a"u8) || Is(field, "<na>"u8) || Is(field, "null"u8) || Is(field, "none"u8) || Is(field, "nat"u8)
        || Is(field, "#n/a"u8) || Is(field, "#na"u8) || Is(field, "#n/a n/a"u8);

    private static bool Is(ReadOnlySpan<byte> field, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(field, word);

    private bool TrySplit(Row row, out bool fit)
    {
        ReadOnlySpan<byte> field = row.Field(row.Layout.Split);
        if (row.Layout.FitValue is { } value)
        {
            fit = field.SequenceEqual(row.FitValue)
                || (row.FitNumber is { } wanted && double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number.Equals(wanted));
            if (!fit && !_anyFit && _otherValues.Count < 5)
            {
                string other = Encoding.UTF8.GetString(field);
                if (!_otherValues.Contains(other)) _otherValues.Add(other);
            }
            return true;
        }
        fit = Ascii.EqualsIgnoreCase(field, "fit"u8) || Ascii.EqualsIgnoreCase(field, "train"u8);
        return fit || Ascii.EqualsIgnoreCase(field, "heldout"u8) || Ascii.EqualsIgnoreCase(field, "held-out"u8)
            || Ascii.EqualsIgnoreCase(field, "held_out"u8) || Ascii.EqualsIgnoreCase(field, "held out"u8)
            || Ascii.EqualsIgnoreCase(field, "test"u8);
    }

    private bool TryCurve(Row row, string fileName, out Rows? curve)
    {
        ReadOnlySpan<char> name = fileName;
        if (row.Layout.Curve.Length > 0)
        {
            int length = 0, parts = 0;
            foreach (int column in row.Layout.Curve)
            {
                ReadOnlySpan<byte> field = row.Field(column);
                if (_name.Length < length + field.Length + 1) Array.Resize(ref _name, 2 * (length + field.Length + 1));
                if (parts++ > 0) _name[length++] = '|';
                length += Encoding.UTF8.GetChars(field, _name.AsSpan(length));
            }
            CurveText.ReplaceControls(_name.AsSpan(0, length));
            name = _name.AsSpan(0, length);
            curve = null;
            if (name.Trim('|').IsEmpty) return false;
        }
        curve = CurveCalled(name);
        return true;
    }

    private Rows CurveCalled(ReadOnlySpan<char> name)
    {
        Dictionary<string, Rows>.AlternateLookup<ReadOnlySpan<char>> curves = _curves.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!curves.TryGetValue(name, out Rows? curve)) curves[name] = curve = new Rows();
        return curve;
    }

    /// <summary>Rows are copies of each other only under the same header and, where the file names the curve, in one curve.</summary>
    private SeenRows SeenIn(CurveHeader header, CurveLayout layout, string fileName)
    {
        string key = layout.Curve.Length == 0 && !layout.IsWide ? header.Text + "\n" + fileName : header.Text;
        if (!_seen.TryGetValue(key, out SeenRows? seen)) _seen[key] = seen = new SeenRows();
        return seen;
    }

    private void RememberFile(string curve, string source)
    {
        if (!_fileOfCurve.TryAdd(curve, source))
            _notes.Add($"{_fileOfCurve[curve]} and {source} have no column that names the curve; their rows are one curve, '{curve}'.");
    }

    private Curve CurveOf(string name, Rows rows)
    {
        // The upper envelope of y is the lower one of its distance to a ceiling.
        Envelope envelope = _columns is { Ceiling: not null, Envelope: not Envelope.None } ? _columns.Envelope == Envelope.Lower ? Envelope.Upper : Envelope.Lower : _columns.Envelope;
        Curve curve = new Curve(name, PointsOf(rows.Fit), PointsOf(rows.HeldOut), rows.Copies) { XNames = _xNames, YName = _yName! }.On(envelope);
        return _columns.Holdout is null ? curve : curve.HoldOut(BorderOf(curve.Fit));
    }

    private Points PointsOf(Column column)
    {
        ReadOnlySpan<double> x = CollectionsMarshal.AsSpan(column.X), y = CollectionsMarshal.AsSpan(column.Y), weight = CollectionsMarshal.AsSpan(column.Weight);
        int inputs = _xNames.Length;
        return _columns.Sigma is not null ? new(x, inputs, y, sigmas: weight, sigmaOf: _columns.SigmaOf)
            : _columns.Weight is not null ? new(x, inputs, y, weight)
            : new(x, inputs, y);
    }

    /// <summary>Index of the first held-out point: where its x begins or, if that leaves nothing to fit, where its x ends.</summary>
    private int BorderOf(Points points)
    {
        int border = Math.Max(1, points.Count - _columns.HoldoutOf(points.Count));
        if (border >= points.Count) return points.Count;
        int start = border, end = border;
        while (start > 0 && points.At(start - 1)[0].Equals(points.At(border)[0])) start--;
        while (end < points.Count && points.At(end)[0].Equals(points.At(border)[0])) end++;
        return start > 0 ? start : end;
    }

    private static string NameOfFile(string source) =>
        Path.GetFileNameWithoutExtension(source.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? source[..^3] : source);

    private static string More(long wrong) => wrong == 0 ? "" : $" ({Counted(wrong, "more row is", "more rows are")} wrong.)";

    private static string Counted(long count, string one, string many) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many)}");

    /// <summary>The row that is being read, with what is the same for all rows of its file.</summary>
    private sealed class Row(CsvReader csv, CurveLayout layout, CurveHeader header)
    {
        public CsvReader Csv => csv;

        public CurveLayout Layout => layout;

        public byte[] FitValue { get; } = Encoding.UTF8.GetBytes(layout.FitValue ?? "");

        public double? FitNumber { get; } =
            double.TryParse(layout.FitValue, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;

        /// <summary>What the file's numbers say of its decimal mark.</summary>
        public DecimalMarks Marks { get; } = new(layout, header, csv);

        /// <summary>Whether it is a line of white space, which is no row.</summary>
        public bool IsBlank => csv.FieldCount == 1 && layout.Width > 1 && Field(0).IsEmpty;

        /// <summary>Whether every field is empty.</summary>
        public bool IsEmpty
        {
            get
            {
                for (int column = 0; column < csv.FieldCount; column++)
                    if (!Field(column).IsEmpty) return false;
                return true;
            }
        }

        public ReadOnlySpan<byte> Field(int column) => CurveText.Trim(csv.GetSpan(column));

        /// <summary>What is wrong with the row, up to the full stop. A column of −1: it has too few or too many fields.</summary>
        public string Describe(int column, string why)
        {
            string line = $"{header.Source}, line {header.Lines + csv.LineNumber}";
            if (column < 0)
            {
                string separator = header.Separator == '\t' ? "a tab" : $"'{header.Separator}'";
                return $"{line}: the row has {Counted(csv.FieldCount, "field", "fields")} and the header {layout.Width}; "
                    + $"expected as many, with quotes around a field that contains {separator}";
            }
            string field = CurveText.Printable(Encoding.UTF8.GetString(Field(column)));
            return $"{line}, column \"{layout.NameOf(column)}\": {(field.Length == 0 ? "an empty field" : $"'{field}'")} {why}";
        }
    }

    /// <summary>What keeps a point from being used; of several the largest counts.</summary>
    private enum FaultKind
    {
        None,

        /// <summary>x is not above 0.</summary>
        NotPositive,

        /// <summary>It says that there is no number, or that it is not finite.</summary>
        NoNumber,

        /// <summary>It cannot be what was meant.</summary>
        Wrong,
    }

    /// <summary>What is wrong with a row; a column of −1: it has too few or too many fields.</summary>
    private readonly record struct Fault(FaultKind Kind, int Column, string Why);

    /// <summary>Faults of one kind in one file.</summary>
    private sealed class Faults
    {
        public long Count { get; set; }

        public string First { get; set; } = "";
    }

    /// <summary>Points of one curve as they are read.</summary>
    private sealed class Rows
    {
        public Column Fit { get; } = new();

        public Column HeldOut { get; } = new();

        public int Copies { get; set; }
    }

    private sealed class Column
    {
        /// <summary>Inputs, point by point.</summary>
        public List<double> X { get; } = [];

        public List<double> Y { get; } = [];

        /// <summary>Weights or sigmas; ones where there are neither.</summary>
        public List<double> Weight { get; } = [];

        public void Add(ReadOnlySpan<double> x, double y, double weight)
        {
            X.AddRange(x);
            Y.Add(y);
            Weight.Add(weight);
        }
    }

    /// <summary>Rows that were read, compared byte for byte. Their text is kept in blocks: an object for each row would cost more.</summary>
    private sealed class SeenRows
        : IEqualityComparer<ReadOnlyMemory<byte>>, IAlternateEqualityComparer<ReadOnlySpan<byte>, ReadOnlyMemory<byte>>
    {
        private readonly HashSet<ReadOnlyMemory<byte>> _rows;
        private byte[] _block = [];
        private int _used;

        public SeenRows() => _rows = new HashSet<ReadOnlyMemory<byte>>(this);

        /// <summary>Remembers a row; false if it was there.</summary>
        public bool Add(ReadOnlySpan<byte> row) => _rows.GetAlternateLookup<ReadOnlySpan<byte>>().Add(row);

        public ReadOnlyMemory<byte> Create(ReadOnlySpan<byte> alternate)
        {
            if (_block.Length - _used < alternate.Length)
            {
                _block = new byte[Math.Max(alternate.Length, 1 << 16)];
                _used = 0;
            }
            Memory<byte> kept = _block.AsMemory(_used, alternate.Length);
            alternate.CopyTo(kept.Span);
            _used += alternate.Length;
            return kept;
        }

        public bool Equals(ReadOnlySpan<byte> alternate, ReadOnlyMemory<byte> other) => alternate.SequenceEqual(other.Span);

        public bool Equals(ReadOnlyMemory<byte> x, ReadOnlyMemory<byte> y) => x.Span.SequenceEqual(y.Span);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public int GetHashCode(ReadOnlyMemory<byte> obj) => GetHashCode(obj.Span);
    }
}
