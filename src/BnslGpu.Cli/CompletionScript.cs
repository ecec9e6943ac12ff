using System.Text;

namespace BnslGpu.Cli;

/// <summary>Completions as shells read them. The scripts are plain text that starts no process, so that a completion takes no time.</summary>
internal static class CompletionScript
{
    private const string Made = "# Made by bnsl completion; make it anew after an update of bnsl.";

    /// <summary>For bash 4 or later, with or without bash-completion.</summary>
    public static string Bash(IReadOnlyList<Completable> commands)
    {
        var values = new StringBuilder();
        var words = new StringBuilder();
        foreach (Completable command in commands)
        {
            string arguments = $"{(command.Arguments.IsFile ? "files=1; " : "")}words={Quoted(string.Join(' ', command.Arguments.Words))}";
            words.Append($"        {Quoted(command.Name)}) options={Quoted(string.Join(' ', command.Options.Select(option => option.Name)))}; {arguments} ;;\n");
            foreach (CompletableOption option in command.Options.Where(option => option.Value is not null))
            {
                CompletableValue value = option.Value!;
                string kind = value.IsFolder ? "folders=1; " : value.IsFile ? "files=1; " : "";
                values.Append($"        {Quoted($"{command.Name} {option.Name}")}) {kind}list={(value.IsList ? 1 : 0)}; words={Quoted(string.Join(' ', value.Words))} ;;\n");
            }
        }

        return $$"""
            {{Made}}
            _bnsl()
            {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= options= words= files= folders= list=0 before= i
                for ((i = 1; i < COMP_CWORD; i++)); do
                    case ${COMP_WORDS[i]} in
                        -*) ;;
                        *) command=${COMP_WORDS[i]}; break ;;
                    esac
                done
                COMPREPLY=()
                # Bash parts --format=m into three words.
                if [[ $current == = ]]; then current=
                elif [[ $previous == = ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
                case "$command $previous" in
            {{values}}        *) previous= ;;
                esac
                if [[ -z $previous ]]; then
                    case $command in
            {{words}}        esac
                    if [[ $current == -* ]]; then
                        COMPREPLY=($(compgen -W "$options" -- "$current"))
                        return
                    fi
                fi
                # Of a list the last part is completed, and what stands before it is kept.
                if [[ $list == 1 && $current == *,* ]]; then
                    before=${current%,*},
                    current=${current##*,}
                fi
                local found
                while IFS= read -r found; do
                    COMPREPLY+=("$before$found")
                done < <(compgen -W "$words" -- "$current")
                if [[ -n $files$folders ]]; then
                    while IFS= read -r found; do
                        COMPREPLY+=("$found")
                    done < <(compgen ${files:+-f} ${folders:+-d} -- "$current")
                    compopt -o filenames 2> /dev/null
                fi
            }
            complete -F _bnsl bnsl

            """;
    }

    /// <summary>For zsh, as a file _bnsl in fpath or sourced after compinit.</summary>
    public static string Zsh(IReadOnlyList<Completable> commands)
    {
        var script = new StringBuilder($$"""
            #compdef bnsl
            {{Made}}
            _bnsl() {
                local context state state_descr line curcontext=$curcontext
                typeset -A opt_args
                local -a commands=(
            {{string.Concat(commands.Skip(1).Select(command => $"        {Quoted($"{command.Name}:{command.Description}")}\n"))}}    )
                _arguments -C \
            {{Options(commands[0])}}        '1: :->command' '*:: :->rest' && return
                case $state in
                    command) _describe command commands ;;
                    rest)
                        case $words[1] in

            """);
        foreach (Completable command in commands.Skip(1))
        {
            CompletableValue value = command.Arguments;
            string arguments = value.IsFile || value.Words.Length > 0 ? $"                    {Quoted($"*:{Plain(value.Shape)}:{Action(value)}")}\n" : "";
            script.Append($"                {command.Name}) _arguments \\\n{Options(command)}{arguments} ;;\n".Replace("\\\n ;;", "\n                    ;;", StringComparison.Ordinal));
        }

        return script.Append("""
                        esac ;;
                esac
            }
            if [[ $funcstack[1] == _bnsl ]]; then _bnsl "$@"; else compdef _bnsl bnsl; fi

            """).ToString();

        static string Options(Completable command) => string.Concat(command.Options.Select(option =>
            $"                    {Quoted($"*{option.Name}[{Plain(option.Description)}]{(option.Value is { } value ? $":{Plain(value.Shape)}:{Action(value)}" : "")}")} \\\n"));

        static string Action(CompletableValue value) =>
            value.IsFolder ? "_files -/"
            : value.IsFile && value.Words.Length > 0 ? $"{{ compadd -- {string.Join(' ', value.Words)}; _files }}"
            : value.IsFile ? "_files"
            : value.Words.Length == 0 ? " "
            : value.IsList ? $"{{ compset -P \"*,\"; compadd -S \"\" -- {string.Join(' ', value.Words)} }}"
            : $"({string.Join(' ', value.Words)})";

        // In a specification these end a part.
        static string Plain(string text) =>
            text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal).Replace("]", "\\]", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal);
    }

    /// <summary>For fish 3 or later.</summary>
    public static string Fish(IReadOnlyList<Completable> commands)
    {
        var script = new StringBuilder($$"""
            {{Made}}
            function __bnsl_list -d 'Words for the last part of a list, behind what stands before it'
                set -l before (commandline -ct | string match -r '.*,')
                for word in $argv
                    echo "$before$word"
                end
            end
            complete -c bnsl -f

            """);
        foreach (Completable command in commands)
        {
            bool isTool = command.Name.Length == 0;
            string when = isTool ? "-n __fish_use_subcommand" : $"-n '__fish_seen_subcommand_from {command.Name}'";
            if (!isTool) script.Append($"complete -c bnsl -n __fish_use_subcommand -a {command.Name} -d {FishQuoted(command.Description)}\n");
            if (!isTool && command.Arguments.IsFile) script.Append($"complete -c bnsl {when} -F\n");
            if (!isTool && command.Arguments.Words.Length > 0) script.Append($"complete -c bnsl {when} -a {FishQuoted(string.Join(' ', command.Arguments.Words))}\n");
            foreach (CompletableOption option in command.Options)
            {
                string value = option.Value switch
                {
                    null => "",
                    { IsFolder: true } => " -x -a '(__fish_complete_directories)'",
                    { IsFile: true } => " -r -F",
                    { Words.Length: 0 } => " -x",
                    { IsList: true } list => $" -x -a {FishQuoted($"(__bnsl_list {string.Join(' ', list.Words)})")}",
                    var words => $" -x -a {FishQuoted(string.Join(' ', words.Words))}",
                };
                script.Append($"complete -c bnsl {when} -l {option.Name[2..]}{value} -d {FishQuoted(option.Description)}\n");
            }
        }

        return script.ToString();

        static string FishQuoted(string text) => $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
    }

    /// <summary>In single quotes, as bash and zsh have them.</summary>
    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
