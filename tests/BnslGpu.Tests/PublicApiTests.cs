using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

public sealed class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>A change here is a change for those who build on the library. Run with BNSL_UPDATE_GOLDEN=1 to take it over.</summary>
    [Fact]
    public void Public_surface_is_the_one_that_was_agreed_on()
    {
        var surface = new StringBuilder();
        foreach (Assembly assembly in (Assembly[])[typeof(IScalingLaw).Assembly, typeof(Fitter).Assembly])
        {
            surface.Append("# ").Append(assembly.GetName().Name).Append('\n');
            foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal)) Append(surface, type);
        }

        string path = Path.Combine(Path.GetDirectoryName(Here())!, "Golden", "PublicApi.txt"), actual = surface.ToString();
        if (Environment.GetEnvironmentVariable("BNSL_UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
        }

        Assert.Equal(File.ReadAllText(path), actual, ignoreLineEndingDifferences: true);
    }

    private static string Here([CallerFilePath] string path = "") => path;

    private static void Append(StringBuilder surface, Type type)
    {
        surface.Append('\n').Append(Kind(type)).Append(' ').Append(Name(type));
        IEnumerable<string> bases = type.GetInterfaces().Where(shown => shown.Assembly == type.Assembly || shown.Assembly == typeof(IScalingLaw).Assembly).Select(Name);
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType) && parent != typeof(Enum)) bases = bases.Prepend(Name(parent));
        if (bases.Any()) surface.Append(" : ").AppendJoin(", ", bases.Order(StringComparer.Ordinal));
        surface.Append('\n');
        surface.AppendJoin(string.Empty, type.GetMembers(Declared).Select(Line).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(line => $"  {line}\n"));
    }

    private static string Kind(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string? Line(MemberInfo member) => member switch
    {
        _ when member.IsDefined(typeof(CompilerGeneratedAttribute)) && member is not MethodInfo { IsSpecialName: true } => null, // what records bring along
        FieldInfo field when !Visible(field.IsPublic, field.IsFamily) || field.IsSpecialName => null,
        FieldInfo { IsLiteral: true } constant => $"const {Name(constant.FieldType)} {constant.Name} = {Convert.ToString(constant.GetRawConstantValue(), System.Globalization.CultureInfo.InvariantCulture)}",
        FieldInfo field => $"{Static(field.IsStatic)}{Name(field.FieldType)} {field.Name}",
        ConstructorInfo constructor when Visible(constructor.IsPublic, constructor.IsFamily) => $"new({Parameters(constructor)})",
        PropertyInfo property when Accessors(property) is { Length: > 0 } accessors =>
            $"{Static(property.GetAccessors(true)[0].IsStatic)}{Name(property.PropertyType)} {property.Name}{Index(property)} {{ {accessors}}}",
        MethodInfo method when Visible(method.IsPublic, method.IsFamily) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal))
            && !method.IsDefined(typeof(CompilerGeneratedAttribute)) =>
            $"{Static(method.IsStatic)}{Name(method.ReturnType)} {method.Name}{Generic(method)}({Parameters(method)})",
        _ => null,
    };

    private static bool Visible(bool isPublic, bool isFamily) => isPublic || isFamily;

    private static string Static(bool isStatic) => isStatic ? "static " : string.Empty;

    private static string Accessors(PropertyInfo property)
    {
        var accessors = new StringBuilder();
        if (property.GetMethod is { } get && Visible(get.IsPublic, get.IsFamily)) accessors.Append("get; ");
        if (property.SetMethod is { } set && Visible(set.IsPublic, set.IsFamily))
            accessors.Append(set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init; " : "set; ");
        return accessors.ToString();
    }

    private static string Index(PropertyInfo property) =>
        property.GetIndexParameters() is { Length: > 0 } index ? $"[{string.Join(", ", index.Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}"))}]" : string.Empty;

    private static string Generic(MethodInfo method) =>
        method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(argument => argument.Name))}>" : string.Empty;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : string.Empty)}{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "default") : string.Empty)}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return Name(type.GetElementType()!);
        if (type.IsArray) return Name(type.GetElementType()!) + "[]";
        string name = type.IsGenericParameter ? type.Name : type.Namespace is "BnslGpu" or "BnslGpu.Kernels" ? type.FullName?.Replace(type.Namespace + ".", string.Empty, StringComparison.Ordinal) ?? type.Name : type.Name;
        if (type.IsGenericType)
        {
            int tick = name.IndexOf('`', StringComparison.Ordinal);
            name = (tick < 0 ? name : name[..tick]) + $"<{string.Join(", ", type.GetGenericArguments().Select(Name))}>";
        }

        return name;
    }
}
