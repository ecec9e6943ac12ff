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

    /// <summary>A label in plain digits.</summary>
    /// <param name="value">The value.</param>
    /// <param name="resolution">The power of ten that all its digits are multiples of.</param>
    public static Tick Plain(double value, int resolution) =>
        new(value, Minus(value.ToString($"F{Math.Max(0, -resolution)}", CultureInfo.InvariantCulture)), "");

    /// <summary>A label as a multiple of a power of ten.</summary>
    /// <inheritdoc cref="Plain"/>
    public static Tick Power(double value, int resolution)
    {
        if (value == 0) return new(value, "0", "");
        int exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
        string digits = Decimal(value, -exponent).ToString($"F{Math.Max(0, exponent - resolution)}", CultureInfo.InvariantCulture);
        string power = Minus(exponent.ToString(CultureInfo.InvariantCulture));
        return new(value, Minus(digits is "1" or "-1" ? digits.Replace("1", "10", StringComparison.Ordinal) : $"{digits}×10"), power);
    }

    /// <summary>digit·10^exponent, rounded once for exponents below zero.</summary>
    public static double Decimal(double digit, int exponent) =>
        exponent < 0 ? digit / Math.Pow(10, -exponent) : digit * Math.Pow(10, exponent);

    private static string Minus(string number) => number.Replace('-', '−');

    private static double Em(char letter) => letter == '.' ? .28 : letter is '×' or '−' ? .58 : .56;
}

/// <summary>An axis: from values to places on the page, and ticks that a reader can interpolate between.</summary>
/// <remarks>Between its ends it is even in a coordinate of the value: its logarithm, or the value itself.</remarks>
internal abstract class Axis
{
    /// <summary>Lays out an axis.</summary>
    /// <param name="low">Coordinate of its lower end.</param>
    /// <param name="high">Coordinate of its upper end, &gt; low.</param>
    /// <param name="from">The place of the lower end.</param>
    /// <param name="to">The place of the upper end.</param>
    protected Axis(double low, double high, double from, double to) => (Low, High, From, To) = (low, high, from, to);

    /// <summary>Ticks with labels, ascending.</summary>
    public abstract ImmutableArray<Tick> Labelled { get; }

    /// <summary>Values of the ticks between them.</summary>
    public abstract ImmutableArray<double> Minor { get; }

    /// <summary>The place of a value.</summary>
    public double Place(double value) => From + (Coordinate(value) - Low) / (High - Low) * (To - From);

    /// <summary>The value at a share of the way from the lower end to the upper.</summary>
    public double At(double share) => Value(Low + share * (High - Low));

    /// <summary>Values at equal steps of the coordinate, both ends among them.</summary>
    public IEnumerable<double> Between(double from, double to, int steps)
    {
        double first = Coordinate(from), last = Coordinate(to);
        for (int i = 0; i <= steps; i++) yield return Value(first + (last - first) * i / steps);
    }

    protected double Low { get; }

    protected double High { get; }

    protected double From { get; }

    protected double To { get; }

    protected abstract double Coordinate(double value);

    protected abstract double Value(double coordinate);

    /// <summary>Whether no two neighbouring labels are nearer to each other than <paramref name="room"/> asks.</summary>
    protected bool HaveRoom(ImmutableArray<Tick> ticks, Func<Tick, Tick, double> room)
    {
        for (int i = 1; i < ticks.Length; i++)
            if (Math.Abs(Place(ticks[i].Value) - Place(ticks[i - 1].Value)) < room(ticks[i - 1], ticks[i])) return false;
        return true;
    }
}
