namespace BnslGpu;

/// <summary>A curve's points for a forecast: log y against u = log(x/x_last); means of those at the same x, and of neighbours on very long curves.</summary>
/// <param name="U">Where, ascending, 0 last. Shape [count].</param>
/// <param name="LogY">log of y, relative to the smallest. Shape [count].</param>
/// <param name="Counts">Weight of each: 1, or the sum of what it is the mean of. Shape [count].</param>
/// <param name="WithinDegrees">Degrees of freedom within the means.</param>
/// <param name="WithinSquares">Σ w (y − ȳ)² within them.</param>
/// <param name="Points">The same as points, for a problem.</param>
internal sealed record CondensedPoints(double[] U, double[] LogY, double[] Counts, double WithinDegrees, double WithinSquares, Points Points)
{
    /// <summary>Mean square of what measurements are off the means.</summary>
    public double Within => WithinSquares / Counts.Sum();

    // More say little more of a law with a dozen parameters.
    private const int Most = 256;

    /// <summary>Condenses points.</summary>
    public static CondensedPoints Of(Points points)
    {
        int n = points.Count;
        // A weight that is nothing beside the others is still one, for a mean divides by it.
        double[] weights = [.. Problem.WeightsOf(points, Loss.Get("msle"), 0).Select(weight => Math.Max(weight, 1e-200))], logX = [.. points.X.ToArray().Select(x => Math.Log(x))], logY = [.. points.Y.ToArray().Select(y => Math.Log(y))];
        double degrees = 0, squares = 0;
        List<double> x = [], y = [], counts = [];
        for (int from = 0, to; from < n; from = to)
        {
            to = from + 1;
            while (to < n && (logX[to].Equals(logX[from]) || (n > Most && Bin(to) == Bin(from)))) to++;
            double count = 0, meanX = 0, meanY = 0;
            for (int i = from; i < to; i++) (count, meanX, meanY) = (count + weights[i], meanX + (weights[i] * logX[i]), meanY + (weights[i] * logY[i]));
            (meanX, meanY) = to == from + 1 ? (logX[from], logY[from]) : (meanX / count, meanY / count);
            for (int i = from; i < to; i++) squares += weights[i] * (logY[i] - meanY) * (logY[i] - meanY);
            degrees += to - from - 1;
            x.Add(meanX);
            y.Add(meanY);
            counts.Add(count);
        }

        double least = y.Min();
        bool isWeighted = counts.Exists(count => count != counts[0]);
        return new(
            [.. x.Select(log => log - x[^1])], [.. y.Select(log => log - least)], [.. counts], degrees, squares,
            new([.. x.Select(Math.Exp)], 1, [.. y.Select(Math.Exp)], isWeighted ? [.. counts] : []));

        int Bin(int i) => (int)Math.Min((logX[i] - logX[0]) / (logX[^1] - logX[0]) * Most, Most - 1);
    }
}
