using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

/// <summary>What holds for every format in the list.</summary>
/// <remarks>
/// Every format has a file under Golden with what it makes of <see cref="Sample.Report"/>. After a change that is meant,
/// <c>BNSL_UPDATE_GOLDEN=1 dotnet test</c> writes them anew; read their diff before it is committed.
/// </remarks>
public class ReportFormatsTests
{
    public static TheoryData<string> EveryFormat => [.. ReportFormats.All.Select(format => format.Name)];

    [Theory, MemberData(nameof(EveryFormat))]
    public void Every_format_writes_the_sample_report_as_its_golden_file_has_it(string name)
    {
        IReportFormat format = ReportFormats.Find(name);
        string text = Regex.Replace(Written(format, Sample.Report), $"(?<=\"version\": ?\"|^bnsl |^version U: ){Regex.Escape(FitReport.Version)}", "0.0.0", RegexOptions.Multiline);
        if (format.FileExtension == ".html") text = Regex.Replace(text, "<(?<part>style|script)>.*?</\\k<part>>", "<${part}></${part}>", RegexOptions.Singleline); // the page's own source
        string file = "report" + format.FileExtension + (format is ITextFormat ? "" : ".txt");
        if (Environment.GetEnvironmentVariable("BNSL_UPDATE_GOLDEN") == "1") File.WriteAllText(Path.Combine(SourceFolder(), "..", "Golden", file), text);
        else Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Golden", file)), text);
    }

    [Theory, MemberData(nameof(EveryFormat))]
    public void Every_format_writes_the_same_text_whatever_the_culture_and_the_writer(string name)
    {
        IReportFormat format = ReportFormats.Find(name);
        string expected = Written(format, Sample.Report);
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.Equal(expected, Written(format, Sample.Report));
            if (format is not ITextFormat text) return;
            using var output = new StringWriter { NewLine = "\r\n" };
            text.Write(Sample.Report, output);
            Assert.Equal(expected, output.ToString());
            Assert.DoesNotContain('\r', expected);
            Assert.EndsWith("\n", expected, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory, MemberData(nameof(EveryFormat))]
    public void Every_format_writes_a_report_without_curves(string name) =>
        Assert.NotEmpty(Written(ReportFormats.Find(name), Sample.Report with { Curves = [] }));

    [Fact]
    public void Names_and_extensions_of_formats_are_lower_case_and_differ()
    {
        Assert.Equal(ReportFormats.All.Length, ReportFormats.All.DistinctBy(format => format.Name).Count());
        Assert.Equal(ReportFormats.All.Length, ReportFormats.All.DistinctBy(format => format.FileExtension).Count());
        Assert.All(ReportFormats.All, format => Assert.Matches("^[a-z0-9-]+$", format.Name));
        Assert.All(ReportFormats.All, format => Assert.Matches("^[.][a-z0-9]+$", format.FileExtension));
        Assert.All(ReportFormats.All, format => Assert.EndsWith(".", format.Description, StringComparison.Ordinal));
    }

    [Fact]
    public void A_format_that_is_not_there_is_answered_with_those_that_are()
    {
        var e = Assert.Throws<ArgumentException>(() => ReportFormats.Find("yaml"));
        Assert.Equal("Format is 'yaml'. Choose one of: table, json, csv, markdown, npz, html.", e.Message);
    }

    /// <summary>What a format writes; what is no text is told in text.</summary>
    internal static string Written(IReportFormat format, FitReport report)
    {
        using var output = new MemoryStream();
        format.Write(report, output);
        return format is ITextFormat ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(output.ToArray()) : Npz.Told(output.ToArray());
    }

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
