using System.Text.RegularExpressions;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace BnslGpu.Benchmarks;

/// <summary>Kernels as PTX, which needs no GPU and no tool of NVIDIA's.</summary>
internal static partial class IlgpuPtx
{
    /// <summary>The class of a model's kernels.</summary>
    /// <param name="law">The law.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="isDouble">Double, or float.</param>
    /// <param name="inMemoryOnly">Whether sums are kept in device memory whatever their number.</param>
    public static Type Kernels(ScalingLaw law, Loss loss, bool isDouble, bool inMemoryOnly = false)
    {
        var closer = new Closer(isDouble, inMemoryOnly);
        return law.Close<Closer, Type>(loss, ref closer);
    }

    /// <summary>What ILGPU makes of a kernel.</summary>
    /// <param name="kernels">The class that it is in.</param>
    /// <param name="name">Its name.</param>
    /// <param name="architecture">The generation of GPUs.</param>
    public static string Compile(Type kernels, string name, CudaArchitecture architecture)
    {
        using Context context = IlgpuDevice.NewContext();
        using var backend = new PTXBackend(context, architecture, CudaInstructionSet.ISA_78, null!);
        var kernel = (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromImplicitlyGroupedKernel(kernels.GetMethod(name)!), new KernelSpecialization());
        return kernel.PTXAssembly;
    }

    /// <summary>Kernels that ask for no comparison that is true where a number is none. Those that draw or sort do: they skip what is not less.</summary>
    public static readonly string[] AreOrdered = ["Descend", "Evaluate"];

    /// <summary>Comparisons of numbers that are true where one of them is not a number: what ILGPU makes of one with a constant on the left.</summary>
    public static string[] Unordered(string ptx) => [.. UnorderedLine().Matches(ptx).Select(match => match.Value)];

    [GeneratedRegex(@"\bsetp(\.\w+)?\.(lt|le|gt|ge|eq|ne)u\.f(32|64).*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex UnorderedLine();

    private readonly struct Closer(bool isDouble, bool inMemoryOnly) : IModelVisitor<Type>
    {
        public Type Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => isDouble ? Of<F64, TLaw, TLoss>() : Of<F32, TLaw, TLoss>();

        private Type Of<T, TLaw, TLoss>()
            where T : unmanaged, IScalar<T>
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => typeof(DeviceKernels<,,,>).MakeGenericType(typeof(T), typeof(TLaw), typeof(TLoss), IlgpuDevice.Passes<T, TLaw>(inMemoryOnly));
    }
}
