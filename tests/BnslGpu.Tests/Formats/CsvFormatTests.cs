using System.Globalization;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public class CsvFormatTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("two, with a comma", "\"two, with a comma\"")]
    [InlineData("a \"quoted\" word", "\"a \"\"quoted\"\" word\"")]
    [InlineData("line\nbreak", "\"line\nbreak\"")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("@sum", "'@sum")]
    [InlineData("-x,y", "\"'-x,y\"")]
    [InlineData("-1.5", "-1.5")] // a number: a spreadsheet shows it as it is
    [InlineData("+1e6", "+1e6")]
    [InlineData("1=1", "1=1")]
    public void A_name_is_quoted_where_it_must_be_and_never_a_formula(string name, string field)
    {
        string csv = Written(Sample.WithoutFit with { Curve = new Curve(name, Points.None) });
        Assert.StartsWith(field + ",,,,,0,0,", csv[(csv.IndexOf('\n', StringComparison.Ordinal) + 1)..], StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_have_one_column_each_and_one_a_break_up_to_the_most()
    {
        Fit none = Sample.BnslFit(1, 2, 3, [], [], []), two = Sample.BnslFit(1, 2, 3, [4, 5], [6, 7], [8, 9]);
        Fit other = none with { Law = "m4", Parameters = [Sample.Scalar("a", 10), Sample.Scalar("eInf", double.NegativeInfinity)] };
        string[] lines = Written(Sample.Curve with { Fits = [none, two, other] }).Split('\n');
        Assert.EndsWith(",forecast_10x_upper_95,a,b,log_b,c0,c1,c2,d1,d2,f1,f2,e_inf", lines[0], StringComparison.Ordinal);
        string logB = Math.Log(2).ToString("R", CultureInfo.InvariantCulture);
        Assert.EndsWith($",1,2,{logB},3,,,,,,,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith($",1,2,{logB},3,4,5,6,7,8,9,", lines[2], StringComparison.Ordinal);
        Assert.EndsWith(",10,,,,,,,,,,-inf", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Every_row_has_as_many_fields_as_the_header()
    {
        string[] lines = Written(Sample.Curve, Sample.WithoutFit with { Curve = new Curve("none", Points.None) }).TrimEnd('\n').Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal(lines[0].Split(',').Length, line.Split(',').Length));
    }

    [Fact]
    public void What_the_forecast_says_stands_in_the_row_of_the_chosen_fit()
    {
        string[][] rows = [.. Written(Sample.Curve).TrimEnd('\n').Split('\n').Select(line => line.Split(','))];
        string[] columns = [.. rows[0].Where(column => column.StartsWith("forecast_", StringComparison.Ordinal))];
        Assert.Equal(12, columns.Length);
        Assert.All(columns, column => Assert.Equal("", Cell(1, column)));
        Forecast forecast = Sample.Curve.Forecast!;
        Assert.Equal(forecast.Predict([1250])[0], Number("forecast_2x"));
        Assert.Equal(forecast.Quantile([1250], .1)[0], Number("forecast_2x_lower_80"), 1e-12);
        Assert.Equal(forecast.Quantile([6250], .975)[0], Number("forecast_10x_upper_95"), 1e-12);
        Assert.Equal(Math.Abs(Math.Log(forecast.Predict([1296])[0] / .85)), Number("forecast_rmsle_held_out"), 1e-12);

        string Cell(int row, string column) => rows[row][Array.IndexOf(rows[0], column)];
        double Number(string column) => double.Parse(Cell(2, column), CultureInfo.InvariantCulture);
    }

    [Fact]
    public void One_fit_of_a_curve_is_marked_as_chosen() =>
        Assert.Equal(["chosen", "false", "true", ""], Written(Sample.Curve).Split('\n').Select(line => line.Split(',').ElementAtOrDefault(3) ?? ""));

    private static string Written(params CurveFit[] curves) => ReportFormatsTests.Written(new CsvFormat(), Sample.Report with { Curves = [.. curves] });
}
