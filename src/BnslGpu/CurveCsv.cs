using System.Collections.Immutable;
using System.Text;

namespace BnslGpu;

/// <summary>The curves of one or more CSV files.</summary>
/// <param name="Curves">The curves by name (ordinal).</param>
/// <param name="Rows">Rows that were read, headers not counted, copies and skipped rows counted.</param>
/// <param name="CopiesDropped">Exact copies among them, which no curve has.</param>
/// <param name="RowsSkipped">Wrong rows among them, which no curve has; 0 unless they were to be skipped.</param>
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

/// <summary>Reads curves from CSV: one row a point, any number of curves in a file.</summary>
/// <remarks>
/// Fields are separated by commas, semicolons or tabs, whichever the header has most of; quoted fields may contain them and line breaks.
/// Empty lines and lines that start with <c>#</c> are passed over, so quote a curve's name that starts with it. Numbers have a decimal
/// point and no thousands separators. x must be finite and (unless <see cref="CurveColumns.AnyX"/>) &gt; 0, y finite, a weight or sigma
/// finite and &gt; 0. Control characters in names become U+FFFD. Quotes that do
/// not match are always an error, for where such a row ends is a guess.
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
                using var text = new StreamReader(path == "-" ? Console.OpenStandardInput() : File.OpenRead(path), Encoding.UTF8);
                table.Add(text, source);
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

    private static string Shown(string source) => CurveText.WithoutControls(source);
}
