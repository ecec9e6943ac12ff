using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>A parameter of a <see cref="IPlainLaw"/>: its name, where random starts draw it, and where it may lie.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="From">Least value that a start draws.</param>
/// <param name="To">Largest value that a start draws.</param>
/// <param name="Lower">Lowest value; −∞ without a bound.</param>
/// <param name="Upper">Highest value; +∞ without a bound.</param>
public readonly record struct PlainParameter(
    string Name, double From, double To, double Lower = double.NegativeInfinity, double Upper = double.PositiveInfinity);

/// <summary>A law in its plainest form: a formula in its own parameters. Dual numbers supply its gradient, random starts lie in a box.</summary>
/// <remarks>
/// For laws of one's own. <see cref="Value"/> is written over a kind of number and runs wherever the engine runs: operators,
/// <see cref="Functions.ExpClamped"/> (<c>T.Exp</c> is meaningless where the result is not a normal number), <c>T.Log</c>, <c>T.Sqrt</c>, <c>T.Select</c>
/// and what <see cref="Functions"/> has, but no branch on a value. Of two numbers that <c>T.Less</c>, <c>T.LessOrEqual</c>, <c>T.Min</c> or <c>T.Max</c>
/// takes, a constant is the second: as the first, NVIDIA's GPUs find it less than what is not a number. 0 &lt; x is <c>T.Less(-x, T.Constant(0))</c>. A law that wants an analytic gradient
/// or coordinates of its own implements <see cref="IScalingLaw"/>.
/// </remarks>
public interface IPlainLaw
{
    /// <summary>Name on the command line and in reports.</summary>
    static abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    static abstract string Formula { get; }

    /// <summary>Where the formula was published; empty unless said otherwise.</summary>
    static virtual string Source => "";

    /// <summary>Number of inputs: columns of x; one unless said otherwise.</summary>
    static virtual int InputCount => 1;

    /// <summary>True where <see cref="Value"/> gives log y, false (the default) where it gives y.</summary>
    static virtual bool IsLog => false;

    /// <summary>Number of parameters; a constant.</summary>
    static abstract int ParameterCount { get; }

    /// <summary>The parameters. Shape [<see cref="ParameterCount"/>].</summary>
    static abstract PlainParameter[] Parameters { get; }

    /// <summary>True where a parameter is above 0 and is searched by its logarithm, as one whose magnitude is unknown should be; false unless said otherwise.</summary>
    /// <param name="parameter">Index of the parameter.</param>
    static virtual bool IsLogarithmic(int parameter) => false;

    /// <summary>The law at one point.</summary>
    /// <param name="x">Inputs of every point, in their own units.</param>
    /// <param name="point">Index of this point's first input.</param>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <returns>y in its own unit, or log y.</returns>
    static abstract T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>;
}

/// <summary>A plain law as the engine takes it: coordinates are its parameters or their logarithms, the gradient is by dual numbers.</summary>
/// <remarks>One pass of the formula a parameter (forward mode): p + 1 times the work of the value, where an analytic gradient takes about twice.</remarks>
/// <typeparam name="TLaw">The plain law.</typeparam>
public readonly struct Plain<TLaw> : IScalingLaw
    where TLaw : struct, IPlainLaw
{
    /// <inheritdoc/>
    public static string Name => TLaw.Name;

    /// <inheritdoc/>
    public static string Formula => TLaw.Formula;

    /// <inheritdoc/>
    public static string Source => TLaw.Source;

    /// <inheritdoc/>
    public static int InputCount => TLaw.InputCount;

    /// <inheritdoc/>
    public static bool NeedsPositiveX => false;

    /// <inheritdoc/>
    public static bool IsLog => TLaw.IsLog;

    /// <inheritdoc/>
    public static double DampingFloor => 0;

    /// <inheritdoc/>
    public static int ParameterCount => TLaw.ParameterCount;

    /// <inheritdoc/>
    public static int ColumnCount => TLaw.InputCount;

    /// <summary>The parameters in their own units.</summary>
    public static int WorkCount => TLaw.ParameterCount;

    /// <summary>Plain laws see x and y in their own units.</summary>
    public static CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double[] ones = new double[TLaw.InputCount];
        Array.Fill(ones, 1);
        return new([.. ones], 1);
    }

    /// <inheritdoc/>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => x[column];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        for (int j = 0; j < TLaw.ParameterCount; j++)
            work[j] = TLaw.IsLogarithmic(j) ? Functions.ExpClamped<T, TMask>(θ[j]) : θ[j];
    }

    /// <inheritdoc/>
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        if (!TGradient.IsNowhere)
        {
            for (int j = 0; j < TLaw.ParameterCount; j++)
            {
                T derivative = TLaw.Value<Dual<T, TMask>, TMask, Constants<T, TMask, TPoints>, Direction<T, TMask, TArray>>(new(points), point, new(work, j)).Derivative;
                gradient[row, j] = TLaw.IsLogarithmic(j) ? work[j] * derivative : derivative;
            }
        }

        return TLaw.Value<T, TMask, TPoints, TArray>(points, point, work);
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range)
    {
        PlainParameter bounds = TLaw.Parameters[parameter];
        return TLaw.IsLogarithmic(parameter)
            ? (bounds.Lower > 0 ? Math.Log(bounds.Lower) : double.NegativeInfinity, Math.Log(bounds.Upper))
            : (bounds.Lower, bounds.Upper);
    }

    /// <summary>Each parameter uniform between its ends; its logarithm where it is searched by that.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        PlainParameter[] parameters = TLaw.Parameters;
        for (int j = 0; j < TLaw.ParameterCount; j++)
        {
            (double from, double to) = (parameters[j].From, parameters[j].To);
            if (TLaw.IsLogarithmic(j)) (from, to) = (F64.Log(new F64(from), out _).Value, F64.Log(new F64(to), out _).Value);
            θ[j] = new F64(random.Uniform(from, to));
        }
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [.. TLaw.Parameters.Select(parameter => new NaturalParameter(parameter.Name, false))];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        for (int j = 0; j < θ.Length; j++)
        {
            natural[j] = TLaw.IsLogarithmic(j) ? Math.Exp(θ[j]) : θ[j];
            jacobian[(j * θ.Length) + j] = TLaw.IsLogarithmic(j) ? natural[j] : 1;
        }
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        for (int j = 0; j < θ.Length; j++) θ[j] = TLaw.IsLogarithmic(j) ? Math.Log(natural[j]) : natural[j];
    }
}

/// <summary>An array of constants: numbers whose derivative is zero.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TMask">Its mask.</typeparam>
/// <typeparam name="TArray">The values.</typeparam>
/// <param name="values">The values.</param>
public readonly struct Constants<T, TMask, TArray>(TArray values) : IArray<Dual<T, TMask>>
    where T : struct, IReal<T, TMask>
    where TMask : struct
    where TArray : struct, IArray<T>
{
    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public Dual<T, TMask> this[int index]
    {
        get => new(values[index], T.Constant(0));
        set { }
    }

    /// <inheritdoc/>
    public Dual<T, TMask> this[int index, int offset]
    {
        get => new(values[index, offset], T.Constant(0));
        set { }
    }
}

/// <summary>Parameters and the one of them in whose direction a derivative is taken.</summary>
/// <typeparam name="T">The number.</typeparam>
/// <typeparam name="TMask">Its mask.</typeparam>
/// <typeparam name="TArray">The parameters.</typeparam>
/// <param name="values">The parameters.</param>
/// <param name="direction">Index of the one whose derivative is 1.</param>
public readonly struct Direction<T, TMask, TArray>(TArray values, int direction) : IArray<Dual<T, TMask>>
    where T : struct, IReal<T, TMask>
    where TMask : struct
    where TArray : struct, IArray<T>
{
    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public Dual<T, TMask> this[int index]
    {
        // Not Constant(… ? 1 : 0): ILGPU 1.5.3 makes 0 of a comparison that becomes a double.
        get => new(values[index], index == direction ? T.Constant(1) : T.Constant(0));
        set { }
    }

    /// <inheritdoc/>
    public Dual<T, TMask> this[int index, int offset]
    {
        get => this[index + offset];
        set { }
    }
}
