using System.Collections.Immutable;
using System.Text.Json;

namespace BnslGpu.Formats;

/// <summary>What a page needs of one curve: the points it draws, every fit and the forecast along one grid of x, and the numbers beside them.</summary>
/// <remarks>Laws are sampled here and not evaluated in the browser, so that a page can draw any law there is.</remarks>
internal sealed class HtmlCurve
{
    /// <summary>Steps of the grid, and how many of them lie between two at which intervals are taken: they are smoother than the laws.</summary>
    private const int Steps = 120, StepsOfInterval = 4;

    /// <summary>More points than this are thinned: to the first, the last, and the least, the median and the largest y in each of so many steps of x.</summary>
    private const int MostPoints = 1200, StepsOfThinned = 400;

    private readonly CurveFit _curve;
    private readonly RivalFit[] _rivals;
    private readonly Fit? _chosen;
    private readonly Forecast? _forecast;
    private readonly bool _againstFitted, _logX, _logY;

    public HtmlCurve(CurveFit curve, IEnumerable<RivalFit> rivals)
    {
        (_curve, _rivals) = (curve, [.. rivals]);
        _chosen = curve.Chosen < 0 ? null : curve.Fits[curve.Chosen];
        _againstFitted = curve.Curve.Fit.Inputs > 1;

        // As SvgPlot has it: an axis is linear where a fitted point has no logarithm, or the law may have none.
        bool positive = _chosen is null || ScalingLaw.Get(_chosen.Law, _chosen.Breaks).IsPositive;
        _logY = positive && !curve.Curve.Fit.Y.ContainsAnyInRange(double.NegativeInfinity, 0);
        _logX = _againstFitted ? _logY : !curve.Curve.Fit.X.ContainsAnyInRange(double.NegativeInfinity, 0);
        _forecast = _againstFitted || !_logX ? null : curve.Forecast;
    }

    public void Write(Utf8JsonWriter json)
    {
        Curve data = _curve.Curve;
        json.WriteStartObject();
        json.WriteString("name", data.Name);
        json.WriteTexts("xNames", data.XNames);
        json.WriteString("yName", data.YName);
        json.WriteStartArray("points");
        json.WriteNumberValue(data.Fit.Count);
        json.WriteNumberValue(data.HeldOut.Count);
        json.WriteNumberValue(data.CopiesDropped);
        json.WriteEndArray();
        json.WriteBoolean("logX", _logX);
        json.WriteBoolean("logY", _logY);
        json.WriteBoolean("againstFitted", _againstFitted);
        if (!_againstFitted || _chosen is not null)
        {
            WritePoints(json, "fit", data.Fit);
            WritePoints(json, "heldOut", data.HeldOut);
        }

        double[] grid = _againstFitted ? [] : Grid();
        if (grid.Length > 0)
        {
            json.WriteNumbers("x", grid);
            if (_forecast is not null) WriteForecast(json, grid);
        }

        WriteScores(json);
        json.WriteNumber("chosen", _curve.Chosen);
        json.WriteStartArray("fits");
        foreach (Fit fit in _curve.Fits) WriteFit(json, Readable.Title(fit), fit, grid);
        foreach (RivalFit rival in _rivals) WriteFit(json, rival.Label, rival.Fit, grid);
        json.WriteEndArray();
        if (_chosen is not null) WriteParameters(json, _chosen);
        json.WriteTexts("warnings", _curve.Warnings.Concat(_chosen?.Warnings ?? []).Distinct());
        json.WriteEndObject();
    }

    // ---- points ----

    private void WritePoints(Utf8JsonWriter json, string name, Points points)
    {
        double[] x = _againstFitted ? _chosen!.Predict(points.X) : points.X.ToArray();
        int[] drawn = Thinned(x, points.Y.ToArray());
        json.WriteStartObject(name);
        json.WriteNumbers("x", drawn.Select(i => x[i]));
        json.WriteNumbers("y", [.. drawn.Select(i => points.Y[i])]);
        if (_againstFitted) json.WriteNumbers("inputs", [.. drawn.SelectMany(i => points.At(i).ToArray())]);
        json.WriteEndObject();
    }

    /// <summary>Indices of the points that are drawn, ascending: all, or some that show where the others are.</summary>
    private int[] Thinned(double[] x, double[] y)
    {
        int[] all = [.. Enumerable.Range(0, x.Length)];
        if (all.Length <= MostPoints) return all;
        int[] placed = [.. all.Where(i => double.IsFinite(Along(x[i])) && double.IsFinite(y[i]))];
        if (placed.Length == 0) return [];
        double low = placed.Min(i => Along(x[i])), high = placed.Max(i => Along(x[i]));
        return
        [
            .. placed.GroupBy(i => high > low ? Math.Min((int)((Along(x[i]) - low) / (high - low) * StepsOfThinned), StepsOfThinned - 1) : 0)
                .Select(step => step.OrderBy(i => y[i]).ToArray())
                .SelectMany(step => (int[])[step[0], step[step.Length / 2], step[^1]])
                .Append(placed[0]).Append(placed[^1])
                .Distinct().Order(),
        ];
    }

    /// <summary>The coordinate in which the x axis is even.</summary>
    private double Along(double x) => _logX ? Math.Log(x) : x;

    private double Back(double along) => _logX ? Math.Exp(along) : along;

    // ---- lines ----

    /// <summary>Even steps over the points and beyond them, and more where a break is narrower than a step. Empty where no point has a place.</summary>
    private double[] Grid()
    {
        Points fit = _curve.Curve.Fit, heldOut = _curve.Curve.HeldOut;
        double[] places = [.. fit.X.ToArray().Concat(heldOut.X.ToArray()).Select(Along).Where(double.IsFinite)];
        if (places.Length == 0) return [];
        (double low, double high) = (places.Min(), places.Max());
        if (high - low < 1e-9 * Math.Max(1, Math.Abs(high))) (low, high) = (low - (_logX ? .1 : Math.Max(Math.Abs(low), 1) * .1), high + (_logX ? .1 : Math.Max(Math.Abs(high), 1) * .1));

        // Where nothing is held out, the forecast is shown over a third of the fitted range.
        (low, high) = (low - (.04 * (high - low)), high + ((heldOut.Count > 0 ? .06 : .33) * (high - low)));
        double step = (high - low) / Steps;
        var grid = Enumerable.Range(0, Steps + 1).Select(i => low + (i * step)).ToList();
        if (_logX)
        {
            foreach (Fit each in _curve.Fits.Concat(_rivals.Select(rival => rival.Fit)))
            {
                foreach ((double d, double f) in Values(each, "d").Zip(Values(each, "f")))
                    if (f < 2 * step) grid.AddRange(((double[])[-4, -2, -1, 0, 1, 2, 4]).Select(k => Math.Log(d) + (k * f)));
            }

            if (_forecast is not null) grid.Add(Math.Log(_forecast.LastX));
        }

        return [.. grid.Where(at => at >= low && at <= high).Order().Select(Back).Distinct()];
    }

    private static ImmutableArray<double> Values(Fit fit, string parameter) =>
        fit.Parameters.FirstOrDefault(other => other.Name == parameter && other.IsVector)?.Values ?? [];

    /// <summary>The forecast along the grid, and its intervals at some places of it: for each level the lower ends, then the upper.</summary>
    private void WriteForecast(Utf8JsonWriter json, double[] grid)
    {
        json.WriteStartObject("forecast");
        json.WriteValue("lastX", _forecast!.LastX);
        json.WriteNumbers("y", _forecast.Predict(grid));
        int[] at = [.. Enumerable.Range(0, grid.Length).Where(i => i % StepsOfInterval == 0 || i == grid.Length - 1 || grid[i].Equals(_forecast.LastX))];
        double[] x = [.. at.Select(i => grid[i])];
        json.WriteNumbers("at", at.Select(i => (double)i));
        foreach (ForecastOf of in Enum.GetValues<ForecastOf>())
        {
            json.WriteStartArray(of == ForecastOf.Measurement ? "measurement" : "curve");
            foreach (double level in Forecast.Levels)
            {
                (double[] lower, double[] upper) = _forecast.Interval(x, level, of);
                json.WriteStartObject();
                json.WriteNumbers("lower", lower, 5);
                json.WriteNumbers("upper", upper, 5);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    // ---- numbers ----

    /// <summary>Errors of the chosen fit, and of the forecast at the held-out points: its RMSLE and how many lie in its 80 % interval.</summary>
    private void WriteScores(Utf8JsonWriter json)
    {
        json.WriteStartObject("scores");
        if (_chosen is not null)
        {
            json.WriteValue("rmsle", _chosen.Rmsle.Fit, 5);
            json.WriteValue("rmsleHeldOut", _chosen.Rmsle.HeldOut, 5);
            json.WriteValue("rmsleHeldOutError", _chosen.Rmsle.HeldOutError, 3);
            json.WriteValue("rmse", _chosen.Rmse.Fit, 5);
            json.WriteValue("rmseHeldOut", _chosen.Rmse.HeldOut, 5);
        }

        (double X, double Y)[] heldOut = [.. _curve.Curve.HeldOut.X.ToArray().Zip(_curve.Curve.HeldOut.Y.ToArray()).Where(point => point.First > 0 && point.Second > 0)];
        if (_forecast is not null && heldOut.Length > 0)
        {
            double[] x = [.. heldOut.Select(point => point.X)], predicted = _forecast.Predict(x);
            (double[] lower, double[] upper) = _forecast.Interval(x, .8);
            double squares = 0;
            int inside = 0, known = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double r = Math.Log(predicted[i]) - Math.Log(heldOut[i].Y);
                squares += r * r;
                if (double.IsNaN(lower[i]) || double.IsNaN(upper[i])) continue;
                known++;
                if (heldOut[i].Y >= lower[i] && heldOut[i].Y <= upper[i]) inside++;
            }

            json.WriteValue("forecast", Math.Sqrt(squares / x.Length), 5);
            json.WriteValue("coverage", (double)inside / known, 4);
        }

        json.WriteEndObject();
    }

    private static void WriteFit(Utf8JsonWriter json, string label, Fit fit, double[] grid)
    {
        json.WriteStartObject();
        json.WriteString("label", label);
        json.WriteNumber("breaks", fit.Breaks);
        if (grid.Length > 0) json.WriteNumbers("y", fit.Predict(grid));
        json.WriteNumbers("d", Values(fit, "d"));
        json.WriteValue("rmsle", fit.Rmsle.Fit, 5);
        json.WriteValue("rmsleHeldOut", fit.Rmsle.HeldOut, 5);
        json.WriteValue("rmse", fit.Rmse.Fit, 5);
        json.WriteValue("rmseHeldOut", fit.Rmse.HeldOut, 5);
        json.WriteValue("aicc", fit.Aicc);
        json.WriteValue("missed", fit.MissedChance, 2);
        if (fit.Termination is Termination.MaxIterations or Termination.NonFinite) json.WriteString("termination", $"{fit.Termination}");
        json.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter json, Fit fit)
    {
        ScalingLaw law = ScalingLaw.Get(fit.Law, fit.Breaks);
        json.WriteString("law", law.Formula);
        if (fit.Law.StartsWith("bnsl", StringComparison.Ordinal)) json.WriteString("formula", string.Join(' ', TableFormat.Formula(fit).Select(line => line.Trim())));
        json.WriteStartArray("parameters");
        foreach (Parameter parameter in TableFormat.Shown(fit))
        {
            json.WriteStartObject();
            json.WriteString("name", parameter.Name);
            json.WriteBoolean("perBreak", parameter.IsVector);
            json.WriteNumbers("values", parameter.Values, 8);
            json.WriteNumbers("errors", fit.StandardErrors.FirstOrDefault(other => other.Name == parameter.Name)?.Values ?? [], 3);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
