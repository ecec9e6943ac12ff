using System.Globalization;

namespace BnslGpu.Cli;

/// <summary>Reads the lists of numbers that options take.</summary>
internal static class Scales
{
    /// <summary>What <see cref="TryRead"/> takes, to complete "expected …".</summary>
    public const string Expected = "numbers above 0 like 1e6,1e7 or a log-spaced range like 1e6..1e9:13";

    /// <summary>What <see cref="TryReadPoints"/> takes, to complete "expected …".</summary>
    public const string ExpectedPoints =
        "numbers like 1e6,1e7, a log-spaced range like 1e6..1e9:13, or for several inputs these with / between, like 1e9/2e10 or 1e9/1e10..1e12:5";

    private const int MostValues = 10_000_000;

    /// <summary>Reads scales: <c>1e6,2e6</c>, or <c>1e6..1e9:13</c> for 13 log-spaced values with both ends among them, or a mix.</summary>
    /// <param name="text">The option's text.</param>
    /// <param name="x">The values in the order given, each &gt; 0.</param>
    public static bool TryRead(string text, out double[] x)
    {
        List<double> values = [];
        x = [];
        foreach (string part in text.Split(','))
        {
            if (!TryReadPart(part, values) || values[^1] <= 0) return false;
        }
        x = [.. values];
        return true;
    }

    /// <summary>Reads points: <c>1e9/2e10,4e9/8e10</c>, each input a number or a range; where several are ranges, every combination.</summary>
    /// <param name="text">The option's text.</param>
    /// <param name="points">Inputs of each point, all of them as many.</param>
    public static bool TryReadPoints(string text, out double[][] points)
    {
        List<double[]> read = [];
        points = [];
        foreach (string part in text.Split(','))
        {
            List<double[]> grid = [[]];
            foreach (string input in part.Split('/'))
            {
                List<double> values = [];
                if (!TryReadPart(input, values) || (long)grid.Count * values.Count > MostValues) return false;
                grid = [.. grid.SelectMany(point => values.Select(value => (double[])[.. point, value]))];
            }
            read.AddRange(grid);
        }
        points = [.. read];
        return Array.TrueForAll(points, point => point.Length == read[0].Length);
    }

    /// <summary>Reads finite numbers separated by commas.</summary>
    public static bool TryReadNumbers(string text, out double[] numbers)
    {
        string[] parts = text.Split(',');
        numbers = new double[parts.Length];
        for (int i = 0; i < parts.Length; i++)
            if (!TryReadNumber(parts[i], out numbers[i])) return false;
        return true;
    }

    /// <summary>Reads numbers above 0 separated by commas.</summary>
    public static bool TryReadPositive(string text, out double[] numbers) =>
        TryReadNumbers(text, out numbers) && Array.TrueForAll(numbers, n => n > 0);

    /// <summary>Reads numbers of breaks: <c>0,1,2</c>, <c>0-3</c>, <c>0..3</c> or a mix.</summary>
    public static bool TryReadBreaks(string text, out int[] breaks)
    {
        List<int> values = [];
        breaks = [];
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Replace("..", "-", StringComparison.Ordinal).Split('-');
            if (ends.Length > 2 || !TryReadCount(ends[0], out int first) || !TryReadCount(ends[^1], out int last)) return false;
            if (last < first || last > 1000) return false;
            values.AddRange(Enumerable.Range(first, last - first + 1));
        }
        breaks = [.. values];
        return true;
    }

    /// <summary>Reads a finite number.</summary>
    public static bool TryReadNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private static bool TryReadPart(string part, List<double> values)
    {
        int dots = part.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
        {
            if (!TryReadNumber(part, out double value)) return false;
            values.Add(value);
            return true;
        }
        int colon = part.LastIndexOf(':');
        if (colon < dots || !TryReadCount(part[(colon + 1)..], out int count) || count is < 2 or > MostValues) return false;
        if (!TryReadNumber(part[..dots], out double first) || !TryReadNumber(part[(dots + 2)..colon], out double last)) return false;
        if (first <= 0 || last <= first) return false;
        // Powers of ten rather than of e: 1e6..1e9:4 then gives 1e7 and 1e8 to the last digit.
        double log = Math.Log10(first), step = (Math.Log10(last) - log) / (count - 1);
        values.Add(first);
        for (int i = 1; i < count - 1; i++) values.Add(Math.Pow(10, log + i * step));
        values.Add(last);
        return true;
    }

    private static bool TryReadCount(string text, out int count) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count);
}
