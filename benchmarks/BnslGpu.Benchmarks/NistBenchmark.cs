using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu.Benchmarks;

/// <summary>One of NIST's problems: data, two starts, and what is certified.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Difficulty">Lower, Average or Higher.</param>
/// <param name="Points">The data.</param>
/// <param name="Starts">Two starts. Shape [2][p].</param>
/// <param name="Parameters">Certified parameters. Shape [p].</param>
/// <param name="Deviations">Certified standard deviations. Shape [p].</param>
/// <param name="SumOfSquares">Certified residual sum of squares.</param>
internal sealed record NistProblem(string Name, string Difficulty, Points Points, double[][] Starts, double[] Parameters, double[] Deviations, double SumOfSquares)
{
    /// <summary>Reads a .dat file of the Statistical Reference Datasets: certified values from line 41, data from line 61, y first.</summary>
    public static NistProblem Read(string path)
    {
        string[] lines = File.ReadAllLines(path);
        string difficulty = lines.First(line => line.Contains(" Level of Difficulty", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[0];
        double[][] certified = [.. lines.Where(line => line.TrimStart() is ['b', >= '1' and <= '9', ' ', '=', ..]).Select(line => Numbers(line[(line.IndexOf('=', StringComparison.Ordinal) + 1)..]))];
        double squares = Numbers(lines.First(line => line.StartsWith("Residual Sum of Squares:", StringComparison.Ordinal)).Split(':')[1])[0];
        double[][] rows = [.. lines.Skip(60).Select(Numbers).Where(row => row.Length > 1)];
        int inputs = rows[0].Length - 1;
        return new(
            Path.GetFileNameWithoutExtension(path),
            difficulty,
            new([.. rows.SelectMany(row => row[1..])], inputs, [.. rows.Select(row => row[0])]),
            [[.. certified.Select(row => row[0])], [.. certified.Select(row => row[1])]],
            [.. certified.Select(row => row[2])],
            [.. certified.Select(row => row[3])],
            squares);
    }

    private static double[] Numbers(string line) =>
        [.. line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture))];
}

/// <summary>How many digits of NIST's 27 certified nonlinear fits the engine reaches from each of the two starts that come with them.</summary>
internal static class NistBenchmark
{
    /// <summary>Certified values have eleven digits.</summary>
    private const double Most = 11;

    public static int Run(string[] args, TextWriter output)
    {
        string folder = args is ["--data", var given] ? given : throw new ArgumentException("nist takes --data DIR, the folder of the .dat files.", nameof(args));
        output.WriteLine("""
            # NIST's nonlinear problems

            The 27 problems of the Statistical Reference Datasets (nonlinear regression, NIST, public domain), as plain laws with gradients by dual
            numbers, refined in double from each of the two starts that come with them: nothing else is tried.

            Digits: −log10 of the relative error against the certified value, 11 at most (so many are certified); of the worst parameter and the worst
            standard deviation. rss: of the residual sum of squares.

            | problem | difficulty | parameters, start 1 | start 2 | deviations, start 1 | start 2 | rss, start 1 | start 2 | termination, start 1 | start 2 |
            |---|---|---|---|---|---|---|---|---|---|
            """);
        int six = 0, nine = 0;
        var failed = new List<string>();
        foreach ((string name, ScalingLaw law) in NistLaws.OfProblem)
        {
            NistProblem nist = NistProblem.Read(Path.Combine(folder, name + ".dat"));
            Fit[] fits = [.. nist.Starts.Select(start => NistLaws.Fit(name, nist.Points, start))];
            double[] parameters = [.. fits.Select(fit => Digits(fit.Parameters, nist.Parameters))];
            double[] deviations = [.. fits.Select(fit => Digits(fit.StandardErrors, nist.Deviations))];
            double[] squares = [.. fits.Select(fit => Digits(fit.Objective * nist.Points.Count, nist.SumOfSquares))];
            if (parameters.Min() >= 6 && deviations.Min() >= 4) six++;
            if (parameters.Min() >= 9) nine++;
            output.WriteLine($"| {name} | {nist.Difficulty} | {Row(parameters)} | {Row(deviations)} | {Row(squares)} | {string.Join(" | ", fits.Select(fit => fit.Termination))} |");
            for (int start = 0; start < 2; start++)
                if (Digits(Search(nist, law, start).Parameters, nist.Parameters) < 6) failed.Add($"{name} from start {start + 1}");
        }

        output.WriteLine($"""

            - {six} of 27 problems with 6 digits of the parameters and 4 of the standard deviations, from both starts
            - {nine} of 27 with 9 digits of the parameters from both starts
            - the same starts as the only ones of a whole fit, where the search on lanes goes first: 6 digits in {54 - failed.Count} of 54; not in {string.Join(", ", failed)}
            """);
        return 0;
    }

    private static Fit Search(NistProblem nist, ScalingLaw law, int start)
    {
        var rules = new ParameterRules { Starts = [[.. nist.Starts[start].Select((value, j) => new ParameterValue(law.Parameters[j].Name, value))]] };
        var problem = new Problem(nist.Points, law, NistLaws.LossOf(law), rules: rules);
        Candidates found = new SimdBackend().Search(new([problem]), new(1, 0, 1, SearchPrecision.Double, FitOptions.LeastSquares.SearchIterations))[0];
        return FitSummary.Of(new(nist.Name, nist.Points), found, 0, CancellationToken.None);
    }

    private static string Row(double[] digits) => string.Join(" | ", digits.Select(value => value.ToString("F1", CultureInfo.InvariantCulture)));

    private static double Digits(ImmutableArray<Parameter> found, double[] certified) => found.Select((parameter, j) => Digits(parameter.Values[0], certified[j])).Min();

    private static double Digits(double found, double certified)
    {
        double digits = -Math.Log10(Math.Abs(found - certified) / Math.Abs(certified));
        return double.IsNaN(digits) ? 0 : Math.Abs(Math.Clamp(digits, 0, Most));
    }
}
