using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace BnslGpu.Tests.Formats;

/// <summary>Reads .npz files by their specification, apart from what writes them.</summary>
internal static class Npz
{
    /// <summary>Every array: its type, its shape, and its values as text (numbers to six digits).</summary>
    public static Dictionary<string, (string Type, string Shape, string[] Values)> Read(byte[] file)
    {
        using var zip = new ZipArchive(new MemoryStream(file));
        return zip.Entries.ToDictionary(entry => Regex.Match(entry.FullName, "^(.*)[.]npy$").Groups[1].Value, entry =>
        {
            using var bytes = new MemoryStream();
            using (Stream stream = entry.Open()) stream.CopyTo(bytes);
            return Array(bytes.ToArray());
        });
    }

    /// <summary>The same, a line an array; names are padded with nothing.</summary>
    public static string Told(byte[] file) =>
        string.Concat(Read(file).Select(array => $"{array.Key} {(array.Value.Type[0] == 'U' ? "U" : array.Value.Type)}{array.Value.Shape}: {string.Join(' ', array.Value.Values)}\n"));

    private static (string, string, string[]) Array(byte[] npy)
    {
        if (!npy.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8, 1, 0])) throw new InvalidDataException("not the magic of format 1.0");
        int length = BinaryPrimitives.ReadUInt16LittleEndian(npy.AsSpan(8));
        if ((10 + length) % 64 != 0 || npy[9 + length] != '\n') throw new InvalidDataException("the header is not padded to 64 bytes");
        Match header = Regex.Match(Encoding.ASCII.GetString(npy, 10, length), @"^\{'descr': '[<|](.*?)', 'fortran_order': False, 'shape': \((.*?),?\), \} *\n$");
        string type = header.Groups[1].Value;
        int size = type switch { "f8" or "i8" => 8, "b1" => 1, _ => 4 * int.Parse(type.AsSpan(1), CultureInfo.InvariantCulture) };
        int count = header.Groups[2].Value.Split(',', StringSplitOptions.RemoveEmptyEntries).Aggregate(1, (product, dimension) => product * int.Parse(dimension, CultureInfo.InvariantCulture));
        if (npy.Length != 10 + length + (count * size)) throw new InvalidDataException($"{npy.Length} bytes do not have {count} values");
        string[] values = [.. Enumerable.Range(0, count).Select(i => Value(type, npy.AsSpan(10 + length + (i * size), size)))];
        return (type, header.Groups[2].Value.Length == 0 ? "" : $"[{header.Groups[2].Value}]", values);
    }

    private static string Value(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "f8" => BinaryPrimitives.ReadDoubleLittleEndian(bytes).ToString("G6", CultureInfo.InvariantCulture),
        "i8" => BinaryPrimitives.ReadInt64LittleEndian(bytes).ToString(CultureInfo.InvariantCulture),
        "b1" => bytes[0] == 1 ? "True" : "False",
        _ => Encoding.UTF32.GetString(bytes).TrimEnd('\0'),
    };
}
