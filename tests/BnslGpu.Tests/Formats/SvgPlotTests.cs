using System.Globalization;
using System.Xml.Linq;
using Xunit;

namespace BnslGpu.Tests.Formats;

public class SvgPlotTests
{
    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Every_point_is_a_circle_and_the_legend_has_one_of_each_kind()
    {
        XElement plot = Drawn(Sample.Curve);
        Assert.Equal(4 + 1 + 2, plot.Descendants(s_svg + "circle").Count());
        string[] texts = Texts(plot);
        Assert.Contains("fitted (4)", texts);
        Assert.Contains("held out (1)", texts);
        Assert.Contains("bnsl, 1 break", texts);
        Assert.Contains("0 breaks", texts);
        Assert.Contains("d1", texts);
    }

    [Fact]
    public void The_chosen_fit_is_one_line_up_to_the_last_fitted_point_and_another_beyond()
    {
        XElement[] paths = [.. Drawn(Sample.Curve).Descendants(s_svg + "path")];
        Assert.Equal(3, paths.Length);
        Assert.Null(paths[2].Attribute("stroke-dasharray"));
        Assert.NotNull(paths[1].Attribute("stroke-dasharray"));
        string seam = paths[2].Attribute("d")!.Value.Split(' ')[^1];
        Assert.Equal("M" + seam, paths[1].Attribute("d")!.Value.Split(' ')[0]);
        // The seam stands at x = 625, as the fitted point does.
        Assert.Contains(Drawn(Sample.Curve).Descendants(s_svg + "circle"), circle => circle.Attribute("cx")!.Value == seam.Split(',')[0]);
    }

    [Fact]
    public void The_forecast_lies_within_its_bands_from_the_last_fitted_point_on()
    {
        ForecastMember one = Sample.Curve.Forecast!.Members[0];
        Forecast two = new() { LastX = 625, Members = [one with { Weight = .5, PointWeight = .5 }, one with { Weight = .5, PointWeight = .5, Offset = .1, Bend = .01, Degrees = 4 }] };
        XElement plot = Drawn(Sample.Curve with { Forecast = two });
        Assert.Contains("forecast, 80 and 95 %", Texts(plot));
        XElement[] paths = [.. plot.Descendants(s_svg + "path")], bands = [.. plot.Descendants(s_svg + "polygon")];
        // A rival, the chosen fit beyond, the forecast, the chosen fit.
        Assert.Equal(4, paths.Length);
        Assert.Equal(2, bands.Length);
        (double X, double Y)[] wide = Places(bands[0].Attribute("points")!.Value), narrow = Places(bands[1].Attribute("points")!.Value), line = Places(paths[2].Attribute("d")!.Value.TrimStart('M'));
        double seam = Places(paths[3].Attribute("d")!.Value.TrimStart('M'))[^1].X;
        Assert.All((double[])[wide[0].X, wide[^1].X, narrow[0].X, line[0].X], x => Assert.Equal(seam, x, .02));
        // A polygon goes there along its upper end and back along its lower one; y grows downwards.
        Assert.True(wide[0].Y < narrow[0].Y && narrow[0].Y < line[0].Y && line[0].Y < narrow[^1].Y && narrow[^1].Y < wide[^1].Y);
        int end = wide.Length / 2;
        Assert.True(wide[end - 1].Y < narrow[end - 1].Y && narrow[end - 1].Y < line[^1].Y && line[^1].Y < narrow[end].Y && narrow[end].Y < wide[end].Y);

        // One law alone is the chosen fit; a forecast that does not know its noise has no bands.
        Assert.Equal(3, Drawn(Sample.Curve).Descendants(s_svg + "path").Count());
        Assert.Empty(Drawn(Sample.Curve with { Forecast = two with { Members = [one with { Noise = double.NaN }] } }).Descendants(s_svg + "polygon"));
        Assert.Empty(Drawn(Sample.Curve with { Forecast = null }).Descendants(s_svg + "polygon"));

        static (double X, double Y)[] Places(string text) =>
            [.. text.Split(' ').Select(pair => (double.Parse(pair.Split(',')[0], CultureInfo.InvariantCulture), double.Parse(pair.Split(',')[1], CultureInfo.InvariantCulture)))];
    }

    [Fact]
    public void A_name_is_escaped_and_what_xml_cannot_write_is_replaced()
    {
        const string Name = "<script>&\"'\u0001\uD800 π 😀";
        XElement plot = Drawn(Sample.WithoutFit with { Curve = new Curve(Name, Sample.WithoutFit.Curve.Fit) });
        Assert.Equal("<script>&\"'\uFFFD\uFFFD π 😀", plot.Element(s_svg + "title")!.Value);
        Assert.Empty(plot.Descendants(s_svg + "script"));
    }

    [Fact]
    public void A_curve_without_a_fit_is_its_points_alone()
    {
        XElement plot = Drawn(Sample.WithoutFit);
        Assert.Equal(2 + 1, plot.Descendants(s_svg + "circle").Count());
        Assert.Empty(plot.Descendants(s_svg + "path"));
    }

    [Fact]
    public void A_curve_without_a_point_that_has_a_place_says_so()
    {
        XElement plot = Drawn(Sample.WithoutFit with { Curve = new Curve("nowhere", new Points([1, 2], [double.NaN, double.PositiveInfinity])) });
        Assert.Contains("no point that can be drawn", Texts(plot));
    }

    [Fact]
    public void Axes_are_linear_where_fitted_points_have_no_logarithm()
    {
        string[] texts = Texts(Drawn(Sample.WithoutFit with { Curve = new Curve("signed", new Points([-1, 0, 1, 3], [-20, 0, 20, 30])) }));
        foreach (string label in (string[])["−1", "0", "1", "2", "3", "−20", "−10", "10", "20", "30"]) Assert.Contains(label, texts);
    }

    [Fact]
    public void A_held_out_point_without_a_logarithm_leaves_the_axes_as_they_are()
    {
        XElement plot = Drawn(Sample.Curve with { Curve = new Curve("one", Sample.Curve.Curve.Fit, new Points([1296, 2000], [.85, -1])) });
        Assert.Equal(4 + 1 + 2, plot.Descendants(s_svg + "circle").Count());
        Assert.Contains("held out (1)", Texts(plot));
    }

    [Fact]
    public void A_law_of_any_sign_is_drawn_on_a_linear_axis()
    {
        // y = 2 − 4 x^(−.5), in equal steps of y from 0 at x = 4.
        Fit rising = Sample.BnslFit(2, 4, .5, [], [], []) with { Law = "bnsl-rising" };
        double[] x = [4, 7.1111111111111, 16, 64];
        XElement plot = Drawn(Sample.Curve with { Curve = new Curve("rising", new Points(x, [0, .5, 1, 1.5])), Fits = [rising], Chosen = 0, Forecast = null });
        double[] y = [.. plot.Elements(s_svg + "g").Elements(s_svg + "circle").Select(circle => double.Parse(circle.Attribute("cy")!.Value, CultureInfo.InvariantCulture))];
        Assert.All((int[])[1, 2], i => Assert.Equal(y[i] - y[i - 1], y[i + 1] - y[i], .03));
        Assert.Contains("1.0", Texts(plot));
    }

    [Fact]
    public void A_curve_of_several_inputs_is_measured_against_fitted_y_with_the_line_where_they_agree()
    {
        Fit fit = Sample.BnslFit(0, 1, 1, [], [], []) with
        {
            Law = "chinchilla",
            Parameters = [Sample.Scalar("E", 1), Sample.Scalar("A", 8), Sample.Scalar("logA", Math.Log(8)), Sample.Scalar("alpha", 1), Sample.Scalar("B", 8), Sample.Scalar("logB", Math.Log(8)), Sample.Scalar("beta", 1)],
        };
        // Fitted 3, 5 and 9; the second is measured 4.
        var curve = new Curve("two inputs", new Points([8, 8, 4, 4, 2, 2], 2, [3, 4, 9]), new Points([1, 1], 2, [17])) { XNames = ["N", "D"], YName = "loss" };
        XElement plot = Drawn(Sample.Curve with { Curve = curve, Fits = [fit], Chosen = 0, Forecast = null });
        string[] texts = Texts(plot);
        foreach (string text in (string[])["loss, fitted", "loss, measured", "fitted = measured; chinchilla", "fitted (3)", "held out (1)"]) Assert.Contains(text, texts);
        XElement line = Assert.Single(plot.Descendants(s_svg + "path"));
        (double X, double Y)[] ends = [.. line.Attribute("d")!.Value.TrimStart('M').Split(' ').Select(Place)];
        (double X, double Y)[] points = [.. plot.Elements(s_svg + "g").Elements(s_svg + "circle").Select(circle => Place($"{circle.Attribute("cx")!.Value},{circle.Attribute("cy")!.Value}"))];
        Assert.Equal(3, points.Count(OnLine));
        Assert.Contains("no point that can be drawn", Texts(Drawn(Sample.WithoutFit with { Curve = curve })));

        bool OnLine((double X, double Y) point) =>
            Math.Abs(ends[0].Y + ((point.X - ends[0].X) / (ends[^1].X - ends[0].X) * (ends[^1].Y - ends[0].Y)) - point.Y) < .05;

        static (double, double) Place(string pair) =>
            pair.Split(',') is [var x, var y] ? (double.Parse(x, CultureInfo.InvariantCulture), double.Parse(y, CultureInfo.InvariantCulture)) : default;
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 1e7)]
    [InlineData(-3e-9, 2e-9)]
    [InlineData(-1234, 99)]
    [InlineData(0, 0)]
    [InlineData(-7, -7)]
    [InlineData(-1e200, 1e200)]
    public void A_linear_axis_has_three_labels_or_more_and_no_two_alike(double low, double high)
    {
        XElement plot = Drawn(Sample.WithoutFit with { Curve = new Curve("two", new Points([1, 2, 3], [low, high, low])) });
        XElement[] labels = [.. plot.Elements(s_svg + "g").First(group => group.Elements(s_svg + "text").Any()).Elements(s_svg + "text").Where(text => text.Attribute("text-anchor")!.Value == "end")];
        Assert.InRange(labels.Length, 3, 12);
        Assert.Equal(labels.Length, labels.Select(label => label.Value).Distinct().Count());
    }

    [Fact]
    public void Stretches_without_a_logarithm_are_left_out_and_wild_rivals_move_no_axis()
    {
        // 8 x^(-.25) − 2 has no logarithm from x = 256 on; 1e200 x^(-60) is far above every point, then far below.
        Fit dives = Sample.BnslFit(-2, 8, .25, [], [], []), wild = Sample.BnslFit(0, 1e200, 60, [], [], []);
        Fit none = Sample.BnslFit(0, double.NaN, 1, [], [], []);
        XElement tame = Drawn(Sample.Curve), plot = Drawn(Sample.Curve with { Fits = [.. Sample.Curve.Fits, dives, wild, none] });

        string[] paths = [.. plot.Descendants(s_svg + "path").Select(path => path.Attribute("d")!.Value)];
        string lastX = paths[1].Split(' ')[^1].TrimStart('M').Split(',')[0];
        string at256 = plot.Elements(s_svg + "g").Elements(s_svg + "circle").Select(circle => circle.Attribute("cx")!.Value).ElementAt(3);
        Assert.InRange(double.Parse(lastX, CultureInfo.InvariantCulture), 0, double.Parse(at256, CultureInfo.InvariantCulture));
        Assert.All(paths, path => Assert.InRange(path.Length, 1, 301 * 20));
        Assert.Equal(Circles(tame), Circles(plot));

        static string[] Circles(XElement of) => [.. of.Elements(s_svg + "g").Elements(s_svg + "circle").Select(circle => circle.ToString())];
    }

    [Fact]
    public void A_thousand_points_are_smaller_than_ten_and_stand_under_the_line()
    {
        CurveFit thousand = Sample.Curve with
        {
            Curve = new Curve("many", new Points([.. Enumerable.Range(1, 1000).Select(x => (double)x)], [.. Enumerable.Range(1, 1000).Select(x => 1.0 / x)])),
        };
        XElement many = Drawn(thousand), few = Drawn(Sample.Curve);
        Assert.True(Radius(many) < Radius(few));
        Assert.True(CirclesComeFirst(many));
        Assert.False(CirclesComeFirst(few));

        static double Radius(XElement plot) => double.Parse(plot.Descendants(s_svg + "circle").First().Attribute("r")!.Value, CultureInfo.InvariantCulture);
        static bool CirclesComeFirst(XElement plot) =>
            plot.Descendants().First(part => part.Name == s_svg + "circle" || part.Name == s_svg + "path").Name == s_svg + "circle";
    }

    [Theory]
    [InlineData(1, 1e12, 3, 1e-4)]
    [InlineData(160, 928, 2.1, .56)]
    [InlineData(5e5, 3e11, .97, .23)]
    [InlineData(1e9, 1.08e9, .812, .8102)]
    [InlineData(1, 9, 9, 1)]
    [InlineData(.001, .0035, 40000, 39000)]
    [InlineData(1e-300, 1e300, 1e300, 1e-300)]
    [InlineData(7, 7, .5, .5)]
    public void Both_axes_have_three_labels_or_more_inside_the_page(double x1, double x2, double y1, double y2)
    {
        XElement plot = Drawn(Sample.WithoutFit with { Curve = new Curve("two", new Points([x1, x2], [y1, y2])) });
        XElement[] labels = [.. plot.Elements(s_svg + "g").First(group => group.Elements(s_svg + "text").Any()).Elements(s_svg + "text")];
        Assert.InRange(labels.Count(label => label.Attribute("text-anchor")!.Value == "middle"), 3, 12);
        Assert.InRange(labels.Count(label => label.Attribute("text-anchor")!.Value == "end"), 3, 12);
        Assert.Equal(labels.Length, labels.Select(label => label.Attribute("text-anchor")!.Value + label.Value).Distinct().Count());
        Assert.All(plot.Descendants(s_svg + "circle"), circle => Assert.InRange(double.Parse(circle.Attribute("cx")!.Value, CultureInfo.InvariantCulture), 0, 480));
    }

    [Theory]
    [InlineData("IC|bird_5|MiX/B/16", "IC_bird_5_MiX_B_16.svg")]
    [InlineData("../../etc/passwd", "etc_passwd.svg")]
    [InlineData("C:\\a?*", "C_a.svg")]
    [InlineData("con", "curve_con.svg")]
    [InlineData("lpt1.x", "curve_lpt1.x.svg")]
    [InlineData("|||", "curve.svg")]
    [InlineData("", "curve.svg")]
    [InlineData("学习 曲线", "学习_曲线.svg")]
    public void A_file_is_named_after_its_curve_without_what_a_file_system_minds(string curve, string file) => Assert.Equal(file, SvgPlot.FileName(curve));

    [Fact]
    public void A_long_name_keeps_both_its_ends() =>
        Assert.Matches("^a{40}_b{39}[.]svg$", SvgPlot.FileName(new string('a', 200) + new string('b', 200)));

    [Fact]
    public void No_two_curves_share_a_file() =>
        Assert.Equal(["a_b.svg", "A_b-2.svg", "a_b-2-2.svg", "a_b-3.svg", "c.svg"], SvgPlot.FileNames(["a|b", "A/b", "a|b-2", "a b", "c"]));

    /// <summary>The plot as XML; whatever is drawn, no number in it is NaN or infinite and drawing it again gives the same text.</summary>
    private static XElement Drawn(CurveFit curve)
    {
        string svg = SvgPlot.Render(curve);
        Assert.Equal(svg, SvgPlot.Render(curve));
        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", svg, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", svg, StringComparison.Ordinal);
        return XDocument.Parse(svg).Root!;
    }

    private static string[] Texts(XElement plot) => [.. plot.Descendants(s_svg + "text").Select(text => text.Value)];
}
