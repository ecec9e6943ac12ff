using System.Collections.Immutable;

namespace BnslGpu.Cli;

/// <summary>Reads what options say about parameters: items separated by commas, each a symbol, =, and what is said of it.</summary>
internal static class RuleTexts
{
    /// <summary>Reads values: <c>a=0,c0=0.5</c>.</summary>
    public static bool TryReadValues(string text, out ImmutableArray<ParameterValue> values)
    {
        var read = ImmutableArray.CreateBuilder<ParameterValue>();
        values = [];
        foreach (string item in text.Split(','))
        {
            if (item.Split('=') is not [string name, string number] || !TryReadName(ref name) || !Scales.TryReadNumber(number, out double value)) return false;
            read.Add(new(name, value));
        }

        values = read.ToImmutable();
        return true;
    }

    /// <summary>Reads ranges: <c>f=0.05:10,d=:1e6</c>; an end that is left out is infinite.</summary>
    public static bool TryReadRanges(string text, out ImmutableArray<ParameterRange> ranges)
    {
        var read = ImmutableArray.CreateBuilder<ParameterRange>();
        ranges = [];
        foreach (string item in text.Split(','))
        {
            if (item.Split('=') is not [string name, string range] || !TryReadName(ref name) || range.Split(':') is not [string from, string to]) return false;
            double lower = double.NegativeInfinity, upper = double.PositiveInfinity;
            if (from.Length + to.Length == 0 || (from.Length > 0 && !Scales.TryReadNumber(from, out lower)) || (to.Length > 0 && !Scales.TryReadNumber(to, out upper))) return false;
            read.Add(new(name, lower, upper));
        }

        ranges = read.ToImmutable();
        return true;
    }

    /// <summary>Reads groups: <c>alpha=beta,f</c>, one symbol alone for its values at all breaks.</summary>
    public static bool TryReadTies(string text, out ImmutableArray<ImmutableArray<string>> ties)
    {
        ties = [.. text.Split(',').Select(item => item.Split('=').Select(name => name.Trim()).ToImmutableArray())];
        return ties.All(tie => tie.All(name => name.Length > 0));
    }

    private static bool TryReadName(ref string name) => (name = name.Trim()).Length > 0;
}
