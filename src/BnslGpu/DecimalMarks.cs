using System.Globalization;
using System.Text;
using CsvHelper;

namespace BnslGpu;

/// <summary>Decides whether a comma in the numbers of a file is a decimal mark: only where the whole file leaves no other reading.</summary>
/// <remarks>
/// In a file that semicolons or tabs separate, 2,5 can only be 2.5; but 1,234 may be 1234 as well, until another number of the file says which. A file that
/// also has decimal points may have either for thousands. Numbers are read as if commas were decimal marks, and at the end of the file a doubt refuses them all.
/// </remarks>
internal sealed class DecimalMarks(CurveLayout layout, CurveHeader header, CsvReader csv)
{
    private readonly bool _possible = header.Separator != ',';
    private string? _point, _certain, _either;

    /// <summary>Why commas cannot be read as decimal marks; null if they can, or there are none.</summary>
    public string? Doubt =>
        _point is not null && (_certain ?? _either) is { } comma
            ? $"{header.Source}, {comma} has a comma, and {_point} a point. Write all numbers with a decimal point, and without separators of thousands."
        : _either is not null && _certain is null
            ? $"{header.Source}, {_either} may have a decimal comma or a separator of thousands, and no other number of the file says which. Write decimal points, and no separators of thousands."
        : null;

    /// <summary>That commas were read as decimal marks; null if there are none.</summary>
    public string? Note => _certain is null ? null : $"{header.Source}: numbers have decimal commas ({_certain}), which are read as decimal points.";

    /// <summary>Remembers that a number has a point, if it does.</summary>
    public void Saw(ReadOnlySpan<byte> number, int column)
    {
        if (_possible && _point is null && number.Contains((byte)'.')) _point = Place(number, column);
    }

    /// <summary>Reads a number with one comma, as a decimal mark.</summary>
    public bool TryComma(ReadOnlySpan<byte> field, int column, out double value)
    {
        value = 0;
        int comma = field.IndexOf((byte)',');
        if (!_possible || field.Length > 64 || field.Contains((byte)'.')) return false;
        Span<byte> number = stackalloc byte[field.Length];
        field.CopyTo(number);
        number[comma] = (byte)'.';
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out value)) return false;
        if (IsThousands(field, comma)) _either ??= Place(field, column);
        else _certain ??= Place(field, column);
        return true;
    }

    /// <summary>Whether it could be 1,234: one to three digits that do not begin with 0, and three behind the comma.</summary>
    private static bool IsThousands(ReadOnlySpan<byte> field, int comma)
    {
        ReadOnlySpan<byte> before = field[..comma].TrimStart("+-"u8), after = field[(comma + 1)..];
        return before.Length is >= 1 and <= 3 && before[0] != (byte)'0' && after.Length == 3 && !after.ContainsAnyExceptInRange((byte)'0', (byte)'9');
    }

    private string Place(ReadOnlySpan<byte> field, int column) =>
        $"line {header.Lines + csv.LineNumber}, column \"{layout.NameOf(column)}\": '{CurveText.Printable(Encoding.UTF8.GetString(field))}'";
}
