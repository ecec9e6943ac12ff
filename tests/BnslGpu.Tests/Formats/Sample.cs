using System.Collections.Immutable;

namespace BnslGpu.Tests.Formats;

/// <summary>Reports made by hand, of small numbers that are easy to find again in a text.</summary>
internal static class Sample
{
    /// <summary>y = .5 + 8 x^(-.25) (1 + (x/400)^(1/.5))^(-.75·.5) and its power law, at x = 16, 81, 256, 625 | 1296.</summary>
    public static CurveFit Curve { get; } = new()
    {
        Curve = new Curve("sum|4 digits", new Points([16, 81, 256, 625], [4.49, 3.12, 2.13, 1.21]), new Points([1296], [.85]), copiesDropped: 1),
        Chosen = 1,
        Forecast = new Forecast
        {
            LastX = 625,
            Members = [new() { Law = "bnsl", Breaks = 1, Parameters = BnslFit(.5, 8, .25, [.75], [400], [.5]).Parameters, Weight = 1, PointWeight = 1, Noise = .125 }],
        },
        Fits =
        [
            BnslFit(0, 9, .3, [], [], []) with
            {
                Objective = .0625,
                Rmsle = new Rmsle(.25, .5, .125),
                Aicc = -1.5,
                Bic = -7.25,
                StartsAtMinimum = 16,
            },
            BnslFit(.5, 8, .25, [.75], [400], [.5]) with
            {
                StandardErrors = [Scalar("a", double.NaN), Scalar("b", .0625), Scalar("logB", .0078125), Scalar("c0", .015625), Vector("c", .03125), Vector("d", 2.5), Vector("f", double.NaN)],
                Segments =
                [
                    new() { Break = 0, From = 16, FromLower = double.NaN, FromUpper = double.NaN, To = 400, PlainFrom = 16, PlainTo = 128, Slope = .25, SlopeError = .015625, SlopeLower = .21875, SlopeUpper = .28125, Points = 3 },
                    new() { Break = 1, From = 400, FromLower = 395, FromUpper = 405, To = 625, PlainFrom = 1200, PlainTo = 625, Slope = 1, SlopeError = double.NaN, SlopeLower = double.NaN, SlopeUpper = double.NaN, Points = 1 },
                ],
                Warnings = ["One break and four points: every point is a parameter's."],
            },
        ],
        Sentences = ["2 segments: y - 0.500 falls as x^-0.250 up to 400, then as x^-1.00.", "The last segment spans 0.19 decades of the data."],
        Warnings = ["1 exact copy of a row was left out."],
    };

    /// <summary>A curve that could not be fitted, under a name that CSV, XML and spreadsheets each take amiss.</summary>
    public static CurveFit WithoutFit { get; } = new()
    {
        Curve = new Curve("=1+\"<&>\",π", new Points([10, 20], [.5, .25])),
        Chosen = -1,
        Forecast = null,
        Fits = [],
        Warnings = ["2 points are too few for a law with 3 parameters."],
    };

    /// <summary>Both curves.</summary>
    public static FitReport Report { get; } = new()
    {
        Options = new FitOptions { Breaks = [0, 1], Starts = 16, Seed = 7 },
        Device = "simd",
        Seconds = new StageSeconds(.125, .25, .5, .875),
        Curves = [WithoutFit, Curve],
    };

    /// <summary>A BNSL with as many breaks as c has values; everything but the parameters is made up.</summary>
    public static Fit BnslFit(double a, double b, double c0, double[] c, double[] d, double[] f)
    {
        ImmutableArray<Parameter> parameters =
            [Scalar("a", a), Scalar("b", b), Scalar("logB", Math.Log(b)), Scalar("c0", c0), Vector("c", c), Vector("d", d), Vector("f", f)];
        return new Fit
        {
            Law = "bnsl",
            Breaks = c.Length,
            Loss = "msle",
            Parameters = parameters,
            StandardErrors = [.. parameters.Select(parameter => parameter with { Values = [.. parameter.Values.Select(_ => .25)] })],
            Covariance = [.. Enumerable.Range(0, (4 + (3 * c.Length)) * (4 + (3 * c.Length))).Select(at => at % (5 + (3 * c.Length)) == 0 ? .0625 : 0)],
            Condition = 12.5,
            Objective = 1e-6,
            Rmsle = new Rmsle(.001, .03125, .0078125),
            Aicc = double.PositiveInfinity,
            Bic = -42.75,
            Termination = Termination.GradientTolerance,
            GradientNorm = 1e-12,
            Starts = 16,
            StartsAtMinimum = 12,
            MissedChance = .015625,
            Rmse = new Rmse(.002, .0625),
            FreeParameters = 3 + (3 * c.Length),
            Warnings = [],
        };
    }

    /// <summary>A parameter with one value.</summary>
    public static Parameter Scalar(string name, double value) => new(name, IsVector: false, [value]);

    /// <summary>A parameter with one value a break.</summary>
    public static Parameter Vector(string name, params double[] values) => new(name, IsVector: true, [.. values]);
}
