using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>An axis even in the value itself: for values of any sign.</summary>
internal sealed class LinearAxis : Axis
{
    /// <summary>Lays out an axis.</summary>
    /// <param name="low">Its lower end.</param>
    /// <param name="high">Its upper end, &gt; low.</param>
    /// <param name="from">The place of the lower end.</param>
    /// <param name="to">The place of the upper end.</param>
    /// <param name="room">The distance that two neighbouring labels need between their middles.</param>
    public LinearAxis(double low, double high, double from, double to, Func<Tick, Tick, double> room)
        : base(low, high, from, to) => (Labelled, Minor) = Layout(room);

    /// <inheritdoc/>
    public override ImmutableArray<Tick> Labelled { get; }

    /// <inheritdoc/>
    public override ImmutableArray<double> Minor { get; }

    /// <inheritdoc/>
    protected override double Coordinate(double value) => value;

    /// <inheritdoc/>
    protected override double Value(double coordinate) => coordinate;

    /// <summary>The coarsest steps of 1, 2 or 5 times a power of ten with five labels or more, as far as there is room for them.</summary>
    private (ImmutableArray<Tick> Labelled, ImmutableArray<double> Minor) Layout(Func<Tick, Tick, double> room)
    {
        (ImmutableArray<Tick> Labelled, ImmutableArray<double> Minor) best = ([], []);
        int largest = (int)Math.Ceiling(Math.Log10(High - Low));
        for (int exponent = largest; exponent > largest - 4; exponent--)
        {
            foreach ((int digit, int parts) in new[] { (5, 5), (2, 4), (1, 5) })
            {
                ImmutableArray<double> values = Multiples(digit, exponent);
                bool plain = values.All(value => Math.Abs(value) < .99e5) && exponent >= -4;
                ImmutableArray<Tick> ticks = [.. values.Select(value => plain ? Tick.Plain(value, exponent) : Tick.Power(value, exponent))];
                if (!HaveRoom(ticks, room)) return best;
                best = (ticks, Multiples(digit * 10 / parts, exponent - 1));
                if (ticks.Length >= 5) return best;
            }
        }

        return best;
    }

    /// <summary>Multiples of digit·10^exponent on the axis.</summary>
    private ImmutableArray<double> Multiples(int digit, int exponent)
    {
        double step = Tick.Decimal(digit, exponent);
        var values = ImmutableArray.CreateBuilder<double>();
        for (double i = Math.Ceiling(Low / step - 1e-9); i * step <= High + 1e-9 * step && values.Count < 1000; i++) values.Add(Tick.Decimal(i * digit, exponent) + 0.0);
        return values.ToImmutable();
    }
}
