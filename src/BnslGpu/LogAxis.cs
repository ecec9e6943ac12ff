using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>A logarithmic axis: from values to places on the page, and ticks that a reader can interpolate between.</summary>
internal sealed class LogAxis : Axis
{
    /// <summary>Lays out an axis.</summary>
    /// <param name="low">log₁₀ of its lower end.</param>
    /// <param name="high">log₁₀ of its upper end, &gt; low.</param>
    /// <param name="from">The place of the lower end.</param>
    /// <param name="to">The place of the upper end.</param>
    /// <param name="room">The distance that two neighbouring labels need between their middles.</param>
    public LogAxis(double low, double high, double from, double to, Func<Tick, Tick, double> room)
        : base(low, high, from, to) => (Labelled, Minor) = Layout(room);

    /// <inheritdoc/>
    public override ImmutableArray<Tick> Labelled { get; }

    /// <inheritdoc/>
    public override ImmutableArray<double> Minor { get; }

    /// <inheritdoc/>
    protected override double Coordinate(double value) => Math.Log10(value);

    /// <inheritdoc/>
    protected override double Value(double coordinate) => Math.Pow(10, coordinate);

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
            if (ticks.Length < 3 || !HaveRoom(ticks, room)) continue;
            double bare = LongestBareStretch(ticks);
            if (ticks.Length >= enough && bare <= Long) return (ticks, minor);
            if (bare < best.Bare) best = (ticks, minor, bare);
        }

        return (best.Ticks, best.Minor);
    }

    /// <summary>The longest part of the axis without a labelled tick, its ends included, as a share of the axis.</summary>
    private double LongestBareStretch(ImmutableArray<Tick> ticks)
    {
        double longest = 0, before = Low;
        foreach (double log in ticks.Select(tick => Math.Log10(tick.Value)).Append(High))
        {
            longest = Math.Max(longest, log - before);
            before = log;
        }

        return longest / (High - Low);
    }

    private IEnumerable<(ImmutableArray<Tick> Ticks, ImmutableArray<double> Minor, int Enough)> Choices()
    {
        double[] everyDigit = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        foreach (int stride in new[] { 1, 2, 3, 4, 5, 10, 20, 50, 100 })
        {
            // Nine small ticks a decade are a smear where decades are narrow: then one a decade.
            bool wide = Math.Abs(To - From) / (High - Low) >= 40;
            yield return (Labels(Multiples([1], stride)), Values(Multiples(wide ? everyDigit : [1], 1)), Enough: 3);
        }

        foreach (double[] digits in new double[][] { [1, 3], [1, 2, 5], [1, 2, 3, 4, 6, 8], [1, 1.5, 2, 3, 5, 7] })
            yield return (Labels(Multiples(digits, 1)), Values(Multiples(everyDigit, 1)), Enough: 4);
        for (int exponent = (int)Math.Floor(High); exponent > High - 14; exponent--)
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
        for (int decade = (int)Math.Floor(Low); decade <= (int)Math.Floor(High); decade++)
        {
            if (decade % stride != 0) continue;
            foreach (double digit in digits)
            {
                int resolution = double.IsInteger(digit) ? decade : decade - 1;
                double value = Tick.Decimal(resolution == decade ? digit : 10 * digit, resolution);
                if (Contains(value)) values.Add((value, resolution));
            }
        }

        return values.ToImmutable();
    }

    /// <summary>Multiples of digit·10^exponent on the axis.</summary>
    private ImmutableArray<(double Value, int Resolution)> Steps(int digit, int exponent)
    {
        double step = Tick.Decimal(digit, exponent);
        double first = Math.Max(1, Math.Ceiling(Math.Pow(10, Low) / step)), last = Math.Pow(10, High) / step;
        var values = ImmutableArray.CreateBuilder<(double, int)>();
        for (double i = first; i <= last && values.Count < 1000; i++)
            if (Contains(Tick.Decimal(i * digit, exponent))) values.Add((Tick.Decimal(i * digit, exponent), exponent));
        return values.ToImmutable();
    }

    private bool Contains(double value) => Math.Log10(value) >= Low - 1e-9 && Math.Log10(value) <= High + 1e-9;

    private static ImmutableArray<double> Values(ImmutableArray<(double Value, int Resolution)> values) =>
        [.. values.Select(value => value.Value)];

    /// <summary>Plain numbers while they are short; else powers of ten.</summary>
    private ImmutableArray<Tick> Labels(ImmutableArray<(double Value, int Resolution)> values)
    {
        bool plain = High - Low < 2.3 && values.All(value => value.Value is >= .99e-3 and < .99e5);
        return [.. values.Select(value => plain ? Tick.Plain(value.Value, value.Resolution) : Tick.Power(value.Value, value.Resolution))];
    }
}
