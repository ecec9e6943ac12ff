using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace BnslGpu.Cli;

/// <summary>The tool: finds the command, runs it, and turns what can go wrong into one sentence and an exit code.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        using CancellationTokenSource interrupt = new();
        void Interrupt(PosixSignalContext signal)
        {
            // The first asks the command to end; a second one ends the process.
            signal.Cancel = !interrupt.IsCancellationRequested;
            interrupt.Cancel();
        }
        using PosixSignalRegistration onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using PosixSignalRegistration onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        // A console of Windows shows bytes in the code page of the country, and a person ± as Â±, unless told otherwise; what is piped or in a file is UTF-8 anyway.
        bool toConsole = OperatingSystem.IsWindows() && !(Console.IsOutputRedirected && Console.IsErrorRedirected);
        Encoding? before = toConsole ? Console.OutputEncoding : null;
        if (toConsole) Console.OutputEncoding = OutputFile.Encoding;
        // Console.Out would flush every line; its stream already takes a closed pipe for the end of the reader's interest.
        using StreamWriter output = new(Console.OpenStandardOutput(), OutputFile.Encoding, bufferSize: 1 << 16) { NewLine = "\n" };
        using StreamWriter error = new(Console.OpenStandardError(), OutputFile.Encoding) { NewLine = "\n", AutoFlush = true };
        using StreamReader input = new(Console.OpenStandardInput());
        Backends.Probe = DevicesCommand.Probe;
        int exitCode = Run(args, new Streams(input, output, error) { ErrorIsTerminal = !Console.IsErrorRedirected, OutBytes = Console.IsOutputRedirected ? output.BaseStream : null, Interrupt = interrupt.Token });
        if (before is not null) Console.OutputEncoding = before; // the code page is the console's, and stays
        return exitCode;
    }

    /// <summary>Runs one call of the tool.</summary>
    /// <param name="args">What follows the tool's name.</param>
    /// <param name="streams">Where it reads and writes.</param>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    public static int Run(IReadOnlyList<string> args, Streams streams)
    {
        Tool tool = new(streams);
        // Without response files: an argument that begins with @ is a name like any other.
        ParseResult call = tool.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        try
        {
            if (call.Action is ParseErrorAction) throw new WrongCallException(FirstError(call));
            int exitCode = call.Invoke(new InvocationConfiguration
            {
                Output = streams.Out,
                Error = streams.Error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            });
            streams.Out.Flush();
            return exitCode;
        }
        catch (WrongCallException wrong)
        {
            streams.Say($"{wrong.Message} See '{FullName(call.CommandResult.Command)} --help'.");
            return ExitCode.WrongCall;
        }
        catch (OperationCanceledException)
        {
            streams.Say("interrupted.");
            return ExitCode.Interrupted;
        }
#pragma warning disable CA1031 // The last handler there is: a person gets a sentence, and the stack trace for the asking.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            bool expected = failure is WorkException or CurveCsvException or SuiteFileException or IOException or UnauthorizedAccessException;
            bool traced = Environment.GetEnvironmentVariable("BNSL_DEBUG") == "1";
            if (traced) streams.Say(failure.ToString());
            else if (expected) streams.Say(failure.Message);
            else streams.Say($"unexpected {failure.GetType().Name}: {failure.Message} Set BNSL_DEBUG=1 to see where.");
            return ExitCode.Failed;
        }
    }

    private static string FirstError(ParseResult call)
    {
        Command command = call.CommandResult.Command;
        if (call.UnmatchedTokens is [string unknown, ..]) return Unknown(command, unknown);
        return command is Tool ? $"a command is missing: {OptionKinds.Listed(Names(command.Subcommands), "or")}." : call.Errors[0].Message;
    }

    /// <summary>The complaint about a word that the command does not know, with the known word that is nearest.</summary>
    public static string Unknown(Command command, string word)
    {
        bool isOption = word.StartsWith('-');
        string[] known = [.. Names(isOption ? command.Options : command.Subcommands)];
        string hint = EditDistance.Nearest(word, known, most: 2) is { } nearest ? $"; did you mean '{nearest}'?" : ".";
        string kind = isOption ? "an option" : command is Tool ? "a command" : "an argument";
        return $"'{word}' is not {kind} of {FullName(command)}{hint}";
    }

    // Not the name of the root, which is that of the process.
    private static string FullName(Command command) => command is Tool ? "bnsl" : $"bnsl {command.Name}";

    private static string[] Names(IEnumerable<Symbol> symbols) => [.. symbols.Select(symbol => symbol.Name)];

    /// <summary>The tool itself: its commands, and what it says without one.</summary>
    /// <remarks>Not a RootCommand, which asks for the path of the process's executable and fails in a process that hosts the tool.</remarks>
    private sealed class Tool : Command, IHasExamples
    {
        public Tool(Streams streams)
            : base("bnsl", "Fits broken neural scaling laws to scaling and learning curves: many starts, many curves, at once.")
        {
            Add(new FitCommand(streams));
            Add(new SuiteCommand(streams));
            Add(new PredictCommand(streams));
            Add(new CompareCommand(streams));
            Add(new SimulateCommand(streams));
            Add(new LawsCommand(streams));
            Add(new DevicesCommand(streams));
            Add(new CompletionCommand(streams));
            HelpOption help = new() { Description = "Show help and examples." };
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
            Add(help);
            Add(new VersionOption { Description = "Show the version.", Action = new ShowVersion() });
        }

        public IReadOnlyList<Example> Examples { get; } =
        [
            new("bnsl fit loss.csv", "fit every curve of a file with 0 to 3 breaks and show a table"),
            new("bnsl fit loss.csv --output report.json --plot plots", "keep the whole report, and draw each curve with its fit"),
            new("bnsl predict report.json --x 1e10,1e11", "say what the fitted laws expect at larger scales"),
        ];
    }

    private sealed class ShowVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            // 0.1.0+5f31c3a0…, of which a source without git has the first part alone.
            string built = typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";
            string commit = built.Split('+') is [_, { Length: >= 12 } revision] ? $" (commit {revision[..12]})" : "";
            parseResult.InvocationConfiguration.Output.WriteLine($"bnsl {FitReport.Version}{commit}");
            return ExitCode.Done;
        }
    }
}
