using System.Collections.Immutable;
using System.Text;
using BnslGpu.Formats;
using static BnslGpu.SvgPlot;

namespace BnslGpu;

/// <summary>Everything inside the axes of one curve, and the axes.</summary>
internal sealed class SvgPanel
{
    private const double Height = 360, Top = 40, Right = 456, Bottom = 314;
    private const double LabelSize = 10, LegendSize = 9.5, LegendRow = 13.5, LegendKey = 24;

    private const string LegendBox = "fill='#ffffff' fill-opacity='.85' stroke='#cccccc' stroke-width='0.5'";
    private const string SkyBlue = "#56B4E9";
    private const string Blue = "#0072B2", Vermilion = "#D55E00", Black = "#000000";

    // The chosen fit: solid over the points it was fitted to, dashed beyond.
    private const string Solid = $"stroke='{Blue}' stroke-width='1.9'", Beyond = $"stroke='{Blue}' stroke-width='1.7'";

    // Where the forecast goes another way, the chosen fit goes on as dots.
    private const string Dots = $"stroke='{Blue}' stroke-width='1.1' stroke-dasharray='1 2'";

    // The narrower band lies on the wider one and is darker for it.
    private const string Band = $"fill='{SkyBlue}' fill-opacity='.22' stroke='none'";

    // Rivals are thin; no two have the same dashes.
    private static readonly (string Colour, string Dashes)[] s_rivals =
    [
        ("#CC79A7", "1.5 2.5"), ("#009E73", "5 2 1.5 2"), ("#E69F00", "4 3"),
        ("#56B4E9", "8 2 1.5 2 1.5 2"), ("#999999", "10 3"), ("#666666", "3 1.5"),
    ];

    private readonly CurveFit _curve;
    private readonly ImmutableArray<(double X, double Y)> _fitted, _heldOut;
    private readonly ImmutableArray<(double X, double Y)> _off; // not on the envelope
    private readonly Fit? _chosen;
    private readonly Forecast? _forecast;
    private readonly bool _logX, _logY;
    private readonly double _left;
    private readonly Axis _x, _y;

    // A curve of several inputs has no line in x: what is fitted stands in its place.
    private readonly bool _againstFitted;

    /// <summary>The panel of a curve.</summary>
    /// <returns>Null where no point has a place.</returns>
    public static SvgPanel? Of(CurveFit curve)
    {
        Fit? chosen = curve.Chosen < 0 ? null : curve.Fits[curve.Chosen];
        bool againstFitted = curve.Curve.Fit.Inputs > 1;
        if (againstFitted && chosen is null) return null;
        (double X, double Y)[] fitted = Places(curve.Curve.Fit), heldOut = Places(curve.Curve.HeldOut);
        bool positive = chosen is null || ScalingLaw.Get(chosen.Law, chosen.Breaks).IsPositive;
        bool logY = positive && Array.TrueForAll(fitted, point => !(point.Y <= 0)), logX = againstFitted ? logY : Array.TrueForAll(fitted, point => !(point.X <= 0));
        ImmutableArray<(double X, double Y)> fittedShown = [.. fitted.Where(Shown)], heldOutShown = [.. heldOut.Where(Shown)];
        return fittedShown.IsEmpty && heldOutShown.IsEmpty ? null : new(curve, chosen, fittedShown, heldOutShown, logX, logY);

        (double, double)[] Places(Points points)
        {
            double[] x = againstFitted ? chosen!.Predict(points.X) : points.X.ToArray();
            return [.. x.Zip(points.Y.ToArray())];
        }

        bool Shown((double X, double Y) point) => HasPlace(point.X, logX) && HasPlace(point.Y, logY);
    }

    private SvgPanel(
        CurveFit curve, Fit? chosen, ImmutableArray<(double X, double Y)> fitted, ImmutableArray<(double X, double Y)> heldOut, bool logX, bool logY)
    {
        (_curve, _chosen, _fitted, _heldOut, _logX, _logY) = (curve, chosen, fitted, heldOut, logX, logY);
        _off = [.. curve.Curve.OffEnvelope.X.ToArray().Zip(curve.Curve.OffEnvelope.Y.ToArray()).Where(point => HasPlace(point.First, logX) && HasPlace(point.Second, logY))];
        _againstFitted = curve.Curve.Fit.Inputs > 1;
        _forecast = _againstFitted || !logX || !logY ? null : curve.Forecast;
        (double xLow, double xHigh) = Range(fitted.Concat(heldOut).SelectMany(point => _againstFitted ? new[] { point.X, point.Y } : [point.X]), logX);
        double xSpan = xHigh - xLow;
        (xLow, xHigh) = (xLow - .04 * xSpan, xHigh + (_forecast is not null && heldOut.IsEmpty ? .33 : .06) * xSpan);

        (double yLow, double yHigh) = Range(fitted.Concat(heldOut).SelectMany(point => _againstFitted ? new[] { point.X, point.Y } : [point.Y]), logY);
        if (_chosen is not null && !_againstFitted)
        {
            // Lines and the narrower band are to be seen whole, but not at the price of the points: it gets at most their own height again on either side.
            double most = yHigh - yLow, low = yLow - most, high = yHigh + most;
            Axis across = logX ? new LogAxis(xLow, xHigh, 0, Right, (_, _) => 0) : new LinearAxis(xLow, xHigh, 0, Right, (_, _) => 0);
            IEnumerable<double> line = across.Between(across.At(0), across.At(1), Steps).Select(_chosen.Predict);
            foreach (double y in line.Concat(Ends(_forecast, across.At(1))).Where(y => HasPlace(y, logY)))
            {
                double at = logY ? Math.Log10(y) : y;
                (yLow, yHigh) = (Math.Min(yLow, Math.Max(at, low)), Math.Max(yHigh, Math.Min(at, high)));
            }
        }

        double ySpan = yHigh - yLow;
        (yLow, yHigh) = (yLow - .06 * ySpan, yHigh + .06 * ySpan);
        _y = logY ? new LogAxis(yLow, yHigh, Bottom, Top, (_, _) => 22) : new LinearAxis(yLow, yHigh, Bottom, Top, (_, _) => 22);
        _left = 38 + _y.Labelled.Select(tick => tick.Ems * LabelSize).DefaultIfEmpty(20).Max();
        _x = logX ? new LogAxis(xLow, xHigh, _left, Right, Room) : new LinearAxis(xLow, xHigh, _left, Right, Room);

        static IEnumerable<double> Ends(Forecast? forecast, double x)
        {
            if (forecast is null || x <= forecast.LastX) return [];
            (double[] lower, double[] upper) = forecast.Interval([x], Levels[1]);
            return [forecast.Predict([x])[0], lower[0], upper[0]];
        }

        static double Room(Tick one, Tick next) => (one.Ems + next.Ems) / 2 * LabelSize + 12;
    }

    /// <summary>Whether a value has a place on an axis.</summary>
    private static bool HasPlace(double value, bool log) => double.IsFinite(value) && (value > 0 || !log);

    public void Draw(StringBuilder svg)
    {
        Axes(svg);
        svg.Append($"<clipPath id='{Clip}'><rect {Frame()}/></clipPath>\n");
        Breaks(svg);
        // Few points stand on the lines, many would bury them.
        Bands(svg);
        OffEnvelope(svg);
        bool many = _fitted.Length + _heldOut.Length > 100;
        if (many) Points(svg);
        Lines(svg);
        if (!many) Points(svg);
        Legend(svg);
    }

    private void Axes(StringBuilder svg)
    {
        svg.Append("<g stroke='#e4e4e4' stroke-width='0.6'>\n");
        foreach (Tick tick in _x.Labelled) Segment(svg, _x.Place(tick.Value), Top, _x.Place(tick.Value), Bottom);
        foreach (Tick tick in _y.Labelled) Segment(svg, _left, _y.Place(tick.Value), Right, _y.Place(tick.Value));
        svg.Append($"</g>\n<g stroke='{Ink}' stroke-width='0.8'>\n");
        foreach (double value in _x.Minor) Segment(svg, _x.Place(value), Bottom, _x.Place(value), Bottom - 2.5);
        foreach (double value in _y.Minor) Segment(svg, _left, _y.Place(value), _left + 2.5, _y.Place(value));
        foreach (Tick tick in _x.Labelled) Segment(svg, _x.Place(tick.Value), Bottom, _x.Place(tick.Value), Bottom - 5);
        foreach (Tick tick in _y.Labelled) Segment(svg, _left, _y.Place(tick.Value), _left + 5, _y.Place(tick.Value));
        svg.Append($"<rect {Frame()} fill='none'/>\n</g>\n");
        svg.Append($"<g font-size='{N(LabelSize)}'>\n");
        foreach (Tick tick in _x.Labelled) Label(svg, _x.Place(tick.Value), Bottom + 14, "middle", tick);
        foreach (Tick tick in _y.Labelled) Label(svg, _left - 5, _y.Place(tick.Value) + 3.5, "end", tick);
        svg.Append("</g>\n");
        double middle = (_left + Right) / 2, height = (Top + Bottom) / 2;
        svg.Append($"<text x='{N(middle)}' y='{N(Bottom + 33)}' {Title(_againstFitted ? $"{_curve.Curve.YName}, fitted" : _curve.Curve.XName)}</text>\n");
        string title = _againstFitted ? $"{_curve.Curve.YName}, measured" : _curve.Curve.YName;
        string turned = title.Length > 2 ? $"transform='rotate(-90 18 {N(height)})' " : "";
        svg.Append($"<text x='18' y='{N(height)}' {turned}{Title(title)}</text>\n");
    }

    /// <summary>A letter is a symbol and stands in italics, a word does not.</summary>
    private static string Title(string name)
    {
        string style = name.Length == 1 ? "font-style='italic' " : "";
        return $"font-size='12' {style}text-anchor='middle'>{SvgPlot.Escaped(Readable.Shorten(name, 40))}";
    }

    /// <summary>Plots on one page share a name where they share a frame, and only there.</summary>
    private string Clip => $"axes-{N(_left)}";

    private string Frame() => $"x='{N(_left)}' y='{N(Top)}' width='{N(Right - _left)}' height='{N(Bottom - Top)}'";

    private static void Segment(StringBuilder svg, double x1, double y1, double x2, double y2) =>
        svg.Append($"<line x1='{N(x1)}' y1='{N(y1)}' x2='{N(x2)}' y2='{N(y2)}'/>\n");

    private static void Label(StringBuilder svg, double x, double y, string anchor, Tick tick)
    {
        string power = tick.Exponent.Length > 0 ? $"<tspan dy='-4' font-size='7'>{tick.Exponent}</tspan>" : "";
        svg.Append($"<text x='{N(x)}' y='{N(y)}' text-anchor='{anchor}'>{tick.Text}{power}</text>\n");
    }

    /// <summary>The d of the chosen fit, named above the axes.</summary>
    private void Breaks(StringBuilder svg)
    {
        double free = double.NegativeInfinity;
        foreach ((double place, int number) in BreakPlaces())
        {
            svg.Append("<g stroke='#666666' stroke-width='0.8' stroke-dasharray='1 2.5'>");
            Segment(svg, place, Top, place, Bottom);
            svg.Append("</g>\n");
            double label = Math.Max(place, free);
            free = label + 13;
            string name = $"<tspan font-style='italic'>d</tspan><tspan dy='2' font-size='7'>{number}</tspan>";
            svg.Append($"<text x='{N(label)}' y='{N(Top - 5)}' font-size='10' text-anchor='middle'>{name}</text>\n");
        }
    }

    private IEnumerable<(double Place, int Number)> BreakPlaces() =>
        (_againstFitted ? [] : _chosen?.Parameters.FirstOrDefault(parameter => parameter is { Name: "d", IsVector: true })?.Values ?? [])
        .Select((d, i) => (_x.Place(d), i + 1))
        .Where(mark => mark.Item1 >= _left && mark.Item1 <= Right);

    private void Lines(StringBuilder svg)
    {
        svg.Append($"<g clip-path='url(#{Clip})' fill='none' stroke-linejoin='round'>\n");
        foreach ((Fit rival, (string colour, string dashes)) in Rivals())
            Path(svg, rival.Predict, _x.At(0), _x.At(1), $"stroke='{colour}' stroke-width='1.1' stroke-dasharray='{dashes}'");
        if (_againstFitted)
        {
            Path(svg, y => y, _x.At(0), _x.At(1), Solid);
        }
        else if (_chosen is not null)
        {
            double seam = _fitted.IsEmpty ? _x.At(0) : _fitted[^1].X;
            Path(svg, _chosen.Predict, seam, _x.At(1), IsForecastOwn ? Dots : Beyond + " stroke-dasharray='6 3'");
            if (IsForecastOwn) Path(svg, x => _forecast!.Predict([x])[0], Math.Max(_forecast!.LastX, _x.At(0)), _x.At(1), Beyond + " stroke-dasharray='6 3'");
            Path(svg, _chosen.Predict, _x.At(0), seam, Solid);
        }

        svg.Append("</g>\n");
    }

    /// <summary>Whether the forecast is more than the chosen fit.</summary>
    private bool IsForecastOwn => _forecast is { Members.Length: > 1 };

    /// <summary>Levels of the bands, the wider first.</summary>
    private static readonly double[] Levels = [.95, .8];

    private void Bands(StringBuilder svg)
    {
        svg.Append($"<g clip-path='url(#{Clip})' {Band}>\n");
        foreach (string places in BandPlaces()) svg.Append($"<polygon points='{places}'/>\n");
        svg.Append("</g>\n");
    }

    /// <summary>Each band as a polygon from the last fitted point on; none where the forecast does not know how far off it may be.</summary>
    private IEnumerable<string> BandPlaces()
    {
        if (_forecast is null || _forecast.LastX >= _x.At(1)) yield break;
        double[] x = [.. _x.Between(Math.Max(_forecast.LastX, _x.At(0)), _x.At(1), Steps / 4)];
        foreach (double level in Levels)
        {
            (double[] lower, double[] upper) = _forecast.Interval(x, level);
            if (Array.TrueForAll(lower, HasLogarithm) && Array.TrueForAll(upper, HasLogarithm)) yield return string.Join(' ', x.Zip(upper, Place).Concat(x.Zip(lower, Place).Reverse()));
        }

        static bool HasLogarithm(double y) => HasPlace(y, log: true);
        string Place(double x, double y) => $"{N(_x.Place(x))},{N(Math.Clamp(_y.Place(y), -Height, 2 * Height))}";
    }

    private IEnumerable<(Fit Rival, (string Colour, string Dashes) Style)> Rivals() =>
        _curve.Fits.Where((_, i) => i != _curve.Chosen && !_againstFitted).Select((fit, i) => (fit, s_rivals[i % s_rivals.Length]));

    private void Path(StringBuilder svg, Func<double, double> line, double from, double to, string style)
    {
        var path = new StringBuilder();
        bool down = false;
        foreach (double x in _x.Between(from, to, Steps))
        {
            double y = line(x);
            if (HasPlace(y, _logY))
            {
                // Far outside the axes any place is as good: a file should not carry 1e200.
                double place = Math.Clamp(_y.Place(y), -Height, 2 * Height);
                path.Append($"{(down ? " " : path.Length > 0 ? " M" : "M")}{N(_x.Place(x))},{N(place)}");
                down = true;
            }
            else
            {
                down = false;
            }
        }

        if (path.Length > 0) svg.Append($"<path {style} d='{path}'/>\n");
    }

    /// <summary>Steps of a line: at most 1.5 points of the page each.</summary>
    private const int Steps = 300;

    /// <summary>Points that do not count, dim and small; they do not widen the axes.</summary>
    private void OffEnvelope(StringBuilder svg)
    {
        if (_off.IsEmpty) return;
        svg.Append($"<g clip-path='url(#{Clip})' {OffStyle}>\n");
        foreach ((double x, double y) in _off) svg.Append($"<circle cx='{N(_x.Place(x))}' cy='{N(Math.Clamp(_y.Place(y), -Height, 2 * Height))}' r='1.4'/>\n");
        svg.Append("</g>\n");
    }

    private const string OffStyle = "fill='#999999' fill-opacity='.5'";

    private void Points(StringBuilder svg)
    {
        // From 3 points across where there are few, down to 1.1 and half transparent where there are thousands.
        double radius = Math.Clamp(3 * Math.Pow(30.0 / Math.Max(1, _fitted.Length + _heldOut.Length), .3), 1.1, 3);
        bool many = _fitted.Length + _heldOut.Length > 100;
        svg.Append($"<g clip-path='url(#{Clip})' {HeldOutStyle(radius, many)}>\n");
        foreach ((double x, double y) in _heldOut) Circle(svg, x, y, radius);
        svg.Append($"</g>\n<g clip-path='url(#{Clip})' {FittedStyle(many)}>\n");
        foreach ((double x, double y) in _fitted) Circle(svg, x, y, radius);
        svg.Append("</g>\n");

        void Circle(StringBuilder into, double x, double y, double r) =>
            into.Append($"<circle cx='{N(_x.Place(x))}' cy='{N(_y.Place(y))}' r='{N(r)}'/>\n");
    }

    private static string FittedStyle(bool many) => $"fill='{Black}' fill-opacity='{(many ? ".6" : "1")}'";

    private static string HeldOutStyle(double radius, bool many) =>
        $"fill='{(many ? "none" : "#ffffff")}' "
        + $"stroke='{Vermilion}' stroke-width='{N(Math.Min(1.3, .4 * radius))}' stroke-opacity='{(many ? ".7" : "1")}'";

    // ---- legend ----

    private void Legend(StringBuilder svg)
    {
        List<(string Text, string Key)> rows = [];
        if (!_fitted.IsEmpty) rows.Add(($"fitted ({_fitted.Length})", Marker(FittedStyle(many: false))));
        if (!_heldOut.IsEmpty) rows.Add(($"held out ({_heldOut.Length})", Marker(HeldOutStyle(2.5, many: false))));
        if (!_off.IsEmpty) rows.Add(($"not on the envelope ({_off.Length})", Marker(OffStyle)));
        if (_againstFitted)
        {
            rows.Add(($"fitted = measured; {Readable.Title(_chosen!)}", Line(Solid, 0, LegendKey)));
        }
        else if (_chosen is not null)
        {
            const double Seam = LegendKey / 2;
            string dashed = Beyond + " stroke-dasharray='4 2'";
            rows.Add((Readable.Title(_chosen), Line(Solid, 0, Seam) + Line(IsForecastOwn ? Dots : dashed, Seam, LegendKey)));
            if (BandPlaces().Any()) rows.Add(("forecast, 80 and 95 %", Rectangle(-5, 10) + Rectangle(-2.5, 5) + Line(dashed, 0, LegendKey)));
        }

        foreach ((Fit rival, (string colour, string dashes)) in Rivals())
        {
            string text = rival.Law == _chosen?.Law ? Readable.Count(rival.Breaks, "break") : Readable.Title(rival);
            rows.Add((text, Line($"stroke='{colour}' stroke-width='1.1' stroke-dasharray='{dashes}'", 0, LegendKey)));
        }

        double width = LegendKey + 18 + LegendSize * .52 * rows.Max(row => row.Text.Length), height = 8 + LegendRow * rows.Count;
        (double left, double top) = EmptiestCorner(width, height);
        svg.Append($"<g transform='translate({N(left)} {N(top)})' font-size='{N(LegendSize)}'>\n");
        svg.Append($"<rect width='{N(width)}' height='{N(height)}' {LegendBox}/>\n");
        for (int i = 0; i < rows.Count; i++)
        {
            double middle = 4 + LegendRow * (i + .5);
            string text = $"<text x='{N(LegendKey + 6)}' y='3.4'>{Escaped(rows[i].Text)}</text>";
            svg.Append($"<g transform='translate(6 {N(middle)})'>{rows[i].Key}{text}</g>\n");
        }

        svg.Append("</g>\n");

        static string Marker(string style) => $"<circle cx='{N(LegendKey / 2)}' cy='0' r='2.5' {style}/>";
        static string Rectangle(double top, double height) => $"<rect x='0' y='{N(top)}' width='{N(LegendKey)}' height='{N(height)}' {Band}/>";
        static string Line(string style, double from, double to) => $"<line x1='{N(from)}' y1='0' x2='{N(to)}' y2='0' {style}/>";
    }

    /// <summary>The corner, or else the middle of a side, where the box covers the least; of equals the first.</summary>
    private (double Left, double Top) EmptiestCorner(double width, double height)
    {
        double near = _left + 7, far = Right - 7 - width, across = (near + far) / 2;
        double top = Top + 7, bottom = Bottom - 7 - height, down = (top + bottom) / 2;
        ImmutableArray<(double X, double Y, double Weight)> spots = [.. Spots()];
        return new[] { (far, top), (near, bottom), (near, top), (far, bottom), (across, top), (across, bottom), (far, down), (near, down) }
            .MinBy(corner => spots.Where(spot => Inside(spot, corner)).Sum(spot => spot.Weight));

        bool Inside((double X, double Y, double Weight) spot, (double Left, double Top) box) =>
            spot.X >= box.Left - 4 && spot.X <= box.Left + width + 4 && spot.Y >= box.Top - 4 && spot.Y <= box.Top + height + 4;

        IEnumerable<(double X, double Y, double Weight)> Spots()
        {
            foreach ((double x, double y) in _fitted.Concat(_heldOut)) yield return (_x.Place(x), _y.Place(y), 3);
            for (int i = 0; i < (_againstFitted ? 0 : _curve.Fits.Length); i++)
            {
                foreach (double x in _x.Between(_x.At(0), _x.At(1), Steps))
                {
                    double y = _curve.Fits[i].Predict(x);
                    if (HasPlace(y, _logY)) yield return (_x.Place(x), _y.Place(y), i == _curve.Chosen ? 1 : .3);
                }
            }

            for (double x = 0; IsForecastOwn && x <= 1; x += 1.0 / Steps)
                if (_x.At(x) > _forecast!.LastX) yield return (_x.Place(_x.At(x)), _y.Place(_forecast.Predict([_x.At(x)])[0]), 1);

            foreach ((double place, _) in BreakPlaces())
                for (double y = Top; y <= Bottom; y += 10) yield return (place, y, .1);
        }
    }

    /// <summary>The ends of a set of values in the coordinate of an axis; where they are all but equal, a little about them.</summary>
    private static (double Low, double High) Range(IEnumerable<double> values, bool log)
    {
        (double low, double high) = (double.PositiveInfinity, double.NegativeInfinity);
        foreach (double value in values.Select(value => log ? Math.Log10(value) : value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        double size = log ? 1 : Math.Max(Math.Abs(low), Math.Abs(high)), middle = (low + high) / 2, about = log ? .05 : size > 0 ? .05 * size : 1;
        return high - low >= 1e-4 * size && high > low ? (low, high) : (middle - about, middle + about);
    }
}
