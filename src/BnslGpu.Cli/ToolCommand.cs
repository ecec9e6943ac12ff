using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace BnslGpu.Cli;

/// <summary>What a command reads from, writes to and is interrupted by; a test lends its own.</summary>
/// <param name="In">Standard input.</param>
/// <param name="Out">Standard output: results, and nothing else.</param>
/// <param name="Error">Standard error: complaints, notes and progress.</param>
internal sealed record Streams(TextReader In, TextWriter Out, TextWriter Error)
{
    /// <summary>True where a person looks at <see cref="Error"/>, so that progress may be drawn.</summary>
    public bool ErrorIsTerminal { get; init; }

    /// <summary>Standard output for results that are not text; null where a person looks at it, or where it is text alone.</summary>
    public Stream? OutBytes { get; init; }

    /// <summary>Is told how far a run is, where a program looks at it; null where <see cref="Error"/> is.</summary>
    public IProgress<FitProgress>? Progress { get; init; }

    /// <summary>Ctrl-C.</summary>
    public CancellationToken Interrupt { get; init; }

    /// <summary>Writes one sentence to <see cref="Error"/>.</summary>
    public void Say(string sentence) => Error.WriteLine($"bnsl: {sentence}");
}

/// <summary>How the tool ends.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>The work failed: bad data, no file, no fit.</summary>
    public const int Failed = 1;

    /// <summary>The call was wrong.</summary>
    public const int WrongCall = 2;

    /// <summary>Interrupted.</summary>
    public const int Interrupted = 130;
}

/// <summary>The work failed; the message is the sentence to print.</summary>
internal sealed class WorkException(string message) : Exception(message);

/// <summary>The call was wrong in a way that only a command can see; the message is the sentence to print.</summary>
internal sealed class WrongCallException(string message) : Exception(message);

/// <summary>One line to type, and what comes of it.</summary>
internal readonly record struct Example(string Call, string Meaning);

/// <summary>A command whose help ends in examples.</summary>
internal interface IHasExamples
{
    /// <summary>Shown in this order.</summary>
    IReadOnlyList<Example> Examples { get; }
}

/// <summary>One command of the tool.</summary>
internal abstract class ToolCommand : Command, IHasExamples
{
    protected ToolCommand(string name, string description, Streams streams)
        : base(name, description)
    {
        Streams = streams;
        SetAction(Run);
    }

    /// <inheritdoc/>
    public abstract IReadOnlyList<Example> Examples { get; }

    protected Streams Streams { get; }

    /// <summary>Adds an argument that names files: a word that begins like an option and is none is a mistake, not a file. - is one.</summary>
    protected void AddFiles(Argument files)
    {
        files.Validators.Add(found =>
        {
            foreach (string word in found.Tokens.Select(token => token.Value))
                if (word.StartsWith('-') && word != "-") found.AddError(Program.Unknown(this, word));
        });
        Add(files);
    }

    /// <summary>Does the work.</summary>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    protected abstract int Run(ParseResult call);
}

/// <summary>The generated help, then the command's examples.</summary>
/// <remarks>They stand apart from the description because the list of commands repeats every description.</remarks>
internal sealed class HelpWithExamples(HelpAction help) : SynchronousCommandLineAction
{
    /// <inheritdoc/>
    public override bool ClearsParseErrors => true;

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not IHasExamples command) return ExitCode.Done;
        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (Example example in command.Examples)
        {
            output.WriteLine($"  {example.Call}");
            output.WriteLine($"      {example.Meaning}");
        }
        output.WriteLine();
        return ExitCode.Done;
    }
}
