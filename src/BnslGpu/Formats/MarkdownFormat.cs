using System.Collections.Immutable;
using System.Globalization;
using System.Text;

namespace BnslGpu.Formats;

/// <summary>For an issue, a pull request or the draft of a paper: tables of GitHub's Markdown, which pandoc reads too.</summary>
/// <remarks>
/// Up to three curves are told in full; of more, each gets a row. Names and sentences are escaped: none of them makes markup, a link, or a mention
/// of somebody. No time is written, so that the same report gives the same text on every machine.
/// </remarks>
public sealed class MarkdownFormat : ITextFormat
{
    private const int MostInFull = 3;

    /// <inheritdoc/>
    public string Name => "markdown";

    /// <inheritdoc/>
    public string Description => "Tables to paste into an issue or a draft.";

    /// <inheritdoc/>
    public string FileExtension => ".md";

    /// <inheritdoc/>
    public void Write(FitReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        FitOptions options = report.Options;
        output.Write($"# {Readable.Count(report.Curves.Length, "curve")} fitted\n\n");
        output.Write($"bnsl {FitReport.Version}: law {string.Join(", ", options.Laws.Select(Escaped))}, breaks {string.Join(", ", options.Breaks)}, loss {options.Loss}, recipe {options.Recipe}, seed {options.Seed}.\n");
        foreach (string remark in report.Remarks) output.Write($"{Escaped(remark)}\n");
        if (report.Curves.Length <= MostInFull)
            foreach (CurveFit curve in report.Curves) InFull(curve, output);
        else InBrief(report, output);
    }

    private static void InFull(CurveFit curve, TextWriter output)
    {
        Curve data = curve.Curve;
        output.Write($"\n## {Escaped(data.Name)}\n\n{TableFormat.PointsSentence(curve)}.\n");
        if (!curve.Fits.IsEmpty) Fits(curve, output);
        if (curve.Forecast is { } forecast) Places(forecast, data.HeldOut, output);
        if (curve.Chosen >= 0) Parameters(curve.Fits[curve.Chosen], output);
        List(curve.Sentences, "", output);
        List(TableFormat.Warnings(curve), "**!** ", output);
    }

    private static void Fits(CurveFit curve, TextWriter output)
    {
        bool log = curve.Fits.All(fit => ScalingLaw.Get(fit.Law, fit.Breaks).IsPositive), heldOut = curve.Curve.HeldOut.Count > 0;
        string error = log ? "RMSLE" : "RMSE";
        Header(output, ["law", .. heldOut ? (string[])[$"{error} fit", $"{error} held out"] : [$"{error} fit"], "AICc", "BIC", "starts at minimum", "ended by"], words: 1, wordsAtEnd: 1);
        for (int i = 0; i < curve.Fits.Length; i++)
        {
            Fit fit = curve.Fits[i];
            string title = Escaped(Readable.Title(fit));
            double missed = log ? fit.Rmsle.HeldOut : fit.Rmse.HeldOut;
            Row(output,
            [
                i == curve.Chosen ? $"**{title}** (chosen)" : title,
                Number(log ? fit.Rmsle.Fit : fit.Rmse.Fit),
                .. heldOut ? (string[])[Number(missed) + (log && !double.IsNaN(fit.Rmsle.HeldOutError) ? $" ± {Readable.Number(fit.Rmsle.HeldOutError, 2)}" : "")] : [],
                Criterion(fit.Aicc),
                Criterion(fit.Bic),
                $"{fit.StartsAtMinimum} of {fit.Starts}",
                fit.Termination.ToString(),
            ]);
        }

        static string Criterion(double value) => double.IsFinite(value) ? value.ToString("F1", CultureInfo.InvariantCulture) : Number(value);
    }

    private static void Places(Forecast forecast, Points heldOut, TextWriter output)
    {
        FormScore score = FormScore.Of(forecast.Predict(heldOut.X), heldOut);
        string error = double.IsNaN(score.Rmsle) ? "" : $", RMSLE held out {Number(score.Rmsle)}{(heldOut.Count > 1 ? $" ± {Readable.Number(score.Error, 2)}" : "")}";
        output.Write($"\nForecast{error}; y of a measurement and its intervals:\n");
        (double X, string Note)[] places = TableFormat.PlacesAhead(forecast, heldOut);
        double[] x = [.. places.Select(place => place.X)], y = forecast.Predict(x);
        (double[] Lower, double[] Upper)[] intervals = [.. Forecast.Levels.Select(level => forecast.Interval(x, level))];
        Header(output, ["x", "", "y", .. Forecast.Levels.Select(level => $"{(100 * level).ToString("0", CultureInfo.InvariantCulture)} %")]);
        for (int i = 0; i < x.Length; i++)
        {
            int at = i;
            Row(output, [Number(x[i]), places[i].Note, Number(y[i]), .. intervals.Select(ends => Interval(ends.Lower[at], ends.Upper[at]))]);
        }
    }

    private static void Parameters(Fit fit, TextWriter output)
    {
        output.Write($"\nParameters of {Escaped(Readable.Title(fit))} and their standard errors:\n");
        Header(output, ["parameter", "value", "±"]);
        foreach (Parameter parameter in TableFormat.Shown(fit))
        {
            for (int i = 0; i < parameter.Values.Length; i++)
            {
                double error = TableFormat.StandardError(fit, parameter, i);
                Row(output, [Escaped(parameter.IsVector ? $"{parameter.Name}{i + 1}" : parameter.Name), Readable.Number(parameter.Values[i], error), double.IsNaN(error) ? "?" : Readable.Number(error, 2)]);
            }
        }

        if (!fit.Law.StartsWith("bnsl", StringComparison.Ordinal)) return;
        output.Write("\n```\n");
        foreach (string line in TableFormat.Formula(fit)) output.Write($"{line.TrimStart()}\n");
        output.Write("```\n");
    }

    private static void InBrief(FitReport report, TextWriter output)
    {
        bool heldOut = report.Curves.Any(curve => curve.Curve.HeldOut.Count > 0), forecasts = report.Curves.Any(curve => curve.Forecast is not null);
        Header(output,
        [
            "curve", "points", "chosen", "RMSLE fit",
            .. heldOut ? (string[])["RMSLE held out"] : [],
            .. heldOut && forecasts ? (string[])["forecast's"] : [],
            .. forecasts ? Forecast.Ahead.Select(times => $"y at {times.ToString("0", CultureInfo.InvariantCulture)} x [80 %]") : [],
        ]);
        foreach ((_, string[] row) in Ahead.OfEach(report, Brief)) Row(output, row);
        if (forecasts) output.Write($"\ny at 2 x and 10 x: the forecast at so many times the last fitted x, and the 80 % interval of a measurement there.\n");
        (string Name, ImmutableArray<string> Sentences)[] warned = [.. report.Curves.Select(curve => (curve.Curve.Name, TableFormat.Warnings(curve))).Where(one => !one.Item2.IsEmpty)];
        List([.. warned.SelectMany(one => one.Sentences.Select(sentence => $"{one.Name}: {sentence}"))], "**!** ", output);

        string[] Brief(CurveFit curve)
        {
            Points scored = curve.Curve.HeldOut;
            Fit? fit = curve.Chosen < 0 ? null : curve.Fits[curve.Chosen];
            double[] x = curve.Forecast is null ? [] : [.. Forecast.Ahead.Select(times => times * curve.Forecast.LastX)], y = curve.Forecast?.Predict(x) ?? [];
            (double[] lower, double[] upper) = curve.Forecast?.Interval(x, .8) ?? ([], []);
            return
            [
                Escaped(curve.Curve.Name),
                scored.Count > 0 ? $"{curve.Curve.Fit.Count} + {scored.Count}" : Invariant(curve.Curve.Fit.Count),
                fit is null ? "no fit" : Escaped(Readable.Title(fit)),
                fit is null ? "" : Number(fit.Rmsle.Fit),
                .. heldOut ? (string[])[fit is null ? "" : Number(fit.Rmsle.HeldOut)] : [],
                .. heldOut && forecasts ? (string[])[curve.Forecast is null ? "" : Number(FormScore.Of(curve.Forecast.Predict(scored.X), scored).Rmsle)] : [],
                .. forecasts ? Forecast.Ahead.Select((_, i) => y.Length == 0 ? "" : $"{Number(y[i])} [{Interval(lower[i], upper[i])}]") : [],
            ];
        }
    }

    // ---- parts ----

    /// <summary>Starts a table: words to the left, numbers to the right.</summary>
    internal static void Header(TextWriter output, string[] titles, int words = 1, int wordsAtEnd = 0)
    {
        output.Write('\n');
        Row(output, titles);
        Row(output, [.. titles.Select((_, i) => i < words || i >= titles.Length - wordsAtEnd ? "---" : "---:")]);
    }

    /// <summary>A row of a table; what is not ours must be <see cref="Escaped"/>.</summary>
    internal static void Row(TextWriter output, string[] cells) => output.Write($"| {string.Join(" | ", cells)} |\n");

    private static void List(ImmutableArray<string> sentences, string mark, TextWriter output)
    {
        if (!sentences.IsEmpty) output.Write('\n');
        foreach (string sentence in sentences) output.Write($"- {mark}{Escaped(sentence)}\n");
    }

    private static string Interval(double lower, double upper) => double.IsNaN(lower) ? "-" : $"{Number(lower)} to {Number(upper)}";

    private static string Number(double value) => Readable.Number(value, 4);

    private static string Invariant(int count) => count.ToString(CultureInfo.InvariantCulture);

    /// <summary>Text that Markdown shows as it is: no emphasis, no link, no cell of its own, no formula, nobody who is mentioned.</summary>
    internal static string Escaped(string text)
    {
        text = CurveText.WithoutControls(text.Replace('\r', ' ').Replace('\n', ' '));
        var escaped = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool within = i > 0 && i < text.Length - 1 && char.IsLetterOrDigit(text[i - 1]) && char.IsLetterOrDigit(text[i + 1]);
            if (c == '@') escaped.Append("&#64;"); // a mention works in spite of a backslash
            else if (c == '&') escaped.Append("&amp;");
            else if (c == '_' && within) escaped.Append(c); // as in val_loss: no emphasis within a word
            else if ((c == ':' && text.AsSpan(i + 1).StartsWith("//")) || (c == '.' && text.AsSpan(0, i).EndsWith("www", StringComparison.OrdinalIgnoreCase))) escaped.Append('\\').Append(c); // a bare address would be a link
            else escaped.Append("\\`*_{}[]<>#|~$".Contains(c, StringComparison.Ordinal) ? "\\" : "").Append(c);
        }

        return escaped.ToString();
    }
}
