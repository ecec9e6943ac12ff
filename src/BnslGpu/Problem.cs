using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>One fit to be made: points, a law, a loss, the box in which its parameters lie, and what is believed of them.</summary>
/// <remarks>
/// The unit of a batch. Everything is in the solver's coordinates: x relative to the last point, y to the smallest (or as the law has it),
/// weights with mean one.
/// </remarks>
public sealed class Problem
{
    private readonly double[] _points;
    private readonly double[] _shape;
    private readonly double[] _lower;
    private readonly double[] _upper;
    private readonly double[] _priors;
    private readonly (int Follower, int Leader)[] _ties;
    private readonly ParameterRules _rules;

    /// <summary>States a problem.</summary>
    /// <param name="points">Points to fit; at least one, in the domain of the law and the loss.</param>
    /// <param name="law">The law.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="delta">δ of the losses that have one, in log y. &gt; 0.</param>
    /// <param name="rules">What is said about parameters; nothing by default.</param>
    /// <exception cref="ArgumentException">No point, or one outside the domain of the law or the loss, or a rule outside the law's box; see <see cref="WhyNot"/>.</exception>
    public Problem(Points points, ScalingLaw law, Loss loss, double delta = FitOptions.DefaultDelta, ParameterRules? rules = null)
    {
        _rules = rules ?? ParameterRules.None;
        if (WhyNot(points, law, loss, _rules) is { } reason) throw new ArgumentException(reason, nameof(points));
        Law = law;
        Loss = loss;
        Count = points.Count;
        Scale = law.Scale(points.X, points.Y);
        LogScale = Math.Log(Scale.Y);
        double largest = 0;
        foreach (double y in points.Y) largest = Math.Max(largest, Math.Abs(y));
        ResidualScale = largest > 0 ? loss.Unit(Math.Log(largest)) / loss.Unit(LogScale) : 1;
        Delta = delta;

        double[] weights = WeightsOf(points, loss, LogScale);
        ulong key = CounterRandom.Mix(0, (ulong)points.Count);
        var packed = new List<double>(points.Count * (law.InputCount + 2));
        for (int i = 0; i < points.Count; i++)
        {
            packed.AddRange(law.Columns(points.At(i), Scale));
            packed.Add(loss.Target(points.Y[i], LogScale));
            packed.Add(Math.Sqrt(weights[i]));
            foreach (double x in points.At(i)) key = CounterRandom.Mix(key, BitConverter.DoubleToUInt64Bits(x));
            key = CounterRandom.Mix(key, BitConverter.DoubleToUInt64Bits(points.Y[i]));
        }

        _points = [.. packed];
        (_lower, _upper, double firstLogX) = Box(points, law, Scale, _rules);
        _shape = ShapeOf(points, law, Scale, firstLogX);
        _ties = [.. TiesOf(law, _rules, Scale)];
        foreach ((int follower, int leader) in _ties)
        {
            _lower[leader] = Math.Max(_lower[leader], _lower[follower]);
            _upper[leader] = Math.Min(_upper[leader], _upper[follower]);
        }

        // A follower stands where its leader does; no bound and no prior of its own moves it.
        foreach ((int follower, _) in _ties) (_lower[follower], _upper[follower]) = (double.NegativeInfinity, double.PositiveInfinity);
        _priors = PriorsOf(law, _rules, _ties);
        IsSymmetric = _rules.Ranges.All(range => IsOfAllBreaks(range.Parameter)) && _rules.Priors.All(prior => IsOfAllBreaks(prior.Parameter))
            && _rules.Ties.All(tie => tie.All(IsOfAllBreaks));
        foreach (char letter in law.Name) key = CounterRandom.Mix(key, letter);
        Stream = CounterRandom.Mix(key, (ulong)law.Breaks);

        bool IsOfAllBreaks(string name) => law.NaturalIndices(name).Length != 1 || law.Breaks < 2 || law.Parameters.Any(parameter => parameter.Name == name);
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

    /// <summary>What residuals are small against: the largest |y| for those of y, in the unit in which the law sees y; 1 for those of log y.</summary>
    internal double ResidualScale { get; }

    /// <summary>δ of the losses that have one.</summary>
    public double Delta { get; }

    /// <summary>The stream of random numbers that is this problem's own: a hash of its points, law and number of breaks.</summary>
    public ulong Stream { get; }

    /// <summary>Number of parameters.</summary>
    public int ParameterCount => Law.ParameterCount;

    /// <summary>Number of parameters that a fit chooses: neither fixed nor following another.</summary>
    public int FreeCount => Enumerable.Range(0, ParameterCount).Count(j => _lower[j] < _upper[j]) - _ties.Count(tie => _lower[tie.Follower] < _upper[tie.Follower]);

    /// <summary>The law's columns, target and root weight of every point. Shape [Count, columns + 2].</summary>
    public ReadOnlySpan<double> Packed => _points;

    /// <summary>Lowest values of θ. Shape [ParameterCount].</summary>
    public ReadOnlySpan<double> Lower => _lower;

    /// <summary>Highest values of θ. Shape [ParameterCount].</summary>
    public ReadOnlySpan<double> Upper => _upper;

    /// <summary>m, π and k of each parameter's prior term k⁻¹ log(1 + k π (θ − m)²) in Σ w r². Shape [ParameterCount, 3]; empty without priors.</summary>
    public ReadOnlySpan<double> Priors => _priors;

    /// <summary>Coordinates that follow another, and which.</summary>
    public ReadOnlySpan<(int Follower, int Leader)> Ties => _ties;

    /// <summary>What a start knows of the curve: see <see cref="CurveShape"/>.</summary>
    internal ReadOnlySpan<double> Shape => _shape;

    /// <summary>Starts that the rules give; they come first.</summary>
    internal int OwnStarts => _rules.Starts.Length;

    /// <summary>True where no rule tells one break from another, so that their order is free.</summary>
    internal bool IsSymmetric { get; }

    /// <summary>Says why points cannot be fitted by a law under a loss.</summary>
    /// <returns>A sentence; null if they can.</returns>
    public static string? WhyNot(Points points, ScalingLaw law, Loss loss, ParameterRules? rules = null)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(law);
        ArgumentNullException.ThrowIfNull(loss);
        if (points.Count == 0) return "There are no points to fit.";
        if (points.Inputs != law.InputCount)
        {
            string[] fitting = [.. ScalingLaw.All.Where(other => points.Inputs > 1 && other.InputCount == points.Inputs).Select(other => other.Name).Distinct()];
            return $"The law {law.Name} has {law.InputCount} {(law.InputCount == 1 ? "input" : "inputs")}; the points have {points.Inputs}"
                + $"{(fitting.Length == 0 ? "" : $", as {string.Join(", ", fitting)} {(fitting.Length == 1 ? "has" : "have")}")}.";
        }

        for (int i = 0; i < points.Count; i++)
        {
            foreach (double x in points.At(i))
            {
                if (!double.IsFinite(x)) return $"x = {x:R} at y = {points.Y[i]:R}; expected a finite number.";
                if (law.NeedsPositiveX && !(x > 0)) return $"x = {x:R} at y = {points.Y[i]:R}; the law {law.Name} needs x > 0.";
            }

            double y = points.Y[i];
            if (!double.IsFinite(y)) return $"y = {y:R} at x = {points.At(i)[0]:R}; expected a finite number.";
            if (!(y > loss.LowestY)) return $"y = {y:R} at x = {points.At(i)[0]:R}; the loss {loss.Name} needs y > {loss.LowestY:R}. The laws bnsl-rising and bnsl-falling under loss mse take any y.";
            if (points is { SigmaOf: SigmaOf.LogY, Sigmas.Length: > 0 } && !(y > 0)) return $"y = {y:R} at x = {points.At(i)[0]:R}; a standard deviation of log y needs y > 0.";
            if (law.IsPositive && !(y > 0)) return $"y = {y:R} at x = {points.At(i)[0]:R}; the law {law.Name} is above 0 everywhere. The laws bnsl-rising and bnsl-falling under loss mse take any y.";
        }

        if (law is { NeedsPositiveX: true, InputCount: 1 })
        {
            if (!(points.X[0] < points.X[^1])) return "All points have the same x; a law in x needs at least two.";
            if (!(Math.Log(points.X[0]) < Math.Log(points.X[^1])))
                return $"x from {points.X[0]:R} to {points.X[^1]:R} are the same in log x, to rounding; subtract what they have in common.";
        }

        CurveScale scale = law.Scale(points.X, points.Y);
        if (!(scale.Y > 0)) return "All points have the same y; a law of its changes needs at least two.";
        return rules is null or { IsEmpty: true } ? null : WhyNotInBox(points, law, scale, rules);
    }

    private static string? WhyNotInBox(Points points, ScalingLaw law, CurveScale scale, ParameterRules rules)
    {
        (double[] lower, double[] upper, _) = Box(points, law, scale, ParameterRules.None);
        foreach (ParameterRange range in rules.Ranges)
        {
            foreach (int natural in law.NaturalIndices(range.Parameter))
            {
                int j = law.CoordinateOf(natural);
                (double from, double to) = law.ToCoordinates(natural, range, scale);
                if (from <= upper[j] && to >= lower[j]) continue;
                double[] low = new double[law.NaturalCount], high = new double[law.NaturalCount], slopes = new double[law.NaturalCount * law.ParameterCount];
                law.ToNatural(lower, scale, low, slopes);
                law.ToNatural(upper, scale, high, slopes);
                return $"{range.Parameter} {(range.Lower.Equals(range.Upper) ? $"= {range.Lower:R}" : $"from {range.Lower:R} to {range.Upper:R}")} is outside the box of {law.Name}, "
                    + $"which is {Math.Min(low[natural], high[natural]):g6} to {Math.Max(low[natural], high[natural]):g6} for these points.";
            }
        }

        // Each may be in the box and no value in all of them.
        (lower, upper, _) = Box(points, law, scale, rules);
        foreach ((int follower, int leader) in TiesOf(law, rules, scale))
            (lower[leader], upper[leader]) = (Math.Max(lower[leader], lower[follower]), Math.Min(upper[leader], upper[follower]));
        for (int j = 0; j < lower.Length; j++)
        {
            if (!(lower[j] > upper[j])) continue;
            IEnumerable<string> names = law.Parameters.Select(parameter => parameter.Name).Where(name => Array.Exists(law.NaturalIndices(name), natural => law.CoordinateOf(natural) == j));
            return $"No {string.Join(" or ", names)} of {law.Name} is within every range that is asked of it and of what it is tied to.";
        }

        return null;
    }

    /// <summary>Weights with mean one.</summary>
    internal static double[] WeightsOf(Points points, Loss loss, double logScale)
    {
        double[] weights = points.Weights.ToArray();
        if (points.Sigmas.Length > 0)
        {
            // An error of y is y times one of log y, and becomes one of the residual by the loss's slope.
            double[] errors = [.. Enumerable.Range(0, points.Count).Select(i =>
                points.Sigmas[i] * (points.SigmaOf == SigmaOf.LogY ? points.Y[i] : 1) * loss.Slope(points.Y[i], logScale))];
            double least = errors.Min();
            weights = [.. errors.Select(error => Math.Pow(least / error, 2))];
        }

        if (weights.Length == 0) return [.. Enumerable.Repeat(1.0, points.Count)];
        double largest = weights.Max(), mean = weights.Average(weight => weight / largest);
        return [.. weights.Select(weight => weight / largest / mean)];
    }

    /// <summary>The law's box, narrowed by rules.</summary>
    private static (double[] Lower, double[] Upper, double FirstLogX) Box(Points points, ScalingLaw law, CurveScale scale, ParameterRules rules)
    {
        double smallest = double.PositiveInfinity, largest = double.NegativeInfinity;
        foreach (double y in points.Y) (smallest, largest) = (Math.Min(smallest, y), Math.Max(largest, y));
        double firstLogX = law is { NeedsPositiveX: true, InputCount: 1 } ? Math.Log(points.X[0]) - Math.Log(points.X[^1]) : 0;
        (double[] lower, double[] upper) = law.Bounds(new(firstLogX, smallest / scale.Y, largest / scale.Y));
        foreach (ParameterRange range in rules.Ranges)
        {
            foreach (int natural in law.NaturalIndices(range.Parameter))
            {
                int j = law.CoordinateOf(natural);
                (double from, double to) = law.ToCoordinates(natural, range, scale);
                (lower[j], upper[j]) = (Math.Max(lower[j], from), Math.Min(upper[j], to));
            }
        }

        return (lower, upper, firstLogX);
    }

    /// <summary>Followers and their leaders, which follow none: groups that share a coordinate are one.</summary>
    private static IEnumerable<(int Follower, int Leader)> TiesOf(ScalingLaw law, ParameterRules rules, CurveScale scale)
    {
        int[] leader = [.. Enumerable.Range(0, law.ParameterCount)];
        foreach (ImmutableArray<string> tie in rules.Ties)
        {
            int[] leaders = [.. ParameterRules.Tied(law, tie, scale).Select(j => leader[j])];
            for (int j = 0; j < leader.Length; j++)
                if (leaders.Contains(leader[j])) leader[j] = leaders.Min();
        }

        return Enumerable.Range(0, leader.Length).Where(j => leader[j] != j).Select(j => (j, leader[j]));
    }

    private static double[] PriorsOf(ScalingLaw law, ParameterRules rules, (int Follower, int Leader)[] ties)
    {
        if (rules.Priors.IsEmpty) return [];
        var priors = new double[3 * law.ParameterCount];
        foreach (Prior prior in rules.Priors)
        {
            foreach (int natural in law.NaturalIndices(prior.Parameter))
            {
                int coordinate = law.CoordinateOf(natural), j = 3 * coordinate;
                foreach ((int follower, int leader) in ties)
                    if (follower == coordinate) j = 3 * leader;
                double κ = rules.PriorVariance, ν = prior.Degrees, σ = prior.Spread;
                priors[j] = prior.Centre;
                (priors[j + 1], priors[j + 2]) = double.IsPositiveInfinity(ν) ? (κ / (σ * σ), 0) : (κ * (ν + 1) / (ν * σ * σ), 1 / (κ * (ν + 1)));
            }
        }

        return priors;
    }

    /// <summary>Draws the parameters of a start, in the box.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="start">Which start; the rules' own come first.</param>
    /// <param name="θ">Output. Shape [ParameterCount].</param>
    public void Start(ulong seed, int start, Span<double> θ)
    {
        Law.Start(new CounterRandom(seed, Stream, (uint)start), _shape, θ);
        if (start < _rules.Starts.Length)
        {
            bool[] isSet = Law.Set(_rules.Starts[start], Scale, θ);
            foreach ((int follower, int leader) in _ties)
                if (isSet[follower] && !isSet[leader]) θ[leader] = θ[follower];
        }

        Clamp(θ);
    }

    /// <summary>Makes a start of a minimum by moving part of it; one of the rules' own, or of a law with nothing to move, is as in <see cref="Start"/>.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="start">Which start.</param>
    /// <param name="θ">The minimum on entry, the start on return. Shape [ParameterCount].</param>
    public void Hop(ulong seed, int start, Span<double> θ)
    {
        if (start < _rules.Starts.Length || !Law.Hop(new CounterRandom(seed, CounterRandom.Mix(Stream, 'h'), (uint)start), _shape, θ)) Start(seed, start, θ);
        else Clamp(θ);
    }

    private void Clamp(Span<double> θ)
    {
        for (int j = 0; j < θ.Length; j++) θ[j] = Math.Min(Math.Max(θ[j], _lower[j]), _upper[j]);
        foreach ((int follower, int leader) in _ties) θ[follower] = θ[leader];
    }

    /// <summary>What a start knows of the curve (see <see cref="CurveShape"/>): y by straight lines in log x, replicates averaged.</summary>
    private static double[] ShapeOf(Points points, ScalingLaw law, CurveScale scale, double firstLogX)
    {
        if (law is not { NeedsPositiveX: true, InputCount: 1 })
        {
            var level = new double[CurveShape.Count];
            double sum = 0;
            foreach (double value in points.Y) sum += value / scale.Y;
            level.AsSpan(1).Fill(sum / points.Count);
            return level;
        }

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

/// <summary>Starts of one problem that begin together.</summary>
/// <param name="Problem">The problem.</param>
/// <param name="First">Number of the first start; its place where they are given.</param>
/// <param name="Count">How many.</param>
/// <param name="Minima">θ of the minima that they are hops from, one after the other; empty for random starts.</param>
/// <param name="Given">θ of the starts, where they are given.</param>
internal sealed record StartSet(Problem Problem, int First, int Count, double[] Minima, double[]? Given = null)
{
    /// <summary>Draws some of the starts.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="first">Place of the first of them.</param>
    /// <param name="θ">Output. Shape [starts, p].</param>
    public void Draw(ulong seed, int first, Span<double> θ)
    {
        int p = Problem.ParameterCount;
        for (int k = first; k * p < (first * p) + θ.Length; k++)
        {
            Span<double> start = θ.Slice((k - first) * p, p);
            if (Given is not null)
            {
                Given.AsSpan((First + k) * p, p).CopyTo(start);
            }
            else if (Minima.Length == 0)
            {
                Problem.Start(seed, First + k, start);
            }
            else
            {
                Minima.AsSpan(k % (Minima.Length / p) * p, p).CopyTo(start);
                Problem.Hop(seed, First + k, start);
            }
        }
    }

    /// <summary>Some of them: hops belong together, because their places say what they are hops from.</summary>
    public StartSet Part(int first, int count) => this with { First = First + first, Count = count };

    /// <summary>Whether <see cref="Part"/> of it draws the same starts.</summary>
    public bool CanBeSplit => Minima.Length == 0;
}

/// <summary>A law and its derivatives at given parameters.</summary>
/// <param name="Residuals">√w r of every point. Shape [candidates, points].</param>
/// <param name="Jacobian">∂(√w r)/∂θ. Shape [candidates, points, parameters].</param>
public sealed record Evaluation(double[] Residuals, double[] Jacobian);
