using System.Collections.Immutable;

namespace BnslGpu.Kernels;

/// <summary>A parameter as people see it.</summary>
/// <param name="Name">Its symbol.</param>
/// <param name="PerBreak">True where there is one a break.</param>
public readonly record struct NaturalParameter(string Name, bool PerBreak);

/// <summary>What the coordinates of a fit are relative to; makes every curve look alike to the solver.</summary>
/// <param name="Inputs">The unit of each input: x of the last fit point for laws of one input.</param>
/// <param name="Y">The unit of y: the smallest y of the fit points, unless the law says otherwise.</param>
public readonly record struct CurveScale(ImmutableArray<double> Inputs, double Y)
{
    /// <summary>The scale of a law of one input.</summary>
    /// <param name="x">The unit of x.</param>
    /// <param name="y">The unit of y.</param>
    public CurveScale(double x, double y)
        : this([x], y)
    {
    }

    /// <summary>The unit of the first input.</summary>
    public double X => Inputs[0];
}

/// <summary>What the fit points of a curve span, in the coordinates of a fit.</summary>
/// <param name="FirstLogX">log x of the first point, relative to the last; ≤ 0.</param>
/// <param name="SmallestY">The smallest y.</param>
/// <param name="LargestY">The largest y.</param>
public readonly record struct CurveRange(double FirstLogX, double SmallestY, double LargestY);

/// <summary>A functional form y = f(x; θ), its gradient, where its parameters may lie and where a search for them starts.</summary>
/// <remarks>
/// The methods over <c>T</c>, and <see cref="Start"/>, are what runs on lanes and devices: static, no exception, no span. Indices into arrays are not
/// checked. Names, natural units and the order of breaks are for the host alone.
/// </remarks>
public interface IScalingLaw
{
    /// <summary>Name on the command line and in reports.</summary>
    static abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    static abstract string Formula { get; }

    /// <summary>Where the formula was published.</summary>
    static abstract string Source { get; }

    /// <summary>Number of breaks; 0 for laws without.</summary>
    static virtual int Breaks => 0;

    /// <summary>Number p of parameters θ.</summary>
    static abstract int ParameterCount { get; }

    /// <summary>Number of inputs: columns of x.</summary>
    static virtual int InputCount => 1;

    /// <summary>Whether every input must be above 0.</summary>
    static virtual bool NeedsPositiveX => true;

    /// <summary>The link: true where <see cref="Evaluate"/> gives log y, and y is above 0; false where it gives y.</summary>
    static virtual bool IsLog => true;

    /// <summary>Least entry of the damping diagonal D = max(diag JᵀJ, floor): a parameter that the residual hardly feels still takes short steps.</summary>
    /// <remarks>Measured for coordinates in which a step of one is a large one; 0 for laws in units of their own.</remarks>
    static virtual double DampingFloor => Damping.Floor;

    /// <summary>What coordinates are relative to; the last x and the smallest y unless said otherwise.</summary>
    /// <param name="x">Inputs of the fit points, point by point, ascending in the first. Shape [points, <see cref="InputCount"/>].</param>
    /// <param name="y">Measured values. Shape [points].</param>
    static virtual CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        double smallest = double.PositiveInfinity;
        foreach (double value in y) smallest = Math.Min(smallest, value);
        return new(x[^1], smallest);
    }

    /// <summary>How many numbers the law wants computed once a point; one unless said otherwise.</summary>
    static virtual int ColumnCount => 1;

    /// <summary>How many numbers the law wants computed once a candidate; none unless said otherwise.</summary>
    static virtual int WorkCount => 0;

    /// <summary>One of the numbers that are computed once a point; log x relative to the last fit point unless said otherwise.</summary>
    /// <param name="column">Which, in [0, <see cref="ColumnCount"/>).</param>
    /// <param name="x">The point's inputs, in their own units. Shape [<see cref="InputCount"/>].</param>
    /// <param name="scale">What coordinates are relative to.</param>
    static virtual double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => Math.Log(x[0]) - Math.Log(scale.X);

    /// <summary>Fills what is computed once a candidate; nothing unless said otherwise.</summary>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="work">Output. Shape [<see cref="WorkCount"/>].</param>
    static virtual void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
    }

    /// <summary>The law at one point, log(y/scale) or y/scale by <see cref="IsLog"/>, and its gradient.</summary>
    /// <param name="points">Columns of every point.</param>
    /// <param name="point">Index of this point's first column.</param>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="work">What <see cref="Prepare"/> filled.</param>
    /// <param name="gradient">Output, ∂value/∂θ. Shape [<see cref="ParameterCount"/>], from <paramref name="row"/>; <see cref="Nowhere{T}"/> if not wanted.</param>
    /// <param name="row">Index of the gradient's first entry.</param>
    static abstract T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>;

    /// <summary>Where a parameter may lie.</summary>
    /// <param name="parameter">Index into θ.</param>
    /// <param name="range">What the fit points span.</param>
    /// <returns>Lowest and highest value; infinite where there is no bound.</returns>
    static abstract (double Lower, double Upper) Bounds(int parameter, CurveRange range);

    /// <summary>Draws parameters to start a search from.</summary>
    /// <param name="random">The numbers of this start.</param>
    /// <param name="shape">What the curve looks like: see <see cref="CurveShape"/>.</param>
    /// <param name="θ">Output. Shape [<see cref="ParameterCount"/>].</param>
    static abstract void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>;

    /// <summary>Moves a part of a minimum elsewhere, for a search to start from again; a law with nothing to move leaves θ and says so.</summary>
    /// <param name="random">The numbers of this start.</param>
    /// <param name="shape">What the curve looks like: see <see cref="CurveShape"/>.</param>
    /// <param name="θ">A minimum on entry, a start on return. Shape [<see cref="ParameterCount"/>].</param>
    /// <returns>Whether anything was moved.</returns>
    static virtual bool Hop<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64> => false;

    /// <summary>The parameters that people see, in the order of <see cref="ToNatural"/>.</summary>
    static abstract NaturalParameter[] Natural { get; }

    /// <summary>θ into natural units, and how these move with θ.</summary>
    /// <param name="θ">Parameters. Shape [<see cref="ParameterCount"/>].</param>
    /// <param name="scale">What θ is relative to.</param>
    /// <param name="natural">Output; a parameter a break takes one place a break.</param>
    /// <param name="jacobian">Output ∂natural/∂θ, row by row. Shape [natural, <see cref="ParameterCount"/>], zero on entry.</param>
    static abstract void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian);

    /// <summary>Natural units into θ.</summary>
    /// <param name="natural">In the order of <see cref="Natural"/>.</param>
    /// <param name="scale">What θ is to be relative to.</param>
    /// <param name="θ">Output. Shape [<see cref="ParameterCount"/>].</param>
    static abstract void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ);

    /// <summary>Puts θ into the order in which it is reported (breaks in ascending d); leaves it unless said otherwise.</summary>
    static virtual void Sort(Span<double> θ)
    {
    }
}

/// <summary>Layout of what a start knows of its curve: log x of the first point, then y at <see cref="Knots"/> places even in log x, first to last.</summary>
public static class CurveShape
{
    /// <summary>How many values of y.</summary>
    public const int Knots = 33;

    /// <summary>Numbers in all.</summary>
    public const int Count = Knots + 1;

    /// <summary>y by linear interpolation.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="logX">Place, relative to the last fit point, in [first, 0].</param>
    public static double Y<TShape>(TShape shape, double logX)
        where TShape : struct, IArray<F64>
    {
        double first = shape[0].Value;
        double place = first < 0 ? (logX - first) / -first * (Knots - 1) : 0;
        int knot = Math.Min(Math.Max((int)place, 0), Knots - 2);
        double share = place - knot;
        return (shape[1 + knot].Value * (1 - share)) + (shape[2 + knot].Value * share);
    }
}
