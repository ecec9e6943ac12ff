using System.Collections.Immutable;
using System.Globalization;

namespace BnslGpu;

/// <summary>Which columns of a CSV file mean what, and which rows count. What is left unset is recognised from the header.</summary>
/// <remarks>
/// <para>
/// Recognised are <c>x</c>, <c>y</c>, optional <c>curve</c> and optional <c>split</c>; and the benchmark of arXiv:2209.06640 by its columns
/// <c>Domain,Task,Model,Seen Examples,Loss,Training</c>: curve = Domain|Task|Model, x = Seen Examples, y = Loss, fit when Training=1.
/// Names match trimmed and, unless one matches exactly, in any case.
/// </para>
/// <para>
/// <c>split</c> says fit or train for a fit point; heldout, held-out, held_out, held out or test for a held-out one, in any case.
/// 1 and 0 are refused, for people disagree on which of them is held out: <see cref="FitWhen"/> says it.
/// </para>
/// </remarks>
public sealed record CurveColumns
{
    /// <summary>Columns of x, the scale: one an input of the law, in its order. Empty recognises it.</summary>
    public ImmutableArray<string> X { get; init; } = [];

    /// <summary>Reads a wide table: every column but x's, and the one that says what is held out, is a curve named by its header. Default: one row a point.</summary>
    /// <remarks>x is the column that <see cref="X"/> or its own name says, else the first one.</remarks>
    public bool Wide { get; init; }

    /// <summary>Column of y, the performance; null recognises it.</summary>
    public string? Y { get; init; }

    /// <summary>Column of how much a point counts, &gt; 0 (see <see cref="Points.Weights"/>); null for none.</summary>
    public string? Weight { get; init; }

    /// <summary>A ceiling of y that is known (1 for accuracy, 100 for BLEU): what is fitted is the distance to it, C − y. Null for y itself. Finite.</summary>
    public double? Ceiling { get; init; }

    /// <summary>Column of the standard deviation of a measurement, &gt; 0 (see <see cref="Points.Sigmas"/>); null for none.</summary>
    public string? Sigma { get; init; }

    /// <summary>What <see cref="Sigma"/> is of. Default y.</summary>
    public SigmaOf SigmaOf { get; init; } = SigmaOf.Y;

    /// <summary>Takes x of any sign, for laws that allow it. Default: rows with x ≤ 0 are left out.</summary>
    public bool AnyX { get; init; }

    /// <summary>Columns whose values, joined by <c>|</c>, name the curve. Empty recognises them; without any, the file does.</summary>
    public ImmutableArray<string> Curve { get; init; } = [];

    /// <summary><c>Column=value</c>: rows where it holds, as text or as numbers, are fit points; all others are held out.</summary>
    public string? FitWhen { get; init; }

    /// <summary>
    /// What is held out of each curve: <c>3</c>, its last three points in x, or <c>0.2</c>, its last fifth (rounded, at least one point).
    /// </summary>
    /// <remarks>At least one point stays to be fitted. Points that share an x are never parted: all of them are held out, or none.</remarks>
    public string? Holdout { get; init; }

    /// <summary>
    /// Which points count: all, or those on the running frontier of each curve, of y as the column has it (with a <see cref="Ceiling"/> too). What
    /// <see cref="Holdout"/> holds out are points of the frontier. Of one input only. Default all.
    /// </summary>
    public Envelope Envelope { get; init; }

    /// <summary>Keeps exact copies of a row (the same text in every field). Default: they are dropped and counted.</summary>
    public bool KeepCopies { get; init; }

    /// <summary>Skips and counts wrong rows, such as those with text where a number belongs. Default: the first of them is an error.</summary>
    public bool SkipInvalid { get; init; }

    /// <summary>Checks every choice.</summary>
    /// <exception cref="ArgumentException">A choice breaks its constraint; the message names its value and the constraint.</exception>
    public void Validate()
    {
        if (!X.IsDefaultOrEmpty && (X.Any(string.IsNullOrWhiteSpace) || X.Distinct().Count() < X.Length))
            throw Violated(nameof(X), string.Join(',', X), "names of columns, each once");
        if (Y is not null && string.IsNullOrWhiteSpace(Y)) throw Violated(nameof(Y), Y, "the name of a column");
        if (Weight is not null && string.IsNullOrWhiteSpace(Weight)) throw Violated(nameof(Weight), Weight, "the name of a column");
        if (Ceiling is { } ceiling && !double.IsFinite(ceiling)) throw Violated(nameof(Ceiling), ceiling.ToString("R", CultureInfo.InvariantCulture), "a finite number");
        if (Sigma is not null && string.IsNullOrWhiteSpace(Sigma)) throw Violated(nameof(Sigma), Sigma, "the name of a column");
        if (Weight is not null && Sigma is not null)
            throw new ArgumentException(
                $"CurveColumns.Weight = '{Weight}' and CurveColumns.Sigma = '{Sigma}'. Violated constraint: one of them says how much a point counts.");
        if (Wide && (Y ?? Weight ?? Sigma ?? (Curve.IsDefaultOrEmpty ? null : Curve[0]) ?? (X.IsDefaultOrEmpty || X.Length == 1 ? null : X[1])) is { } column)
            throw Violated(nameof(Wide), "true", $"one column of x, and every other is a curve; '{column}' is another thing");
        if (Envelope != Envelope.None && X.Length > 1)
            throw new ArgumentException($"CurveColumns.Envelope = {Envelope} and CurveColumns.X = '{string.Join(',', X)}'. Violated constraint: an envelope is of curves of one input.");
        if (!Curve.IsDefaultOrEmpty && Curve.Any(string.IsNullOrWhiteSpace))
            throw Violated(nameof(Curve), string.Join('|', Curve), "names of columns");
        if (FitWhen is not null && FitWhen.IndexOf('=', StringComparison.Ordinal) < 1)
            throw Violated(nameof(FitWhen), FitWhen, "Column=value, as in Training=1");
        if (Holdout is not null && !TryHoldout(out _, out _))
            throw Violated(nameof(Holdout), Holdout, "a number of points >= 1, or a share > 0 and < 1");
        if (FitWhen is not null && Holdout is not null)
            throw new ArgumentException(
                $"CurveColumns.FitWhen = '{FitWhen}' and CurveColumns.Holdout = '{Holdout}'. "
                + "Violated constraint: one of them says what is held out.");
    }

    /// <summary>How many of a curve's last points <see cref="Holdout"/> asks for; its remarks are not yet heeded.</summary>
    /// <param name="points">Points of the curve.</param>
    internal int HoldoutOf(int points)
    {
        TryHoldout(out int count, out double share);
        return count > 0 ? count : Math.Max(1, (int)Math.Round(share * points, MidpointRounding.AwayFromZero));
    }

    private bool TryHoldout(out int count, out double share)
    {
        share = 0;
        if (int.TryParse(Holdout, NumberStyles.None, CultureInfo.InvariantCulture, out count)) return count >= 1;
        return double.TryParse(Holdout, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out share) && share is > 0 and < 1;
    }

    private static ArgumentException Violated(string option, string value, string constraint) =>
        new($"CurveColumns.{option} = '{value}'. Violated constraint: {constraint}.");
}
