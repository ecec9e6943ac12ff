using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu.Formats;

/// <summary>For a person at a terminal: plain text, at most 100 columns wide.</summary>
/// <remarks>Up to three curves are told in full; of more, each gets a line, and the whole a summary.</remarks>
public sealed class TableFormat : ITextFormat
{
    private const int Width = 100;
    private const int MostInFull = 3;

    /// <inheritdoc/>
    public string Name => "table";

    /// <inheritdoc/>
    public string Description => "For people at a terminal.";

    /// <inheritdoc/>
    public string FileExtension => ".txt";

    /// <inheritdoc/>
    public void Write(FitReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        var lines = new List<string>();
        if (report.Curves.Length <= MostInFull)
        {
            foreach (CurveFit curve in report.Curves)
            {
                InFull(curve, lines);
                lines.Add("");
            }
        }
        else
        {
            InBrief(report, lines);
        }

        StageSeconds s = report.Seconds;
        lines.Add($"{report.Device}; {Seconds(s.Total)} s (read {Seconds(s.Read)}, search {Seconds(s.Search)}, refine {Seconds(s.Refine)})");
        foreach (string line in lines)
        {
            output.Write(line.TrimEnd());
            output.Write('\n');
        }

        static string Seconds(double value) => value < 10 ? value.ToString("F2", CultureInfo.InvariantCulture) : Readable.Number(value, 3);
    }

    // ---- one curve in full ----

    private static void InFull(CurveFit curve, List<string> lines)
    {
        Curve data = curve.Curve;
        lines.Add(Readable.Shorten(data.Name, Width));
        lines.Add(PointsSentence(curve));
        lines.Add("");
        if (curve.Fits.IsEmpty) lines.Add("  no fit");
        else lines.AddRange(Fits(curve));
        if (curve.Forecast is { } forecast)
        {
            lines.Add("");
            Ahead(forecast, data.HeldOut, lines);
        }

        if (curve.Chosen >= 0)
        {
            lines.Add("");
            ChosenFit(curve.Fits[curve.Chosen], lines);
        }

        if (!curve.Sentences.IsEmpty) lines.Add("");
        foreach (string sentence in curve.Sentences) Wrap("  ", sentence, lines);
        ImmutableArray<string> warnings = Warnings(curve);
        if (warnings.IsEmpty) return;
        lines.Add("");
        foreach (string warning in warnings) Wrap("  ! ", warning, lines);
    }

    /// <summary>What became of the curve's points, and what was minimised; without a full stop.</summary>
    internal static string PointsSentence(CurveFit curve)
    {
        Curve data = curve.Curve;
        string points = $"{Readable.Count(data.Fit.Count, "point")} {(curve.Fits.IsEmpty ? "to fit" : "fitted")}, {data.HeldOut.Count} held out";
        if (data.CopiesDropped > 0) points += $", {data.CopiesDropped} exact {(data.CopiesDropped == 1 ? "copy" : "copies")} dropped";
        if (data.Envelope != Envelope.None) points += $"; {Frontier.Sentence(data)}";
        return curve.Fits.IsEmpty ? points : $"{points}; loss {curve.Fits[0].Loss}";
    }

    private static IEnumerable<string> Fits(CurveFit curve)
    {
        ImmutableArray<Fit> fits = curve.Fits;
        var table = new Columns();
        table.Left("", fits.Select((_, i) => i == curve.Chosen ? "*" : ""), gap: 0);
        table.Left("law", fits.Select(fit => fit.Law), gap: 1);
        table.Right("breaks", fits.Select(fit => fit.Breaks.ToString(CultureInfo.InvariantCulture)));
        bool log = fits.All(fit => ScalingLaw.Get(fit.Law, fit.Breaks).IsPositive);
        table.Right(log ? "RMSLE fit" : "RMSE fit", fits.Select(fit => Readable.Number(log ? fit.Rmsle.Fit : fit.Rmse.Fit, 4)));
        if (curve.Curve.HeldOut.Count > 0 && log) HeldOut(table, fits);
        else if (curve.Curve.HeldOut.Count > 0) table.Right("held out", fits.Select(fit => Readable.Number(fit.Rmse.HeldOut, 4)));
        table.Right("AICc", fits.Select(fit => Criterion(fit.Aicc)));
        table.Right("BIC", fits.Select(fit => Criterion(fit.Bic)), gap: 1);
        table.Right("at minimum", fits.Select(fit => $"{fit.StartsAtMinimum} of {fit.Starts}"));
        table.Right("missed", fits.Select(Missed), gap: 1);
        table.Left("", fits.Select(fit => fit.Termination is Termination.MaxIterations or Termination.NonFinite ? $"{fit.Termination}" : ""), gap: 1);
        return table.Lines();

        static string Criterion(double value) =>
            double.IsFinite(value) ? value.ToString("F1", CultureInfo.InvariantCulture) : Readable.Number(value, 4);
    }

    /// <summary>The chance of a missed minimum.</summary>
    private static string Missed(Fit fit) => fit.MissedChance switch
    {
        double.NaN => "",
        < 0.1 and var chance => $"{(100 * chance).ToString("F1", CultureInfo.InvariantCulture)} %",
        var chance => $"{(100 * chance).ToString("F0", CultureInfo.InvariantCulture)} %",
    };

    private static void HeldOut(Columns table, IEnumerable<Fit?> fits)
    {
        table.Right("held out", fits.Select(fit => fit is null ? "" : Readable.Number(fit.Rmsle.HeldOut, 4)));
        table.Left("", fits.Select(fit => fit?.Rmsle.HeldOutError is { } e && !double.IsNaN(e) ? $"± {Readable.Number(e, 2)}" : ""), gap: 1);
    }

    /// <summary>The forecast: its error where that is known, and y at a few x beyond the fitted ones.</summary>
    private static void Ahead(Forecast forecast, Points heldOut, List<string> lines)
    {
        FormScore score = FormScore.Of(forecast.Predict(heldOut.X), heldOut);
        string error = double.IsNaN(score.Rmsle) ? "" : $", RMSLE held out {Readable.Number(score.Rmsle, 4)}{(heldOut.Count > 1 ? $" ± {Readable.Number(score.Error, 2)}" : "")}";
        lines.Add($"  Forecast{error}; a measurement's y and intervals:");
        (double X, string Note)[] rows = PlacesAhead(forecast, heldOut);
        double[] x = [.. rows.Select(row => row.X)], y = forecast.Predict(x);
        var table = new Columns();
        table.Right("x", x.Select(value => Readable.Number(value, 4)));
        table.Left("", rows.Select(row => row.Note));
        table.Right("y", y.Select(value => Readable.Number(value, 4)));
        foreach (double level in Forecast.Levels.TakeLast(2))
        {
            (double[] lower, double[] upper) = forecast.Interval(x, level);
            table.Left($"{(100 * level).ToString("0", CultureInfo.InvariantCulture)} %", lower.Zip(upper, (low, high) => double.IsNaN(low) ? "-" : $"{Readable.Number(low, 4)} to {Readable.Number(high, 4)}"));
        }

        lines.AddRange(table.Lines());
    }

    /// <summary>Where a forecast is told: at a few x beyond the fitted ones and at the last held-out one, in ascending x.</summary>
    internal static (double X, string Note)[] PlacesAhead(Forecast forecast, Points heldOut)
    {
        var places = Forecast.Ahead.Select(times => (X: times * forecast.LastX, Note: $"{times.ToString(CultureInfo.InvariantCulture)} times the last fitted")).ToList();
        if (heldOut.Count > 0 && heldOut.X[^1] > forecast.LastX) places.Add((heldOut.X[^1], "the last held out"));
        return [.. places.OrderBy(place => place.X)];
    }

    private static void ChosenFit(Fit fit, List<string> lines)
    {
        lines.Add($"* {Readable.Title(fit)}");
        ImmutableArray<Parameter> scalars = [.. Shown(fit).Where(parameter => !parameter.IsVector)];
        var table = new Columns();
        table.Left("", scalars.Select(parameter => parameter.Name));
        table.Right("", scalars.Select(parameter => Value(fit, parameter, 0)));
        table.Left("", scalars.Select(parameter => Error(fit, parameter, 0)), gap: 1);
        lines.AddRange(table.Lines());

        ImmutableArray<Parameter> vectors = [.. Shown(fit).Where(parameter => parameter.IsVector)];
        if (!vectors.IsEmpty)
        {
            lines.Add("");
            table = new Columns();
            table.Left("break", Enumerable.Range(1, vectors[0].Values.Length).Select(number => number.ToString(CultureInfo.InvariantCulture)));
            foreach (Parameter parameter in vectors)
            {
                table.Right(parameter.Name, parameter.Values.Select((_, i) => Value(fit, parameter, i)), gap: 4);
                table.Left("", parameter.Values.Select((_, i) => Error(fit, parameter, i)), gap: 1);
            }

            Slopes(table, fit);
            lines.AddRange(table.Lines());
        }

        if (scalars.Concat(vectors).Any(parameter => parameter.Values.Where((_, i) => double.IsNaN(StandardError(fit, parameter, i))).Any()))
            lines.Add("  (± ?: the data do not determine it, or it is held at a bound)");
        if (!fit.Law.StartsWith("bnsl", StringComparison.Ordinal)) return;
        lines.Add("");
        lines.AddRange(Formula(fit));
    }

    /// <summary>The parameters that a person is shown: those that have values, and log b only where b says nothing.</summary>
    internal static IEnumerable<Parameter> Shown(Fit fit) =>
        fit.Parameters.Where(parameter => !parameter.Values.IsEmpty && (parameter.Name != "logB" || !HasFiniteB(fit)));

    /// <summary>Beside each break the slope of the segment that begins there; c0 is that of the first.</summary>
    private static void Slopes(Columns table, Fit fit)
    {
        if (fit.Segments.Length != fit.Breaks + 1) return;
        Segment[] begun = [.. fit.Segments.Skip(1).OrderBy(segment => segment.Break)];
        table.Right("slope after", begun.Select(segment => Readable.Number(segment.Slope, segment.SlopeError)));
        table.Left("", begun.Select(segment => Error(segment.SlopeError)), gap: 1);
    }

    private static string Value(Fit fit, Parameter parameter, int i) =>
        Readable.Number(parameter.Values[i], StandardError(fit, parameter, i));

    private static string Error(Fit fit, Parameter parameter, int i) => Error(StandardError(fit, parameter, i));

    private static string Error(double error) => double.IsNaN(error) ? "± ?" : $"± {Readable.Number(error, 2)}";

    internal static double StandardError(Fit fit, Parameter parameter, int i) =>
        fit.StandardErrors.FirstOrDefault(other => other.Name == parameter.Name) is { } errors && i < errors.Values.Length
            ? errors.Values[i]
            : double.NaN;

    /// <summary>The law with its numbers in it, a factor a line where one line is too short.</summary>
    internal static IEnumerable<string> Formula(Fit fit)
    {
        double a = Scalar("a"), c0 = Scalar("c0");
        string b = HasFiniteB(fit) ? Six(Scalar("b")) : $"exp({Six(Scalar("logB"))})";
        ImmutableArray<double> c = Vector("c"), d = Vector("d"), f = Vector("f");
        string sign = fit.Law == "bnsl-rising" ? "-" : "+";
        string first = $"  y = {(a == 0 && sign == "+" ? "" : $"{Six(a)} {sign} ")}{b} * x^({Six(-c0)})";
        string[] factors = [.. c.Select((ci, i) => $"* (1 + (x/{Six(d[i])})^(1/{Six(f[i])}))^({Six(-ci)} * {Six(f[i])})")];
        string whole = string.Join(' ', factors.Prepend(first));
        return whole.Length <= Width ? [whole] : factors.Select(factor => "      " + factor).Prepend(first);

        double Scalar(string name) => fit.Parameters.First(parameter => parameter.Name == name).Values[0];
        ImmutableArray<double> Vector(string name) => fit.Parameters.FirstOrDefault(parameter => parameter.Name == name)?.Values ?? [];
        static string Six(double value) => Readable.Number(value, 6);
    }

    /// <summary>b is exp(logB), and leaves the range of doubles long before logB does.</summary>
    private static bool HasFiniteB(Fit fit) =>
        fit.Parameters.FirstOrDefault(parameter => parameter.Name == "b") is { } b && double.IsFinite(b.Values[0]) && b.Values[0] != 0;

    // ---- a line a curve ----

    private static void InBrief(FitReport report, List<string> lines)
    {
        ImmutableArray<CurveFit> curves = report.Curves;
        ImmutableArray<Fit?> chosen = [.. curves.Select(curve => curve.Chosen < 0 ? null : curve.Fits[curve.Chosen])];
        var table = new Columns();
        table.Left("curve", curves.Select(curve => Readable.Shorten(curve.Curve.Name, 36)), gap: 0);
        table.Left("", curves.Select(curve => Warnings(curve).IsEmpty ? "" : "!"), gap: 1);
        table.Right("breaks", chosen.Select(fit => fit is null ? "no fit" : fit.Breaks.ToString(CultureInfo.InvariantCulture)), gap: 1);
        table.Right("RMSLE fit", chosen.Select(fit => fit is null ? "" : Readable.Number(fit.Rmsle.Fit, 4)));
        if (curves.Any(curve => curve.Curve.HeldOut.Count > 0)) HeldOut(table, chosen);
        foreach (string name in new[] { "a", "c0" })
            if (chosen.Any(fit => Scalar(fit, name) is not null)) table.Right(name, chosen.Select(fit => Scalar(fit, name) ?? ""));
        table.Right("missed", chosen.Select(fit => fit is null ? "" : Missed(fit)));
        lines.AddRange(table.Lines());
        lines.Add("");
        Summary(report, lines);

        static string? Scalar(Fit? fit, string name) =>
            fit?.Parameters.FirstOrDefault(parameter => parameter.Name == name && !parameter.IsVector) is { } parameter
                ? Readable.Number(parameter.Values[0], 4)
                : null;

    }

    private static void Summary(FitReport report, List<string> lines)
    {
        ImmutableArray<CurveFit> fitted = [.. report.Curves.Where(curve => curve.Chosen >= 0)];
        int without = report.Curves.Length - fitted.Length;
        string count = Readable.Count(report.Curves.Length, "curve");
        if (without > 0) count += $", {without} of them without a fit";
        lines.Add($"{count}; law {string.Join(',', report.Options.Laws)}, loss {report.Options.Loss}, recipe {report.Options.Recipe}");
        lines.Add("missed: the chance that a hundred times the starts would find a lower minimum");
        HeldOut("RMSLE held out", fitted.Select(curve => curve.Fits[curve.Chosen].Rmsle.HeldOut));
        HeldOut("forecast's RMSLE held out", fitted.Select(curve => curve.Forecast is null ? double.NaN : FormScore.Of(curve.Forecast.Predict(curve.Curve.HeldOut.X), curve.Curve.HeldOut).Rmsle));

        int warned = report.Curves.Count(curve => !Warnings(curve).IsEmpty);
        if (warned > 0) lines.Add($"! {Readable.Count(warned, "curve")} with warnings; the formats markdown, html and json have them as sentences");

        void HeldOut(string what, IEnumerable<double> all)
        {
            double[] errors = [.. all.Where(error => !double.IsNaN(error)).Order()];
            if (errors.Length == 0) return;
            double median = (errors[(errors.Length - 1) / 2] + errors[errors.Length / 2]) / 2;
            lines.Add($"{what}: mean {Readable.Number(errors.Average(), 4)}, median {Readable.Number(median, 4)} ({Readable.Count(errors.Length, "curve")})");
        }
    }

    // ---- parts ----

    /// <summary>The curve's warnings and those of its chosen fit.</summary>
    internal static ImmutableArray<string> Warnings(CurveFit curve) =>
        curve.Chosen < 0 ? curve.Warnings : [.. curve.Warnings.Concat(curve.Fits[curve.Chosen].Warnings).Distinct()];

    private static void Wrap(string indent, string sentence, List<string> lines)
    {
        string line = indent;
        foreach (string word in sentence.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > indent.Length && line.Length + word.Length > Width)
            {
                lines.Add(line);
                line = new string(' ', indent.Length);
            }

            line += word + " ";
        }

        lines.Add(line);
    }

    /// <summary>Columns side by side, each with a header and one cell a row.</summary>
    internal sealed class Columns
    {
        private readonly List<string[]> _columns = [];

        /// <summary>Words, to the left.</summary>
        public void Left(string header, IEnumerable<string> cells, int gap = 2) =>
            Add([header, .. cells], gap, (cell, width) => cell.PadRight(width));

        /// <summary>Numbers, their decimal points under one another, and the header to the right.</summary>
        public void Right(string header, IEnumerable<string> cells, int gap = 2)
        {
            string[] numbers = [.. cells];
            int fraction = numbers.Select(Fraction).DefaultIfEmpty(0).Max();
            IEnumerable<string> onThePoint = numbers.Select(cell => cell + new string(' ', fraction - Fraction(cell)));
            Add([header, .. onThePoint], gap, (cell, width) => cell.PadLeft(width));

            static int Fraction(string cell) => cell.IndexOf('.', StringComparison.Ordinal) is >= 0 and var point ? cell.Length - point : 0;
        }

        public IEnumerable<string> Lines()
        {
            IEnumerable<string> lines =
                Enumerable.Range(0, _columns[0].Length).Select(row => string.Concat(_columns.Select(column => column[row])));
            return _columns.All(column => column[0].Trim().Length == 0) ? lines.Skip(1) : lines;
        }

        private void Add(string[] cells, int gap, Func<string, int, string> pad)
        {
            int width = cells.Max(cell => cell.Length);
            _columns.Add([.. cells.Select(cell => new string(' ', gap) + pad(cell, width))]);
        }
    }
}
