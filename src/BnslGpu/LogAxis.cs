using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu;

/// <summary>A labelled tick.</summary>
/// <param name="Value">Where it stands.</param>
/// <param name="Text">Its label up to the exponent: "0.02", "10", "3×10".</param>
/// <param name="Exponent">What is set as a superscript after it; empty for a plain number.</param>
internal readonly record struct Tick(double Value, string Text, string Exponent)
{
    /// <summary>Width of the label in ems of its font, as Helvetica has it: a digit is .56, a superscript seven tenths of that.</summary>
    public double Ems => Text.Sum(Em) + .7 * Exponent.Sum(Em);

    private static double Em(char letter) => letter == '.' ? .28 : letter is '×' or '−' ? .58 : .56;
}

/// <summary>A logarithmic axis: from values to places on the page, and ticks that a reader can interpolate between.</summary>
internal sealed class LogAxis
{
    private readonly double _low, _high, _from, _to;

    /// <summary>Lays out an axis.</summary>
    /// <param name="low">log₁₀ of its lower end.</param>
    /// <param name="high">log₁₀ of its upper end, &gt; low.</param>
    /// <param name="from">The place of the lower end.</param>
    /// <param name="to">The place of the upper end.</param>
    /// <param name="room">The distance that two neighbouring labels need between their middles.</param>
    public LogAxis(double low, double high, double from, double to, Func<Tick, Tick, double> room)
    {
        (_low, _high, _from, _to) = (low, high, from, to);
        (Labelled, Minor) = Layout(room);
    }

    /// <summary>Ticks with labels, ascending.</summary>
    public ImmutableArray<Tick> Labelled { get; }

    /// <summary>Values of the ticks between them.</summary>
    public ImmutableArray<double> Minor { get; }

    /// <summary>The place of a value.</summary>
    public double Place(double value) => _from + (Math.Log10(value) - _low) / (_high - _low) * (_to - _from);

    /// <summary>The value at a share of the way from the lower end to the upper.</summary>
    public double At(double share) => Math.Pow(10, _low + share * (_high - _low));

    /// <summary>
    /// The first of these with enough labels, room for them, and no long stretch without one: every decade or every 2nd, 3rd, …; some
    /// digits of every decade; steps of equal size, from coarse to fine. Where none is good, the one whose longest bare stretch is shortest.
    /// </summary>
    private (ImmutableArray<Tick> Labelled, ImmutableArray<double> Minor) Layout(Func<Tick, Tick, double> room)
    {
        const double Long = .4;
        (ImmutableArray<Tick> Ticks, ImmutableArray<double> Minor, double Bare) best = ([], [], double.PositiveInfinity);
        foreach ((ImmutableArray<Tick> ticks, ImmutableArray<double> minor, int enough) in Choices())
        {
            if (ticks.Length < 3 || !HaveRoom(ticks)) continue;
            double bare = LongestBareStretch(ticks);
            if (ticks.Length >= enough && bare <= Long) return (ticks, minor);
            if (bare < best.Bare) best = (ticks, minor, bare);
        }

        return (best.Ticks, best.Minor);

        bool HaveRoom(ImmutableArray<Tick> ticks)
        {
            for (int i = 1; i < ticks.Length; i++)
                if (Math.Abs(Place(ticks[i].Value) - Place(ticks[i - 1].Value)) < room(ticks[i - 1], ticks[i])) return false;
            return true;
        }
    }

    /// <summary>The longest part of the axis without a labelled tick, its ends included, as a share of the axis.</summary>
    private double LongestBareStretch(ImmutableArray<Tick> ticks)
    {
        double longest = 0, before = _low;
        foreach (double log in ticks.Select(tick => Math.Log10(tick.Value)).Append(_high))
        {
            longest = Math.Max(longest, log - before);
            before = log;
        }

        return longest / (_high - _low);
    }

    private IEnumerable<(ImmutableArray<Tick> Ticks, ImmutableArray<double> Minor, int Enough)> Choices()
    {
        double[] everyDigit = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        foreach (int stride in new[] { 1, 2, 3, 4, 5, 10, 20, 50, 100 })
        {
            // Nine small ticks a decade are a smear where decades are narrow: then one a decade.
            bool wide = Math.Abs(_to - _from) / (_high - _low) >= 40;
            yield return (Labels(Multiples([1], stride)), Values(Multiples(wide ? everyDigit : [1], 1)), Enough: 3);
        }

        foreach (double[] digits in new double[][] { [1, 3], [1, 2, 5], [1, 2, 3, 4, 6, 8], [1, 1.5, 2, 3, 5, 7] })
            yield return (Labels(Multiples(digits, 1)), Values(Multiples(everyDigit, 1)), Enough: 4);
        for (int exponent = (int)Math.Floor(_high); exponent > _high - 14; exponent--)
        {
            foreach ((int digit, int parts) in new[] { (5, 5), (2, 4), (1, 5) })
            {
                ImmutableArray<(double Value, int Resolution)> steps = Steps(digit, exponent);
                if (steps.Length > 40) yield break;
                yield return (Labels(steps), Values(Steps(digit * 10 / parts, exponent - 1)), Enough: 4);
            }
        }
    }

    /// <summary>Multiples of the decades on the axis. Resolution: the power of ten that all digits of the value are multiples of.</summary>
    private ImmutableArray<(double Value, int Resolution)> Multiples(double[] digits, int stride)
    {
        var values = ImmutableArray.CreateBuilder<(double, int)>();
        for (int decade = (int)Math.Floor(_low); decade <= (int)Math.Floor(_high); decade++)
        {
            if (decade % stride != 0) continue;
            foreach (double digit in digits)
            {
                int resolution = double.IsInteger(digit) ? decade : decade - 1;
                double value = Decimal(resolution == decade ? digit : 10 * digit, resolution);
                if (Contains(value)) values.Add((value, resolution));
            }
        }

        return values.ToImmutable();
    }

    /// <summary>Multiples of digit·10^exponent on the axis.</summary>
    private ImmutableArray<(double Value, int Resolution)> Steps(int digit, int exponent)
    {
        double step = Decimal(digit, exponent);
        double first = Math.Max(1, Math.Ceiling(Math.Pow(10, _low) / step)), last = Math.Pow(10, _high) / step;
        var values = ImmutableArray.CreateBuilder<(double, int)>();
        for (double i = first; i <= last && values.Count < 1000; i++)
            if (Contains(Decimal(i * digit, exponent))) values.Add((Decimal(i * digit, exponent), exponent));
        return values.ToImmutable();
    }

    private bool Contains(double value) => Math.Log10(value) >= _low - 1e-9 && Math.Log10(value) <= _high + 1e-9;

    /// <summary>digit·10^exponent, rounded once for exponents below zero.</summary>
    private static double Decimal(double digit, int exponent) =>
        exponent < 0 ? digit / Math.Pow(10, -exponent) : digit * Math.Pow(10, exponent);

    private static ImmutableArray<double> Values(ImmutableArray<(double Value, int Resolution)> values) =>
        [.. values.Select(value => value.Value)];

    /// <summary>Plain numbers while they are short; else powers of ten.</summary>
    private ImmutableArray<Tick> Labels(ImmutableArray<(double Value, int Resolution)> values)
    {
        bool plain = _high - _low < 2.3 && values.All(value => value.Value is >= .99e-3 and < .99e5);
        return [.. values.Select(value => plain ? Plain(value.Value, value.Resolution) : Power(value.Value, value.Resolution))];
    }

    private static Tick Plain(double value, int resolution) =>
        new(value, value.ToString($"F{Math.Max(0, -resolution)}", CultureInfo.InvariantCulture), "");

    private static Tick Power(double value, int resolution)
    {
        int exponent = (int)Math.Floor(Math.Log10(value) + 1e-9);
        string digits = Decimal(value, -exponent).ToString($"F{Math.Max(0, exponent - resolution)}", CultureInfo.InvariantCulture);
        string power = exponent.ToString(CultureInfo.InvariantCulture).Replace('-', '−');
        return new(value, digits == "1" ? "10" : $"{digits}×10", power);
    }
}
