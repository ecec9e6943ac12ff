using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>One fit to be made: points, a law, a loss, and the box in which its parameters lie.</summary>
/// <remarks>
/// The unit of a batch. Everything is in the solver's coordinates: x relative to the last point, y to the smallest, weights with mean one.
/// </remarks>
public sealed class Problem
{
    private readonly double[] _points;
    private readonly double[] _shape;
    private readonly double[] _lower;
    private readonly double[] _upper;

    /// <summary>States a problem.</summary>
    /// <param name="points">Points to fit; at least one, x &gt; 0 and y above the loss's lowest.</param>
    /// <param name="law">The law.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="delta">δ of the losses that have one, in log y. &gt; 0.</param>
    /// <exception cref="ArgumentException">No point, or a point outside the domain of the law or the loss; see <see cref="WhyNot"/>.</exception>
    public Problem(Points points, ScalingLaw law, Loss loss, double delta = FitOptions.DefaultDelta)
    {
        ArgumentNullException.ThrowIfNull(law);
        if (WhyNot(points, loss) is { } reason) throw new ArgumentException(reason, nameof(points));
        Law = law;
        Loss = loss;
        Count = points.Count;
        double smallest = double.PositiveInfinity, largest = 0;
        foreach (double y in points.Y) (smallest, largest) = (Math.Min(smallest, y), Math.Max(largest, y));
        Scale = new(points.X[^1], smallest);
        LogScale = Math.Log(smallest);
        Delta = delta;

        ulong key = CounterRandom.Mix(0, (ulong)points.Count);
        var packed = new List<double>(points.Count * 3);
        for (int i = 0; i < points.Count; i++)
        {
            packed.AddRange(law.Columns(points.X[i], Scale));
            packed.Add(loss.Target(points.Y[i], LogScale));
            packed.Add(1);
            key = CounterRandom.Mix(CounterRandom.Mix(key, BitConverter.DoubleToUInt64Bits(points.X[i])), BitConverter.DoubleToUInt64Bits(points.Y[i]));
        }

        _points = [.. packed];
        double firstLogX = Math.Log(points.X[0]) - Math.Log(points.X[^1]);
        (_lower, _upper) = law.Bounds(new(firstLogX, largest / smallest));
        _shape = Shape(points, Scale, firstLogX);
        foreach (char letter in law.Name) key = CounterRandom.Mix(key, letter);
        Stream = CounterRandom.Mix(key, (ulong)law.Breaks);
    }

    /// <summary>The law.</summary>
    public ScalingLaw Law { get; }

    /// <summary>The loss.</summary>
    public Loss Loss { get; }

    /// <summary>Number of points.</summary>
    public int Count { get; }

    /// <summary>What the coordinates are relative to.</summary>
    public CurveScale Scale { get; }

    /// <summary>Log of the unit of y.</summary>
    public double LogScale { get; }

    /// <summary>δ of the losses that have one.</summary>
    public double Delta { get; }

    /// <summary>The stream of random numbers that is this problem's own: a hash of its points, law and number of breaks.</summary>
    public ulong Stream { get; }

    /// <summary>Number of parameters.</summary>
    public int ParameterCount => Law.ParameterCount;

    /// <summary>The law's columns, target and root weight of every point. Shape [Count, columns + 2].</summary>
    public ReadOnlySpan<double> Packed => _points;

    /// <summary>Lowest values of θ. Shape [ParameterCount].</summary>
    public ReadOnlySpan<double> Lower => _lower;

    /// <summary>Highest values of θ. Shape [ParameterCount].</summary>
    public ReadOnlySpan<double> Upper => _upper;

    /// <summary>Says why points cannot be fitted under a loss.</summary>
    /// <returns>A sentence; null if they can.</returns>
    public static string? WhyNot(Points points, Loss loss)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(loss);
        if (points.Count == 0) return "There are no points to fit.";
        for (int i = 0; i < points.Count; i++)
        {
            if (!(points.X[i] > 0) || !double.IsFinite(points.X[i])) return $"x = {points.X[i]:R} at y = {points.Y[i]:R}; a scaling law needs x > 0.";
            if (!(points.Y[i] > loss.LowestY) || !double.IsFinite(points.Y[i]))
                return $"y = {points.Y[i]:R} at x = {points.X[i]:R}; the loss {loss.Name} needs y > {loss.LowestY:R}.";
        }

        if (!(points.X[0] < points.X[^1])) return "All points have the same x; a law in x needs at least two.";
        return Math.Log(points.X[0]) < Math.Log(points.X[^1])
            ? null
            : $"x from {points.X[0]:R} to {points.X[^1]:R} are the same in log x, to rounding; subtract what they have in common.";
    }

    /// <summary>Draws the parameters of a start.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="start">Which start.</param>
    /// <param name="θ">Output. Shape [ParameterCount].</param>
    public void Start(ulong seed, int start, Span<double> θ)
    {
        Law.Start(new CounterRandom(seed, Stream, (uint)start), _shape, θ);
        Clamp(θ);
    }

    /// <summary>Makes a start of a minimum by moving part of it; a start of a law with nothing to move is drawn.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="start">Which start.</param>
    /// <param name="θ">The minimum on entry, the start on return. Shape [ParameterCount].</param>
    public void Hop(ulong seed, int start, Span<double> θ)
    {
        if (!Law.Hop(new CounterRandom(seed, CounterRandom.Mix(Stream, 'h'), (uint)start), _shape, θ)) Start(seed, start, θ);
        else Clamp(θ);
    }

    private void Clamp(Span<double> θ)
    {
        for (int j = 0; j < θ.Length; j++) θ[j] = Math.Min(Math.Max(θ[j], _lower[j]), _upper[j]);
    }

    /// <summary>What a start knows of the curve (see <see cref="CurveShape"/>): y by straight lines in log x, replicates averaged.</summary>
    private static double[] Shape(Points points, CurveScale scale, double firstLogX)
    {
        var x = new List<double>();
        var y = new List<double>();
        for (int first = 0; first < points.Count;)
        {
            int end = first;
            double sum = 0;
            while (end < points.Count && points.X[end].Equals(points.X[first])) sum += points.Y[end++];
            x.Add(Math.Log(points.X[first]) - Math.Log(scale.X));
            y.Add(sum / (end - first) / scale.Y);
            first = end;
        }

        var shape = new double[CurveShape.Count];
        shape[0] = firstLogX;
        for (int knot = 0, i = 0; knot < CurveShape.Knots; knot++)
        {
            double at = firstLogX * (1 - (knot / (double)(CurveShape.Knots - 1)));
            while (i < x.Count - 2 && x[i + 1] < at) i++;
            double share = (at - x[i]) / (x[i + 1] - x[i]);
            shape[1 + knot] = (y[i] * (1 - share)) + (y[i + 1] * share);
        }

        return shape;
    }
}

/// <summary>Many problems, and where each one's numbers lie in ragged arrays.</summary>
public sealed class ProblemBatch
{
    /// <summary>Makes a batch.</summary>
    /// <param name="problems">The problems; their order decides nothing but the order of the answers.</param>
    public ProblemBatch(IEnumerable<Problem> problems) => Problems = [.. problems];

    /// <summary>The problems.</summary>
    public ImmutableArray<Problem> Problems { get; }
}

/// <summary>Parameters found for one problem, best first.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="Parameters">θ of each candidate, one after the other. Shape [Losses.Length, ParameterCount].</param>
/// <param name="Losses">Σ w r² of each, in double. Shape [candidates].</param>
/// <param name="StartLosses">Σ w r² at which every start ended, in the order of the starts; empty where starts were only screened.</param>
public sealed record Candidates(Problem Problem, double[] Parameters, double[] Losses, double[] StartLosses)
{
    /// <summary>θ of one candidate.</summary>
    public ReadOnlySpan<double> this[int candidate] =>
        Parameters.AsSpan(candidate * Problem.ParameterCount, Problem.ParameterCount);

    /// <summary>Keeps the best: ascending loss, then their order.</summary>
    /// <param name="keep">How many, at most.</param>
    /// <param name="gap">Of those whose losses agree within this only the first is kept, relative; 0 keeps all.</param>
    internal Candidates Best(int keep, double gap)
    {
        int p = Problem.ParameterCount;
        int[] order = [.. Enumerable.Range(0, Losses.Length).Where(start => double.IsFinite(Losses[start]))];
        Array.Sort(order, (left, right) => Losses[left] != Losses[right] ? Losses[left].CompareTo(Losses[right]) : left.CompareTo(right));
        var kept = new List<int>();
        foreach (int start in order)
        {
            if (kept.Count == keep) break;
            if (gap == 0 || kept.Count == 0 || Losses[start] > Losses[kept[^1]] * (1 + gap)) kept.Add(start);
        }

        var best = new double[kept.Count * p];
        for (int k = 0; k < kept.Count; k++) this[kept[k]].CopyTo(best.AsSpan(k * p));
        return this with { Parameters = best, Losses = [.. kept.Select(start => Losses[start])] };
    }

    /// <summary>These and others of the same problem, in this order; what is known of the starts stays these'.</summary>
    internal Candidates And(Candidates others) => this with { Parameters = [.. Parameters, .. others.Parameters], Losses = [.. Losses, .. others.Losses] };
}

/// <summary>A law and its derivatives at given parameters.</summary>
/// <param name="Residuals">√w r of every point. Shape [candidates, points].</param>
/// <param name="Jacobian">∂(√w r)/∂θ. Shape [candidates, points, parameters].</param>
public sealed record Evaluation(double[] Residuals, double[] Jacobian);
