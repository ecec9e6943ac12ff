using System.CommandLine;

namespace BnslGpu.Cli;

/// <summary><c>bnsl completion</c>: what a shell needs to complete calls of this tool.</summary>
internal sealed class CompletionCommand : ToolCommand
{
    private readonly Argument<string> _shell = new("SHELL") { Description = $"{OptionKinds.Listed(Shells, "or")}." };

    public CompletionCommand(Streams streams)
        : base("completion", "Write a script that completes commands, options, their values and files in a shell.", streams)
    {
        _shell.HelpName = string.Join('|', Shells);
        _shell.CompletionSources.Add(Shells);
        _shell.Validators.Add(found =>
        {
            string word = found.Tokens[0].Value;
            if (!Shells.Contains(word)) found.AddError($"SHELL is '{word}'; expected {OptionKinds.Listed(Shells, "or")}.");
        });
        Add(_shell);
    }

    /// <summary>The shells there is a script for.</summary>
    public static string[] Shells { get; } = ["bash", "zsh", "fish"];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl completion bash > ~/.local/share/bash-completion/completions/bnsl", "for bash, where bash-completion is installed; else add the line 'source <(bnsl completion bash)' to ~/.bashrc"),
        new("bnsl completion zsh > ~/.zfunc/_bnsl", "for zsh, where ~/.zfunc is in fpath; else add 'source <(bnsl completion zsh)' to ~/.zshrc, after compinit"),
        new("bnsl completion fish > ~/.config/fish/completions/bnsl.fish", "for fish"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        IReadOnlyList<Completable> commands = Completable.Of(call.RootCommandResult.Command);
        Streams.Out.Write(call.GetRequiredValue(_shell) switch
        {
            "bash" => CompletionScript.Bash(commands),
            "zsh" => CompletionScript.Zsh(commands),
            _ => CompletionScript.Fish(commands),
        });
        return ExitCode.Done;
    }
}
