using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Text;

namespace BnslGpu;

/// <summary>The text of an input: unpacked if it is gzip, and decoded by its byte order mark.</summary>
/// <remarks>UTF-8 where there is no mark. Nothing is held in memory but a buffer. Reading gzip that is damaged or cut off is an <see cref="InvalidDataException"/>.</remarks>
internal sealed class InputText : StreamReader
{
    private const string Strict = "System.IO.Compression.UseStrictValidation";

    private readonly OtherBytes? _other;

    /// <summary>.NET takes gzip that is cut off for one that ends there, and rows would be lost, unless the process says otherwise before it unpacks anything.</summary>
    /// <remarks>Our programs say so from their start (Directory.Build.props); this is for those of others.</remarks>
    static InputText()
    {
        if (!AppContext.TryGetSwitch(Strict, out _)) AppContext.SetSwitch(Strict, true);
    }

    private InputText(Stream stream, Encoding encoding, OtherBytes? other) : base(stream, encoding, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 14) =>
        _other = other;

    /// <summary>What the input is if it is no text, with what to do, to complete "it is …"; null for text.</summary>
    public string? WhatElse { get; private init; }

    /// <summary>Whether bytes that are not UTF-8 were met, and read as Latin-1.</summary>
    public bool HadOtherBytes => _other?.Met ?? false;

    /// <summary>Begins to read.</summary>
    /// <param name="stream">From its first byte on; closed with the text.</param>
    /// <param name="strict">Bytes that are not UTF-8 are a <see cref="DecoderFallbackException"/>, instead of Latin-1.</param>
    public static InputText Open(Stream stream, bool strict = false)
    {
        (byte[] first, Stream whole) = Peek(stream);
        if (first is [0x1F, 0x8B, ..])
        {
            // Whatever is packed has a head of 10, data of 2 and a tail of 8 at least; of less .NET makes nothing.
            if (first.Length < 20) throw new InvalidDataException();
            (first, whole) = Peek(new GZipStream(whole, CompressionMode.Decompress));
        }

        OtherBytes? fallback = strict ? null : new();
        return new(whole, Encoding.GetEncoding("utf-8", EncoderFallback.ExceptionFallback, fallback ?? DecoderFallback.ExceptionFallback), fallback) { WhatElse = NoText(first) };
    }

    /// <summary>The first bytes, up to 4096, and a stream that still has them.</summary>
    private static (byte[] First, Stream Whole) Peek(Stream stream)
    {
        PipeReader pipe = PipeReader.Create(stream);
        ReadOnlySequence<byte> start = pipe.ReadAtLeastAsync(4096).AsTask().GetAwaiter().GetResult().Buffer;
        byte[] first = start.Slice(0, Math.Min(4096, start.Length)).ToArray();
        pipe.AdvanceTo(start.Start);
        return (first, pipe.AsStream());
    }

    private static string? NoText(ReadOnlySpan<byte> first)
    {
        if (first.StartsWith("PK\u0003\u0004"u8)) return "a zip archive, as Excel workbooks and npz files are. Save its table as CSV.";
        if (first.StartsWith("PAR1"u8)) return "a Parquet file. Save its table as CSV, in pandas with to_csv.";
        bool utf16OrUtf32 = first is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF, ..];
        return utf16OrUtf32 || !first.Contains((byte)0) ? null : "binary, or UTF-16 without its byte order mark. Save it as text in UTF-8.";
    }

    /// <summary>Reads bytes that are not UTF-8 as Latin-1, where every byte is a letter: names that differ go on to do so.</summary>
    private sealed class OtherBytes : DecoderFallback
    {
        public bool Met { get; private set; }

        public override int MaxCharCount => 4;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Letters(this);

        private sealed class Letters(OtherBytes owner) : DecoderFallbackBuffer
        {
            private byte[] _bytes = [];
            private int _next;

            public override int Remaining => _bytes.Length - _next;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                (_bytes, _next, owner.Met) = (bytesUnknown, 0, true);
                return bytesUnknown.Length > 0;
            }

            public override char GetNextChar() => _next < _bytes.Length ? (char)_bytes[_next++] : '\0';

            public override bool MovePrevious() => _next > 0 && _next-- > 0;

            public override void Reset() => (_bytes, _next) = ([], 0);
        }
    }
}
