using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace BnslGpu.Formats;

/// <summary>Compact JSON for a page's script element: few digits, null for what is not finite.</summary>
internal static class HtmlJson
{
    // <, >, & and ' are escaped: no text of a report can end the script element or begin another.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.Create(UnicodeRanges.All) };

    /// <summary>What is written, as text.</summary>
    public static string Text(Action<Utf8JsonWriter> write)
    {
        var utf8 = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(utf8, s_options)) write(json);
        return Encoding.UTF8.GetString(utf8.WrittenSpan);
    }

    /// <summary>A number.</summary>
    public static void WriteValue(this Utf8JsonWriter json, string name, double value, int digits = 6)
    {
        json.WritePropertyName(name);
        json.WriteRawValue(Literal(value, digits));
    }

    /// <summary>An array of numbers.</summary>
    public static void WriteNumbers(this Utf8JsonWriter json, string name, IEnumerable<double> values, int digits = 6)
    {
        json.WritePropertyName(name);
        json.WriteRawValue($"[{string.Join(',', values.Select(value => Literal(value, digits)))}]");
    }

    /// <summary>An array of texts.</summary>
    public static void WriteTexts(this Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static string Literal(double value, int digits)
    {
        if (!double.IsFinite(value)) return "null";
        string text = value.ToString($"G{digits}", CultureInfo.InvariantCulture);
        int mark = text.IndexOf('E', StringComparison.Ordinal);
        return mark < 0 ? text : $"{text.AsSpan(0, mark)}e{int.Parse(text.AsSpan(mark + 1), CultureInfo.InvariantCulture)}";
    }
}
