using System.Globalization;

namespace BnslGpu.Formats;

/// <summary>Numbers and names as a person reads them.</summary>
internal static class Readable
{
    /// <summary>A number to so many significant digits: plain from 1e-4 to where its digits end (at least to 1e5), as 1.23e9 outside.</summary>
    /// <returns>"-" for NaN, inf and -inf for what is infinite.</returns>
    public static string Number(double value, int digits)
    {
        if (double.IsNaN(value)) return "-";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return "0";
        // Rounding may carry (9.9996 is 10.00): the exponent is that of the rounded number.
        string scientific = value.ToString($"E{digits - 1}", CultureInfo.InvariantCulture);
        int mark = scientific.IndexOf('E', StringComparison.Ordinal);
        int exponent = int.Parse(scientific.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return exponent >= -4 && exponent < Math.Max(digits + 1, 5)
            ? value.ToString($"F{Math.Max(0, digits - 1 - exponent)}", CultureInfo.InvariantCulture)
            : $"{scientific.AsSpan(0, mark)}e{exponent.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>A value to the digits that its standard error leaves it (3 to 8), or to 6 where the error is not known.</summary>
    public static string Number(double value, double error)
    {
        if (!(error > 0) || double.IsInfinity(error) || value == 0 || !double.IsFinite(value)) return Number(value, 6);
        int digits = (int)(Math.Floor(Math.Log10(Math.Abs(value))) - Math.Floor(Math.Log10(error))) + 2;
        return Number(value, Math.Clamp(digits, 3, 8));
    }

    /// <summary>A name that fits a width: what is too long loses its middle, since both its ends tell curves apart.</summary>
    public static string Shorten(string name, int width)
    {
        if (name.Length <= width) return name;
        int head = width / 2, tail = width - 1 - head;
        if (char.IsHighSurrogate(name[head - 1])) head--;
        int from = name.Length - tail;
        if (char.IsLowSurrogate(name[from])) from++;
        return $"{name.AsSpan(0, head)}…{name.AsSpan(from)}";
    }

    /// <summary>"1 break", "2 breaks".</summary>
    public static string Count(int count, string noun) => $"{count.ToString(CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A fit by its law and breaks: "bnsl, 1 break", and the law alone for one without breaks.</summary>
    public static string Title(Fit fit) => fit.Breaks == 0 && fit.Law != "bnsl" ? fit.Law : $"{fit.Law}, {Count(fit.Breaks, "break")}";
}
