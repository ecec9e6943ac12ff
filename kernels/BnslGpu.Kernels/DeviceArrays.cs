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

/// <summary>A thread's numbers in device memory, number i at first + i·step: beside those of its neighbours, so that a warp reads one line, or together.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="memory">Where they lie.</param>
/// <param name="first">Index of the first.</param>
/// <param name="step">From one to the next: the number of threads where numbers lie beside those of neighbours, 1 where a thread's lie together.</param>
internal readonly struct Column<T>(ArrayView<T> memory, int first, int step) : IArray<T>
    where T : unmanaged
{
    private readonly ArrayView<T> _memory = memory;
    private readonly int _first = first, _step = step;

    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public T this[int index]
    {
        get => _memory[_first + (index * _step)];
        set => _memory[_first + (index * _step)] = value;
    }

    /// <inheritdoc/>
    public T this[int index, int offset]
    {
        get => _memory[_first + ((index + offset) * _step)];
        set => _memory[_first + ((index + offset) * _step)] = value;
    }

    /// <summary>The same numbers from a later one on.</summary>
    public Column<T> From(int index) => new(_memory, _first + (index * _step), _step);
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

    /// <summary>x ← 0.</summary>
    static abstract void Clear<T>(Local<T> x)
        where T : unmanaged, IReal<T, bool>;

    /// <summary>x ← a·x.</summary>
    static abstract void Scale<T, TArray>(T a, TArray x)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>;

    /// <summary>y ← a·x + y.</summary>
    static abstract void AddScaled<T, TArray>(T a, TArray x, TArray y)
        where T : struct, IReal<T, bool>
        where TArray : struct, IArray<T>;

    /// <summary>x ← a·y∘x.</summary>
    static abstract void Multiply<T>(T a, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool>;

    /// <summary>sum − xᵀy.</summary>
    static abstract T Subtract<T>(T sum, Local<T> x, Local<T> y)
        where T : unmanaged, IReal<T, bool>;

    /// <summary>x ← y∘x.</summary>
    /// <returns>sum + (y∘x)ᵀx, x as it was.</returns>
    static abstract T Divide<T>(T sum, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool>;

    /// <summary>1 where a parameter is free, 0 where the gradient pushes it out of its box.</summary>
    static abstract void Free<T>(Local<T> gradient, Local<T> θ, Flat<T> lower, Flat<T> upper, Local<T> free)
        where T : unmanaged, IReal<T, bool>;

    /// <summary>trial ← θ + δ, cut at the box.</summary>
    static abstract void Move<T>(Local<T> θ, Local<T> δ, Flat<T> lower, Flat<T> upper, Column<T> trial)
        where T : unmanaged, IReal<T, bool>;
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
    public static void Clear<T>(Local<T> x)
        where T : unmanaged, IReal<T, bool>
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

    /// <inheritdoc/>
    public static void Multiply<T>(T a, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool>
    {
    }

    /// <inheritdoc/>
    public static T Subtract<T>(T sum, Local<T> x, Local<T> y)
        where T : unmanaged, IReal<T, bool> => sum;

    /// <inheritdoc/>
    public static T Divide<T>(T sum, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool> => sum;

    /// <inheritdoc/>
    public static void Free<T>(Local<T> gradient, Local<T> θ, Flat<T> lower, Flat<T> upper, Local<T> free)
        where T : unmanaged, IReal<T, bool>
    {
    }

    /// <inheritdoc/>
    public static void Move<T>(Local<T> θ, Local<T> δ, Flat<T> lower, Flat<T> upper, Column<T> trial)
        where T : unmanaged, IReal<T, bool>
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
    public static void Clear<T>(Local<T> x)
        where T : unmanaged, IReal<T, bool>
    {
        TSize.Clear(x);
        x[TSize.Count] = T.Constant(0);
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

    /// <inheritdoc/>
    public static void Multiply<T>(T a, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool>
    {
        TSize.Multiply(a, y, x);
        x[TSize.Count] = x[TSize.Count] * (a * y[TSize.Count]);
    }

    /// <inheritdoc/>
    public static T Subtract<T>(T sum, Local<T> x, Local<T> y)
        where T : unmanaged, IReal<T, bool> => T.MultiplyAdd(-x[TSize.Count], y[TSize.Count], TSize.Subtract(sum, x, y));

    /// <inheritdoc/>
    public static T Divide<T>(T sum, Local<T> y, Local<T> x)
        where T : unmanaged, IReal<T, bool>
    {
        sum = TSize.Divide(sum, y, x);
        T before = x[TSize.Count], after = before * y[TSize.Count];
        x[TSize.Count] = after;
        return T.MultiplyAdd(before, after, sum);
    }

    /// <inheritdoc/>
    public static void Free<T>(Local<T> gradient, Local<T> θ, Flat<T> lower, Flat<T> upper, Local<T> free)
        where T : unmanaged, IReal<T, bool>
    {
        TSize.Free(gradient, θ, lower, upper, free);
        T zero = T.Constant(0), g = gradient[TSize.Count], at = θ[TSize.Count];
        bool atLower = T.LessOrEqual(at, lower[TSize.Count]) & T.Less(-g, zero), atUpper = T.LessOrEqual(upper[TSize.Count], at) & T.Less(g, zero);
        free[TSize.Count] = T.Select(atLower | atUpper, zero, T.Constant(1));
    }

    /// <inheritdoc/>
    public static void Move<T>(Local<T> θ, Local<T> δ, Flat<T> lower, Flat<T> upper, Column<T> trial)
        where T : unmanaged, IReal<T, bool>
    {
        TSize.Move(θ, δ, lower, upper, trial);
        trial[TSize.Count] = T.Max(T.Min(θ[TSize.Count] + δ[TSize.Count], upper[TSize.Count]), lower[TSize.Count]);
    }
}

/// <summary>The lower triangle of N = [J r]ᵀ[J r] in registers, and the damped step that it gives.</summary>
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

    /// <summary>N ← 0.</summary>
    static abstract void Clear(TSelf triangle);

    /// <summary>Reads it.</summary>
    static abstract void Load(TSelf triangle, Column<T> from);

    /// <summary>Writes it.</summary>
    static abstract void Store(TSelf triangle, Column<T> to);

    /// <summary>N ← N + row rowᵀ.</summary>
    static abstract void AddSquare(TSelf triangle, Local<T> row);

    /// <summary>N ← N + λ max(diag N, floor), rows and columns of held parameters cut to a diagonal of 1.</summary>
    static abstract void Damp(TSelf triangle, T λ, T floor, Local<T> free);

    /// <summary>N = L D Lᵀ: L below the diagonal, and D⁻¹.</summary>
    static abstract void Factor(TSelf triangle, T leastPivot, Local<T> inverses);

    /// <summary>row ← L⁻¹ row.</summary>
    static abstract void Eliminate(TSelf triangle, Local<T> row);

    /// <summary>row ← L⁻ᵀ row.</summary>
    static abstract void Substitute(TSelf triangle, Local<T> row);

    /// <summary>The step that <see cref="LevenbergMarquardt{T, TMask, TLaw, TLoss}.Step"/> takes, by rows instead of columns: the same operations on every number.</summary>
    /// <param name="triangle">N; not N any more on return.</param>
    /// <param name="λ">Damping.</param>
    /// <param name="floor">Least entry of what is damped.</param>
    /// <param name="leastPivot">Least pivot.</param>
    /// <param name="θ">Where it is.</param>
    /// <param name="lower">Lower bounds.</param>
    /// <param name="upper">Upper bounds.</param>
    /// <param name="trial">Output.</param>
    /// <returns>The fall in rᵀr that it promises.</returns>
    static abstract T Step(TSelf triangle, T λ, T floor, T leastPivot, Local<T> θ, Flat<T> lower, Flat<T> upper, Column<T> trial);
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
    public static void Clear(NoRows<T> triangle)
    {
    }

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

    /// <inheritdoc/>
    public static void Damp(NoRows<T> triangle, T λ, T floor, Local<T> free)
    {
    }

    /// <inheritdoc/>
    public static void Factor(NoRows<T> triangle, T leastPivot, Local<T> inverses)
    {
    }

    /// <inheritdoc/>
    public static void Eliminate(NoRows<T> triangle, Local<T> row)
    {
    }

    /// <inheritdoc/>
    public static void Substitute(NoRows<T> triangle, Local<T> row)
    {
    }

    /// <inheritdoc/>
    public static T Step(NoRows<T> triangle, T λ, T floor, T leastPivot, Local<T> θ, Flat<T> lower, Flat<T> upper, Column<T> trial) => T.Constant(0);
}

/// <summary>A triangle and one row more. Each row is an array of its own: ILGPU's compile time grows with the square of an array's length.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TUpper">The rows above.</typeparam>
/// <typeparam name="TBefore">Entries of the last row before the diagonal: as many as there are rows above.</typeparam>
/// <param name="upper">The rows above.</param>
/// <param name="row">The last row.</param>
internal readonly struct Rows<T, TUpper, TBefore>(TUpper upper, Local<T> row) : ITriangle<Rows<T, TUpper, TBefore>, T>
    where T : unmanaged, IReal<T, bool>
    where TUpper : struct, ITriangle<TUpper, T>
    where TBefore : struct, ISize
{
    private readonly TUpper _upper = upper;
    private readonly Local<T> _row = row;

    /// <inheritdoc/>
    static int ITriangle<Rows<T, TUpper, TBefore>, T>.Rows => TBefore.Count + 1;

    private static int First => TBefore.Count * (TBefore.Count + 1) / 2;

    /// <inheritdoc/>
    public static Rows<T, TUpper, TBefore> Allocate() => new(TUpper.Allocate(), DeviceMemory.Allocate<T>(TBefore.Count + 1));

    /// <inheritdoc/>
    public static void Clear(Rows<T, TUpper, TBefore> triangle)
    {
        TUpper.Clear(triangle._upper);
        Next<TBefore>.Clear(triangle._row);
    }

    /// <inheritdoc/>
    public static void Load(Rows<T, TUpper, TBefore> triangle, Column<T> from)
    {
        TUpper.Load(triangle._upper, from);
        Next<TBefore>.Copy<T, Column<T>, Local<T>>(from.From(First), triangle._row);
    }

    /// <inheritdoc/>
    public static void Store(Rows<T, TUpper, TBefore> triangle, Column<T> to)
    {
        TUpper.Store(triangle._upper, to);
        Next<TBefore>.Copy<T, Local<T>, Column<T>>(triangle._row, to.From(First));
    }

    /// <inheritdoc/>
    public static void AddSquare(Rows<T, TUpper, TBefore> triangle, Local<T> row)
    {
        TUpper.AddSquare(triangle._upper, row);
        Next<TBefore>.AddScaled(row[TBefore.Count], row, triangle._row);
    }

    /// <inheritdoc/>
    public static void Damp(Rows<T, TUpper, TBefore> triangle, T λ, T floor, Local<T> free)
    {
        TUpper.Damp(triangle._upper, λ, floor, free);
        Local<T> row = triangle._row;
        T own = free[TBefore.Count], diagonal = row[TBefore.Count];
        TBefore.Multiply(own, free, row);
        row[TBefore.Count] = T.Select(T.Less(-own, T.Constant(0)), T.MultiplyAdd(λ, T.Max(diagonal, floor), diagonal), T.Constant(1));
    }

    /// <inheritdoc/>
    public static void Factor(Rows<T, TUpper, TBefore> triangle, T leastPivot, Local<T> inverses)
    {
        TUpper.Factor(triangle._upper, leastPivot, inverses);
        Local<T> row = triangle._row;
        TUpper.Eliminate(triangle._upper, row);
        T pivot = -TBefore.Divide(-row[TBefore.Count], inverses, row);
        inverses[TBefore.Count] = T.Constant(1) / T.Max(pivot, leastPivot);
    }

    /// <inheritdoc/>
    public static void Eliminate(Rows<T, TUpper, TBefore> triangle, Local<T> row)
    {
        TUpper.Eliminate(triangle._upper, row);
        row[TBefore.Count] = TBefore.Subtract(row[TBefore.Count], row, triangle._row);
    }

    /// <inheritdoc/>
    public static void Substitute(Rows<T, TUpper, TBefore> triangle, Local<T> row)
    {
        TBefore.AddScaled(-row[TBefore.Count], triangle._row, row);
        TUpper.Substitute(triangle._upper, row);
    }

    /// <inheritdoc/>
    public static T Step(Rows<T, TUpper, TBefore> triangle, T λ, T floor, T leastPivot, Local<T> θ, Flat<T> lower, Flat<T> upper, Column<T> trial)
    {
        // The last row is the gradient, and what becomes of it the step.
        Local<T> δ = triangle._row, free = DeviceMemory.Allocate<T>(TBefore.Count), inverses = DeviceMemory.Allocate<T>(TBefore.Count);
        TBefore.Free(δ, θ, lower, upper, free);
        TUpper.Damp(triangle._upper, λ, floor, free);
        TBefore.Multiply(T.Constant(1), free, δ);
        TUpper.Factor(triangle._upper, leastPivot, inverses);
        TUpper.Eliminate(triangle._upper, δ);
        T promised = TBefore.Divide(T.Constant(0), inverses, δ);
        TBefore.Scale(T.Constant(-1), δ);
        TUpper.Substitute(triangle._upper, δ);
        TBefore.Move(θ, δ, lower, upper, trial);
        return promised;
    }
}

/// <summary>An array of which one number alone is known, and the rest does not matter.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <param name="number">The number, wherever one asks.</param>
internal readonly struct Only<T>(T number) : IArray<T>
    where T : struct
{
    private readonly T _number = number;

    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <summary>Reads the number; writes vanish.</summary>
    public T this[int index]
    {
        get => _number;
        set { }
    }

    /// <summary>Reads the number; writes vanish.</summary>
    public T this[int index, int offset]
    {
        get => _number;
        set { }
    }
}

/// <summary>Memory of a thread's own.</summary>
internal static class DeviceMemory
{
    /// <summary>An array of known length. One of length 1 would not become a register.</summary>
    public static Local<T> Allocate<T>(int count)
        where T : unmanaged => new(LocalMemory.Allocate<T>(count < 2 ? 2 : count));
}
