using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu.Formats;

/// <summary>One row a fit, as RFC 4180 has it but with \n: for pandas, R and spreadsheets.</summary>
/// <remarks>
/// <para>Doubles have the fewest digits that read back to the same bits; what is not finite is nan, inf or -inf, which pandas reads.
/// A field that does not apply is empty, and a curve without a fit has one row with its name and points, so that no curve disappears.</para>
/// <para>What the forecast says stands in the row of the chosen fit: forecast_2x is y at twice the last fitted x, forecast_2x_lower_80 the lower end of the
/// 80 % interval of a measurement there.</para>
/// <para>Parameters come last, in the order in which the report's laws name them: one column each (logB is log_b), and for one value a
/// break as many columns as the most breaks need (c is c1, c2, …).</para>
/// <para>A spreadsheet runs a field that starts with = + - @ (or their wide forms, or a tab) as a formula, quoted or not (OWASP, CSV injection). A curve's name
/// that starts so and is not a number gets an apostrophe in front, which spreadsheets take as "this is text"; JSON has every name as it is.</para>
/// </remarks>
public sealed class CsvFormat : ITextFormat
{
    private static readonly ImmutableArray<double> s_levels = [.. Forecast.Levels.TakeLast(2)];

    private static readonly string[] s_columns =
    [
        "curve", "law", "breaks", "chosen", "loss", "points_fit", "points_held_out", "objective", "rmsle_fit", "rmsle_held_out",
        "rmsle_held_out_error", "aicc", "bic", "termination", "gradient_norm", "starts", "starts_at_minimum",
    ];

    // In the row of the chosen fit: the forecast's errors, and its y with intervals of a measurement at so many times the last fitted x.
    private static readonly string[] s_forecast =
    [
        "forecast_rmsle_held_out", "forecast_rmsle_held_out_error",
        .. Forecast.Ahead.SelectMany(times => (string[])[$"forecast_{times:0}x", .. s_levels.SelectMany(level => (string[])[$"forecast_{times:0}x_lower_{100 * level:0}", $"forecast_{times:0}x_upper_{100 * level:0}"])]),
    ];

    private static readonly SearchValues<char> s_mustBeQuoted = SearchValues.Create(",;\t\"\r\n");

    /// <inheritdoc/>
    public string Name => "csv";

    /// <inheritdoc/>
    public string Description => "One row a fit, for pandas, R and spreadsheets.";

    /// <inheritdoc/>
    public string FileExtension => ".csv";

    /// <inheritdoc/>
    public void Write(FitReport report, TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        ImmutableArray<string> parameters = ParameterColumns(report);
        WriteRow(output, [.. s_columns, .. s_forecast, .. parameters]);
        foreach (CurveFit curve in report.Curves)
        {
            for (int i = 0; i < curve.Fits.Length; i++)
            {
                Fit fit = curve.Fits[i];
                ILookup<string, double> values = fit.Parameters.SelectMany(Cells).ToLookup(cell => cell.Column, cell => cell.Value);
                WriteRow(output,
                [
                    Unarmed(curve.Curve.Name),
                    fit.Law,
                    Number(fit.Breaks),
                    i == curve.Chosen ? "true" : "false",
                    fit.Loss,
                    Number(curve.Curve.Fit.Count),
                    Number(curve.Curve.HeldOut.Count),
                    Number(fit.Objective),
                    Number(fit.Rmsle.Fit),
                    Number(fit.Rmsle.HeldOut),
                    Number(fit.Rmsle.HeldOutError),
                    Number(fit.Aicc),
                    Number(fit.Bic),
                    fit.Termination.ToString(),
                    Number(fit.GradientNorm),
                    Number(fit.Starts),
                    Number(fit.StartsAtMinimum),
                    .. i == curve.Chosen && curve.Forecast is not null ? ForecastCells(curve.Forecast, curve.Curve.HeldOut) : s_forecast.Select(_ => ""),
                    .. parameters.Select(column => values.Contains(column) ? Number(values[column].First()) : ""),
                ]);
            }

            if (curve.Fits.IsEmpty)
            {
                string[] row = [.. Enumerable.Repeat("", s_columns.Length + s_forecast.Length + parameters.Length)];
                row[0] = Unarmed(curve.Curve.Name);
                row[Array.IndexOf(s_columns, "points_fit")] = Number(curve.Curve.Fit.Count);
                row[Array.IndexOf(s_columns, "points_held_out")] = Number(curve.Curve.HeldOut.Count);
                WriteRow(output, row);
            }
        }
    }

    private static IEnumerable<string> ForecastCells(Forecast forecast, Points heldOut)
    {
        FormScore score = FormScore.Of(forecast.Predict(heldOut.X), heldOut);
        double[] x = [.. Forecast.Ahead.Select(times => times * forecast.LastX)], y = forecast.Predict(x);
        (double[] Lower, double[] Upper)[] intervals = [.. s_levels.Select(level => forecast.Interval(x, level))];
        return ((double[])[score.Rmsle, score.Error, .. y.SelectMany((value, i) => (double[])[value, .. intervals.SelectMany(interval => (double[])[interval.Lower[i], interval.Upper[i]])])]).Select(Number);
    }

    /// <summary>Every column that some fit has a value for: parameters in order of appearance, the values of one side by side.</summary>
    internal static ImmutableArray<string> ParameterColumns(FitReport report) =>
    [
        .. report.Curves.SelectMany(curve => curve.Fits).SelectMany(fit => fit.Parameters)
            .GroupBy(parameter => parameter.Name) // groups stand in order of their first member
            .SelectMany(group => Cells(group.MaxBy(parameter => parameter.Values.Length)!))
            .Select(cell => cell.Column)
            .Distinct(),
    ];

    internal static IEnumerable<(string Column, double Value)> Cells(Parameter parameter) =>
        parameter.Values.Select((value, i) => (parameter.IsVector ? $"{Snake(parameter.Name)}{i + 1}" : Snake(parameter.Name), value));

    /// <summary>logB is log_b.</summary>
    private static string Snake(string name) =>
        string.Concat(name.Select((letter, i) => (i > 0 && char.IsUpper(letter) ? "_" : "") + char.ToLowerInvariant(letter)));

    /// <summary>A text as a field that no spreadsheet runs as a formula; not yet quoted.</summary>
    /// <returns>The text, with an apostrophe in front of one that starts as a formula does and is not a number.</returns>
    public static string Unarmed(string text) =>
        text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠'
        && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
            ? "'" + text
            : text;

    internal static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Number(double value) =>
        double.IsNaN(value) ? "nan"
        : double.IsPositiveInfinity(value) ? "inf"
        : double.IsNegativeInfinity(value) ? "-inf"
        : value.ToString("R", CultureInfo.InvariantCulture);

    internal static void WriteRow(TextWriter output, string[] fields)
    {
        for (int i = 0; i < fields.Length; i++)
        {
            if (i > 0) output.Write(',');
            bool quoted = fields[i].AsSpan().ContainsAny(s_mustBeQuoted);
            output.Write(quoted ? $"\"{fields[i].Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : fields[i]);
        }

        output.Write('\n');
    }
}
