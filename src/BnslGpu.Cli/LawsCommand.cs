using System.CommandLine;

namespace BnslGpu.Cli;

/// <summary><c>bnsl laws</c>: the functional forms that can be fitted.</summary>
internal sealed class LawsCommand(Streams streams) : ToolCommand("laws", "List the functional forms with parameters and sources.", streams)
{
    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl laws", "what --law and --breaks can name, and what each parameter of a report is"),
        new("bnsl fit loss.csv --law bnsl --breaks 0-2", "fit one of them with 0, 1 and 2 breaks"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        foreach (var family in ScalingLaw.All.GroupBy(law => (law.Name, law.Formula, law.Source)))
        {
            ScalingLaw[] laws = [.. family.OrderBy(law => law.Breaks)];
            string breaks = laws.Length == 1 ? $"{laws[0].Breaks}" : $"{laws[0].Breaks}-{laws[^1].Breaks}";
            Streams.Out.WriteLine($"{family.Key.Name}  breaks {breaks}");
            Streams.Out.WriteLine($"    {family.Key.Formula}");
            Streams.Out.WriteLine($"    parameters: {Names(laws[^1], perBreak: false)}");
            if (laws[^1].Breaks > 0) Streams.Out.WriteLine($"    of each break: {Names(laws[^1], perBreak: true)}");
            Streams.Out.WriteLine($"    {family.Key.Source}");
            Streams.Out.WriteLine();
        }
        return ExitCode.Done;
    }

    private static string Names(ScalingLaw law, bool perBreak) =>
        string.Join(", ", law.Parameters.Where(parameter => parameter.PerBreak == perBreak).Select(parameter => parameter.Name));
}
