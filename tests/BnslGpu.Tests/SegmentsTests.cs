using System.Collections.Immutable;
using BnslGpu.Kernels;
using BnslGpu.Tests.Formats;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Segments are those of the law that was planted, and what is said of them is true.</summary>
public sealed class SegmentsTests
{
    private static Curve Planted(double[] x, double noise, double a, double c0, params (double C, double D, double F)[] breaks)
    {
        var random = new CounterRandom(7, (ulong)x.Length, (uint)breaks.Length);
        double[] y = [.. x.Select(value => (a + (3 * Math.Pow(value, -c0) * breaks.Aggregate(1.0, (product, one) => product * Math.Pow(1 + Math.Pow(value / one.D, 1 / one.F), -one.C * one.F)))) * Math.Exp(noise * Examples.Normal(ref random)))];
        return new("planted", new(x, y));
    }

    private static Fit Fitted(Curve curve, int breaks) => Report(curve, breaks).Fits[^1];

    private static CurveFit Report(Curve curve, params int[] breaks) =>
        Fitter.Fit([curve], FitOptions.LeastSquares with { Breaks = [.. breaks], Starts = 256 }, cancellation: TestContext.Current.CancellationToken).Curves[0];

    [Fact]
    public void Segments_of_a_planted_law_have_its_slopes_and_places()
    {
        Fit fit = Fitted(Planted(Examples.Even(40, 1e2, 1e8), 0, 0.2, 0.05, (0.35, 1e4, 0.3), (-0.6, 1e6, 0.5)), 2);
        Assert.Equal([0.05, 0.4, -0.2], fit.Segments.Select(segment => segment.Slope), (expected, actual) => Math.Abs(expected - actual) < 1e-7);
        Assert.Equal([1e2, 1e4, 1e6], fit.Segments.Select(segment => segment.From), Close);
        Assert.Equal([1e4, 1e6, 1e8], fit.Segments.Select(segment => segment.To), Close);
        Assert.Equal([0, 1, 2], fit.Segments.Select(segment => segment.Break));
        Assert.Equal([1e2, 1e4 * Math.Pow(9, 0.3), 1e6 * Math.Pow(9, 0.5)], fit.Segments.Select(segment => segment.PlainFrom), Close);
        Assert.Equal([1e4 * Math.Pow(9, -0.3), 1e6 * Math.Pow(9, -0.5), 1e8], fit.Segments.Select(segment => segment.PlainTo), Close);
        Assert.Equal(40, fit.Segments.Sum(segment => segment.Points));

        // Where a transition ends, the slope of log(y - a) has made nine tenths of its change.
        double x = fit.Segments[2].PlainFrom, a = fit.Parameters[0].Values[0], h = 1e-4;
        double local = -(Math.Log(fit.Predict(x * Math.Exp(h)) - a) - Math.Log(fit.Predict(x * Math.Exp(-h)) - a)) / (2 * h);
        Assert.Equal(0.4 - (0.9 * 0.6), local, 1e-3);

        static bool Close(double expected, double actual) => Math.Abs(expected - actual) < 1e-6 * expected;
    }

    [Fact]
    public void Errors_of_the_last_slope_are_those_of_the_first_one_of_the_mirrored_curve()
    {
        // x to 1/x turns c0 into -(c0 + c): what the delta method says of the sum must be what the Jacobian says of one parameter. a = 0 keeps the box alike.
        Curve curve = Planted(Examples.Even(40, 1e-3, 1e3), 0.01, 0, 0.1, (0.4, 3, 0.4));
        Curve mirrored = new("mirrored", new([.. curve.Fit.X.ToArray().Select(x => 1 / x)], curve.Fit.Y));
        FitOptions options = FitOptions.LeastSquares with { Breaks = [1], Starts = 256, Parameters = new() { Ranges = [new("a", 0, 0)] } };
        ImmutableArray<CurveFit> fits = Fitter.Fit([curve, mirrored], options, cancellation: TestContext.Current.CancellationToken).Curves;
        ImmutableArray<Segment> back = fits[0].Fits[0].Segments, here = fits[1].Fits[0].Segments;
        Assert.Equal("mirrored", fits[0].Curve.Name);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(here[i].Slope, -back[1 - i].Slope, 1e-6);
            Assert.Equal(1, here[i].SlopeError / back[1 - i].SlopeError, 1e-4);
            Assert.Equal(here[i].SlopeLower, -back[1 - i].SlopeUpper, 1e-6);
        }

        Assert.Equal(1, here[1].FromLower * back[1].FromUpper, 1e-4);
        Assert.True(here[1].FromLower < here[1].From && here[1].From < here[1].FromUpper);
    }

    [Fact]
    public void Intervals_of_slopes_and_places_hold_what_was_planted_as_often_as_they_say()
    {
        const int curves = 200;
        double[] x = Examples.Even(40, 1e2, 1e8);
        Curve[] planted =
        [
            .. Enumerable.Range(0, curves).Select(i =>
            {
                var random = new CounterRandom(11, (ulong)i, 0);
                return new Curve($"{i}", new(x, [.. x.Select(value => (0.1 + (3 * Math.Pow(value, -0.1) * Math.Pow(1 + Math.Pow(value / 1e5, 1 / 0.5), -0.3 * 0.5))) * Math.Exp(0.01 * Examples.Normal(ref random)))]));
            }),
        ];
        FitReport report = Fitter.Fit(planted, FitOptions.LeastSquares with { Breaks = [1], Starts = 32 }, cancellation: TestContext.Current.CancellationToken);
        int slope = 0, place = 0, told = 0;
        foreach (Segment last in report.Curves.Select(curve => curve.Fits[0].Segments[1]).Where(last => !double.IsNaN(last.SlopeError)))
        {
            told++;
            slope += last.SlopeLower <= 0.4 && 0.4 <= last.SlopeUpper ? 1 : 0;
            place += last.FromLower <= 1e5 && 1e5 <= last.FromUpper ? 1 : 0;
        }

        // 95 % of 200 scatter by 1.5 %; a law that bends over its intervals costs some more.
        Assert.InRange(told, curves / 2, curves);
        Assert.InRange(slope / (double)told, 0.88, 1);
        Assert.InRange(place / (double)told, 0.88, 1);
    }

    [Fact]
    public void Where_data_do_not_determine_a_slope_it_has_no_error_and_no_sentence_gives_one()
    {
        CurveFit report = Report(Planted(Examples.Even(5, 1e2, 1e6), 0.05, 0.1, 0.3), 1);
        Fit fit = report.Fits[0];
        Assert.Equal(2, fit.Segments.Length);
        Assert.All(fit.Segments, segment => Assert.True(double.IsNaN(segment.SlopeError) && double.IsNaN(segment.SlopeLower) && double.IsNaN(segment.FromUpper)));
        Assert.DoesNotContain(report.Sentences, sentence => sentence.Contains("95 %", StringComparison.Ordinal) || sentence.Contains("NaN", StringComparison.Ordinal));
    }

    [Fact]
    public void Laws_of_other_families_have_no_segments_and_no_sentences()
    {
        CurveFit curve = Fitter.Fit([Examples.FourDigitAddition], FitOptions.LeastSquares with { Laws = ["m1", "m3"], Starts = 16 }, cancellation: TestContext.Current.CancellationToken).Curves[0];
        Assert.All(curve.Fits, fit => Assert.Empty(fit.Segments));
        Assert.Empty(curve.Sentences);
    }

    [Fact]
    public void Segments_and_sentences_stand_in_the_json_report()
    {
        string json = CliRunner.RunWith("x,y\n1,5\n2,4\n4,3.3\n8,2.7\n16,2.3\n32,1.9\n", CancellationToken.None, "fit", "-", "--format", "json", "--breaks", "0,1", "--quiet").Out;
        using var document = System.Text.Json.JsonDocument.Parse(json);
        System.Text.Json.JsonElement curve = document.RootElement.GetProperty("curves")[0];
        System.Text.Json.JsonElement segments = curve.GetProperty("fits")[1].GetProperty("segments");
        Assert.Equal(2, segments.GetArrayLength());
        Assert.Equal((1, true), (segments[1].GetProperty("break").GetInt32(), segments[1].GetProperty("goesOn").GetBoolean()));
        Assert.Equal(32, segments[1].GetProperty("to").GetDouble());
        Assert.Equal("One segment: ", curve.GetProperty("sentences")[0].GetString()![..13]);
    }

    // ---- sentences, row by row ----

    [Theory]
    [InlineData("bnsl", 0.417, new[] { 0.0551, 5.75 }, new[] { 612.8 }, "2 segments: y - 0.417 falls as x^-0.0551 up to 612.8, then as x^-5.75.")]
    [InlineData("bnsl", 0, new[] { 0.3 }, new double[0], "One segment: y falls as x^-0.300.")]
    [InlineData("bnsl", 0.2, new[] { 0.3, -0.1, 0.5 }, new[] { 300, 600.0 }, "3 segments: y - 0.200 falls as x^-0.300 up to 300.0, rises as x^0.100 up to 600.0, then falls as x^-0.500.")]
    [InlineData("bnsl", 0, new[] { -0.3, -0.1, -0.2 }, new[] { 300, 600.0 }, "3 segments: y rises as x^0.300 up to 300.0, as x^0.100 up to 600.0, then as x^0.200.")]
    [InlineData("bnsl", 0, new[] { 0.3, 20, 0.1 }, new[] { 300, 310.0 }, "2 segments: y falls as x^-0.300 up to 300.0, then as x^-0.100.")] // nothing between the breaks
    [InlineData("bnsl", 0, new[] { -0.3, 0.1 }, new[] { 160.0 }, "One segment: y falls as x^-0.100.")] // nothing before the break
    [InlineData("bnsl", 0, new[] { 0, 0.5 }, new[] { 300.0 }, "2 segments: y stays as it is up to 300.0, then falls as x^-0.500.")]
    [InlineData("bnsl-rising", 0.9, new[] { 0.4 }, new double[0], "One segment: 0.900 - y falls as x^-0.400.")]
    [InlineData("bnsl-rising", -1.5, new[] { 0.4 }, new double[0], "One segment: -1.50 - y falls as x^-0.400.")]
    [InlineData("bnsl-falling", -1.5, new[] { 0.4 }, new double[0], "One segment: y + 1.50 falls as x^-0.400.")]
    public void The_shape_is_told(string law, double a, double[] slopes, double[] places, string sentence) =>
        Assert.Equal(sentence, FitSentences.Shape(Made(law, a, slopes, places)));

    [Theory]
    [InlineData(604.7, 621.1, 0.0593, "Break 1 is at 612.8 (95 %: 604.7 to 621.1); its transition goes from 538 to 698.")]
    [InlineData(100, 2000, 0.0593, "Break 1 is at 613 (95 %: anywhere in the data); its transition goes from 538 to 698.")]
    [InlineData(612.8, 612.8, 0.0593, "Break 1 is at 612.8; its transition goes from 538 to 698.")]
    [InlineData(double.NaN, double.NaN, 0.0593, null)]
    [InlineData(604.7, 621.1, 0.01, null)] // a warning says that it is sharper than the gap
    public void The_place_of_a_break_is_told(double lower, double upper, double f, string? sentence)
    {
        Fit fit = Made("bnsl", 0, [0.1, 5], [612.8], f);
        fit = fit with { Segments = [fit.Segments[0], fit.Segments[1] with { FromLower = lower, FromUpper = upper }] };
        Assert.Equal(sentence is null ? [] : [sentence], FitSentences.Places(fit, Examples.FourDigitAddition.Fit));
    }

    [Theory]
    [InlineData(0, new[] { -50, -48.5 }, "With 1 break AICc is larger by only 1.5: the data do not tell whether there is a break.")]
    [InlineData(0, new[] { -50, -43.0, -44 }, "A break does not pay: with 2 breaks AICc is larger by 6.0.")]
    [InlineData(0, new[] { -50, double.PositiveInfinity }, "14 points cannot tell whether there is a break: AICc needs 9 for 1 break.")]
    [InlineData(1, new[] { -37.5, -175.1 }, "Without a break RMSLE would be 2.0 times as large (AICc larger by 138): clear evidence of a break.")]
    [InlineData(1, new[] { -40, -44.0 }, "Without a break RMSLE would be 2.0 times as large (AICc larger by 4.0): some evidence of a break.")]
    [InlineData(1, new[] { -43, -44.0 }, null)] // a warning says that no break would do
    [InlineData(2, new[] { -10, -43, -44.0 }, "With 1 break RMSLE would be 1.5 times as large (AICc larger by 1.0): one break fewer would do.")]
    [InlineData(2, new[] { -43, -30, -44.0 }, null)]
    [InlineData(3, new[] { -10, -20, -30, -80.0 }, "With 2 breaks RMSLE would be 1.3 times as large (AICc larger by 50.0): clear evidence of another break.")]
    public void The_evidence_is_told(int chosen, double[] aicc, string? sentence)
    {
        ImmutableArray<Fit> fits = [.. aicc.Select((value, breaks) => Made("bnsl", 0, new double[breaks + 1], [.. Enumerable.Range(1, breaks).Select(i => 100.0 * i)]) with { Aicc = value, Rmsle = new(1.0 / (breaks + 1), 0, 0) })];
        Assert.Equal(sentence is null ? [] : [sentence], FitSentences.Evidence(Examples.FourDigitAddition.Fit, fits, chosen));
    }

    [Fact]
    public void A_single_fit_has_nothing_to_be_compared_with()
    {
        Assert.Empty(FitSentences.Evidence(Examples.FourDigitAddition.Fit, [Made("bnsl", 0, [0.3], [])], 0));
        Assert.Empty(FitSentences.Evidence(Examples.FourDigitAddition.Fit, [Made("bnsl", 0, [0.3, 0.5], [500])], 0));
    }

    [Theory]
    [InlineData(new[] { 612.8 }, 0.02, new string[0])]
    [InlineData(new[] { 250.0 }, 0.4, new[] { "The data begin within a transition: the slope before break 1 is inferred from its bend, not seen." })]
    [InlineData(new[] { 165.0 }, 0.5, new string[0])] // a warning says that it is at the first point
    [InlineData(new[] { 612.8 }, 0.5, new[] { "The data end within a transition, which goes on to 1838: the slope beyond break 1 is inferred from its bend, not seen." })]
    [InlineData(new[] { 300, 400.0 }, 0.1, new[] { "Between breaks 1 and 2 transitions overlap: the slope there is inferred from the bend, not seen." })]
    [InlineData(new[] { 300, 318.0 }, 0.02, new[] { "Breaks 1 and 2 have no point between them: they make a step or a bump, not a segment." })]
    [InlineData(new[] { 300, 330.0 }, 0.02, new[] { "Breaks 1 and 2 have one point between them: they make a step or a bump, not a segment." })]
    public void Slopes_that_no_point_shows_are_told(double[] places, double f, string[] sentences) =>
        Assert.Equal(sentences, FitSentences.Unseen(Made("bnsl", 0, new double[places.Length + 1], places, f)));

    [Theory]
    [InlineData(new[] { 612.8 }, true, "The last segment spans 0.08 decades of data; beyond 884 a forecast more than doubles it.", "The held-out points reach 0.10 decades beyond the data, 1.3 times its span.")]
    [InlineData(new double[0], true, "The only segment spans 0.66 decades of data; beyond 3386 a forecast more than doubles it.", "The held-out points reach 0.10 decades beyond the data, 0.152 times its span.")]
    [InlineData(new double[0], false, "The only segment spans 0.66 decades of data; beyond 3386 a forecast more than doubles it.", null)]
    [InlineData(new[] { 736.0 }, true, "The held-out points reach 0.10 decades beyond the data.", null)] // a warning says that no point lies beyond it
    public void How_far_a_forecast_reaches_is_told(double[] places, bool heldOut, string? first, string? second)
    {
        Curve curve = heldOut ? Examples.FourDigitAddition : new("fitted alone", Examples.FourDigitAddition.Fit);
        string?[] expected = [first, second];
        Assert.Equal(expected.Where(sentence => sentence is not null), FitSentences.Reach(curve, Made("bnsl", 0, new double[places.Length + 1], places)));
    }

    [Fact]
    public void No_sentence_says_what_a_warning_says()
    {
        foreach (Curve curve in (Curve[])[Examples.FourDigitAddition, Planted(Examples.Even(20, 10, 1e4), 1e-4, 0.1, 0.1, (1.5, 6e3, 0.02)), Planted(Examples.Even(12, 10, 1e4), 0.05, 0.1, 0.3)])
        {
            CurveFit report = Report(curve, 0, 1);
            Assert.NotEmpty(report.Sentences);
            string[] warnings = [.. report.Warnings, .. report.Fits[report.Chosen].Warnings];
            Assert.False(warnings.Any(warning => warning.Contains("sharper than the gap", StringComparison.Ordinal)) && report.Sentences.Any(sentence => sentence.StartsWith("Break 1 is at", StringComparison.Ordinal)));
            Assert.False(warnings.Any(warning => warning.StartsWith("No break would do", StringComparison.Ordinal)) && report.Sentences.Any(sentence => sentence.Contains("evidence", StringComparison.Ordinal)));
        }
    }

    /// <summary>A fit of the 4-digit addition with these slopes and breaks; nothing of its errors is known.</summary>
    private static Fit Made(string law, double a, double[] slopes, double[] places, double f = 0.02)
    {
        int n = places.Length;
        double[] c = [.. slopes.Skip(1).Select((slope, i) => slope - slopes[i])], widths = [.. places.Select(_ => f)];
        int count = 4 + (3 * n);
        Fit fit = Sample.BnslFit(a, 1, slopes[0], c, places, widths) with { Law = law, Covariance = [.. Enumerable.Repeat(double.NaN, count * count)] };
        return fit with { Segments = Segment.Of(fit, Examples.FourDigitAddition.Fit) };
    }
}
