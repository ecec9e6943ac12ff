using System.CommandLine;
using BnslGpu.Kernels;

namespace BnslGpu.Cli;

/// <summary><c>bnsl laws</c>: the functional forms that can be fitted.</summary>
internal sealed class LawsCommand : ToolCommand
{
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();

    public LawsCommand(Streams streams)
        : base("laws", "List the functional forms with inputs, parameters and sources.", streams) => Add(_lawsFrom);

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl laws", "what --law and --breaks can name, what each parameter of a report is, and which of them --fix takes"),
        new("bnsl fit loss.csv --law bnsl --breaks 0-2", "fit one of them with 0, 1 and 2 breaks"),
        new("bnsl laws --laws-from MyLaws.dll", "list those of your own assembly too"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        LawsFile.Load(call.GetValue(_lawsFrom));
        foreach (var family in ScalingLaw.All.GroupBy(law => (law.Name, law.Formula, law.Source)))
        {
            ScalingLaw[] laws = [.. family.OrderBy(law => law.Breaks)];
            ScalingLaw most = laws[^1];
            string breaks = laws.Length == 1 ? $"{most.Breaks}" : $"{laws[0].Breaks}-{most.Breaks}";
            string inputs = $"{most.InputCount} {(most.InputCount == 1 ? "input" : "inputs")}";
            string signs = $"{(most.NeedsPositiveX ? "x > 0" : "any x")}, {(most.IsPositive ? "y > 0" : "any y")}";
            Streams.Out.WriteLine($"{family.Key.Name}  breaks {breaks}; {inputs}; {signs}");
            Streams.Out.WriteLine($"    {family.Key.Formula}");
            Streams.Out.WriteLine($"    parameters: {Names(most, parameter => !parameter.PerBreak)}");
            if (most.Breaks > 0) Streams.Out.WriteLine($"    of each break: {Names(most, parameter => parameter.PerBreak)}");
            Streams.Out.WriteLine($"    can be fixed, bounded, tied: {Names(most, parameter => most.IsSearchedAlone(parameter.Name))}");
            if (family.Key.Source.Length > 0) Streams.Out.WriteLine($"    {family.Key.Source}");
            Streams.Out.WriteLine();
        }
        return ExitCode.Done;
    }

    private static string Names(ScalingLaw law, Func<NaturalParameter, bool> which)
    {
        string[] names = [.. law.Parameters.Where(which).Select(parameter => parameter.Name)];
        return names.Length == 0 ? "none" : string.Join(", ", names);
    }
}
