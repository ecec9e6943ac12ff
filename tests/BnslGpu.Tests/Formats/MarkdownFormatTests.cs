using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public sealed class MarkdownFormatTests
{
    [Theory]
    [InlineData("val_loss", "val_loss")]
    [InlineData("_private_", "\\_private\\_")]
    [InlineData("IC|a", "IC\\|a")]
    [InlineData("<b> & [x](y) *z*", "\\<b\\> &amp; \\[x\\](y) \\*z\\*")]
    [InlineData("@somebody #12 `code` $1$", "&#64;somebody \\#12 \\`code\\` \\$1\\$")]
    [InlineData("two\nlines", "two lines")]
    [InlineData("https://a.example and www.b.example at 1:2", "https\\://a.example and www\\.b.example at 1:2")]
    [InlineData("turned \u202E round\a", "turned \uFFFD round\uFFFD")]
    public void Names_are_shown_as_they_are(string name, string expected)
    {
        string text = ReportFormatsTests.Written(new MarkdownFormat(), Sample.Report with { Curves = [Sample.Curve with { Curve = new Curve(name, Sample.Curve.Curve.Fit) }] });
        Assert.Contains($"\n## {expected}\n", text);
    }

    [Fact]
    public void Of_many_curves_each_has_a_row_and_its_warnings_a_line()
    {
        CurveFit[] curves = [.. "abcd".Select(letter => Sample.Curve with { Curve = new Curve($"{letter}|{letter}", Sample.Curve.Curve.Fit, Sample.Curve.Curve.HeldOut) }), Sample.WithoutFit];
        string[] lines = ReportFormatsTests.Written(new MarkdownFormat(), Sample.Report with { Curves = [.. curves] }).Split('\n');
        string[] table = [.. lines.Where(line => line.StartsWith('|'))];
        Assert.Equal(2 + curves.Length, table.Length);
        Assert.All(table, row => Assert.Equal(9, row.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')));
        Assert.StartsWith("| a\\|a | 4 + 1 | bnsl, 1 break | 0.001000 | 0.03125 | 0.1956 | 1.052 [0.8962 to 1.235] | 0.6143 [", table[2], StringComparison.Ordinal);
        Assert.Contains("- **!** b\\|b: One break and four points: every point is a parameter's.", lines);
        Assert.Contains(table, row => row.Contains("| no fit |", StringComparison.Ordinal));
    }
}
