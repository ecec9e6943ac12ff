using System.CommandLine;

namespace BnslGpu.Cli;

/// <summary><c>bnsl devices</c>: where the search can run on this machine.</summary>
internal sealed class DevicesCommand(Streams streams) : ToolCommand("devices", "List where the search can run on this machine.", streams)
{
    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl devices", "what --device can name here, with its width and threads"),
        new("bnsl fit loss.csv --device simd --threads 4", "search on four cores"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        // A description begins with the name.
        foreach ((_, Func<IBackend> create) in Backends.All) Streams.Out.WriteLine(create().Description);
        Streams.Out.WriteLine();
        Streams.Out.WriteLine($"--device auto is {Backends.All[0].Name}. Without --threads it takes {Environment.ProcessorCount} threads.");
        Streams.Out.WriteLine("There is no GPU backend yet.");
        return ExitCode.Done;
    }
}
