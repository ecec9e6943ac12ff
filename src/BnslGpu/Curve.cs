namespace BnslGpu;

/// <summary>Points (x, y) of a scaling curve, in ascending x; points that share an x stand in ascending y.</summary>
/// <remarks>The order makes every result independent of the order in which rows were read.</remarks>
public sealed class Points
{
    private readonly double[] _x;
    private readonly double[] _y;

    /// <summary>Takes copies of x and y and sorts them together.</summary>
    /// <param name="x">Scale: training examples, parameters, compute or steps. Shape [count].</param>
    /// <param name="y">Performance measured there. Shape [count].</param>
    /// <exception cref="ArgumentException">x and y differ in length.</exception>
    public Points(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length) throw new ArgumentException($"x has {x.Length} values and y has {y.Length}; one y belongs to each x.", nameof(y));
        _x = x.ToArray();
        _y = y.ToArray();
        Array.Sort(_x, _y);
        for (int first = 0; first < _x.Length;)
        {
            int end = first + 1;
            while (end < _x.Length && _x[end].Equals(_x[first])) end++;
            Array.Sort(_y, first, end - first);
            first = end;
        }
    }

    /// <summary>No points.</summary>
    public static Points None { get; } = new([], []);

    /// <summary>How many points there are.</summary>
    public int Count => _x.Length;

    /// <summary>Scale of each point, ascending. Shape [Count].</summary>
    public ReadOnlySpan<double> X => _x;

    /// <summary>Performance at each point. Shape [Count].</summary>
    public ReadOnlySpan<double> Y => _y;
}

/// <summary>One scaling or learning curve: a name, the points to fit and the points held out to score the extrapolation.</summary>
public sealed class Curve
{
    /// <summary>Makes a curve.</summary>
    /// <param name="name">What it is called in every output; parts are joined by <c>|</c>.</param>
    /// <param name="fit">Points that are fitted.</param>
    /// <param name="heldOut">Points that are only scored; none by default.</param>
    /// <param name="copiesDropped">Exact copies of a row that were left out before.</param>
    public Curve(string name, Points fit, Points? heldOut = null, int copiesDropped = 0)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(fit);
        Name = name;
        Fit = fit;
        HeldOut = heldOut ?? Points.None;
        CopiesDropped = copiesDropped;
    }

    /// <summary>What the curve is called in every output.</summary>
    public string Name { get; }

    /// <summary>What the scale is called on a plot; the column it was read from.</summary>
    public string XName { get; init; } = "x";

    /// <summary>What the performance is called on a plot; the column it was read from.</summary>
    public string YName { get; init; } = "y";

    /// <summary>Points that are fitted.</summary>
    public Points Fit { get; }

    /// <summary>Points that are only scored; no fit sees them.</summary>
    public Points HeldOut { get; }

    /// <summary>Exact copies of a row that were left out before.</summary>
    public int CopiesDropped { get; }
}
