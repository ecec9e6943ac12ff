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
    private const string Comma =
        "is not a number; decimal commas and thousands separators are not accepted, expected a finite number such as 2.5";
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
    public void Add(TextReader text, string source)
    {
        CurveHeader header = CurveHeader.Read(text, source);
        var layout = new CurveLayout(header, _columns);
        if (layout.Note is not null) _notes.Add(layout.Note);
        if (_yName is null) (_xNames, _yName) = ([.. layout.X.Select(layout.NameOf)], NameOfY(layout));
        _x = new double[layout.X.Length];
        string fileName = NameOfFile(source);
        if (layout.Curve.Length == 0) RememberFile(fileName, header.Source);
        if (layout.FitValue is not null)
            _fitWhen = $"column \"{layout.NameOf(layout.Split)}\" is never '{CurveText.Printable(layout.FitValue)}'";
        SeenRows seen = SeenIn(header, layout, fileName);

        using CsvReader csv = CsvReader.Create(text, header.Options, leaveOpen: true);
        var row = new Row(csv, layout, header);
        long rows = 0, wrong = 0;
        string? firstFault = null;
        try
        {
            while (csv.Read())
            {
                rows++;
                if (!TryRead(row, fileName, out Rows? curve, out double y, out double weight, out bool fit, out (int Column, string Why) fault))
                {
                    if (wrong++ == 0) firstFault = row.Describe(fault.Column, fault.Why);
                }
                else if (!_columns.KeepCopies && !seen.Add(csv.RawRecord))
                {
                    curve!.Copies++;
                    _copies++;
                }
                else
                {
                    (fit ? curve!.Fit : curve!.HeldOut).Add(_x, y, weight);
                    _anyFit |= fit;
                }
            }
        }
        catch (CsvFormatException e)
        {
            if (wrong > 0 && !_columns.SkipInvalid) throw new CurveCsvException($"{firstFault}. Remove the row or pass --skip-invalid.", e);
            long line = header.Lines + Math.Max(1, e.LineNumber);
            throw new CurveCsvException(
                $"{header.Source}, line {line}: the quotes of the row do not match. Close the quoted field; write \" inside one as \"\".", e);
        }

        _rows += rows;
        _skipped += wrong;
        if (rows == 0) throw new CurveCsvException($"{header.Source} has a header and no rows. Give one row a point.");
        if (wrong == 0) return;
        if (wrong == rows && _columns.SkipInvalid) throw new CurveCsvException($"{firstFault}. No row of the file is right.");
        if (!_columns.SkipInvalid) throw new CurveCsvException($"{firstFault}. Remove the row or pass --skip-invalid.{More(wrong - 1)}");
        _notes.Add($"{header.Source}: {Counted(wrong, "wrong row was", "wrong rows were")} skipped. The first: {firstFault}.");
    }

    /// <summary>The curves, once every file is added.</summary>
    public CurveTable Build()
    {
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

    /// <summary>Reads one row, its inputs into <see cref="_x"/>.</summary>
    private bool TryRead(
        Row row, string fileName, out Rows? curve, out double y, out double weight, out bool fit, out (int Column, string Why) fault)
    {
        (curve, y, weight, fit) = (null, 0, 1, true);
        CurveLayout layout = row.Layout;
        fault = (-1, "");
        if (row.Csv.FieldCount != layout.Width) return false;
        for (int k = 0; k < _x.Length && fault.Column < 0; k++)
        {
            if (!TryNumber(row.Field(layout.X[k]), out _x[k], out string why)) fault = (layout.X[k], why);
            else if (!_columns.AnyX && !(_x[k] > 0)) fault = (layout.X[k], NotPositive);
        }

        if (fault.Column >= 0) return false;
        bool isNumber = TryNumber(row.Field(layout.Y), out y, out string wrong);
        if (_columns.Ceiling is { } ceiling) y = ceiling - y;
        if (!isNumber) fault = (layout.Y, wrong);
        else if (layout.Weight >= 0 && !TryNumber(row.Field(layout.Weight), out weight, out wrong)) fault = (layout.Weight, wrong);
        else if (!(weight > 0)) fault = (layout.Weight, NotWeight);
        else if (layout.Split >= 0 && !TrySplit(row, out fit)) fault = (layout.Split, NotSplit);
        else if (!TryCurve(row, fileName, out curve)) fault = (layout.Curve[0], NotName);
        return fault.Column < 0;
    }

    /// <summary>What is fitted: the column, or its distance to a ceiling.</summary>
    private string NameOfY(CurveLayout layout) =>
        _columns.Ceiling is { } ceiling ? $"{ceiling.ToString("R", CultureInfo.InvariantCulture)} - {layout.NameOf(layout.Y)}" : layout.NameOf(layout.Y);

    private static bool TryNumber(ReadOnlySpan<byte> field, out double value, out string why)
    {
        bool number = double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        if (number && double.IsFinite(value))
        {
            why = "";
            return true;
        }
        // pandas and numpy write inf, printf writes -nan; .NET parses neither.
        ReadOnlySpan<byte> unsigned = field.Length > 0 && field[0] is (byte)'-' or (byte)'+' ? field[1..] : field;
        bool spelled = Ascii.EqualsIgnoreCase(unsigned, "inf"u8) || Ascii.EqualsIgnoreCase(unsigned, "nan"u8);
        why = number || spelled ? NotFinite : field.Contains((byte)',') ? Comma : NotNumber;
        return false;
    }

    private bool TrySplit(Row row, out bool fit)
    {
        ReadOnlySpan<byte> field = row.Field(row.Layout.Split);
        if (row.Layout.FitValue is { } value)
        {
            fit = field.SequenceEqual(row.FitValue)
                || (row.FitNumber is { } wanted && TryNumber(field, out double number, out _) && number.Equals(wanted));
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
        Dictionary<string, Rows>.AlternateLookup<ReadOnlySpan<char>> curves = _curves.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!curves.TryGetValue(name, out curve)) curves[name] = curve = new Rows();
        return true;
    }

    /// <summary>Rows are copies of each other only under the same header and, where the file names the curve, in one curve.</summary>
    private SeenRows SeenIn(CurveHeader header, CurveLayout layout, string fileName)
    {
        string key = layout.Curve.Length == 0 ? header.Text + "\n" + fileName : header.Text;
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

    private static string NameOfFile(string source) => CurveText.WithoutControls(Path.GetFileNameWithoutExtension(source));

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
