namespace BnslGpu.Formats;

/// <summary>A Python script that draws every curve with matplotlib, and the CSV that it reads: for figures that are to be changed by hand.</summary>
/// <remarks>
/// <para>The script is the same for every report and takes the CSV of its own name beside it; no name from the data stands in its text.</para>
/// <para>
/// The CSV has the columns curve, x_name, y_name, kind, x, y, lower_50, upper_50, lower_80, …: of each curve its points (kind fitted, held-out or
/// off-envelope), the chosen fit (law) and, from the last fitted x to ten times it or to the last held-out x, the forecast with the intervals of a
/// measurement. Of a curve of several inputs x is what the chosen fit says and y what was measured, and the law is the line on which they are equal.
/// Numbers and names are as in <see cref="CsvFormat"/>; what does not apply is empty.
/// </para>
/// </remarks>
public static class MatplotlibPlot
{
    /// <summary>Writes the script.</summary>
    /// <param name="output">Where to; it is not closed.</param>
    public static void WriteScript(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        using var text = new StreamReader(typeof(MatplotlibPlot).Assembly.GetManifestResourceStream("BnslGpu.Formats.plot.py")!);
        while (text.ReadLine() is { } line) output.Write(line + "\n");
    }

    /// <summary>Writes the CSV.</summary>
    /// <param name="report">What is drawn.</param>
    /// <param name="output">Where to; it is not closed.</param>
    public static void WriteData(FitReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        CsvFormat.WriteRow(output, ["curve", "x_name", "y_name", "kind", "x", "y", .. Forecast.Levels.SelectMany(level => (string[])[$"lower_{100 * level:0}", $"upper_{100 * level:0}"])]);
        foreach ((int k, List<Row> rows) in Ahead.OfEach(report, Rows))
        {
            Curve curve = report.Curves[k].Curve;
            bool againstFitted = curve.Fit.Inputs > 1;
            string[] names = [.. ((string[])[curve.Name, againstFitted ? $"{curve.YName}, fitted" : curve.XName, againstFitted ? $"{curve.YName}, measured" : curve.YName]).Select(CsvFormat.Unarmed)];
            foreach (Row row in rows)
                CsvFormat.WriteRow(output, [.. names, row.Kind, CsvFormat.Number(row.X), CsvFormat.Number(row.Y), .. row.Ends.Length == 0 ? Forecast.Levels.SelectMany(_ => (string[])["", ""]) : row.Ends.Select(CsvFormat.Number)]);
        }
    }

    private const int Steps = 65;

    private static List<Row> Rows(CurveFit curve)
    {
        Fit? chosen = curve.Chosen < 0 ? null : curve.Fits[curve.Chosen];
        bool againstFitted = curve.Curve.Fit.Inputs > 1;
        List<Row> rows = [];
        if (againstFitted && chosen is null) return rows;
        Points("fitted", curve.Curve.Fit);
        Points("held-out", curve.Curve.HeldOut);
        Points("off-envelope", curve.Curve.OffEnvelope);
        if (chosen is null || rows.Count == 0) return rows;
        double low = rows.Min(row => againstFitted ? Math.Min(row.X, row.Y) : row.X), high = rows.Max(row => againstFitted ? Math.Max(row.X, row.Y) : row.X);
        double[] ahead = curve.Forecast is null ? [] : Ahead.Places(curve.Forecast, curve.Curve.HeldOut, Steps);
        if (againstFitted) rows.AddRange(((double[])[low, high]).Select(y => new Row("law", y, y, [])));
        else rows.AddRange(Between(low, ahead.Length > 0 ? ahead[0] : high).Concat(ahead.Skip(1)).Select(x => new Row("law", x, chosen.Predict(x), [])));
        if (curve.Forecast is null) return rows;
        Ahead said = Ahead.Of(curve.Forecast, ahead);
        int levels = Forecast.Levels.Length;
        for (int i = 0; i < ahead.Length; i++)
        {
            int first = i * levels;
            rows.Add(new("forecast", ahead[i], said.Y[i], [.. Enumerable.Range(first, levels).SelectMany(end => (double[])[said.Lower[end], said.Upper[end]])]));
        }

        return rows;

        void Points(string kind, Points points)
        {
            double[] x = againstFitted ? chosen!.Predict(points.X) : points.X.ToArray();
            for (int i = 0; i < points.Count; i++) rows.Add(new(kind, x[i], points.Y[i], []));
        }
    }

    /// <summary>Places from one x to another, at equal steps of log x where it has one.</summary>
    private static IEnumerable<double> Between(double low, double high) =>
        !(low < high) ? [low] : Enumerable.Range(0, Steps).Select(i =>
        {
            double share = i / (Steps - 1.0);
            return i == Steps - 1 ? high : low > 0 ? low * Math.Exp(share * Math.Log(high / low)) : low + (share * (high - low));
        });

    /// <summary>A row of the CSV.</summary>
    private readonly record struct Row(string Kind, double X, double Y, double[] Ends);
}
