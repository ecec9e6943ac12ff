using System.Runtime.CompilerServices;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>Numbers in unmanaged or pinned memory, one after the other; whoever makes it keeps the memory alive.</summary>
/// <typeparam name="T">The number.</typeparam>
internal readonly unsafe struct Block<T>(T* first) : IArray<T>
    where T : unmanaged
{
    public static bool IsRegisters => false;

    public T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => first[index];
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => first[index] = value;
    }

    public T this[int index, int offset]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (first + index)[offset];
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set => (first + index)[offset] = value;
    }
}

/// <summary>Scalars in memory, each read into every lane.</summary>
/// <typeparam name="T">Lanes.</typeparam>
/// <typeparam name="TMask">Their mask.</typeparam>
/// <typeparam name="TScalar">double or float.</typeparam>
internal readonly unsafe struct Broadcast<T, TMask, TScalar>(TScalar* first) : IArray<T>
    where T : unmanaged, ILanes<T, TMask, TScalar>
    where TMask : struct
    where TScalar : unmanaged
{
    public static bool IsRegisters => false;

    public T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Broadcast(first[index]);
        set => throw new NotSupportedException("What every lane shares is not written by one of them.");
    }

    public T this[int index, int offset]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => T.Broadcast((first + index)[offset]);
        set => throw new NotSupportedException("What every lane shares is not written by one of them.");
    }
}

/// <summary>Numbers in a managed array.</summary>
/// <typeparam name="T">The number.</typeparam>
internal readonly struct Heap<T>(T[] numbers) : IArray<T>
    where T : struct
{
    public static bool IsRegisters => false;

    public T this[int index]
    {
        get => numbers[index];
        set => numbers[index] = value;
    }

    public T this[int index, int offset]
    {
        get => numbers[index + offset];
        set => numbers[index + offset] = value;
    }
}
