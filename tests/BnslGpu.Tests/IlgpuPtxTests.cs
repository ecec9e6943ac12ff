using BnslGpu.Benchmarks;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Runtime.Cuda;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What ILGPU writes for NVIDIA's GPUs; to write it takes none.</summary>
[Collection(DeviceTests.Name)]
public sealed class IlgpuPtxTests
{
    /// <summary>Laws that give log y and y, plain ones, and more parameters than registers; losses of log y and of y.</summary>
    public static TheoryData<string, int, string> Models => new()
    {
        { "bnsl", 1, "msle" }, { "bnsl", 1, "mse" }, { "bnsl", 5, "huber" }, { "m4", 0, "msle1p" }, { "bnsl-falling", 1, "msle" }, { "bnsl-falling", 1, "mse" }, { Parity.Own.Name, 0, "msle" }, { "clamped", 0, "msle" },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void What_is_not_a_number_is_less_than_nothing(string law, int breaks, string loss)
    {
        IlgpuDevice.PrepareCompiler();
        ScalingLaw own = law == Parity.Own.Name ? Parity.Own : law == "clamped" ? new ScalingLaw<Plain<Clamped>>() : ScalingLaw.Get(law, breaks);
        foreach (bool isDouble in (bool[])[true, false])
        {
            Type kernels = IlgpuPtx.Kernels(own, Loss.Get(loss), isDouble);
            foreach (string kernel in IlgpuPtx.AreOrdered)
                Assert.Empty(IlgpuPtx.Unordered(IlgpuPtx.Compile(kernels, kernel, CudaArchitecture.SM_80)));
        }
    }

    /// <summary>Why constants stand on the right. Where this fails, ILGPU was mended, and they may stand anywhere.</summary>
    [Fact]
    public void A_constant_on_the_left_becomes_an_unordered_comparison()
    {
        IlgpuDevice.PrepareCompiler();
        Assert.Single(IlgpuPtx.Unordered(IlgpuPtx.Compile(typeof(Kernels), nameof(Kernels.ConstantOnTheLeft), CudaArchitecture.SM_80)));
        Assert.Empty(IlgpuPtx.Unordered(IlgpuPtx.Compile(typeof(Kernels), nameof(Kernels.ConstantOnTheRight), CudaArchitecture.SM_80)));
    }

    private static class Kernels
    {
        public static void ConstantOnTheLeft(Index1D thread, ArrayView<double> numbers) =>
            numbers[thread] = F64.Select(F64.Less(F64.Constant(1e-30), new F64(numbers[thread])), F64.Constant(1), F64.Constant(0)).Value;

        public static void ConstantOnTheRight(Index1D thread, ArrayView<double> numbers) =>
            numbers[thread] = F64.Select(F64.Less(-new F64(numbers[thread]), F64.Constant(-1e-30)), F64.Constant(1), F64.Constant(0)).Value;
    }

    /// <summary>A plain law of all that compares.</summary>
    private readonly struct Clamped : IPlainLaw
    {
        public static string Name => "clamped";

        public static string Formula => "y = max(a, tanh(min(b x, 2)))^b";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => [new("a", 0.1, 1), new("b", 0.1, 1)];

        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T inner = T.Max(T.Min(θ[1] * x[point], T.Constant(2)), T.Constant(0.1));
            return Functions.Pow<T, TMask>(T.Max(Functions.Tanh<T, TMask>(inner), θ[0]) + T.Atan(T.Abs(inner)) + Functions.Softplus<T, TMask>(inner, out _, out _), θ[1]);
        }
    }
}
