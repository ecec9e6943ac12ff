using ILGPU;

namespace BnslGpu.Benchmarks;

/// <summary>Kernels with a fault that a check must find: a check that finds nothing proves nothing otherwise.</summary>
public static class IlgpuPlantedKernels
{
    /// <summary>As it should be: every thread writes its own place.</summary>
    public static void Correct(Index1D thread, ArrayView<int> numbers, ArrayView<int> from) => numbers[thread] = from[thread] + 1;

    /// <summary>All threads write one place.</summary>
    public static void Race(Index1D thread, ArrayView<int> numbers, ArrayView<int> from) => numbers[0] = from[thread] + thread;

    /// <summary>The last thread writes behind the end.</summary>
    public static void OutOfBounds(Index1D thread, ArrayView<int> numbers, ArrayView<int> from) => numbers[thread + 1] = from[thread] + 1;

    /// <summary>Branches on what nobody wrote.</summary>
    public static void Uninitialised(Index1D thread, ArrayView<int> numbers, ArrayView<int> from)
    {
        if (numbers[thread] > 3) numbers[thread] = from[thread];
        else numbers[thread] = 1;
    }
}
