using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using BnslGpu.Formats;

namespace BnslGpu;

/// <summary>A curve and its fits as a picture for paper: SVG, 480 by 360 points.</summary>
/// <remarks>
/// Log-log; an axis is linear where a fitted point has no logarithm or the chosen law may have none. A curve of several inputs is drawn as
/// measured against fitted y, with the line on which they are equal.
/// Colours are Okabe and Ito's (and greys), which colour-blind readers tell apart; dashes and markers differ as well, for print
/// without colour.
/// Beyond the last fitted point stand the forecast and the 80 and 95 % intervals of a measurement; where it is more than the chosen fit, that one goes on as dots.
/// The same curve gives the same text. Nothing is fetched when it is viewed: no script, no style sheet, no font.
/// </remarks>
public static class SvgPlot
{
    internal const string Ink = "#333333";

    /// <summary>Draws a curve: its points, the chosen fit, the forecast, rivals and breaks.</summary>
    /// <param name="curve">The curve. Without a chosen fit its points are drawn alone.</param>
    /// <returns>A whole SVG document. Points and stretches of a fit without a place on the axes (not finite; ≤ 0 on a logarithmic one) are left out.</returns>
    public static string Render(CurveFit curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        var svg = new StringBuilder();
        string name = curve.Curve.Name;
        svg.Append($"""
            <svg xmlns="http://www.w3.org/2000/svg" width="480pt" height="360pt" viewBox="0 0 480 360"
                font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" fill="{Ink}">
            <title>{Escaped(name)}</title>
            <rect width="480" height="360" fill="#ffffff"/>
            <text x="240" y="18" font-size="12" font-weight="bold" text-anchor="middle">{Escaped(Readable.Shorten(name, 64))}</text>

            """);
        if (SvgPanel.Of(curve) is { } panel) panel.Draw(svg);
        else svg.Append("<text x='240' y='180' font-size='11' text-anchor='middle'>no point that can be drawn</text>\n");
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>A file's name for a curve: letters, digits, dots and dashes of its name, _ for all else, at most 80 of them, and .svg.</summary>
    /// <remarks>Two curves may get the same one; <see cref="FileNames"/> tells them apart.</remarks>
    public static string FileName(string curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        var safe = new StringBuilder();
        foreach (char letter in curve)
        {
            char kept = char.IsLetterOrDigit(letter) || letter is '.' or '-' ? letter : '_';
            if (kept != '_' || (safe.Length > 0 && safe[^1] != '_')) safe.Append(kept);
        }

        string stem = safe.ToString().Trim('.', '_', '-');
        if (stem.Length > 80) stem = $"{stem.AsSpan(0, 40)}_{stem.AsSpan(stem.Length - 39)}";
        // Windows opens a device for these, whatever the extension.
        string device = stem.Split('.')[0].ToUpperInvariant();
        bool port = device.Length == 4 && device[..3] is "COM" or "LPT" && char.IsDigit(device[3]);
        bool taken = port || device is "CON" or "PRN" or "AUX" or "NUL";
        return (stem.Length == 0 ? "curve" : taken ? "curve_" + stem : stem) + ".svg";
    }

    /// <summary>A file's name for each curve, no two the same even where case does not count: later ones get -2, -3, ….</summary>
    /// <param name="curves">Names of the curves.</param>
    /// <returns>Names of files, in the same order.</returns>
    public static ImmutableArray<string> FileNames(IEnumerable<string> curves)
    {
        ArgumentNullException.ThrowIfNull(curves);
        var used = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var files = ImmutableArray.CreateBuilder<string>();
        foreach (string curve in curves)
        {
            string first = FileName(curve), file = first;
            for (int number = 2; !used.Add(file); number++) file = $"{Path.GetFileNameWithoutExtension(first)}-{number}.svg";
            files.Add(file);
        }

        return files.ToImmutable();
    }

    /// <summary>A coordinate, to a hundredth of a point.</summary>
    internal static string N(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>Text as XML has it.</summary>
    internal static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes()) // half a surrogate pair comes out as U+FFFD
        {
            escaped.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                < 0x20 or 0xFFFE or 0xFFFF => "\uFFFD", // XML has no way to write these
                _ => rune.ToString(),
            });
        }

        return escaped.ToString();
    }
}
