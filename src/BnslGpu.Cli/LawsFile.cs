using System.Collections.Immutable;
using System.CommandLine;
using System.Reflection;
using System.Runtime.Loader;

namespace BnslGpu.Cli;

/// <summary>Laws of one's own, from assemblies that <c>--laws-from</c> names.</summary>
internal static class LawsFile
{
    /// <summary>The option, of every command that needs to know the laws.</summary>
    public static Option<string[]> Option() => OptionKinds.Several<string>(
        "--laws-from", "FILE.dll", "Add the laws of this assembly: its public structs that implement IPlainLaw or IScalingLaw. May be given again.",
        "a value, not another option", OptionKinds.TryReadText);

    /// <summary>Loads assemblies and makes their laws known.</summary>
    /// <returns>The laws.</returns>
    /// <exception cref="WorkException">A file is not there, is no assembly, has no law, or one whose name is taken.</exception>
    public static ImmutableArray<ScalingLaw> Load(IEnumerable<string>? paths) => [.. (paths ?? []).SelectMany(path => Load(path))];

    private static ImmutableArray<ScalingLaw> Load(string path)
    {
        string full = Path.GetFullPath(path);
        if (!File.Exists(full)) throw new WorkException($"{path}: there is no such file.");
        // What the laws' assembly needs stands beside it; the engine itself is the one that runs.
        Assembly? Beside(AssemblyLoadContext context, AssemblyName name) =>
            Path.Combine(Path.GetDirectoryName(full)!, name.Name + ".dll") is var beside && File.Exists(beside) && !name.Name!.StartsWith("BnslGpu", StringComparison.Ordinal)
                ? context.LoadFromAssemblyPath(beside)
                : null;
        // Where the engine is loaded, which is not the default context in a program that hosts the tool: the laws must meet the same one.
        AssemblyLoadContext here = AssemblyLoadContext.GetLoadContext(typeof(LawsFile).Assembly)!;
        here.Resolving += Beside;
        try
        {
            ImmutableArray<ScalingLaw> laws = ScalingLaw.AddAll(here.LoadFromAssemblyPath(full));
            return laws.IsEmpty ? throw new WorkException($"{path} has no law: no public struct in it implements IPlainLaw or IScalingLaw.") : laws;
        }
        catch (BadImageFormatException)
        {
            throw new WorkException($"{path} is not a .NET assembly.");
        }
        catch (Exception fault) when (fault is ArgumentException or IOException or TypeLoadException or ReflectionTypeLoadException)
        {
            throw new WorkException($"{path} cannot be used: {fault.Message}");
        }
        finally
        {
            here.Resolving -= Beside;
        }
    }
}
