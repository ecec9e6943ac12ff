using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>The forecast of a curve: where it goes, mostly from what forecast well on the curve itself before; how far off that may be, mostly from what a law that is not quite right leaves open.</summary>
/// <remarks>
/// The stack (<see cref="Stacking"/>) knows best where the curve goes, the draws (<see cref="Posterior"/>) how far off it may be. How well the intervals keep
/// their word: benchmarks/results/forecast.md.
/// </remarks>
internal static class Forecaster
{
    // Curves that are fitted together: enough for every thread, few enough for memory.
    private const int Together = 16;

    /// <summary>Points from which on a curve is long: four for each of the twelve parameters of three breaks. With fewer the prior says where draws go.</summary>
    private const int ManyPoints = 48;

    /// <summary>Shares that the draws have in the point forecast and in the distribution, of short curves and of long ones; the stack has the rest. How they were chosen: docs/method.md.</summary>
    private static readonly (double Point, double Distribution) s_ofShort = (0, 0.5), s_ofLong = (0.3, 0.8);

    /// <summary>Draws that become members, and minima that they begin from, of each number of breaks.</summary>
    private const int Draws = 16, Minima = 4;

    /// <summary>
    /// Numbers of breaks count by their evidence to this power. The evidence itself is too sure: it takes one of them, with Brownian motion, for the truth, which
    /// real curves are not (Grünwald and van Ommen 2017).
    /// </summary>
    private const double EvidencePower = 1 / 16.0;

    /// <summary>In the distribution members of the stack count by their weight to this power: one that forecast well before may be wrong now.</summary>
    private const double Flattening = 1 / 3.0;

    /// <summary>The share of the largest weight below which a member is left out.</summary>
    private const double LeastWeight = 0.01;

    /// <summary>
    /// Spread of a member of the stack, Student's t₄: (.9 r)² + (1.4 r)² h + (.5 E)² h² with r the least RMSLE on the fit points (of measurements in the first
    /// term, where points are means of several), E the root mean square of its errors from the origins and h the log of how far beyond the fit points. By
    /// maximum likelihood on rolling origins of the 92 curves and on planted ones.
    /// </summary>
    private const double NoiseScale = 0.9, DriftScale = 1.4, ErrorScale = 0.5, Degrees = 4;

    /// <summary>Numbers of breaks that leave residuals so many times as large as another's, and as the noise, have no share in the draws, and such fits of the stack none in the distribution.</summary>
    private const double MostResidual = 25;

    /// <summary>What a member is held to be off where no origin could be scored.</summary>
    private const double UnknownError = 0.05;

    /// <summary>Forecasts curves.</summary>
    /// <param name="curves">Fit points of every curve; one input, x and y above 0, at least two different x.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="threads">Threads; 0 takes every core.</param>
    /// <param name="done">Told how many curves are done.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <returns>One a curve; null where no fit of it is finite.</returns>
    public static Forecast?[] Make(IReadOnlyList<Points> curves, ulong seed, int threads, Action<int>? done, CancellationToken cancellation)
    {
        var forecasts = new Forecast?[curves.Count];
        int finished = 0;
        for (int first = 0; first < curves.Count; first += Together)
        {
            int count = Math.Min(Together, curves.Count - first), from = first;
            CondensedPoints[] points = [.. Enumerable.Range(first, count).Select(i => CondensedPoints.Of(curves[i]))];
            Stacking.Stack[] stacks = Stacking.Fit([.. points.Select(own => own.Points)], seed, threads, cancellation);
            ImmutableArray<Candidates>[] minima = LeastSquares(points, seed, threads, cancellation);
            Posterior.Drawn[][] draws = Drawn(points, stacks, minima, seed, threads, cancellation);
            for (int i = 0; i < count; i++)
            {
                if (draws[i].Length > 0)
                {
                    forecasts[from + i] = new()
                    {
                        LastX = curves[from + i].X[^1],
                        Members = Combined(points[i], Stacked(stacks[i], points[i].Within, Stacking.Weights(stacks[i])), Weighted(draws[i])),
                    };
                }

                done?.Invoke(++finished);
            }
        }

        return forecasts;
    }

    /// <summary>A forecast's members from those of the stack and the draws, the weights of each of which sum to one.</summary>
    internal static ImmutableArray<ForecastMember> Combined(CondensedPoints points, IEnumerable<ForecastMember> stack, IEnumerable<ForecastMember> draws)
    {
        (double point, double distribution) = points.U.Length >= ManyPoints ? s_ofLong : s_ofShort;
        return
        [
            .. stack.Select(member => member with { Weight = (1 - distribution) * member.Weight, PointWeight = (1 - point) * member.PointWeight }),
            .. draws.Select(member => member with { Weight = distribution * member.Weight, PointWeight = point * member.PointWeight }),
        ];
    }

    /// <summary>Members of the stack.</summary>
    /// <param name="stack">Its fits.</param>
    /// <param name="within">Mean square of what measurements are off the means that were fitted.</param>
    /// <param name="weights">How much each fit counts for the point forecast; relative.</param>
    internal static IEnumerable<ForecastMember> Stacked(Stacking.Stack stack, double within, double[] weights)
    {
        double rmsle = Math.Max(stack.Fits.Min(fit => fit.Rmsle), 1e-4), drift = DriftScale * rmsle, bound = MostResidual * Math.Max(rmsle, stack.Noise), most = weights.Max();
        weights = [.. weights.Select(weight => weight >= LeastWeight * most ? weight / most : 0)];
        double[] flat = [.. weights.Select((weight, k) => stack.Fits[k].Misfit > bound ? 0 : Math.Pow(weight, Flattening))];
        if (flat.Sum() == 0) flat = weights;
        double sum = flat.Sum(), sumOfPoint = weights.Sum();
        for (int k = 0; k < weights.Length; k++)
        {
            if (weights[k] == 0) continue;
            double bend = ErrorScale * (stack.Errors.Length > 0 ? Math.Sqrt(stack.Errors.Average(origin => origin[k] * origin[k])) : UnknownError);
            yield return new()
            {
                Law = stack.Fits[k].Setting.Law,
                Breaks = stack.Fits[k].Setting.Breaks,
                Parameters = stack.Fits[k].Parameters,
                Weight = flat[k] / sum,
                PointWeight = weights[k] / sumOfPoint,
                Drift = drift * drift,
                Bend = bend * bend,
                Noise = NoiseScale * Math.Sqrt((rmsle * rmsle) + within),
                Degrees = Degrees,
            };
        }
    }

    /// <summary>Draws of every curve for every likely number of breaks; none where no fit of it is finite.</summary>
    private static Posterior.Drawn[][] Drawn(CondensedPoints[] points, Stacking.Stack[] stacks, ImmutableArray<Candidates>[] minima, ulong seed, int threads, CancellationToken cancellation)
    {
        var likely = new List<(int Curve, Candidates Minima)>();
        for (int i = 0; i < points.Length; i++)
        {
            if (stacks[i].Fits.IsEmpty || minima[i].IsEmpty) continue;

            // So many breaks that a curve has for certain are in every draw.
            double least = Math.Max(minima[i].Min(Residual), stacks[i].Noise);
            foreach (Candidates own in minima[i])
                if (Residual(own) <= MostResidual * least) likely.Add((i, own));
        }

        // Many breaks take longest.
        int[] order = [.. Enumerable.Range(0, likely.Count).OrderByDescending(k => likely[k].Minima.Problem.Law.Breaks)];
        var drawn = new Posterior.Drawn[likely.Count];
        SimdBackend.Run(likely.Count, threads, k =>
        {
            (int i, Candidates own) = likely[order[k]];
            drawn[order[k]] = Posterior.Draw(points[i], own.Problem, Enumerable.Range(0, own.Losses.Length).Select(one => own[one].ToArray()), Draws, seed);
        }, cancellation);
        return [.. points.Select((_, i) => drawn.Where((_, k) => likely[k].Curve == i).ToArray())];

        static double Residual(Candidates own) => Math.Sqrt(own.Losses[0] / Math.Max(own.Problem.Count - own.Problem.ParameterCount, 0.5 * own.Problem.Count));
    }

    /// <summary>Draws of every number of breaks as members, by evidence.</summary>
    private static IEnumerable<ForecastMember> Weighted(Posterior.Drawn[] draws)
    {
        double most = draws.Max(own => own.LogEvidence);
        double[] weights = [.. draws.Select(own => double.IsFinite(most) ? Math.Exp(EvidencePower * (own.LogEvidence - most)) : 1)];
        double sum = weights.Sum();
        return draws.SelectMany((own, k) => own.Members.Select(member => member with { Weight = weights[k] / sum * member.Weight, PointWeight = weights[k] / sum * member.PointWeight }));
    }

    /// <summary>The best minima of least squares with 0 to 3 breaks, as many as the points can carry; none where no fit is finite.</summary>
    internal static ImmutableArray<Candidates>[] LeastSquares(CondensedPoints[] points, ulong seed, int threads, CancellationToken cancellation)
    {
        Loss loss = Loss.Get("msle");
        var problems = new List<Problem>();
        var owners = new List<int>();
        for (int i = 0; i < points.Length; i++)
        {
            for (int breaks = 0; breaks <= 3; breaks++)
            {
                if (breaks > 1 && points[i].U.Length < 4 + (3 * breaks)) continue;
                problems.Add(new(points[i].Points, ScalingLaw.Get("bnsl", breaks), loss));
                owners.Add(i);
            }
        }

        const int Starts = 160;
        ImmutableArray<Candidates> found = new SimdBackend().Search(new ProblemBatch(problems), new SearchOptions(Starts, seed, Minima, SearchPrecision.Double, 200, threads), null, cancellation);
        return [.. Enumerable.Range(0, points.Length).Select(i => owners.Index().Where(one => one.Item == i).Select(one => found[one.Index]).Where(own => own.Losses.Length > 0 && double.IsFinite(own.Losses[0])).ToImmutableArray())];
    }
}
