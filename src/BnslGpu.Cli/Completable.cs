using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Completions;

namespace BnslGpu.Cli;

/// <summary>What can be written after the name of a command.</summary>
/// <param name="Name">Of the command; empty for the tool itself, whose values are the commands.</param>
/// <param name="Description">What it does.</param>
/// <param name="Arguments">What its arguments can be.</param>
/// <param name="Options">Its options.</param>
internal sealed record Completable(string Name, string Description, CompletableValue Arguments, ImmutableArray<CompletableOption> Options)
{
    /// <summary>The tool, then its commands. Everything is taken from the definitions by which calls are parsed.</summary>
    public static IReadOnlyList<Completable> Of(Command tool)
    {
        // What stands in every command is defined once, at the root.
        ImmutableArray<Option> everywhere = [.. tool.Options.Where(option => option.Recursive)];
        Completable root = new("", "", new([.. tool.Subcommands.Where(command => !command.Hidden).Select(command => command.Name)]), [.. Shown(tool.Options)]);
        return
        [
            root,
            .. tool.Subcommands.Where(command => !command.Hidden).Select(command =>
                new Completable(command.Name, FirstSentence(command.Description), Join(command.Arguments.Select(Value)), [.. Shown(command.Options.Concat(everywhere))])),
        ];

        static IEnumerable<CompletableOption> Shown(IEnumerable<Option> options) => options.Where(option => !option.Hidden)
            .Select(option => new CompletableOption(option.Name, FirstSentence(option.Description), option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0 ? null : Value(option)));
    }

    private static CompletableValue Value(Symbol symbol)
    {
        string shape = (symbol is Option option ? option.HelpName : ((Argument)symbol).HelpName) ?? symbol.Name;
        return new([.. symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label).Where(label => !label.StartsWith('-') && label.Length > 0)])
        {
            Shape = shape,
            IsFile = shape.Contains("FILE", StringComparison.Ordinal) || shape.Contains("REPORT", StringComparison.Ordinal) || shape.EndsWith(".json", StringComparison.Ordinal),
            IsFolder = shape.StartsWith("DIR", StringComparison.Ordinal),
            IsList = shape.EndsWith(",…", StringComparison.Ordinal),
        };
    }

    private static CompletableValue Join(IEnumerable<CompletableValue> values) =>
        values.Aggregate(new CompletableValue([]), (all, next) => new([.. all.Words, .. next.Words]) { IsFile = all.IsFile || next.IsFile, Shape = next.Shape });

    /// <summary>A line beside the word, where a shell shows one.</summary>
    private static string FirstSentence(string? text)
    {
        text ??= "";
        string sentence = text.Split(["; ", ". "], 2, StringSplitOptions.None)[0].TrimEnd('.');
        // What stands behind a colon is detail, unless it is within brackets.
        int colon = sentence.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 || sentence.AsSpan(0, colon).Contains('(') ? sentence : sentence[..colon];
    }
}

/// <summary>An option.</summary>
/// <param name="Name">With its dashes.</param>
/// <param name="Description">What it does.</param>
/// <param name="Value">What follows it; null for a switch.</param>
internal sealed record CompletableOption(string Name, string Description, CompletableValue? Value);

/// <summary>A value.</summary>
/// <param name="Words">The words it can be, where they are known.</param>
internal sealed record CompletableValue(ImmutableArray<string> Words)
{
    /// <summary>What help shows in its place.</summary>
    public string Shape { get; init; } = "";

    /// <summary>Whether it can be a file.</summary>
    public bool IsFile { get; init; }

    /// <summary>Whether it is a folder.</summary>
    public bool IsFolder { get; init; }

    /// <summary>Whether it is several with commas between.</summary>
    public bool IsList { get; init; }
}
