using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu.Benchmarks;

/// <summary>Whether forecasts go where curves go, and whether their intervals hold what they promise: on curves whose law is known, on an example and on the 92 curves.</summary>
internal static class ForecastBenchmark
{
    // Not the seed of any set that constants of the forecast were fitted on.
    private const ulong PlantedSeed = 540;

    private static readonly ImmutableArray<ForecastOf> Kinds = [ForecastOf.Measurement, ForecastOf.Curve];
    private static readonly List<(string Stage, int Curves, double Seconds)> Stages = [];

    public static int Run(string[] args, TextWriter output)
    {
        string? folder = null, example = null;
        int planted = 540, seeds = 3, seedsOfExample = 10;
        for (int i = 0; i < args.Length; i += 2)
        {
            string value = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.", nameof(args));
            switch (args[i])
            {
                case "--data": folder = value; break;
                case "--example": example = value; break;
                case "--planted": planted = int.Parse(value, CultureInfo.InvariantCulture); break;
                case "--seeds": seeds = int.Parse(value, CultureInfo.InvariantCulture); break;
                default: throw new ArgumentException($"forecast takes --data DIR, --example FILE, --planted N and --seeds N; '{args[i]}' was given.", nameof(args));
            }
        }

        if (folder is null || example is null)
            throw new ArgumentException($"forecast needs --data DIR, the folder of {string.Join(" and ", SuiteBenchmark.Files)}, and --example FILE, the 4-digit addition.", nameof(args));
        if (planted < PlantedCurve.Families.Length || seeds < 1) throw new ArgumentException($"--planted {planted} --seeds {seeds}. Violated constraint: at least {PlantedCurve.Families.Length} and 1.", nameof(args));
        output.WriteLine($"""
            # Forecasts

            {Timing.Machine()}
            - the forecast of the default recipe. Its settings and their weights were chosen with the held-out errors of the 92 curves in sight (docs/method.md says how much that flatters);
              the spread of the stack was fitted on other planted curves and on rolling origins within the fit points of the 92. The planted curves here played no part in either
            - RMSLE is of measurements beyond the data, noise and all; coverage is the share of held-out points within an interval; both are averaged within a curve, then over curves
            - log density is of measurements, per unit of y; brackets hold the central 95 % of 2,000 resamples of the curves
            """);
        OfPlanted(PlantedCurve.Make(planted, PlantedSeed), output);
        OfExample(CurveCsv.ReadFile(example).Curves[0], seedsOfExample, output);
        OfCurves([.. CurveCsv.ReadFiles([.. SuiteBenchmark.Files.Select(file => Path.Combine(folder, file))]).Curves], seeds, output);
        output.WriteLine($"""

            ## Processor time

            Of the whole process: what runs first includes compilation.

            | stage | curves | CPU-seconds | a curve |
            |---|---|---|---|
            """);
        foreach ((string stage, int curves, double seconds) in Stages) output.WriteLine(Text($"| {stage} | {curves} | {seconds:F1} | {seconds / curves:F3} |"));
        return 0;
    }

    /// <summary>What forecasts got, as means over points or curves. Coverage of each of <see cref="Kinds"/> and <see cref="Forecast.Levels"/>.</summary>
    private sealed record Score(double Rmsle, double LogDensity, ImmutableArray<ImmutableArray<double>> Coverage)
    {
        /// <summary>Of one forecast.</summary>
        /// <param name="forecast">The forecast.</param>
        /// <param name="heldOut">Points to score it on, y above 0.</param>
        /// <param name="truth">What the curve is there; null where that is not known.</param>
        public static Score Of(Forecast forecast, Points heldOut, double[]? truth = null)
        {
            double[] y = heldOut.Y.ToArray();
            return new(
                FormScore.Of(forecast.Predict(heldOut.X), heldOut).Rmsle,
                forecast.LogDensity(heldOut.X, y).Average(),
                [.. Kinds.Select(of => Forecast.Levels.Select(level => of == ForecastOf.Curve ? truth is null ? double.NaN : Inside(level, of, truth) : Inside(level, of, y)).ToImmutableArray())]);

            double Inside(double level, ForecastOf of, double[] at)
            {
                (double[] lower, double[] upper) = forecast.Interval(heldOut.X, level, of);
                return at.Where((one, i) => lower[i] <= one && one <= upper[i]).Count() / (double)at.Length;
            }
        }

        public static Score Mean(IReadOnlyCollection<Score> scores) => new(
            scores.Average(one => one.Rmsle),
            scores.Average(one => one.LogDensity),
            [.. Kinds.Select((_, of) => Forecast.Levels.Select((_, level) => scores.Average(one => one.Coverage[of][level])).ToImmutableArray())]);
    }

    private static void OfPlanted(PlantedCurve[] curves, TextWriter output)
    {
        // Least squares with one break, and with as many as the law has.
        var oneBreak = new double[curves.Length];
        var trueForm = new double[curves.Length];
        Timed("least squares of planted curves, 1 break and the true number", curves.Length, () =>
        {
            foreach (IGrouping<int, int> group in Enumerable.Range(0, curves.Length).GroupBy(i => curves[i].Law.Breaks))
            {
                Dictionary<string, CurveFit> fits = Fitter.Fit(
                    [.. group.Select(i => curves[i].Curve)], FitOptions.LeastSquares with { Breaks = [.. new[] { 1, group.Key }.Distinct()], MissedChance = 0.1, Device = "simd" },
                    new Told()).Curves.ToDictionary(curve => curve.Curve.Name);
                foreach (int i in group)
                {
                    ImmutableArray<Fit> own = fits[curves[i].Curve.Name].Fits;
                    (oneBreak[i], trueForm[i]) = (own.Single(fit => fit.Breaks == 1).Rmsle.HeldOut, own.Single(fit => fit.Breaks == group.Key).Rmsle.HeldOut);
                }
            }
        });
        Forecast[] forecasts = Forecasts([.. curves.Select(curve => curve.Curve)], 0, "forecasts of planted curves");
        var scores = new Score[curves.Length];
        Timed("their scores", curves.Length, () => SimdBackend.Run(
            curves.Length, 0, i => scores[i] = Score.Of(forecasts[i], curves[i].Curve.HeldOut, curves[i].Truth(curves[i].Curve.HeldOut.X)), default));

        (string Name, int[] Curves)[] groups =
        [
            .. PlantedCurve.Families.Select(family => (family, Where(curve => curve.Family == family))),
            .. new[] { (6, 15), (16, 60), (61, 250), (251, 1000) }.Select(range => (
                $"{range.Item1} to {range.Item2} points", Where(curve => curve.Curve.Fit.Count >= range.Item1 && curve.Curve.Fit.Count <= range.Item2))),
            ("all", Where(_ => true)),
        ];
        groups = [.. groups.Where(group => group.Curves.Length > 0)];
        int[] Where(Func<PlantedCurve, bool> which) => [.. Enumerable.Range(0, curves.Length).Where(i => which(curves[i]))];

        output.WriteLine($"""

            ## Planted curves

            {curves.Length} BNSL of known parameters, seed {PlantedSeed}: noise of log y from .001 to .04, 6 to 1,000 points, 10 held out up to 2 to 7 times beyond; the last break is within the
            data. Families: no break to 3 breaks with slopes and a limit at random; rising, which levels off; double descent, which falls, rises between two sharp breaks and
            falls. PlantedCurve.cs has every range. "1 break" and "true form" are least squares on log y, the second with the number of breaks of the law itself. Regret is what
            the forecast's RMSLE is of the true form's: the ratio of the means, and the median ratio.

            | curves | | mean RMSLE, forecast | 1 break | true form | median RMSLE, forecast | 1 break | true form | regret of means | median regret |
            |---|---|---|---|---|---|---|---|---|---|
            """);
        foreach ((string name, int[] own) in groups)
        {
            double[] mine = [.. own.Select(i => scores[i].Rmsle)], one = [.. own.Select(i => oneBreak[i])], right = [.. own.Select(i => trueForm[i])];
            output.WriteLine(Text(
                $"| {name} | {own.Length} | {mine.Average():F4} | {one.Average():F4} | {right.Average():F4} | {Timing.Median(mine):F4} | {Timing.Median(one):F4} | {Timing.Median(right):F4} | {mine.Average() / right.Average():F2} | {Timing.Median(own.Select(i => scores[i].Rmsle / trueForm[i])):F2} |"));
        }

        Score all = Score.Mean(scores);
        output.WriteLine($"""

            Wanted: a mean below that of 1 break ({Verdict(all.Rmsle < oneBreak.Average())}), 80 % intervals of measurements that hold 75 to 85 % ({Verdict(all.Coverage[0][1] is >= 0.75 and <= 0.85)}) and 95 % intervals that hold 92 to 98 %
            ({Verdict(all.Coverage[0][2] is >= 0.92 and <= 0.98)}).

            Coverage of intervals of a measurement and of the curve itself, and log density beside that which the law itself gives, with its noise:

            | curves | 50 % | 80 % | 95 % | curve 50 % | 80 % | 95 % | log density | of the law |
            |---|---|---|---|---|---|---|---|---|
            """);
        foreach ((string name, int[] own) in groups)
        {
            Score mean = Score.Mean([.. own.Select(i => scores[i])]);
            output.WriteLine(Text($"| {name} | {Percents(mean.Coverage[0])} | {Percents(mean.Coverage[1])} | {mean.LogDensity:F3} | {own.Average(i => curves[i].LogDensity()):F3} |"));
        }

        output.WriteLine();
        output.WriteLine($"Over all, with intervals: {string.Join(", ", Forecast.Levels.Select((level, k) => $"{level.ToString("P0", CultureInfo.InvariantCulture)} of measurements {Range([.. scores.Select(one => 100 * one.Coverage[0][k])], "F1")}"))}.");
    }

    private static void OfExample(Curve curve, int seeds, TextWriter output)
    {
        Score[] scores = new Score[seeds];
        Timed("forecasts of the 4-digit addition", seeds, () =>
        {
            for (int seed = 0; seed < seeds; seed++) scores[seed] = Score.Of(Forecaster.Make([curve.Fit], (ulong)seed, 0, null, default)[0]!, curve.HeldOut);
        });
        Score mean = Score.Mean(scores);
        output.WriteLine(Text($"""

            ## 4-digit addition

            The example of the README, {curve.Fit.Count} points and {curve.HeldOut.Count} held out, over {seeds} seeds: mean RMSLE {mean.Rmsle:F5} ({scores.Min(one => one.Rmsle):F5} to {scores.Max(one => one.Rmsle):F5}; wanted: at most .0125,
            {Verdict(mean.Rmsle <= 0.0125)}), log density {mean.LogDensity:F2}, coverage {string.Join(", ", mean.Coverage[0].Select(share => share.ToString("P0", CultureInfo.InvariantCulture)))}.
            """));
    }

    private static void OfCurves(Curve[] curves, int seeds, TextWriter output)
    {
        // A point without a logarithm has no score.
        Curve[] scored = [.. curves.Where(curve => curve.HeldOut.Y.ToArray().All(y => y > 0)).OrderBy(curve => curve.Name, StringComparer.Ordinal)];
        (string Name, int[] Curves)[] groups = [("image classification", Where(true)), ("language", Where(false)), ("all", [.. Enumerable.Range(0, scored.Length)])];
        int[] Where(bool images) => [.. Enumerable.Range(0, scored.Length).Where(i => scored[i].Name.StartsWith("IC|", StringComparison.Ordinal) == images)];

        double[] oneBreak = [];
        Timed("least squares of the 92 curves, 1 break", scored.Length, () =>
            oneBreak = [.. Fitter.Fit(scored, FitOptions.LeastSquares with { Breaks = [1], Device = "simd" }).Curves.Select(curve => curve.Fits[0].Rmsle.HeldOut)]);
        Forecast[][] made = [.. Enumerable.Range(0, seeds).Select(seed => Forecasts(scored, (ulong)seed, $"forecasts of the 92 curves, seed {seed}"))];

        // Again, a stage at a time; the draws are what remains.
        CondensedPoints[] points = [.. scored.Select(curve => CondensedPoints.Of(curve.Fit))];
        Points[] condensed = [.. points.Select(own => own.Points)];
        Stacking.Stack[] stacks = [], every = [];
        double whole = Stages[^seeds].Seconds;
        Timed("of these, seed 0: the stack, rolling origins and all", scored.Length, () => stacks = Stacking.Fit(condensed, 0, 0, default));
        Timed("of these: minima that the posterior's draws begin from", scored.Length, () => Forecaster.LeastSquares(points, 0, 0, default));
        Stages.Add(("of these: the draws, by difference", scored.Length, whole - Stages[^1].Seconds - Stages[^2].Seconds));
        Timed("all settings, for the comparison", scored.Length, () => every = Stacking.Fit(condensed, 0, 0, default, leastInMemory: 0));

        Score[] both = [], stacked = [], drawn = [];
        Timed("scores of the 92 curves", seeds * scored.Length, () =>
        {
            both = Scores(made, forecast => forecast);
            stacked = Scores(made, forecast => Part(forecast, isDrawn: false));
            drawn = Scores(made, forecast => Part(forecast, isDrawn: true));
        });
        output.WriteLine($"""

            ## The {scored.Length} learning curves of arXiv:2209.06640

            Means over {seeds} seeds of each curve, then over curves. The stack is the part of the forecast that weighs fits of the curve by rolling origins and mostly says where the curve goes,
            the posterior the part that mostly says how far off that may be; both together, and each alone. "1 break" is least squares on log y, seed 0.

            | forecast | curves | | mean RMSLE | log density | 50 % | 80 % | 95 % |
            |---|---|---|---|---|---|---|---|
            """);
        foreach ((string form, Score[] own) in (ReadOnlySpan<(string, Score[])>)[("both", both), ("stack alone", stacked), ("posterior alone", drawn)])
        {
            foreach ((string name, int[] which) in groups)
            {
                Score[] part = [.. which.Select(i => own[i])];
                output.WriteLine($"| {form} | {name} | {which.Length} | {Range([.. part.Select(one => one.Rmsle)], "F4")} | {Range([.. part.Select(one => one.LogDensity)], "F3")} | {string.Join(" | ", Forecast.Levels.Select((_, k) => Range([.. part.Select(one => 100 * one.Coverage[0][k])], "F0")))} |");
            }
        }

        foreach ((string name, int[] which) in groups) output.WriteLine($"| 1 break | {name} | {which.Length} | {Range([.. which.Select(i => oneBreak[i])], "F4")} | | | | |");
        output.WriteLine($"""

            By seed, mean RMSLE of all curves: {string.Join(", ", made.Select(own => Scores([own], forecast => forecast).Average(one => one.Rmsle).ToString("F4", CultureInfo.InvariantCulture)))}.

            What the parts of the stack are worth, seed 0; the posterior is the same in every row:

            | stack | RMSLE image classification | language | all | log density | 50 % | 80 % | 95 % |
            |---|---|---|---|---|---|---|---|
            """);
        Ablated("as it is", stacks, Stacking.Weights);
        Ablated("every setting alike, no rolling origins", stacks, stack => [.. stack.Fits.Select(_ => 1.0)]);
        Ablated("also settings whose memory holds fewer than 4 points", every, Stacking.Weights);

        void Ablated(string name, Stacking.Stack[] from, Func<Stacking.Stack, double[]> weights)
        {
            Score[] own = Scores([[.. made[0].Select((forecast, i) => forecast with
            {
                Members = Forecaster.Combined(points[i], Forecaster.Stacked(from[i], points[i].Within, weights(from[i])), Part(forecast, isDrawn: true).Members),
            })]], forecast => forecast);
            Score mean = Score.Mean(own);
            output.WriteLine(Text($"| {name} | {string.Join(" | ", groups.Select(group => group.Curves.Average(i => own[i].Rmsle).ToString("F4", CultureInfo.InvariantCulture)))} | {mean.LogDensity:F3} | {Percents(mean.Coverage[0])} |"));
        }

        // Of every curve, the mean over seeds.
        Score[] Scores(Forecast[][] forecasts, Func<Forecast, Forecast> of)
        {
            var scores = new Score[scored.Length];
            SimdBackend.Run(scored.Length, 0, i => scores[i] = Score.Mean([.. forecasts.Select(own => Score.Of(of(own[i]), scored[i].HeldOut))]), default);
            return scores;
        }
    }

    /// <summary>The draws of a forecast, which are normal, or the stack, which is not; alone.</summary>
    private static Forecast Part(Forecast forecast, bool isDrawn)
    {
        ForecastMember[] members = [.. forecast.Members.Where(member => double.IsPositiveInfinity(member.Degrees) == isDrawn)];
        double sum = members.Sum(member => member.Weight), sumOfPoint = members.Sum(member => member.PointWeight);
        return forecast with { Members = [.. members.Select(member => member with { Weight = member.Weight / sum, PointWeight = isDrawn ? member.Weight / sum : member.PointWeight / sumOfPoint })] };
    }

    private static Forecast[] Forecasts(Curve[] curves, ulong seed, string stage)
    {
        Forecast[] forecasts = [];
        var told = new Told();
        Timed(stage, curves.Length, () => forecasts = [.. Forecaster.Make([.. curves.Select(curve => curve.Fit)], seed, 0, done => told.Report(new("forecast", done, curves.Length)), default).Select(forecast => forecast!)]);
        return forecasts;
    }

    private static void Timed(string stage, int curves, Action action)
    {
        Console.Error.WriteLine(stage);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        action();
        Stages.Add((stage, curves, (Environment.CpuUsage.TotalTime - before).TotalSeconds));
    }

    private static string Range(double[] values, string format)
    {
        MeanInterval mean = SuiteScores.Bootstrap(values, 0);
        return $"{N(mean.Mean)} ({N(mean.Low)} to {N(mean.High)})";

        string N(double value) => value.ToString(format, CultureInfo.InvariantCulture);
    }

    private static string Percents(ImmutableArray<double> shares) => string.Join(" | ", shares.Select(share => (100 * share).ToString("F0", CultureInfo.InvariantCulture)));

    private static string Verdict(bool isSo) => isSo ? "so it is" : "it is not so";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A line on standard error that tells how far a stage is.</summary>
    private sealed class Told : IProgress<FitProgress>
    {
        private readonly Lock _writing = new();
        private (string Stage, long Percent) _last;

        public void Report(FitProgress value)
        {
            (string Stage, long Percent) now = (value.Stage, 100 * value.Done / Math.Max(value.Total, 1));
            lock (_writing)
            {
                if (now == _last) return;
                _last = now;
                Console.Error.Write($"\r  {now.Stage} {now.Percent} % {(value.Done == value.Total ? "\n" : "")}");
            }
        }
    }
}
