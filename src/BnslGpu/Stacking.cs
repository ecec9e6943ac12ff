using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>A prior of a BNSL's parameters, in the coordinates of the law.</summary>
/// <param name="Limit">Mean of a/min y, normal; the data say least of it.</param>
/// <param name="LimitSpread">Its standard deviation.</param>
/// <param name="Change">Scale of a break's change of slope c, Student t₃.</param>
/// <param name="Width">Median of f, log-normal: a break that goes on for e^±f.</param>
/// <param name="WidthSpread">Standard deviation of log f.</param>
/// <param name="LeastWidth">Least f.</param>
internal sealed record BnslPrior(double Limit, double LimitSpread, double Change, double Width, double WidthSpread, double LeastWidth)
{
    /// <summary>Wide breaks, a limit somewhere below the smallest y.</summary>
    public static BnslPrior Usual { get; } = new(0.6, 0.3, 0.5, 1, 0.8, 0.05);

    /// <summary>A limit just below the smallest y.</summary>
    public static BnslPrior HighLimit { get; } = Usual with { Limit = 0.9, LimitSpread = 0.2 };

    /// <summary>A limit near 0.</summary>
    public static BnslPrior LowLimit { get; } = Usual with { Limit = 0.2 };

    /// <summary>Sharp breaks.</summary>
    public static BnslPrior Sharp { get; } = new(0.6, 0.3, 1, 0.3, 1, 0.02);
}

/// <summary>One way to fit a curve: by plain least squares, or a BNSL with a prior, for which late points count most.</summary>
/// <param name="Law">Name of the law.</param>
/// <param name="Breaks">Its number of breaks.</param>
/// <param name="Memory">e-folds of x within which points count; infinite for least squares, where all count alike and there is no prior.</param>
/// <param name="Temper">How many times the noise's variance residuals are held to have: the larger, the more the prior counts.</param>
/// <param name="Prior">The prior; null for least squares.</param>
internal sealed record Setting(string Law, int Breaks, double Memory, double Temper, BnslPrior? Prior)
{
    /// <summary>Plain least squares.</summary>
    public static Setting LeastSquares(string law, int breaks) => new(law, breaks, double.PositiveInfinity, 1, null);

    /// <summary>Ranges and priors.</summary>
    /// <param name="least">The smallest y.</param>
    /// <param name="variance">Variance of a residual of mean weight.</param>
    public ParameterRules Rules(double least, double variance)
    {
        ParameterRange[] f = Breaks == 0 ? [] : [new("f", Prior?.LeastWidth ?? 0.03, 100)];
        if (Prior is null) return new() { Ranges = [.. f] };
        Prior[] ofBreaks = Breaks == 0 ? [] : [new("c", 0, Prior.Change, 3), new("f", Math.Log(Prior.Width), Prior.WidthSpread)];
        return new()
        {
            Ranges = [new("a", 0, 0.95 * least), .. f],
            Priors = [new("a", Prior.Limit, Prior.LimitSpread), new("c0", 0, 1, 3), .. ofBreaks],
            PriorVariance = variance,
        };
    }
}

/// <summary>Fits of a curve in many settings, weighed by how well each forecast the curve's own later points from earlier ones.</summary>
/// <remarks>
/// <code>
/// weight of a point     wᵢ = gapᵢ exp(uᵢ/memory)                                   u = log(x/x_last); gap: what the point stands for
/// fit of a setting      min Σ wᵢ rᵢ² + temper s² · (−2 log prior)                   s: the curve's noise
/// rolling origins       the same fits of the points up to uₒ = −.2, −.35, … −1.2, scored as RMSLE on those up to .75 beyond
/// w_k                   ∝ Πₒ (e²ₖₒ + δₒ²)^(−3/origins)                               of settings whose memory holds Σ exp(uᵢ/memory) ≥ 4 points
/// </code>
/// A product over origins and not a sum: an origin from which no setting sees what comes, because a break lies between, tells nothing of them.
/// Rolling origins: Tashman 2000; a stack of forecasts: Wolpert 1992, Yao et al. 2018. Nothing that lies beyond the fit points is used.
/// </remarks>
internal static class Stacking
{
    /// <summary>Where forecasts are made from, in e-folds of x before the last fit point.</summary>
    internal static ImmutableArray<double> Origins { get; } = [0.2, 0.35, 0.5, 0.7, 0.9, 1.2];

    // As far as most people look: twice the largest x that was measured.
    private const double Horizon = 0.75;

    private const int Starts = 12, StartsOfLeastSquares = 64, LeastPoints = 5;

    // A memory that holds fewer points than this, Σ exp(u/memory), sees little but the prior. Chosen on rolling origins.
    private const double LeastInMemory = 4;

    // The exponent 3 of the weights, and δ as a share of the least error from an origin.
    private const double Power = 3, Floor = 0.3;

    /// <summary>The settings: memories from a quarter of an e-fold to four, so that one of them suits a curve however its noise and its bends are.</summary>
    /// <remarks>Both forms of M3 are BNSLs of one break with f = 1: as released, b (1/x + g)^c, it has a = 0 and c₁ = −c₀ and levels off; as printed, a (x + d)^b + c, it has c₀ = 0.</remarks>
    internal static ImmutableArray<Setting> Settings { get; } =
    [
        .. Enumerable.Range(0, 4).Select(breaks => Setting.LeastSquares("bnsl", breaks)),
        Setting.LeastSquares("m3", 0),
        Setting.LeastSquares("m3-printed", 0),
        .. Each([1, 2], [0.25, 0.5, 1, 2, 4], [0.5, 2], BnslPrior.Usual),
        .. Each([0], [0.25, 0.5, 1], [0.5, 2], BnslPrior.Usual),
        .. Each([1], [0.25, 0.5, 1], [8], BnslPrior.Usual),
        .. Each([3], [1, 4], [0.5], BnslPrior.Usual),
        .. Each([1, 2], [0.5, 2], [1], BnslPrior.HighLimit),
        .. Each([1, 2], [0.5, 2], [1], BnslPrior.LowLimit),
        .. Each([1, 2, 3], [1, 4], [0.1], BnslPrior.Sharp),
    ];

    private static IEnumerable<Setting> Each(int[] breaks, double[] memories, double[] tempers, BnslPrior prior) =>
        from n in breaks from memory in memories from temper in tempers select new Setting("bnsl", n, memory, temper, prior);

    /// <summary>A setting's fit.</summary>
    /// <param name="Setting">The setting.</param>
    /// <param name="Parameters">Its parameters, in natural units.</param>
    /// <param name="Rmsle">RMSLE on what was fitted, points as the curve weighs them.</param>
    /// <param name="Misfit">The same with points as the setting weighs them.</param>
    internal sealed record Fitted(Setting Setting, ImmutableArray<Parameter> Parameters, double Rmsle, double Misfit)
    {
        public double[] Log(ReadOnlySpan<double> x) => [.. ScalingLaw.Get(Setting.Law, Setting.Breaks).Predict(Parameters, x).Select(y => Math.Log(y))];
    }

    /// <summary>Points up to an origin, and those that a forecast from there is scored on.</summary>
    private readonly record struct Origin(int Curve, Points Fit, Points Test);

    /// <summary>What is known of a curve when its forecast is made.</summary>
    /// <param name="Fits">Its fits.</param>
    /// <param name="Errors">RMSLE of each from each origin; the largest of a BNSL where it could not be fitted there. Origins that none has an error from are left out. Shape [origins][fits].</param>
    /// <param name="Noise">Its noise, in log y.</param>
    internal sealed record Stack(ImmutableArray<Fitted> Fits, double[][] Errors, double Noise);

    /// <summary>Fits curves in every setting, from every origin.</summary>
    /// <param name="curves">Fit points of every curve.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="threads">Threads; 0 takes every core.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <param name="leastInMemory">Points that a memory holds at least.</param>
    public static Stack[] Fit(IReadOnlyList<Points> curves, ulong seed, int threads, CancellationToken cancellation, double leastInMemory = LeastInMemory)
    {
        var origins = new List<Origin>();
        for (int curve = 0; curve < curves.Count; curve++)
        {
            origins.Add(new(curve, curves[curve], new([], [])));
            foreach (double back in Origins)
                if (From(curves[curve], back) is { } split) origins.Add(new(curve, split.Fit, split.Test));
        }

        Fitted[][] least = Fit(origins, _ => Settings.Where(setting => setting.Prior is null), [], StartsOfLeastSquares, seed, threads, cancellation);
        double[] noises = [.. origins.Select((origin, i) => Noise(origin.Fit, least[i]))];
        ImmutableArray<Setting>[] held = [.. curves.Select(curve => Settings.Where(setting => setting.Prior is not null && PointsIn(curve, setting.Memory) >= leastInMemory).ToImmutableArray())];
        Fitted[][] others = Fit(origins, origin => held[origin.Curve], noises, Starts, seed, threads, cancellation);
        var stacks = new Stack[curves.Count];
        foreach (var own in Enumerable.Range(0, origins.Count).GroupBy(i => origins[i].Curve))
        {
            int[] all = [.. own];
            ImmutableArray<Fitted> fits = [.. least[all[0]], .. others[all[0]]];
            stacks[own.Key] = new(fits, [.. all.Skip(1).Select(i => Errors(fits, origins[i].Test, [.. least[i], .. others[i]])).OfType<double[]>()], noises[all[0]]);
        }

        return stacks;
    }

    /// <summary>Errors of every fit's setting from an origin; null where none is finite.</summary>
    private static double[]? Errors(ImmutableArray<Fitted> fits, Points test, Fitted[] before)
    {
        var scores = before.Select(fit => (fit.Setting, Error: Score(test, fit))).Where(one => double.IsFinite(one.Error)).ToDictionary(one => one.Setting, one => one.Error);
        if (!scores.Keys.Any(setting => setting.Law == "bnsl")) return null;
        double largest = scores.Where(one => one.Key.Law == "bnsl").Max(one => one.Value);
        return [.. fits.Select(fit => scores.GetValueOrDefault(fit.Setting, largest))];
    }

    /// <summary>w of every fit, the largest one; all alike where there is no origin.</summary>
    public static double[] Weights(Stack stack)
    {
        var logs = new double[stack.Fits.Length];
        foreach (double[] errors in stack.Errors)
        {
            double δ = Math.Max(Floor * errors.Min(), stack.Noise);
            for (int k = 0; k < logs.Length; k++) logs[k] -= Power / stack.Errors.Length * Math.Log((errors[k] * errors[k]) + (δ * δ));
        }

        double most = logs.Max();
        return [.. logs.Select(log => Math.Exp(log - most))];
    }

    private static double PointsIn(Points points, double memory)
    {
        double sum = 0;
        foreach (double x in points.X) sum += Math.Exp(Math.Log(x / points.X[^1]) / memory);
        return sum;
    }

    private static Fitted[][] Fit(
        List<Origin> origins, Func<Origin, IEnumerable<Setting>> settings, double[] noises, int starts, ulong seed, int threads, CancellationToken cancellation)
    {
        Points[] curves = [.. origins.Select(origin => origin.Fit)];
        Loss loss = Loss.Get("msle");
        var problems = new List<Problem>();
        var owners = new List<(int Curve, Setting Setting, Points Weighted)>();
        for (int i = 0; i < curves.Length; i++)
        {
            double least = double.PositiveInfinity;
            foreach (double y in curves[i].Y) least = Math.Min(least, y);
            foreach (Setting setting in settings(origins[i]))
            {
                // Four points a break, and two.
                if (setting.Breaks > 0 && curves[i].Count < 2 + (4 * setting.Breaks)) continue;
                double[] weights = setting.Prior is null ? [.. curves[i].Weights] : Weights(curves[i], setting.Memory);
                double variance = setting.Prior is null ? 1 : noises[i] * noises[i] * setting.Temper / weights.Average();
                var weighted = new Points(curves[i].X, 1, curves[i].Y, weights);
                problems.Add(new(weighted, ScalingLaw.Get(setting.Law, setting.Breaks), loss, rules: setting.Rules(least, variance)));
                owners.Add((i, setting, weighted));
            }
        }

        ImmutableArray<Candidates> found = new SimdBackend().Search(new ProblemBatch(problems), new SearchOptions(starts, seed, 1, SearchPrecision.Double, 60, threads), null, cancellation);
        var fits = curves.Select(_ => new List<Fitted>()).ToArray();
        for (int k = 0; k < found.Length; k++)
        {
            if (found[k].Losses.Length == 0 || !double.IsFinite(found[k].Losses[0])) continue;
            (int curve, Setting setting, Points weighted) = owners[k];
            ImmutableArray<Parameter> parameters = problems[k].Law.Natural(found[k][0], problems[k].Scale);
            var fit = new Fitted(setting, parameters, 0, 0);
            double rmsle = Score(curves[curve], fit);
            if (double.IsFinite(rmsle)) fits[curve].Add(fit with { Rmsle = rmsle, Misfit = Score(weighted, fit) });
        }

        return [.. fits.Select(own => own.ToArray())];
    }

    /// <summary>Points up to an origin and those within the horizon after it; null where there are too few.</summary>
    internal static (Points Fit, Points Test)? From(Points points, double back)
    {
        double last = Math.Log(points.X[^1]);
        int fit = 0, end = 0;
        foreach (double x in points.X)
        {
            double u = Math.Log(x) - last;
            if (u <= -back + 1e-9) fit++;
            if (u <= Horizon - back) end++;
        }

        if (fit < LeastPoints || end == fit || !(points.X[0] < points.X[fit - 1])) return null;
        return (Part(0, fit), Part(fit, end));

        Points Part(int from, int to) => new(points.X[from..to], 1, points.Y[from..to], points.Weights.IsEmpty ? [] : points.Weights[from..to]);
    }

    private static double Score(Points points, Fitted fit)
    {
        double[] logs = fit.Log(points.X);
        double sum = 0, squares = 0;
        for (int i = 0; i < logs.Length; i++)
        {
            double weight = points.Weights.IsEmpty ? 1 : points.Weights[i], r = logs[i] - Math.Log(points.Y[i]);
            (sum, squares) = (sum + weight, squares + (weight * r * r));
        }

        return Math.Sqrt(squares / sum);
    }

    private static double[] Weights(Points points, double memory)
    {
        int n = points.Count;
        double[] u = [.. points.X.ToArray().Select(x => Math.Log(x / points.X[^1]))];
        double Gap(int i) => i == 0 ? u[1] - u[0] : i == n - 1 ? u[i] - u[i - 1] : (u[i + 1] - u[i - 1]) / 2;
        return [.. Enumerable.Range(0, n).Select(i => Math.Max(Math.Max(Gap(i), 1e-6) * (points.Weights.IsEmpty ? 1 : points.Weights[i]) * Math.Exp(u[i] / memory), 1e-12))];
    }

    /// <summary>Noise of log y: from how far points lie off the line between their neighbours, by the median; no larger than what a BNSL with at most one break leaves.</summary>
    private static double Noise(Points points, Fitted[] leastSquares)
    {
        var off = new List<double>();
        for (int i = 1; i + 1 < points.Count; i++)
        {
            double left = Math.Log(points.X[i] / points.X[i - 1]), right = Math.Log(points.X[i + 1] / points.X[i]);
            if (!(left + right > 0)) continue;
            double a = right / (left + right), b = 1 - a;
            off.Add(Math.Abs(Math.Log(points.Y[i]) - (a * Math.Log(points.Y[i - 1])) - (b * Math.Log(points.Y[i + 1]))) / Math.Sqrt(1 + (a * a) + (b * b)));
        }

        off.Sort();
        double noise = off.Count > 0 ? 1.4826 * off[off.Count / 2] : double.PositiveInfinity;
        foreach (Fitted fit in leastSquares)
            if (fit.Setting is { Law: "bnsl", Breaks: <= 1 }) noise = Math.Min(noise, fit.Rmsle);
        return Math.Max(double.IsFinite(noise) ? noise : 0.01, 2e-4);
    }
}
