using BnslGpu.Kernels;

namespace BnslGpu.Tests;

/// <summary>A problem brought to its minimum, without the pipeline around it.</summary>
internal sealed class Solved
{
    public Solved(Problem problem, int starts = 32, CancellationToken cancellation = default)
    {
        Problem = problem;
        Candidates found = new SimdBackend().Search(new([problem]), new(starts, 1, 1, SearchPrecision.Double, 200, 1), stop: cancellation)[0];
        Minimum = Refiner.Refine(problem, found[0], 400, cancellation);
        Natural = new double[problem.Law.NaturalCount];
        problem.Law.ToNatural(Minimum.Parameters, problem.Scale, Natural, new double[Natural.Length * problem.ParameterCount]);
    }

    public Problem Problem { get; }

    public Minimum Minimum { get; }

    /// <summary>Parameters in natural units, in the law's order.</summary>
    public double[] Natural { get; }

    /// <summary>Mean of w r².</summary>
    public double Objective => Minimum.Loss / Problem.Count;

    public double this[string parameter] => Natural[Problem.Law.NaturalIndices(parameter)[0]];
}

/// <summary>y = c + a x^b, m2 in its own coordinates.</summary>
internal readonly struct PlainOffsetPowerLaw : IPlainLaw
{
    public static string Name => "plain-m2";

    public static string Formula => "y = a x^b + c";

    public static int ParameterCount => 3;

    public static PlainParameter[] Parameters => [new("a", 0.1, 100), new("b", -1, -0.05, -20, 20), new("c", 0, 1, 0)];

    public static bool IsLogarithmic(int parameter) => parameter == 0;

    public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T> =>
        T.MultiplyAdd(θ[0], Functions.Pow<T, TMask>(x[point], θ[1]), θ[2]);
}

/// <summary>y = E + (A x₁^−α + B x₂^−α): Chinchilla's law with one exponent.</summary>
internal readonly struct OneExponent : IPlainLaw
{
    public static string Name => "one-exponent";

    public static string Formula => "y = E + A x1^-alpha + B x2^-alpha";

    public static int InputCount => 2;

    public static int ParameterCount => 4;

    public static PlainParameter[] Parameters => [new("E", 0, 2, 0), new("A", 1, 1e3), new("B", 1, 1e3), new("alpha", 0.1, 0.6, 0, 20)];

    public static bool IsLogarithmic(int parameter) => parameter is 1 or 2;

    public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        T α = θ[3], first = Functions.Pow<T, TMask>(x[point], -α), second = Functions.Pow<T, TMask>(x[point, 1], -α);
        return T.MultiplyAdd(θ[1], first, T.MultiplyAdd(θ[2], second, θ[0]));
    }
}

/// <summary>log y = a + b x: a law that gives log y.</summary>
internal readonly struct LogLine : IPlainLaw
{
    public static string Name => "log-line";

    public static string Formula => "log y = a + b x";

    public static bool IsLog => true;

    public static int ParameterCount => 2;

    public static PlainParameter[] Parameters => [new("a", -1, 1), new("b", -1, 1)];

    public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T> => T.MultiplyAdd(θ[1], x[point], θ[0]);
}

/// <summary>A law whose name another has: what <c>--laws-from</c> with this assembly complains of.</summary>
public readonly struct TakenName : IPlainLaw
{
    public static string Name => "m2";

    public static string Formula => "y = a";

    public static int ParameterCount => 1;

    public static PlainParameter[] Parameters => [new("a", 0, 1)];

    public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T> => θ[0];
}
