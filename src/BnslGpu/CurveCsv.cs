using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>The curves of one or more CSV files.</summary>
/// <param name="Curves">The curves by name (ordinal).</param>
/// <param name="Rows">Rows that were read, headers not counted, copies and skipped rows counted. Each is a point of a curve, a copy, or skipped. In a wide table cells are counted.</param>
/// <param name="CopiesDropped">Exact copies among them, which no curve has.</param>
/// <param name="RowsSkipped">Rows among them without a finite number or with x ≤ 0, and wrong rows if they were to be skipped. No curve has them, and the notes say how many and where.</param>
/// <param name="Notes">What was dropped, skipped or passed over, as sentences.</param>
public sealed record CurveTable(
    ImmutableArray<Curve> Curves, long Rows, long CopiesDropped, long RowsSkipped, ImmutableArray<string> Notes);

/// <summary>A file cannot be read as curves. The message says which file, line and column, and what to do.</summary>
public sealed class CurveCsvException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public CurveCsvException() { }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">Where to look and what to do.</param>
    public CurveCsvException(string message) : base(message) { }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">Where to look and what to do.</param>
    /// <param name="innerException">What was met first.</param>
    public CurveCsvException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Reads curves from CSV: one row a point, any number of curves in a file; or a wide table, a column a curve.</summary>
/// <remarks>
/// <para>
/// Fields are separated by commas, semicolons or tabs, whichever the header has most of; quoted fields may contain them and line breaks.
/// Empty lines and lines that start with <c>#</c> are passed over, so quote a curve's name that starts with it. Numbers have a decimal
/// point, or, where semicolons or tabs separate and no number of the file can be read otherwise, a decimal comma; no thousands separators.
/// Control characters in names become U+FFFD. Quotes that do not match are always an error, for where such a row ends is a guess.
/// </para>
/// <para>
/// A row without a finite number in x, y, weight or sigma (empty, NaN, inf, NA and the other words of pandas) has no measurement and is left out, as is one with
/// x ≤ 0 unless <see cref="CurveColumns.AnyX"/>; a note counts them. Other rows that cannot be read are wrong: the first is an error, or they are skipped and counted
/// (<see cref="CurveColumns.SkipInvalid"/>). A curve that has no row left is in the table without points.
/// </para>
/// <para>
/// Streams and files may be packed with gzip. They are UTF-8 or, after a byte order mark, UTF-16 or UTF-32; bytes that are not UTF-8 are read as Latin-1, with a note.
/// </para>
/// </remarks>
public static class CurveCsv
{
    /// <summary>Reads one text.</summary>
    /// <param name="text">The text, from the header on. It is left open.</param>
    /// <param name="source">What messages call it; without folder and extension it names the curve where no column does.</param>
    /// <param name="columns">Which columns mean what; by default they are recognised.</param>
    /// <exception cref="ArgumentException">A choice in <paramref name="columns"/> breaks its constraint.</exception>
    /// <exception cref="CurveCsvException">The text is not a table of curves.</exception>
    public static CurveTable Read(TextReader text, string source, CurveColumns? columns = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(source);
        var table = new CurveTableBuilder(columns ?? new CurveColumns());
        table.Add(text, source);
        return table.Build();
    }

    /// <summary>Reads one stream of bytes.</summary>
    /// <param name="stream">CSV, packed or not. It is closed.</param>
    /// <param name="source">What messages call it; without folder and extension it names the curve where no column does.</param>
    /// <param name="columns">Which columns mean what; by default they are recognised.</param>
    /// <exception cref="ArgumentException">A choice in <paramref name="columns"/> breaks its constraint.</exception>
    /// <exception cref="CurveCsvException">The stream is not a table of curves.</exception>
    public static CurveTable Read(Stream stream, string source, CurveColumns? columns = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(source);
        var table = new CurveTableBuilder(columns ?? new CurveColumns());
        Add(table, stream, source);
        return table.Build();
    }

    /// <summary>Reads one file.</summary>
    /// <param name="path">The file; <c>-</c> is standard input, which messages call stdin.</param>
    /// <param name="columns">Which columns mean what; by default they are recognised.</param>
    /// <exception cref="ArgumentException">A choice in <paramref name="columns"/> breaks its constraint.</exception>
    /// <exception cref="CurveCsvException">The file cannot be opened or is not a table of curves.</exception>
    public static CurveTable ReadFile(string path, CurveColumns? columns = null) => ReadFiles([path], columns);

    /// <summary>Reads several files as one table: rows of one curve may stand in different files.</summary>
    /// <param name="paths">The files, at least one; <c>-</c> is standard input, which messages call stdin.</param>
    /// <param name="columns">Which columns mean what in every file; by default they are recognised in each.</param>
    /// <exception cref="ArgumentException">No file is given, or a choice in <paramref name="columns"/> breaks its constraint.</exception>
    /// <exception cref="CurveCsvException">A file cannot be opened or is not a table of curves.</exception>
    public static CurveTable ReadFiles(IReadOnlyList<string> paths, CurveColumns? columns = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        if (paths.Count == 0) throw new ArgumentException("paths is empty. Violated constraint: at least one file.", nameof(paths));
        var table = new CurveTableBuilder(columns ?? new CurveColumns());
        foreach (string path in paths)
        {
            string source = path == "-" ? "stdin" : path;
            if (path != "-" && Directory.Exists(path))
                throw new CurveCsvException($"{Shown(source)} is a folder. Name the CSV files in it.");
            try
            {
                Add(table, path == "-" ? Console.OpenStandardInput() : File.OpenRead(path), source);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new CurveCsvException($"{Shown(source)}: there is no such file. Check its name and folder.", e);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new CurveCsvException($"{Shown(source)} may not be read by this user. Check its permissions.", e);
            }
            catch (IOException e)
            {
                throw new CurveCsvException($"{Shown(source)} could not be read: {e.Message}", e);
            }
        }
        return table.Build();
    }

    private static void Add(CurveTableBuilder table, Stream stream, string source)
    {
        try
        {
            using var text = InputText.Open(stream);
            if (text.WhatElse is { } other) throw new CurveCsvException($"{Shown(source)} is {other}");
            table.Add(text, source);
            if (text.HadOtherBytes) table.Note($"{Shown(source)}: bytes that are not UTF-8 were read as Latin-1; save the file in UTF-8 if names look wrong.");
        }
        catch (InvalidDataException e)
        {
            throw new CurveCsvException($"{Shown(source)} is gzip that is damaged or cut off. Pack it or copy it again.", e);
        }
    }

    private static string Shown(string source) => CurveText.WithoutControls(source);
}
