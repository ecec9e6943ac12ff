namespace BnslGpu.Formats;

/// <summary>The page of <see cref="HtmlReport"/>: a report to look at and to send to others.</summary>
public sealed class HtmlFormat : ITextFormat
{
    /// <inheritdoc/>
    public string Name => "html";

    /// <inheritdoc/>
    public string Description => "A page with tables and charts, for a browser and for print; it needs no network.";

    /// <inheritdoc/>
    public string FileExtension => ".html";

    /// <inheritdoc/>
    public void Write(FitReport report, TextWriter output) => HtmlReport.Write(report, output);
}
