using BnslGpu.Kernels;

namespace OwnLaw;

public readonly struct ExponentialLaw : IPlainLaw
{
    public static string Name => "exponential";
    public static string Formula => "y = a + b exp(-x/tau)";
    public static int ParameterCount => 3;
    public static PlainParameter[] Parameters => [new("a", -5, 5), new("b", -5, 5), new("tau", 1, 1e6)]; // where starts lie
    public static bool IsLogarithmic(int parameter) => parameter == 2; // tau is above 0, of unknown magnitude

    public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T> => θ[0] + θ[1] * Functions.ExpClamped<T, TMask>(-x[point] / θ[2]);
}
