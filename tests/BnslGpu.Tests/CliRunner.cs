using BnslGpu.Cli;

namespace BnslGpu.Tests;

/// <summary>What one call of the tool left behind.</summary>
public sealed record CliResult(int ExitCode, string Out, string Error);

/// <summary>Runs the tool in this process.</summary>
public static class CliRunner
{
    public static CliResult Run(params string[] args) => RunWith("", CancellationToken.None, args);

    public static CliResult RunWith(string input, CancellationToken interrupt, params string[] args)
    {
        using StringReader @in = new(input);
        using StringWriter @out = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int exitCode = Program.Run(args, new Streams(@in, @out, error) { Interrupt = interrupt });
        return new CliResult(exitCode, @out.ToString(), error.ToString());
    }
}

/// <summary>A folder of its own for one test.</summary>
public sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("bnsl-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
