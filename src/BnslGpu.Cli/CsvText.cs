using System.Buffers;
using System.Globalization;

namespace BnslGpu.Cli;

/// <summary>Fields of the CSV that commands write, as <see cref="CurveCsv"/> reads them back.</summary>
internal static class CsvText
{
    private static readonly SearchValues<char> _special = SearchValues.Create(",;\"\n\r\t");

    /// <summary>A name, quoted where it would otherwise be misread.</summary>
    public static string Field(string text) =>
        text.AsSpan().ContainsAny(_special) || text.StartsWith('#') || text != text.Trim()
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;

    /// <summary>The shortest text that reads back as the same number.</summary>
    public static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
