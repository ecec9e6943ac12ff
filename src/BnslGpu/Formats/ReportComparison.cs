using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace BnslGpu.Formats;

/// <summary>What changed between two saved reports.</summary>
/// <remarks>
/// <para>
/// Two numbers differ where they differ by more than the tolerance times the larger of them. Compared are the options and the seed; the points, to the bit; of
/// each curve the chosen law and breaks, its error on the fitted and the held-out points and that of the forecast, and the forecast with its 80 % interval of a
/// measurement at 2 and 10 times the last fitted x (the larger of the two). A parameter of the same law and breaks differs where
/// it also moved by more than its standard error, the larger of the two; where neither is known, by the tolerance alone.
/// </para>
/// <para>Versions of the engine, devices and seconds are no differences: the same results by another version are the same.</para>
/// </remarks>
public sealed class ReportComparison
{
    private const double Level = .8;

    private readonly SavedReport _a, _b;
    private readonly double _tolerance;
    private readonly ImmutableArray<Difference> _run;
    private readonly ImmutableArray<(string Name, ImmutableArray<Difference> Differences)> _curves;
    private readonly ImmutableArray<string> _onlyA, _onlyB;

    private ReportComparison(SavedReport a, SavedReport b, double tolerance, IProgress<FitProgress>? progress)
    {
        (_a, _b, _tolerance) = (a, b, tolerance);
        _run = [.. Options(a, b)];
        Dictionary<string, SavedCurve> first = ByName(a), second = ByName(b);
        _onlyA = [.. first.Keys.Where(name => !second.ContainsKey(name)).Order(StringComparer.Ordinal)];
        _onlyB = [.. second.Keys.Where(name => !first.ContainsKey(name)).Order(StringComparer.Ordinal)];
        string[] both = [.. first.Keys.Where(second.ContainsKey).Order(StringComparer.Ordinal)];
        int done = 0;
        _curves =
        [
            .. both.AsParallel().AsOrdered().Select(name =>
            {
                ImmutableArray<Difference> differences = [.. Of(first[name], second[name])];
                progress?.Report(new("compare", Interlocked.Increment(ref done), both.Length));
                return (name, differences);
            }),
        ];
        int withoutPoints = both.Count(name => first[name].FitPoints is null || second[name].FitPoints is null);
        if (withoutPoints > 0) Notes = [$"{Readable.Count(withoutPoints, "curve")} without points in one of the reports, which an older version made: their points are not compared."];

        static Dictionary<string, SavedCurve> ByName(SavedReport report) => report.Curves.DistinctBy(curve => curve.Name, StringComparer.Ordinal).ToDictionary(curve => curve.Name, StringComparer.Ordinal);
    }

    /// <summary>Compares two reports.</summary>
    /// <param name="a">One of them; what is written calls it A.</param>
    /// <param name="b">The other, B.</param>
    /// <param name="tolerance">Relative difference of numbers up to which they are the same. ≥ 0 and finite.</param>
    /// <param name="progress">Told how far it is, from any thread.</param>
    public static ReportComparison Of(SavedReport a, SavedReport b, double tolerance, IProgress<FitProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (!(tolerance >= 0) || !double.IsFinite(tolerance)) throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "expected a finite number of at least 0");
        return new(a, b, tolerance, progress);
    }

    /// <summary>The formats of <see cref="Write"/>, the terminal's first.</summary>
    public static ImmutableArray<string> Formats { get; } = ["table", "markdown", "json"];

    /// <summary>Whether anything differs.</summary>
    public bool Differs => !_run.IsEmpty || !_onlyA.IsEmpty || !_onlyB.IsEmpty || _curves.Any(curve => !curve.Differences.IsEmpty);

    /// <summary>What could not be compared, as sentences.</summary>
    public ImmutableArray<string> Notes { get; } = [];

    /// <summary>Writes what differs.</summary>
    /// <param name="format">One of <see cref="Formats"/>.</param>
    /// <param name="output">Where to; it is not closed. Lines end in \n.</param>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    public void Write(string format, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        switch (format)
        {
            case "table": WriteText(output, isMarkdown: false); break;
            case "markdown": WriteText(output, isMarkdown: true); break;
            case "json": WriteJson(output); break;
            default: throw new ArgumentException($"Format is '{format}'. Choose one of: {string.Join(", ", Formats)}.", nameof(format));
        }
    }

    // ---- what differs ----

    /// <summary>One thing that differs.</summary>
    /// <param name="What">Its name, as in JSON.</param>
    /// <param name="Label">Its name for a person.</param>
    /// <param name="A">What A has.</param>
    /// <param name="B">What B has.</param>
    /// <param name="Change">How they differ, where there is more to say.</param>
    private sealed record Difference(string What, string Label, Side A, Side B, string Change = "");

    /// <summary>What one report has: a text, or a number that a person reads as that text.</summary>
    private readonly record struct Side(string Text, double? Number = null, double[]? Interval = null)
    {
        public static implicit operator Side(string text) => new(text);
    }

    private static IEnumerable<Difference> Options(SavedReport a, SavedReport b)
    {
        foreach (string name in a.Options.Keys.Union(b.Options.Keys).Order(StringComparer.Ordinal))
        {
            string left = a.Options.GetValueOrDefault(name, "-"), right = b.Options.GetValueOrDefault(name, "-");
            if (left != right) yield return new(name, name, left.Trim('"'), right.Trim('"'));
        }
    }

    private IEnumerable<Difference> Of(SavedCurve a, SavedCurve b)
    {
        if (Points(a, b) is { } points) yield return points;
        SavedFit? left = a.Chosen < 0 ? null : a.Fits[a.Chosen], right = b.Chosen < 0 ? null : b.Fits[b.Chosen];
        bool same = left is not null && right is not null && left.Law == right.Law && left.Breaks == right.Breaks;
        if (!same && (left ?? right) is not null) yield return new("chosen", "chosen", Title(left), Title(right));
        if (left is not null && right is not null)
        {
            bool log = !double.IsNaN(left.Rmsle.Fit) && !double.IsNaN(right.Rmsle.Fit);
            if (Number(log ? "rmsleFit" : "rmseFit", log ? "RMSLE fit" : "RMSE fit", log ? left.Rmsle.Fit : left.Rmse.Fit, log ? right.Rmsle.Fit : right.Rmse.Fit) is { } fit) yield return fit;
            if (Number(log ? "rmsleHeldOut" : "rmseHeldOut", log ? "RMSLE held out" : "RMSE held out", log ? left.Rmsle.HeldOut : left.Rmse.HeldOut, log ? right.Rmsle.HeldOut : right.Rmse.HeldOut) is { } heldOut) yield return heldOut;
        }

        if (a.HeldOutPoints is { } scoredA && b.HeldOutPoints is { } scoredB && Number("rmsleHeldOutForecast", "RMSLE held out, forecast", Score(a.Forecast, scoredA), Score(b.Forecast, scoredB)) is { } forecast) yield return forecast;
        if (same)
            foreach (Difference parameter in Parameters(left!, right!)) yield return parameter;
        foreach (Difference ahead in Forecasts(a.Forecast, b.Forecast)) yield return ahead;

        static string Title(SavedFit? fit) => fit is null ? "no fit" : fit.Breaks == 0 && fit.Law != "bnsl" ? fit.Law : $"{fit.Law}, {Readable.Count(fit.Breaks, "break")}";

        static double Score(Forecast? forecast, Points heldOut) => forecast is null ? double.NaN : FormScore.Of(forecast.Predict(heldOut.X), heldOut).Rmsle;
    }

    /// <summary>Null where they are the same.</summary>
    private Difference? Number(string what, string label, double a, double b) =>
        IsFar(a, b) ? new(what, label, Of(a), Of(b), Times(a, b)) : null;

    private bool IsFar(double a, double b) =>
        double.IsNaN(a) || double.IsNaN(b) ? double.IsNaN(a) != double.IsNaN(b) : !a.Equals(b) && (double.IsInfinity(a) || double.IsInfinity(b) || Math.Abs(a - b) > _tolerance * Math.Max(Math.Abs(a), Math.Abs(b)));

    private static Side Of(double value) => new(Readable.Number(value, 4), value);

    /// <summary>"times 1.034"; nothing where there is no ratio.</summary>
    private static string Times(double a, double b)
    {
        double ratio = b / a;
        return double.IsFinite(ratio) && ratio > 0 ? $"times {Readable.Number(ratio, Math.Abs(ratio - 1) < .01 ? 6 : 4)}" : "";
    }

    private IEnumerable<Difference> Parameters(SavedFit a, SavedFit b)
    {
        foreach ((Parameter left, Parameter right) in a.Parameters.Zip(b.Parameters))
        {
            // b is exp(logB): one of them says it, and b leaves the range of doubles.
            bool finite = a.Parameters.Concat(b.Parameters).Where(parameter => parameter.Name == "b").All(parameter => double.IsFinite(parameter.Values[0]));
            bool hasB = a.Parameters.Any(parameter => parameter.Name == "b");
            if (hasB && left.Name == (finite ? "logB" : "b")) continue;
            for (int i = 0; i < left.Values.Length; i++)
            {
                double from = left.Values[i], to = right.Values[i], errorA = Error(a, left.Name, i), errorB = Error(b, left.Name, i), most = Math.Max(Known(errorA), Known(errorB));
                if (!IsFar(from, to) || Math.Abs(to - from) <= most) continue;
                string name = left.IsVector ? $"{left.Name}{i + 1}" : left.Name;
                string change = most > 0 ? $"{(to > from ? "+" : "-")}{Readable.Number(Math.Abs(to - from) / most, 2)} standard errors" : "standard error not known";
                yield return new($"parameters.{name}", name, Beside(from, errorA), Beside(to, errorB), change);
            }
        }

        static double Known(double error) => double.IsNaN(error) ? 0 : error;

        static Side Beside(double value, double error) => new($"{Readable.Number(value, error)} ± {(double.IsNaN(error) ? "?" : Readable.Number(error, 2))}", value);

        static double Error(SavedFit fit, string name, int i) =>
            fit.StandardErrors.FirstOrDefault(errors => errors.Name == name) is { } found && i < found.Values.Length ? found.Values[i] : double.NaN;
    }

    private IEnumerable<Difference> Forecasts(Forecast? a, Forecast? b)
    {
        if (a is null || b is null)
        {
            if (a != b) yield return new("forecast", "forecast", a is null ? "none" : "there", b is null ? "none" : "there");
            yield break;
        }

        double[] x = [.. Forecast.Ahead.Select(times => times * Math.Max(a.LastX, b.LastX))], fromA = a.Predict(x), fromB = b.Predict(x);
        (double[] Lower, double[] Upper) aroundA = a.Interval(x, Level), aroundB = b.Interval(x, Level);
        for (int i = 0; i < x.Length; i++)
        {
            if (!IsFar(fromA[i], fromB[i]) && !IsFar(aroundA.Lower[i], aroundB.Lower[i]) && !IsFar(aroundA.Upper[i], aroundB.Upper[i])) continue;
            bool aIn = fromA[i] >= aroundB.Lower[i] && fromA[i] <= aroundB.Upper[i], bIn = fromB[i] >= aroundA.Lower[i] && fromB[i] <= aroundA.Upper[i];
            string within = aIn && bIn ? "each within the other's 80 % interval" : bIn ? "B within A's 80 % interval, A not within B's" : aIn ? "A within B's 80 % interval, B not within A's" : "neither within the other's 80 % interval";
            string times = Times(fromA[i], fromB[i]);
            yield return new($"forecast.{x[i].ToString("R", CultureInfo.InvariantCulture)}", $"forecast at {Readable.Number(x[i], 4)}", Around(fromA[i], aroundA, i), Around(fromB[i], aroundB, i), times.Length == 0 ? within : $"{times}; {within}");
        }

        static Side Around(double y, (double[] Lower, double[] Upper) ends, int i) =>
            new(double.IsNaN(ends.Lower[i]) ? Readable.Number(y, 4) : $"{Readable.Number(y, 4)} [{Readable.Number(ends.Lower[i], 4)} to {Readable.Number(ends.Upper[i], 4)}]", y, [ends.Lower[i], ends.Upper[i]]);
    }

    // ---- points ----

    /// <summary>A point as it is compared: x of every input, y, and how much it counts.</summary>
    private readonly record struct Point(string X, double Y, double Weight, bool IsHeldOut);

    private static Difference? Points(SavedCurve a, SavedCurve b)
    {
        if (a is not { FitPoints: { } fitA, HeldOutPoints: { } heldOutA } || b is not { FitPoints: { } fitB, HeldOutPoints: { } heldOutB }) return null;
        Dictionary<Point, int> surplus = [];
        Count(fitA, heldOutA, 1);
        Count(fitB, heldOutB, -1);
        List<Point> gone = [], come = [];
        foreach ((Point point, int count) in surplus)
            for (int i = 0; i < Math.Abs(count); i++) (count > 0 ? gone : come).Add(point);
        if (gone.Count + come.Count == 0) return null;
        // What is gone and has come is paired, the likest first: of the same values elsewhere in the split, then at the same x with another y.
        int moved = Pair(point => point with { IsHeldOut = false }), changed = Pair(point => point with { Y = 0, Weight = 0 });
        (int Count, string Verb)[] parts = [(come.Count, "added"), (gone.Count, "removed"), (changed, "changed"), (moved, "moved between fitted and held out")];
        string change = string.Join(", ", parts.Where(part => part.Count > 0).Select(part => $"{part.Count} {part.Verb}"));
        return new("points", "points", $"{fitA.Count} + {heldOutA.Count}", $"{fitB.Count} + {heldOutB.Count}", change);

        void Count(Points fit, Points heldOut, int sign)
        {
            foreach (Points points in (Points[])[fit, heldOut])
            {
                ReadOnlySpan<double> weights = points.Weights.Length > 0 ? points.Weights : points.Sigmas;
                for (int i = 0; i < points.Count; i++)
                {
                    Point point = new(string.Join('/', points.At(i).ToArray().Select(x => x.ToString("R", CultureInfo.InvariantCulture))), points.Y[i], weights.Length > 0 ? weights[i] : 1, points == heldOut);
                    surplus[point] = surplus.GetValueOrDefault(point) + sign;
                }
            }
        }

        int Pair(Func<Point, Point> alike)
        {
            var waiting = come.GroupBy(alike).ToDictionary(group => group.Key, group => new Stack<Point>(group));
            List<Point> left = [];
            int pairs = 0;
            foreach (Point point in gone)
            {
                if (waiting.TryGetValue(alike(point), out Stack<Point>? partners) && partners.TryPop(out _)) pairs++;
                else left.Add(point);
            }

            gone = left;
            come = [.. waiting.Values.SelectMany(rest => rest)];
            return pairs;
        }
    }

    // ---- how it is written ----

    private void WriteText(TextWriter output, bool isMarkdown)
    {
        foreach ((string name, SavedReport report) in ((string, SavedReport)[])[("A", _a), ("B", _b)])
        {
            string made = report.Version.Length == 0 ? "" : $" (version {report.Version}, {report.Device})";
            string line = $"{name}: {report.Source}{made}; {Readable.Count(report.Curves.Length, "curve")}";
            Line(isMarkdown ? $"- {MarkdownFormat.Escaped(line)}" : line);
        }

        if (!isMarkdown) Line("");
        if (!_run.IsEmpty) Table("option", [.. _run.Select(difference => (difference.Label, difference))], isMarkdown, output);
        (string, Difference)[] rows = [.. _curves.SelectMany(curve => curve.Differences.Select(difference => (curve.Name, difference)))];
        if (rows.Length > 0) Table("curve", rows, isMarkdown, output);
        Only("A", _onlyA);
        Only("B", _onlyB);
        int changed = _curves.Count(curve => !curve.Differences.IsEmpty);
        string tolerance = _tolerance.ToString("g6", CultureInfo.InvariantCulture);
        if (isMarkdown) Line("");
        Line(Differs
            ? $"{changed} of {Readable.Count(_curves.Length, "curve")} in both {(changed == 1 ? "differs" : "differ")} (tolerance {tolerance}); {_onlyA.Length} only in A, {_onlyB.Length} only in B{(_run.IsEmpty ? "" : $"; {Readable.Count(_run.Length, "option")} changed")}."
            : $"No difference beyond a tolerance of {tolerance}.");

        void Only(string side, ImmutableArray<string> names)
        {
            if (isMarkdown && !names.IsEmpty) Line("");
            foreach (string name in names) Line(isMarkdown ? $"- only in {side}: {MarkdownFormat.Escaped(name)}" : $"only in {side}: {name}");
            if (!isMarkdown && !names.IsEmpty) Line("");
        }

        void Line(string text) => output.Write(CurveText.WithoutControls(text) + "\n");
    }

    private static void Table(string of, (string Name, Difference Difference)[] rows, bool isMarkdown, TextWriter output)
    {
        bool isRun = of == "option";
        if (isMarkdown)
        {
            string[] titles = isRun ? [of, "A", "B"] : [of, "what", "A", "B", "change"];
            MarkdownFormat.Header(output, titles, words: titles.Length);
            foreach ((string name, Difference one) in rows)
            {
                string[] sides = [MarkdownFormat.Escaped(one.A.Text), MarkdownFormat.Escaped(one.B.Text)];
                MarkdownFormat.Row(output, isRun ? [MarkdownFormat.Escaped(name), .. sides] : [MarkdownFormat.Escaped(name), MarkdownFormat.Escaped(one.Label), .. sides, MarkdownFormat.Escaped(one.Change)]);
            }
        }
        else
        {
            var columns = new TableFormat.Columns();
            columns.Left(of, rows.Select((row, i) => i > 0 && rows[i - 1].Name == row.Name ? "" : Readable.Shorten(row.Name, 36)), gap: 0);
            if (!isRun) columns.Left("what", rows.Select(row => row.Difference.Label));
            columns.Left("A", rows.Select(row => row.Difference.A.Text));
            columns.Left("B", rows.Select(row => row.Difference.B.Text));
            if (!isRun) columns.Left("change", rows.Select(row => row.Difference.Change));
            foreach (string line in columns.Lines()) output.Write(CurveText.WithoutControls(line.TrimEnd()) + "\n");
            output.Write('\n');
        }
    }

    private void WriteJson(TextWriter output)
    {
        using var utf8 = new MemoryStream();
        using (var json = new Utf8JsonWriter(utf8, JsonFormat.s_options))
        {
            json.WriteStartObject();
            foreach ((string name, SavedReport report) in ((string, SavedReport)[])[("a", _a), ("b", _b)])
            {
                json.WriteStartObject(name);
                json.WriteString("source", report.Source);
                json.WriteString("version", report.Version);
                json.WriteString("device", report.Device);
                json.WriteNumber("curves", report.Curves.Length);
                json.WriteEndObject();
            }

            json.WriteNumber("tolerance", _tolerance);
            json.WriteBoolean("differs", Differs);
            Differences("options", _run);
            JsonFormat.WriteTexts(json, "onlyInA", _onlyA);
            JsonFormat.WriteTexts(json, "onlyInB", _onlyB);
            json.WriteStartArray("curves");
            foreach ((string name, ImmutableArray<Difference> differences) in _curves.Where(curve => !curve.Differences.IsEmpty))
            {
                json.WriteStartObject();
                json.WriteString("curve", name);
                Differences("differences", differences);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();

            void Differences(string name, ImmutableArray<Difference> differences)
            {
                json.WriteStartArray(name);
                foreach (Difference one in differences)
                {
                    json.WriteStartObject();
                    json.WriteString("what", one.What);
                    Write("a", one.A);
                    Write("b", one.B);
                    if (one.Change.Length > 0) json.WriteString("change", one.Change);
                    json.WriteEndObject();
                }

                json.WriteEndArray();
            }

            void Write(string name, Side side)
            {
                if (side.Number is { } number) JsonFormat.WriteNumber(json, name, number);
                else json.WriteString(name, side.Text);
                if (side.Interval is not [var lower, var upper]) return;
                JsonFormat.WriteNumber(json, name + "Lower80", lower);
                JsonFormat.WriteNumber(json, name + "Upper80", upper);
            }
        }

        output.Write(Encoding.UTF8.GetString(utf8.GetBuffer().AsSpan(0, (int)utf8.Length)));
        output.Write('\n');
    }
}
