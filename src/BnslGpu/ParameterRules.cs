using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>Where a parameter may lie, in its natural unit; fixed where both ends are equal.</summary>
/// <param name="Parameter">Its symbol; one with a value a break means all of them, with a number (c2) that of one break, in the order of the law's starts.</param>
/// <param name="Lower">Lowest value.</param>
/// <param name="Upper">Highest value.</param>
public readonly record struct ParameterRange(string Parameter, double Lower, double Upper);

/// <summary>A value of a parameter, in its natural unit.</summary>
/// <param name="Parameter">Its symbol, as in <see cref="ParameterRange"/>.</param>
/// <param name="Value">The value.</param>
public readonly record struct ParameterValue(string Parameter, double Value);

/// <summary>What is believed of a parameter before the fit: a normal distribution, or Student's t.</summary>
/// <remarks>
/// In the coordinate of the search: a relative to the smallest y, c as it is, log d relative to the last x, log f. Parameters that are tied
/// are one and have one prior, the last that is given of any of them.
/// </remarks>
/// <param name="Parameter">Its symbol, as in <see cref="ParameterRange"/>.</param>
/// <param name="Centre">Its most likely value.</param>
/// <param name="Spread">Its standard deviation; the scale of Student's t. &gt; 0.</param>
/// <param name="Degrees">Degrees of freedom; +∞ is the normal distribution. &gt; 0.</param>
public readonly record struct Prior(string Parameter, double Centre, double Spread, double Degrees = double.PositiveInfinity);

/// <summary>What is said about a law's parameters before the fit. A rule about a parameter that a law does not have leaves that law alone.</summary>
public sealed record ParameterRules
{
    /// <summary>No rules.</summary>
    public static ParameterRules None { get; } = new();

    /// <summary>Fixed and bounded parameters. They narrow the law's own box.</summary>
    public ImmutableArray<ParameterRange> Ranges { get; init; } = [];

    /// <summary>Parameters that share one value: the symbols of each group. One symbol with a value a break (f) ties those of all breaks.</summary>
    public ImmutableArray<ImmutableArray<string>> Ties { get; init; } = [];

    /// <summary>Starts of one's own, taken before the random ones; what a start leaves out is drawn, the level among it where b is not given.</summary>
    public ImmutableArray<ImmutableArray<ParameterValue>> Starts { get; init; } = [];

    /// <summary>Priors. The fit is then the posterior mode for residuals of variance <see cref="PriorVariance"/>.</summary>
    public ImmutableArray<Prior> Priors { get; init; } = [];

    /// <summary>Variance of a residual of mean weight, against which priors are weighed. &gt; 0.</summary>
    public double PriorVariance { get; init; } = 1;

    /// <summary>True where nothing is said.</summary>
    public bool IsEmpty => Ranges.IsEmpty && Ties.IsEmpty && Starts.IsEmpty && Priors.IsEmpty;

    /// <summary>Checks the rules against the laws that they are for.</summary>
    /// <exception cref="ArgumentException">A number is out of range, or no law has a parameter; the message says which.</exception>
    public void Validate(IEnumerable<ScalingLaw> laws)
    {
        ScalingLaw[] all = [.. laws];
        foreach (ParameterRange range in Ranges)
        {
            Known(all, nameof(Ranges), range.Parameter, alone: true);
            if (!(range.Lower <= range.Upper) || double.IsPositiveInfinity(range.Lower) || double.IsNegativeInfinity(range.Upper)) throw Violated(nameof(Ranges), $"{range.Parameter} from {range.Lower} to {range.Upper}", "lowest <= highest");
        }

        foreach (ImmutableArray<string> tie in Ties)
        {
            foreach (string name in tie) Known(all, nameof(Ties), name, alone: true);
            foreach (ScalingLaw law in all) _ = Tied(law, tie, law.GenericScale);
        }

        foreach (ParameterValue value in Starts.SelectMany(start => start))
        {
            Known(all, nameof(Starts), value.Parameter, alone: false);
            if (!double.IsFinite(value.Value)) throw Violated(nameof(Starts), $"{value.Parameter}={value.Value}", "a finite number");
            if (Array.Exists(all, law => !law.CanBe(value))) throw Violated(nameof(Starts), $"{value.Parameter}={value.Value}", "> 0");
        }

        foreach (Prior prior in Priors)
        {
            Known(all, nameof(Priors), prior.Parameter, alone: true);
            if (!double.IsFinite(prior.Centre) || !(prior.Spread > 0) || !(prior.Degrees > 0))
                throw Violated(nameof(Priors), $"{prior}", "a finite centre, spread > 0 and degrees > 0");
        }

        if (!(PriorVariance > 0) || !double.IsFinite(PriorVariance)) throw Violated(nameof(PriorVariance), $"{PriorVariance}", "> 0 and finite");
    }

    /// <summary>Coordinates of a group that share one value, the leader first; none where the law lacks one of the group.</summary>
    internal static int[] Tied(ScalingLaw law, ImmutableArray<string> tie, CurveScale scale)
    {
        int[][] found = [.. tie.Select(law.NaturalIndices)];
        if (Array.Exists(found, indices => indices.Length == 0)) return [];
        int[] all = [.. found.SelectMany(indices => indices).Distinct()];
        foreach (int one in all)
        {
            if (law.ToCoordinate(one, 0.5, scale).Equals(law.ToCoordinate(all[0], 0.5, scale)) && law.ToCoordinate(one, 2, scale).Equals(law.ToCoordinate(all[0], 2, scale))) continue;
            throw Violated(nameof(Ties), string.Join('=', tie), $"parameters of {law.Name} that are searched in the same coordinate");
        }

        return [.. all.Select(law.CoordinateOf)];
    }

    private static void Known(ScalingLaw[] laws, string rule, string parameter, bool alone)
    {
        ScalingLaw[] having = [.. laws.Where(law => law.NaturalIndices(parameter).Length > 0)];
        if (having.Length == 0)
        {
            IEnumerable<string> names = laws.SelectMany(law => law.Parameters.Select(known => known.Name)).Distinct();
            throw Violated(rule, parameter, $"a parameter of the law: {string.Join(", ", names)} (c2 is c of the second break)");
        }

        ScalingLaw? mixed = having.LastOrDefault(law => !law.IsSearchedAlone(parameter));
        if (!alone || mixed is null) return;
        IEnumerable<string> free = mixed.Parameters.Select(known => known.Name).Where(mixed.IsSearchedAlone);
        throw Violated(rule, parameter, $"one of {string.Join(", ", free)}: {mixed.Name} searches {parameter} together with others, as the level at the last point");
    }

    private static ArgumentException Violated(string rule, string value, string constraint) =>
        new($"ParameterRules.{rule} = {value}. Violated constraint: {constraint}.");
}
