using ILGPU;

namespace BnslGpu.Kernels;

/// <summary>Numbers in device memory, one after the other.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="memory">Where they lie.</param>
/// <param name="first">Index of the first.</param>
internal readonly struct Flat<T>(ArrayView<T> memory, int first) : IArray<T>
    where T : unmanaged
{
    private readonly ArrayView<T> _memory = memory;
    private readonly int _first = first;

    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public T this[int index]
    {
        get => _memory[_first + index];
        set => _memory[_first + index] = value;
    }

    /// <inheritdoc/>
    public T this[int index, int offset]
    {
        get => _memory[_first + index + offset];
        set => _memory[_first + index + offset] = value;
    }

    /// <summary>The same numbers from a later one on.</summary>
    public Flat<T> From(int index) => new(_memory, _first + index);
}

/// <summary>A thread's numbers in device memory, beside those of its neighbours: number i of thread t is at i·threads + t, so that a warp reads one line.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="memory">Where they lie.</param>
/// <param name="first">Index of the first: t + (its column)·threads.</param>
/// <param name="threads">Threads that share the memory.</param>
internal readonly struct Column<T>(ArrayView<T> memory, int first, int threads) : IArray<T>
    where T : unmanaged
{
    private readonly ArrayView<T> _memory = memory;
    private readonly int _first = first, _threads = threads;

    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public T this[int index]
    {
        get => _memory[_first + (index * _threads)];
        set => _memory[_first + (index * _threads)] = value;
    }

    /// <inheritdoc/>
    public T this[int index, int offset]
    {
        get => _memory[_first + ((index + offset) * _threads)];
        set => _memory[_first + ((index + offset) * _threads)] = value;
    }

    /// <summary>The same numbers from a later one on.</summary>
    public Column<T> From(int index) => new(_memory, _first + (index * _threads), _threads);
}

/// <summary>A thread's own array of known length. ILGPU makes registers of it where every index is a constant.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="memory">Local memory, if it came to that.</param>
internal readonly struct Local<T>(ArrayView<T> memory) : IArray<T>
    where T : unmanaged
{
    private readonly ArrayView<T> _memory = memory;

    /// <inheritdoc/>
    public static bool IsRegisters => true;

    /// <inheritdoc/>
    public T this[int index]
    {
        get => _memory[index];
        set => _memory[index] = value;
    }

    /// <inheritdoc/>
    public T this[int index, int offset]
    {
        get => _memory[index + offset];
        set => _memory[index + offset] = value;
    }
}

/// <summary>A number of entries that is a type, so that loops over them are written out by the compiler.</summary>
/// <remarks>ILGPU unrolls no loop, and registers have no addresses. Each method does what the next smaller size does, and one entry more.</remarks>
internal interface ISize
{
    /// <summary>The number.</summary>
    static abstract int Count { get; }

    /// <summary>to ← from.</summary>
    static abstract void Copy<T, TFrom, TTo>(TFrom from, TTo to)
        where T : struct
        where TFrom : struct, IArray<T>
        where TTo : struct, IArray<T>;

    /// <summary>x ← a·x.</summary>
    static abstract void Scale<T, TArray>(T a, TArray x)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>;

    /// <summary>y ← a·x + y.</summary>
    static abstract void AddScaled<T, TArray>(T a, TArray x, TArray y)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>;
}

/// <summary>No entry.</summary>
internal readonly struct None : ISize
{
    /// <inheritdoc/>
    public static int Count => 0;

    /// <inheritdoc/>
    public static void Copy<T, TFrom, TTo>(TFrom from, TTo to)
        where T : struct
        where TFrom : struct, IArray<T>
        where TTo : struct, IArray<T>
    {
    }

    /// <inheritdoc/>
    public static void Scale<T, TArray>(T a, TArray x)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>
    {
    }

    /// <inheritdoc/>
    public static void AddScaled<T, TArray>(T a, TArray x, TArray y)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>
    {
    }
}

/// <summary>One entry more than another size.</summary>
/// <typeparam name="TSize">The other size.</typeparam>
internal readonly struct Next<TSize> : ISize
    where TSize : struct, ISize
{
    /// <inheritdoc/>
    public static int Count => TSize.Count + 1;

    /// <inheritdoc/>
    public static void Copy<T, TFrom, TTo>(TFrom from, TTo to)
        where T : struct
        where TFrom : struct, IArray<T>
        where TTo : struct, IArray<T>
    {
        TSize.Copy<T, TFrom, TTo>(from, to);
        to[TSize.Count] = from[TSize.Count];
    }

    /// <inheritdoc/>
    public static void Scale<T, TArray>(T a, TArray x)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>
    {
        TSize.Scale(a, x);
        x[TSize.Count] = a * x[TSize.Count];
    }

    /// <inheritdoc/>
    public static void AddScaled<T, TArray>(T a, TArray x, TArray y)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>
    {
        TSize.AddScaled(a, x, y);
        y[TSize.Count] = T.MultiplyAdd(a, x[TSize.Count], y[TSize.Count]);
    }
}

/// <summary>The lower triangle of N = [J r]ᵀ[J r] in registers.</summary>
/// <typeparam name="TSelf">The triangle.</typeparam>
/// <typeparam name="T">The number.</typeparam>
internal interface ITriangle<TSelf, T>
    where TSelf : struct, ITriangle<TSelf, T>
    where T : unmanaged, IReal<T, bool>
{
    /// <summary>How many rows.</summary>
    static abstract int Rows { get; }

    /// <summary>Takes registers for it.</summary>
    static abstract TSelf Allocate();

    /// <summary>Reads it.</summary>
    static abstract void Load(TSelf triangle, Column<T> from);

    /// <summary>Writes it.</summary>
    static abstract void Store(TSelf triangle, Column<T> to);

    /// <summary>N ← N + row rowᵀ.</summary>
    static abstract void AddSquare(TSelf triangle, Local<T> row);
}

/// <summary>No rows.</summary>
/// <typeparam name="T">The number.</typeparam>
internal readonly struct NoRows<T> : ITriangle<NoRows<T>, T>
    where T : unmanaged, IReal<T, bool>
{
    /// <inheritdoc/>
    public static int Rows => 0;

    /// <inheritdoc/>
    public static NoRows<T> Allocate() => default;

    /// <inheritdoc/>
    public static void Load(NoRows<T> triangle, Column<T> from)
    {
    }

    /// <inheritdoc/>
    public static void Store(NoRows<T> triangle, Column<T> to)
    {
    }

    /// <inheritdoc/>
    public static void AddSquare(NoRows<T> triangle, Local<T> row)
    {
    }
}

/// <summary>A triangle and one row more. Each row is an array of its own: ILGPU's compile time grows with the square of an array's length.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TUpper">The rows above.</typeparam>
/// <typeparam name="TSize">The length of the last row.</typeparam>
/// <param name="upper">The rows above.</param>
/// <param name="row">The last row.</param>
internal readonly struct Rows<T, TUpper, TSize>(TUpper upper, Local<T> row) : ITriangle<Rows<T, TUpper, TSize>, T>
    where T : unmanaged, IReal<T, bool>
    where TUpper : struct, ITriangle<TUpper, T>
    where TSize : struct, ISize
{
    private readonly TUpper _upper = upper;
    private readonly Local<T> _row = row;

    /// <inheritdoc/>
    static int ITriangle<Rows<T, TUpper, TSize>, T>.Rows => TSize.Count;

    private static int First => TUpper.Rows * (TUpper.Rows + 1) / 2;

    /// <inheritdoc/>
    public static Rows<T, TUpper, TSize> Allocate() => new(TUpper.Allocate(), DeviceMemory.Allocate<T>(TSize.Count));

    /// <inheritdoc/>
    public static void Load(Rows<T, TUpper, TSize> triangle, Column<T> from)
    {
        TUpper.Load(triangle._upper, from);
        TSize.Copy<T, Column<T>, Local<T>>(from.From(First), triangle._row);
    }

    /// <inheritdoc/>
    public static void Store(Rows<T, TUpper, TSize> triangle, Column<T> to)
    {
        TUpper.Store(triangle._upper, to);
        TSize.Copy<T, Local<T>, Column<T>>(triangle._row, to.From(First));
    }

    /// <inheritdoc/>
    public static void AddSquare(Rows<T, TUpper, TSize> triangle, Local<T> row)
    {
        TUpper.AddSquare(triangle._upper, row);
        TSize.AddScaled(row[TUpper.Rows], row, triangle._row);
    }
}

/// <summary>Memory of a thread's own.</summary>
internal static class DeviceMemory
{
    /// <summary>An array of known length. One of length 1 would not become a register.</summary>
    public static Local<T> Allocate<T>(int count)
        where T : unmanaged => new(LocalMemory.Allocate<T>(count < 2 ? 2 : count));
}
