using System.CommandLine;
using System.Globalization;

namespace BnslGpu.Cli;

/// <summary>Reads a value from the text of one option.</summary>
/// <returns>False if the text is not such a value.</returns>
internal delegate bool TryRead<T>(string text, out T value);

/// <summary>The kinds of options: each complains in one sentence that names the value and what was expected.</summary>
/// <remarks>An option that is not given is null, false or an empty array, so that a recipe's choice can stand.</remarks>
internal static class OptionKinds
{
    /// <summary>Any kind of value.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="shape">What help shows in place of the value.</param>
    /// <param name="description">What help says.</param>
    /// <param name="expected">Completes "--name is 'text'; expected …".</param>
    /// <param name="read">Reads the value.</param>
    public static Option<T?> Value<T>(string name, string shape, string description, string expected, TryRead<T> read) => new(name)
    {
        Description = description,
        HelpName = shape,
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = argument =>
        {
            string text = argument.Tokens[0].Value;
            if (read(text, out T value)) return value;
            argument.AddError($"{name} is '{text}'; expected {expected}.");
            return default;
        },
    };

    /// <summary>Any kind of value, given any number of times.</summary>
    /// <inheritdoc cref="Value{T}"/>
    public static Option<T[]> Several<T>(string name, string shape, string description, string expected, TryRead<T> read) => new(name)
    {
        Description = description,
        HelpName = shape,
        Arity = ArgumentArity.OneOrMore,
        CustomParser = argument =>
        {
            var values = new T[argument.Tokens.Count];
            for (int i = 0; i < values.Length; i++)
            {
                string text = argument.Tokens[i].Value;
                if (read(text, out values[i])) continue;
                argument.AddError($"{name} is '{text}'; expected {expected}.");
                return [];
            }

            return values;
        },
    };

    /// <summary>Text that does not look like another option: the parser would take <c>--x --y loss</c> as x = "--y".</summary>
    public static Option<string?> Text(string name, string shape, string description) =>
        Value<string>(name, shape, description, "a value, not another option", TryReadText);

    /// <summary>A switch.</summary>
    public static Option<bool> Switch(string name, string description) => new(name) { Description = description };

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>.</summary>
    public static Option<int?> Whole(string name, string description, int least, int most = int.MaxValue) =>
        Value<int?>(name, "N", description, most < int.MaxValue ? $"a whole number from {least} to {most}" : $"a whole number of at least {least}", (string text, out int? value) =>
        {
            bool read = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most;
            value = number;
            return read;
        });

    /// <summary>The seed of every random number.</summary>
    public static Option<ulong?> Seed(string name, string description) =>
        Value<ulong?>(name, "N", description, "a whole number from 0 to 18446744073709551615", (string text, out ulong? value) =>
        {
            bool read = ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number);
            value = number;
            return read;
        });

    /// <summary>A finite number within a range.</summary>
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What help says.</param>
    /// <param name="range">Completes "expected a finite number …".</param>
    /// <param name="isWithin">Whether a finite number lies in the range.</param>
    public static Option<double?> Number(string name, string description, string range, Func<double, bool> isWithin) =>
        Value<double?>(name, "NUMBER", description, $"a finite number{range}", (string text, out double? value) =>
        {
            bool read = Scales.TryReadNumber(text, out double number) && isWithin(number);
            value = number;
            return read;
        });

    /// <summary>One of a list of names.</summary>
    public static Option<string?> OneOf(string name, string description, IEnumerable<string> names)
    {
        string[] choices = [.. names];
        string shape = string.Join('|', choices);
        Option<string?> option = Value<string>(name, shape, description, Listed(choices, "or"), (string text, out string value) =>
        {
            value = text;
            return choices.Contains(text);
        });
        option.CompletionSources.Add(choices);
        return option;
    }

    /// <summary>Names that a shell completes, of an option that takes others too.</summary>
    public static void Suggest(Option option, IEnumerable<string> names) => option.CompletionSources.Add([.. names.Distinct()]);

    /// <summary>"a, b or c".</summary>
    public static string Listed(IReadOnlyList<string> words, string last) =>
        words.Count < 2 ? string.Concat(words) : $"{string.Join(", ", words.SkipLast(1))} {last} {words[^1]}";

    /// <summary>True unless the text begins like an option.</summary>
    public static bool TryReadText(string text, out string value)
    {
        value = text;
        return !text.StartsWith("--", StringComparison.Ordinal);
    }
}
