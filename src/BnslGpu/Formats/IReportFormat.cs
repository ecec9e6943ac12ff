using System.Collections.Immutable;

namespace BnslGpu.Formats;

/// <summary>A way to write a report down. A new one is a file with a class and a line in <see cref="ReportFormats.All"/>.</summary>
public interface IReportFormat
{
    /// <summary>What a person types to choose it: lower case, no spaces.</summary>
    string Name { get; }

    /// <summary>What it is good for, in one sentence.</summary>
    string Description { get; }

    /// <summary>Extension of a file in this format, with its dot.</summary>
    string FileExtension { get; }

    /// <summary>Writes a whole report. The same report gives the same bytes.</summary>
    /// <param name="report">What to write.</param>
    /// <param name="output">Where to; it is not closed.</param>
    void Write(FitReport report, Stream output);
}

/// <summary>A format that is text: lines end in \n on every system, and a stream gets UTF-8 without a byte order mark.</summary>
public interface ITextFormat : IReportFormat
{
    /// <summary>Writes a whole report. The same report gives the same text.</summary>
    /// <param name="report">What to write.</param>
    /// <param name="output">Where to; it is not closed.</param>
    void Write(FitReport report, TextWriter output);

    /// <inheritdoc/>
    void IReportFormat.Write(FitReport report, Stream output)
    {
        using var utf8 = new StreamWriter(output, leaveOpen: true); // UTF-8 without a mark
        Write(report, utf8);
    }
}

/// <summary>Every format there is.</summary>
public static class ReportFormats
{
    /// <summary>The formats, the terminal's first.</summary>
    public static ImmutableArray<IReportFormat> All { get; } =
    [
        new TableFormat(),
        new JsonFormat(),
        new CsvFormat(),
        new MarkdownFormat(),
        new NpzFormat(),
        new HtmlFormat(),
    ];

    /// <summary>Finds a format.</summary>
    /// <param name="name">Its <see cref="IReportFormat.Name"/>.</param>
    /// <exception cref="ArgumentException">There is none of that name; the message lists those there are.</exception>
    public static IReportFormat Find(string name) =>
        All.FirstOrDefault(format => format.Name == name)
        ?? throw new ArgumentException($"Format is '{name}'. Choose one of: {string.Join(", ", All.Select(format => format.Name))}.");
}
