using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>What an uncertainty of a point is of.</summary>
public enum SigmaOf
{
    /// <summary>Of y, in the unit of y.</summary>
    Y,

    /// <summary>Of log y.</summary>
    LogY,
}

/// <summary>Points of a scaling curve in ascending x (the first input, then the next); points that share it stand in ascending y.</summary>
/// <remarks>The order makes every result independent of the order in which rows were read.</remarks>
public sealed class Points
{
    private readonly double[] _x;
    private readonly double[] _y;
    private readonly double[] _weights;
    private readonly double[] _sigmas;

    /// <summary>Takes copies of x and y and sorts them together.</summary>
    /// <param name="x">Scale: training examples, parameters, compute or steps. Shape [count].</param>
    /// <param name="y">Performance measured there. Shape [count].</param>
    /// <exception cref="ArgumentException">x and y differ in length.</exception>
    public Points(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
        : this(x, 1, y)
    {
    }

    /// <summary>Takes copies and sorts them together.</summary>
    /// <param name="x">Inputs, point by point. Shape [count, inputs].</param>
    /// <param name="inputs">Number of inputs, ≥ 1.</param>
    /// <param name="y">Performance measured there. Shape [count].</param>
    /// <param name="weights">How much each point counts, > 0; relative, so that doubling all of them changes nothing. Shape [count], or empty.</param>
    /// <param name="sigmas">Standard deviation of each measurement, > 0; a point counts by its inverse square. Shape [count], or empty.</param>
    /// <param name="sigmaOf">What <paramref name="sigmas"/> are of.</param>
    /// <exception cref="ArgumentException">Lengths do not fit, a weight or a sigma is not above 0, or both are given.</exception>
    public Points(
        ReadOnlySpan<double> x, int inputs, ReadOnlySpan<double> y, ReadOnlySpan<double> weights = default, ReadOnlySpan<double> sigmas = default, SigmaOf sigmaOf = SigmaOf.Y)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(inputs, 1);
        if (x.Length != (long)y.Length * inputs)
            throw new ArgumentException($"x has {x.Length} values and y has {y.Length}; {inputs} of x belong to each y.", nameof(y));
        if (weights.Length > 0 && sigmas.Length > 0) throw new ArgumentException("Weights and sigmas are given; a point has one or the other.", nameof(sigmas));
        Check(weights, y.Length, nameof(weights));
        Check(sigmas, y.Length, nameof(sigmas));
        (Inputs, SigmaOf) = (inputs, sigmaOf);
        double[] given = x.ToArray(), measured = y.ToArray(), extra = (weights.Length > 0 ? weights : sigmas).ToArray();
        int[] order = [.. Enumerable.Range(0, y.Length)];
        Array.Sort(order, (left, right) =>
        {
            for (int k = 0; k < inputs; k++)
                if (given[(left * inputs) + k].CompareTo(given[(right * inputs) + k]) is not 0 and var byX) return byX;
            if (measured[left].CompareTo(measured[right]) is not 0 and var byY) return byY;
            return extra.Length == 0 ? 0 : extra[left].CompareTo(extra[right]);
        });
        _x = [.. order.SelectMany(i => given[(i * inputs)..((i + 1) * inputs)])];
        _y = [.. order.Select(i => measured[i])];
        if (extra.Length > 0) extra = [.. order.Select(i => extra[i])];
        _weights = weights.Length > 0 ? extra : [];
        _sigmas = sigmas.Length > 0 ? extra : [];

        static void Check(ReadOnlySpan<double> numbers, int count, string name)
        {
            if (numbers.Length != 0 && numbers.Length != count) throw new ArgumentException($"There are {count} points and {numbers.Length} {name}.", name);
            foreach (double number in numbers)
                if (!(number > 0) || !double.IsFinite(number)) throw new ArgumentException($"One of the {name} is {number:R}. Violated constraint: > 0 and finite.", name);
        }
    }

    /// <summary>No points.</summary>
    public static Points None { get; } = new([], []);

    /// <summary>How many points there are.</summary>
    public int Count => _y.Length;

    /// <summary>Number of inputs of each point.</summary>
    public int Inputs { get; }

    /// <summary>Inputs, point by point; for one input the scale of each point, ascending. Shape [Count, Inputs].</summary>
    public ReadOnlySpan<double> X => _x;

    /// <summary>Performance at each point. Shape [Count].</summary>
    public ReadOnlySpan<double> Y => _y;

    /// <summary>How much each point counts. Shape [Count]; empty where all count alike or <see cref="Sigmas"/> say it.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>Standard deviation of each measurement. Shape [Count]; empty without.</summary>
    public ReadOnlySpan<double> Sigmas => _sigmas;

    /// <summary>What <see cref="Sigmas"/> are of.</summary>
    public SigmaOf SigmaOf { get; }

    /// <summary>Inputs of one point. Shape [Inputs].</summary>
    public ReadOnlySpan<double> At(int point) => _x.AsSpan(point * Inputs, Inputs);

    /// <summary>Those of the points that are wanted. Shape of <paramref name="wanted"/>: [Count].</summary>
    internal Points Where(bool[] wanted)
    {
        int[] kept = [.. Enumerable.Range(0, Count).Where(point => wanted[point])];
        return new([.. kept.SelectMany(point => At(point).ToArray())], Inputs, Each(_y), Each(_weights), Each(_sigmas), SigmaOf);

        double[] Each(double[] values) => values.Length > 0 ? Array.ConvertAll(kept, point => values[point]) : [];
    }

    /// <summary>Some of the points, in order.</summary>
    internal Points this[Range range]
    {
        get
        {
            (int first, int count) = range.GetOffsetAndLength(Count);
            return new(
                _x.AsSpan(first * Inputs, count * Inputs), Inputs, _y.AsSpan(first, count),
                _weights.Length > 0 ? _weights.AsSpan(first, count) : [], _sigmas.Length > 0 ? _sigmas.AsSpan(first, count) : [], SigmaOf);
        }
    }
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

    /// <summary>What each input is called; the columns they were read from.</summary>
    public ImmutableArray<string> XNames { get; init; } = ["x"];

    /// <summary>What the scale is called on a plot: the first of <see cref="XNames"/>.</summary>
    public string XName
    {
        get => XNames[0];
        init => XNames = [value];
    }

    /// <summary>What the performance is called on a plot; the column it was read from.</summary>
    public string YName { get; init; } = "y";

    /// <summary>Points that are fitted.</summary>
    public Points Fit { get; }

    /// <summary>Points that are only scored; no fit sees them.</summary>
    public Points HeldOut { get; }

    /// <summary>Exact copies of a row that were left out before.</summary>
    public int CopiesDropped { get; }

    /// <summary>Which points there were to begin with that <see cref="Fit"/> and <see cref="HeldOut"/> have. Default all.</summary>
    public Envelope Envelope { get; private init; }

    /// <summary>The points that are not on the <see cref="Envelope"/>: neither fitted nor scored.</summary>
    public Points OffEnvelope { get; private init; } = Points.None;

    /// <summary>The curve with its fit points from one on held out.</summary>
    internal Curve HoldOut(int from) =>
        new(Name, Fit[..from], Fit[from..], CopiesDropped) { XNames = XNames, YName = YName, Envelope = Envelope, OffEnvelope = OffEnvelope };

    /// <summary>The curve with those of its points alone that are on its envelope; of points to fit, what is held out is not looked at.</summary>
    /// <param name="envelope">Lower or upper; none gives the curve as it is.</param>
    /// <exception cref="ArgumentException">The curve has several inputs, or is an envelope already.</exception>
    public Curve On(Envelope envelope)
    {
        if (envelope == Envelope.None) return this;
        if (Fit.Inputs > 1 || HeldOut.Inputs > 1) throw new ArgumentException($"Curve '{Name}' has {Math.Max(Fit.Inputs, HeldOut.Inputs)} inputs. Violated constraint: an envelope is of curves of one input.", nameof(envelope));
        if (Envelope != Envelope.None) throw new ArgumentException($"Curve '{Name}' is an envelope already.", nameof(envelope));
        (Points fit, Points heldOut, Points off) = Frontier.Part(Fit, HeldOut, envelope);
        return new(Name, fit, heldOut, CopiesDropped) { XNames = XNames, YName = YName, Envelope = envelope, OffEnvelope = off };
    }
}
