namespace BnslGpu.Formats;

/// <summary>What a forecast says at some places, for formats that put down many of them.</summary>
internal sealed class Ahead
{
    /// <summary>The places.</summary>
    public List<double> X { get; } = [];

    /// <summary>The forecast there.</summary>
    public List<double> Y { get; } = [];

    /// <summary>Lower ends of the intervals of a measurement at <see cref="Forecast.Levels"/>. Shape [places, levels].</summary>
    public List<double> Lower { get; } = [];

    /// <summary>Upper ends.</summary>
    public List<double> Upper { get; } = [];

    /// <summary>What the forecast says.</summary>
    public static Ahead Of(Forecast forecast, ReadOnlySpan<double> x)
    {
        Ahead ahead = new();
        ahead.X.AddRange(x);
        ahead.Y.AddRange(forecast.Predict(x));
        var ends = new (double[] Lower, double[] Upper)[Forecast.Levels.Length];
        for (int level = 0; level < ends.Length; level++) ends[level] = forecast.Interval(x, Forecast.Levels[level]);
        for (int i = 0; i < x.Length; i++)
        {
            ahead.Lower.AddRange(ends.Select(end => end.Lower[i]));
            ahead.Upper.AddRange(ends.Select(end => end.Upper[i]));
        }

        return ahead;
    }

    /// <summary>So many places of which nothing is known: NaN.</summary>
    public static Ahead None(int places)
    {
        Ahead ahead = new();
        foreach ((List<double> values, int each) in ((List<double>, int)[])[(ahead.X, 1), (ahead.Y, 1), (ahead.Lower, Forecast.Levels.Length), (ahead.Upper, Forecast.Levels.Length)])
            values.AddRange(Enumerable.Repeat(double.NaN, places * each));
        return ahead;
    }

    /// <summary>Puts others behind these.</summary>
    public void Add(Ahead next)
    {
        X.AddRange(next.X);
        Y.AddRange(next.Y);
        Lower.AddRange(next.Lower);
        Upper.AddRange(next.Upper);
    }

    /// <summary>So many places at equal steps of log x, from the last fitted x to ten times it or to the last held-out x if that is farther.</summary>
    public static double[] Places(Forecast forecast, Points heldOut, int count)
    {
        double last = forecast.LastX, most = Math.Max(Forecast.Ahead[^1] * last, heldOut.Count > 0 ? heldOut.X[^1] : 0), step = Math.Log(most / last) / (count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i == count - 1 ? most : last * Math.Exp(i * step))];
    }

    /// <summary>Something made of each curve, by several threads for intervals are most of the work, in the order of the curves.</summary>
    public static IEnumerable<(int Curve, T Made)> OfEach<T>(FitReport report, Func<CurveFit, T> make) =>
        report.Curves.AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Min(report.Options.Threads > 0 ? report.Options.Threads : Environment.ProcessorCount, 512))
            .Select((curve, k) => (k, make(curve)));
}
