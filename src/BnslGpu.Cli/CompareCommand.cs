using System.CommandLine;
using System.Globalization;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl compare</c>: two saved reports in, what changed between them out.</summary>
internal sealed class CompareCommand : ToolCommand
{
    private const double DefaultTolerance = 1e-6;

    private readonly Argument<string> _a = new("A.json") { Description = "A report of 'bnsl fit --format json'; - reads standard input." };
    private readonly Argument<string> _b = new("B.json") { Description = "Another one." };
    private readonly Option<double?> _tolerance = OptionKinds.Number(
        "--tolerance", $"Numbers are the same up to this relative difference; a parameter also within its standard error. Default: {DefaultTolerance.ToString("g", CultureInfo.InvariantCulture)}.", " of at least 0", value => value >= 0);
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
    private readonly Option<string?> _format = OptionKinds.OneOf("--format", "What the comparison looks like. Default: table.", ReportComparison.Formats);

    public CompareCommand(Streams streams)
        : base("compare", "Compare two saved reports: options, points, chosen breaks, errors, parameters, forecasts. Ends with 0 where nothing differs, with 1 where something does, and with 2 where they cannot be compared.", streams)
    {
        AddFiles(_a);
        AddFiles(_b);
        foreach (Option option in (Option[])[_tolerance, _lawsFrom, _format]) Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl compare before.json after.json", "what changed, beyond rounding"),
        new("bnsl compare before.json after.json --tolerance 0.01 --format markdown", "what changed by more than 1 %, for an issue"),
        new("bnsl fit runs.csv --format json | bnsl compare report.json -", "has the answer changed since the report was saved?"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        string first = call.GetRequiredValue(_a), second = call.GetRequiredValue(_b);
        if (first == "-" && second == "-") throw new WrongCallException("both reports are '-'; expected a file for one of them.");
        try
        {
            LawsFile.Load(call.GetValue(_lawsFrom));
            (SavedReport a, SavedReport b) = (PredictCommand.Read(first, Streams), PredictCommand.Read(second, Streams));
            double tolerance = call.GetValue(_tolerance) ?? DefaultTolerance;
            ReportComparison comparison = ProgressDisplay.Watch(Streams, progress => ReportComparison.Of(a, b, tolerance, progress));
            foreach (string note in comparison.Notes) Streams.Say(note);
            comparison.Write(call.GetValue(_format) ?? ReportComparison.Formats[0], Streams.Out);
            Streams.Out.Flush();
            return comparison.Differs ? ExitCode.Failed : ExitCode.Done;
        }
        // Like diff: 1 says that they differ, so that what cannot be read or written must be something else.
        catch (Exception fault) when (fault is WorkException or IOException or UnauthorizedAccessException)
        {
            throw new WrongCallException(fault.Message);
        }
    }
}
