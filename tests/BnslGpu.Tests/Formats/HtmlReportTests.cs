using System.Text.Json;
using System.Text.RegularExpressions;
using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public sealed partial class HtmlReportTests
{
    private const string Hostile = "</script><script>alert('1')</script><!--|\"&\u2028";

    [Fact]
    public void A_page_fetches_nothing()
    {
        string page = HtmlReport.Render(Sample.Report);
        Assert.Contains("default-src 'none'", page, StringComparison.Ordinal);
        Assert.DoesNotMatch(Fetched(), page);
        Assert.DoesNotMatch(Fetches(), page);
        Assert.Matches(Fetched(), "<img src='http://x'>"); // the patterns find what they are to find
        Assert.Matches(Fetched(), "a { background: url(x.png) }");
        Assert.Matches(Fetches(), "await fetch('x')");
    }

    [Fact]
    public void The_data_hold_every_curve_with_its_points_and_fits()
    {
        using JsonDocument data = Data(HtmlReport.Render(Sample.Report));
        JsonElement[] curves = [.. data.RootElement.GetProperty("curves").EnumerateArray()];
        Assert.Equal(Sample.Report.Curves.Select(curve => curve.Curve.Name), curves.Select(curve => curve.GetProperty("name").GetString()));
        foreach ((JsonElement shown, CurveFit curve) in curves.Zip(Sample.Report.Curves))
        {
            Assert.Equal([curve.Curve.Fit.Count, curve.Curve.HeldOut.Count, curve.Curve.CopiesDropped], shown.GetProperty("points").EnumerateArray().Select(count => count.GetInt32()));
            Assert.Equal(curve.Curve.Fit.Y.ToArray(), Numbers(shown.GetProperty("fit").GetProperty("y")));
            Assert.Equal(curve.Curve.HeldOut.X.ToArray(), Numbers(shown.GetProperty("heldOut").GetProperty("x")));
            Assert.Equal(curve.Fits.Length, shown.GetProperty("fits").GetArrayLength());
            Assert.Equal(curve.Chosen, shown.GetProperty("chosen").GetInt32());
            Assert.Equal(curve.Warnings.Concat(curve.Chosen < 0 ? [] : curve.Fits[curve.Chosen].Warnings), shown.GetProperty("warnings").EnumerateArray().Select(text => text.GetString()));
        }
    }

    [Fact]
    public void Lines_and_intervals_are_those_of_the_fit_and_the_forecast()
    {
        CurveFit curve = Sample.Curve;
        JsonElement shown = Shown(curve);
        double[] x = Numbers(shown.GetProperty("x"));
        Assert.Equal(x.Order().Distinct(), x);
        Assert.True(x[0] < 16 && x[^1] > 1296);
        JsonElement forecast = shown.GetProperty("forecast");
        AssertNear(curve.Forecast!.Predict(x), Numbers(forecast.GetProperty("y")));
        for (int i = 0; i < curve.Fits.Length; i++) AssertNear(curve.Fits[i].Predict(x), Numbers(shown.GetProperty("fits")[i].GetProperty("y")));
        double[] at = [.. Numbers(forecast.GetProperty("at")).Select(i => x[(int)i])];
        Assert.Contains(625.0, at);
        foreach (ForecastOf of in Enum.GetValues<ForecastOf>())
        {
            JsonElement intervals = forecast.GetProperty(of == ForecastOf.Measurement ? "measurement" : "curve");
            for (int k = 0; k < Forecast.Levels.Length; k++)
            {
                (double[] lower, double[] upper) = curve.Forecast.Interval(at, Forecast.Levels[k], of);
                AssertNear(lower, Numbers(intervals[k].GetProperty("lower")));
                AssertNear(upper, Numbers(intervals[k].GetProperty("upper")));
            }
        }

        // x and y are written to six digits, intervals to five, and the law moves with x: a few units of the fifth.
        static void AssertNear(double[] expected, double[] actual)
        {
            Assert.Equal(expected.Length, actual.Length);
            foreach ((double one, double other) in expected.Zip(actual)) Assert.InRange(other, one * (1 - 6e-5), one * (1 + 6e-5));
        }
    }

    [Fact]
    public void Scores_of_the_forecast_are_over_the_held_out_points()
    {
        // The forecast's noise is .125, its 80 % interval ± .160 in log y: of e^.1, e^-.1, e^.3, e^-.1 times the forecast three lie inside.
        double[] x = [700, 800, 900, 1000], off = [.1, -.1, .3, -.1];
        double[] y = [.. Sample.Curve.Forecast!.Predict(x).Zip(off, (at, log) => at * Math.Exp(log))];
        JsonElement scores = Shown(Sample.Curve with { Curve = new Curve("held", Sample.Curve.Curve.Fit, new Points(x, y)) }).GetProperty("scores");
        Assert.Equal(.75, scores.GetProperty("coverage").GetDouble());
        Assert.Equal(Math.Sqrt((.01 + .01 + .09 + .01) / 4), scores.GetProperty("forecast").GetDouble(), 1e-5);
    }

    [Fact]
    public void Texts_of_a_report_are_data_and_no_markup()
    {
        FitReport report = Sample.Report with { Curves = [Named(Hostile)], Remarks = [Hostile], Device = Hostile };
        string page = HtmlReport.Render(report, [new RivalFit(Hostile, Hostile, Sample.Curve.Fits[0])], [new ReportTable(Hostile, Hostile, [new TextColumn(Hostile, [Hostile])])], Hostile);
        string plain = HtmlReport.Render(Sample.Report);
        foreach (string tag in (string[])["<script", "</script", "<!--"]) Assert.Equal(Count(plain, tag), Count(page, tag));
        using JsonDocument data = Data(page);
        JsonElement curve = data.RootElement.GetProperty("curves")[0];
        Assert.Equal(Hostile, curve.GetProperty("name").GetString());
        Assert.Equal(Hostile, curve.GetProperty("fits")[2].GetProperty("label").GetString());
        Assert.Equal(Hostile, data.RootElement.GetProperty("run").GetProperty("remarks")[0].GetString());
        Assert.Contains("<title>&lt;/script&gt;", page, StringComparison.Ordinal);

        static int Count(string text, string part) => Regex.Count(text, Regex.Escape(part), RegexOptions.IgnoreCase);
    }

    [Fact]
    public void The_same_report_gives_the_same_page_on_any_number_of_threads()
    {
        FitReport many = Sample.Report with { Curves = [.. Enumerable.Range(0, 40).Select(i => Named($"curve {i:00}"))] };
        string one = HtmlReport.Render(many with { Options = many.Options with { Threads = 1 } });
        Assert.Equal(one, HtmlReport.Render(many with { Options = many.Options with { Threads = 4 } }));
    }

    [Fact]
    public void Thousands_of_points_are_thinned_to_some_that_bound_them()
    {
        double[] x = [.. Enumerable.Range(1, 5000).Select(i => (double)i)], y = [.. x.Select(at => 1 / at * (1 + .1 * Math.Sin(at * at)))];
        JsonElement shown = Shown(Sample.Curve with { Curve = new Curve("many", new Points(x, y)) });
        double[] drawn = Numbers(shown.GetProperty("fit").GetProperty("x")), drawnY = Numbers(shown.GetProperty("fit").GetProperty("y"));
        Assert.InRange(drawn.Length, 400, 1202);
        Assert.Equal(drawn.Order().Distinct(), drawn);
        Assert.Equal((1, 5000), (drawn[0], drawn[^1]));
        Assert.Equal(y.Max(), drawnY.Max(), 1e-5 * y.Max());
        Assert.Equal(y.Min(), drawnY.Min(), 1e-5 * y.Min());
        Assert.Equal(5000, shown.GetProperty("points")[0].GetInt32());
    }

    [Fact]
    public void A_curve_without_a_logarithm_or_of_several_inputs_says_so()
    {
        JsonElement signed = Shown(Sample.WithoutFit with { Curve = new Curve("signed", new Points([-1, 0, 1], [-20, 0, 20])) });
        Assert.Equal((false, false), (signed.GetProperty("logX").GetBoolean(), signed.GetProperty("logY").GetBoolean()));
        Assert.False(signed.TryGetProperty("forecast", out _));

        Fit fit = Sample.BnslFit(0, 1, 1, [], [], []) with
        {
            Law = "chinchilla",
            Parameters = [Sample.Scalar("E", 1), Sample.Scalar("A", 8), Sample.Scalar("logA", Math.Log(8)), Sample.Scalar("alpha", 1), Sample.Scalar("B", 8), Sample.Scalar("logB", Math.Log(8)), Sample.Scalar("beta", 1)],
        };
        var curve = new Curve("two inputs", new Points([8, 8, 4, 4, 2, 2], 2, [3, 4, 9]), new Points([1, 1], 2, [17])) { XNames = ["N", "D"] };
        JsonElement two = Shown(Sample.Curve with { Curve = curve, Fits = [fit], Chosen = 0, Forecast = null });
        Assert.True(two.GetProperty("againstFitted").GetBoolean());
        Assert.Equal([9, 5, 3], Numbers(two.GetProperty("fit").GetProperty("x")));
        Assert.Equal([1, 1], Numbers(two.GetProperty("heldOut").GetProperty("inputs")));
    }

    [Fact]
    public void Tables_stand_in_the_data_column_by_column()
    {
        var table = new ReportTable("Leaderboard", "Lower is better.",
            [new TextColumn("method", ["ours", "theirs"]), new NumberColumn("RMSLE", [.012345678, double.NaN]) { Errors = [.001, double.NaN], Digits = 3 }]);
        using JsonDocument data = Data(HtmlReport.Render(Sample.Report, tables: [table]));
        Assert.Equal(
            """[{"title":"Leaderboard","caption":"Lower is better.","columns":[{"title":"method","values":["ours","theirs"]},{"title":"RMSLE","digits":3,"values":[0.0123457,null],"errors":[0.001,null]}]}]""",
            data.RootElement.GetProperty("tables").GetRawText().Replace("\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_whose_columns_differ_in_length_is_refused_by_name()
    {
        var table = new ReportTable("T", "", [new TextColumn("one", ["a", "b"]), new NumberColumn("two", [1])]);
        var e = Assert.Throws<ArgumentException>(() => HtmlReport.Render(Sample.Report, tables: [table]));
        Assert.Equal("Table 'T': column 'two' has 1 rows. Violated constraint: 2, as 'one' has.", e.Message);
        table = new ReportTable("T", "", [new NumberColumn("two", [1]) { Errors = [1, 2] }]);
        Assert.Throws<ArgumentException>(() => HtmlReport.Render(Sample.Report, tables: [table]));
    }

    private static CurveFit Named(string name) => Sample.Curve with { Curve = new Curve(name, Sample.Curve.Curve.Fit, Sample.Curve.Curve.HeldOut) };

    private static JsonElement Shown(CurveFit curve)
    {
        using JsonDocument data = Data(HtmlReport.Render(Sample.Report with { Curves = [curve] }));
        return data.RootElement.GetProperty("curves")[0].Clone();
    }

    private static JsonDocument Data(string page)
    {
        const string Begin = "<script id=\"data\" type=\"application/json\">";
        int begin = page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return JsonDocument.Parse(page[begin..page.IndexOf("</script>", begin, StringComparison.Ordinal)]);
    }

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(number => number.GetDouble())];

    [GeneratedRegex("""(\ssrc(set)?\s*=)|(\saction\s*=)|(\shref\s*=\s*["']?(?!["']?#))|(url\((?!#))|(@import)|(<(link|iframe|img|object|embed|base)\b)""", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Fetched();

    [GeneratedRegex(@"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|\bimport\(|new Image|https?://(?!www\.w3\.org/2000/svg)", RegexOptions.IgnoreCase)]
    private static partial Regex Fetches();
}
