using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>A functional form by name: what people and reports need of an <see cref="IScalingLaw"/>.</summary>
public abstract class ScalingLaw
{
    private static ImmutableArray<ScalingLaw> _all = Collect();

    private protected ScalingLaw()
    {
    }

    /// <summary>Every law, one entry a number of breaks: the engine's own, then those that were added.</summary>
    public static ImmutableArray<ScalingLaw> All => _all;

    /// <summary>Makes a law of one's own known by its name; a law that is known already stays as it is.</summary>
    /// <typeparam name="TLaw">The law.</typeparam>
    /// <exception cref="ArgumentException">Another law has this name and number of breaks, or what the law says of itself does not fit together.</exception>
    public static ScalingLaw Add<TLaw>()
        where TLaw : struct, IScalingLaw
    {
        var law = new ScalingLaw<TLaw>();
        if (string.IsNullOrWhiteSpace(law.Name) || law.Name.AsSpan().ContainsAny(", =:"))
            throw new ArgumentException($"The name of {typeof(TLaw)} is '{law.Name}'. Violated constraint: not empty, without space, comma, = and colon.");
        if (law.ParameterCount < 1 || law.InputCount < 1 || law.Parameters.IsEmpty)
            throw new ArgumentException($"{law.Name} has {law.ParameterCount} parameters, {law.InputCount} inputs and {law.Parameters.Length} names of parameters. Violated constraint: >= 1 each.");
        lock (Adding)
        {
            ScalingLaw? known = _all.FirstOrDefault(other => other.Name == law.Name && other.Breaks == law.Breaks);
            if (known is null) _all = _all.Add(known = law);
            else if (known is not ScalingLaw<TLaw>) throw new ArgumentException($"There is another law '{law.Name}' with {law.Breaks} breaks. Give one of them another name.");
            return known;
        }
    }

    /// <summary>Makes a plain law of one's own known by its name; a law that is known already stays as it is.</summary>
    /// <typeparam name="TLaw">The law.</typeparam>
    /// <exception cref="ArgumentException">Another law has this name, or the law names fewer or more parameters than it has.</exception>
    public static ScalingLaw AddPlain<TLaw>()
        where TLaw : struct, IPlainLaw
    {
        PlainParameter[] parameters = TLaw.Parameters;
        if (parameters.Length != TLaw.ParameterCount)
            throw new ArgumentException($"{TLaw.Name} has {TLaw.ParameterCount} parameters and names {parameters.Length}. Violated constraint: as many.");
        for (int j = 0; j < parameters.Length; j++)
        {
            PlainParameter parameter = parameters[j];
            bool inside = parameter.Lower <= parameter.From && parameter.From <= parameter.To && parameter.To <= parameter.Upper;
            if (!inside || !double.IsFinite(parameter.To - parameter.From) || (TLaw.IsLogarithmic(j) && !(parameter.From > 0)))
            {
                throw new ArgumentException(
                    $"{TLaw.Name}, parameter {parameter.Name}: starts from {parameter.From} to {parameter.To}, bounds {parameter.Lower} to {parameter.Upper}. "
                    + $"Violated constraint: finite starts in ascending order within the bounds{(TLaw.IsLogarithmic(j) ? ", above 0" : "")}.");
            }
        }

        return Add<Plain<TLaw>>();
    }

    /// <summary>Makes every law of an assembly known: its public structs that are an <see cref="IPlainLaw"/> or an <see cref="IScalingLaw"/>.</summary>
    /// <param name="assembly">The assembly; it stays loaded.</param>
    /// <returns>The laws, in the order of their types' names; none where it has none.</returns>
    /// <exception cref="ArgumentException">Another law has the name of one, or what a law says of itself does not fit together.</exception>
    public static ImmutableArray<ScalingLaw> AddAll(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        var added = ImmutableArray.CreateBuilder<ScalingLaw>();
        foreach (Type type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            // A law over its number of breaks is a type for each of them: Add closes it.
            if (!type.IsValueType || type.ContainsGenericParameters) continue;
            string? add = typeof(IPlainLaw).IsAssignableFrom(type) ? nameof(AddPlain) : typeof(IScalingLaw).IsAssignableFrom(type) ? nameof(Add) : null;
            if (add is null) continue;
            added.Add((ScalingLaw)typeof(ScalingLaw).GetMethod(add)!.MakeGenericMethod(type).Invoke(null, BindingFlags.DoNotWrapExceptions, null, null, null)!);
        }

        return added.ToImmutable();
    }

    private static readonly Lock Adding = new();

    /// <summary>Name on the command line and in reports.</summary>
    public abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    public abstract string Formula { get; }

    /// <summary>Where the formula was published.</summary>
    public abstract string Source { get; }

    /// <summary>Number of breaks; 0 for laws without.</summary>
    public abstract int Breaks { get; }

    /// <summary>Number of free parameters.</summary>
    public abstract int ParameterCount { get; }

    /// <summary>Number of inputs: columns of x.</summary>
    public abstract int InputCount { get; }

    /// <summary>Whether every input must be above 0.</summary>
    public abstract bool NeedsPositiveX { get; }

    /// <summary>True where the law is above 0 everywhere; false where y may have any sign.</summary>
    public abstract bool IsPositive { get; }

    /// <summary>Symbols of the parameters in natural units, in the order of reports.</summary>
    public abstract ImmutableArray<NaturalParameter> Parameters { get; }

    /// <summary>Whether a parameter has a coordinate of its own in the search, so that it can be fixed, bounded and tied; b has none: it moves with the level and every slope.</summary>
    /// <param name="parameter">Its symbol, as in <see cref="ParameterRange"/>.</param>
    public bool IsSearchedAlone(string parameter) => NaturalIndices(parameter) is { Length: > 0 } found && Array.TrueForAll(found, natural => CoordinateOf(natural) >= 0);

    /// <summary>Finds a law.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="breaks">Its number of breaks.</param>
    /// <exception cref="ArgumentException">There is none; the message lists what there is.</exception>
    public static ScalingLaw Get(string name, int breaks) =>
        All.FirstOrDefault(law => law.Name == name && law.Breaks == breaks)
        ?? throw new ArgumentException($"There is no law '{name}' with {breaks} breaks. There is: "
            + string.Join(", ", All.GroupBy(law => law.Name).Select(laws => $"{laws.Key} with {laws.Min(law => law.Breaks)} to {laws.Max(law => law.Breaks)} breaks")) + ".");

    /// <summary>A law with each of several numbers of breaks; a law without breaks once.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists what there is.</exception>
    internal static IEnumerable<ScalingLaw> Of(string name, ImmutableArray<int> breaks) =>
        All.Where(law => law.Name == name).ToArray() is [ScalingLaw only] ? [only] : breaks.Select(count => Get(name, count));

    /// <summary>The law's value.</summary>
    /// <param name="parameters">Parameters in natural units, as in a <see cref="Fit"/>.</param>
    /// <param name="x">Scale.</param>
    /// <returns>y in its own unit.</returns>
    public double Predict(ImmutableArray<Parameter> parameters, double x) => Predict(parameters, [x])[0];

    /// <summary>The law's values.</summary>
    /// <param name="parameters">Parameters in natural units, as in a <see cref="Fit"/>.</param>
    /// <param name="x">Inputs, point by point. Shape [points, InputCount].</param>
    /// <returns>y at each x, in its own unit; NaN where a parameter is not a number. Shape [points].</returns>
    /// <exception cref="ArgumentException">Parameters are not this law's, or inputs do not come in points.</exception>
    public abstract double[] Predict(ImmutableArray<Parameter> parameters, ReadOnlySpan<double> x);

    /// <summary>Packs numbers in the order of <see cref="IScalingLaw.ToNatural"/> into named parameters.</summary>
    internal ImmutableArray<Parameter> Pack(ReadOnlySpan<double> natural)
    {
        var named = ImmutableArray.CreateBuilder<Parameter>(Parameters.Length);
        int at = 0;
        foreach (NaturalParameter parameter in Parameters)
        {
            int count = parameter.PerBreak ? Breaks : 1;
            named.Add(new(parameter.Name, parameter.PerBreak, [.. natural.Slice(at, count)]));
            at += count;
        }

        return named.MoveToImmutable();
    }

    /// <summary>θ in natural units, by name.</summary>
    internal ImmutableArray<Parameter> Natural(ReadOnlySpan<double> θ, CurveScale scale)
    {
        var natural = new double[NaturalCount];
        ToNatural(θ, scale, natural, new double[natural.Length * θ.Length]);
        return Pack(natural);
    }

    /// <summary>Numbers in a row of all parameters in natural units.</summary>
    internal int NaturalCount => Parameters.Sum(parameter => parameter.PerBreak ? Breaks : 1);

    /// <summary>Where θ may lie. Shape [ParameterCount] each.</summary>
    internal abstract (double[] Lower, double[] Upper) Bounds(CurveRange range);

    /// <inheritdoc cref="IScalingLaw.Scale"/>
    internal abstract CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y);

    /// <summary>What a backend reads of each point: the law's columns.</summary>
    internal abstract double[] Columns(ReadOnlySpan<double> x, CurveScale scale);

    /// <summary>Natural units into θ.</summary>
    internal abstract void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ);

    /// <summary>Where a parameter's values stand in the order of <see cref="IScalingLaw.ToNatural"/>: c has one a break, c2 is that of the second.</summary>
    /// <returns>None where the law has no such parameter.</returns>
    internal int[] NaturalIndices(string name)
    {
        int at = 0;
        int[] ofBreak = [];
        foreach (NaturalParameter parameter in Parameters)
        {
            int count = parameter.PerBreak ? Breaks : 1;
            if (parameter.Name == name) return [.. Enumerable.Range(at, count)];
            if (parameter.PerBreak && name.StartsWith(parameter.Name, StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(parameter.Name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int which) && which >= 1 && which <= Breaks)
                ofBreak = [at + which - 1];
            at += count;
        }

        return ofBreak;
    }

    /// <summary>The coordinate that alone moves a natural parameter; −1 where several do (b moves with the level and every break).</summary>
    internal int CoordinateOf(int natural) => CoordinatesOf(natural) is [int only] ? only : -1;

    /// <summary>The coordinates that move a natural parameter.</summary>
    private int[] CoordinatesOf(int natural)
    {
        int p = ParameterCount;
        double[] jacobian = new double[NaturalCount * p], values = new double[NaturalCount];
        ToNatural(Generic, GenericScale, values, jacobian);
        return [.. Enumerable.Range(0, p).Where(j => jacobian[(natural * p) + j] != 0)];
    }

    /// <summary>Sets some natural parameters; b and log b, which are one, together. Coordinates that none of them moves with stay.</summary>
    /// <param name="values">The parameters and their values; those that the law does not have are left out.</param>
    /// <param name="scale">What θ is relative to.</param>
    /// <param name="θ">Changed. NaN or infinite where a value is none that the parameter can have.</param>
    /// <returns>Which coordinates were set.</returns>
    internal bool[] Set(ImmutableArray<ParameterValue> values, CurveScale scale, Span<double> θ)
    {
        double[] natural = new double[NaturalCount], set = new double[ParameterCount];
        var isSet = new bool[ParameterCount];
        ToNatural(θ, scale, natural, new double[natural.Length * θ.Length]);
        foreach ((string name, double value) in values)
        {
            foreach (int k in NaturalIndices(name))
            {
                natural[k] = value;
                foreach (int j in CoordinatesOf(k)) isSet[j] = true;
            }

            foreach (int k in NaturalIndices("log" + char.ToUpperInvariant(name[0]) + name[1..])) natural[k] = Math.Log(value);
        }

        FromNatural(natural, scale, set);
        for (int j = 0; j < set.Length; j++)
            if (isSet[j]) θ[j] = set[j];
        return isSet;
    }

    /// <summary>Whether a parameter can have a value: not −1 where it is searched by its logarithm.</summary>
    internal bool CanBe(ParameterValue value)
    {
        double[] θ = Generic;
        Set([value], UnitScale, θ);
        return Array.TrueForAll(θ, double.IsFinite);
    }

    /// <summary>A natural parameter's value as its coordinate; see <see cref="CoordinateOf"/>.</summary>
    internal double ToCoordinate(int natural, double value, CurveScale scale)
    {
        var θ = new double[ParameterCount];
        var values = new double[NaturalCount];
        ToNatural(Generic, scale, values, new double[NaturalCount * θ.Length]);
        values[natural] = value;
        FromNatural(values, scale, θ);
        return θ[CoordinateOf(natural)];
    }

    /// <summary>A range of a natural parameter as one of its coordinate, which may run the other way (b = −c0).</summary>
    /// <returns>NaN where the range has no value that the parameter can have.</returns>
    internal (double Lower, double Upper) ToCoordinates(int natural, ParameterRange range, CurveScale scale)
    {
        double one = ToCoordinate(natural, range.Lower, scale), other = ToCoordinate(natural, range.Upper, scale);

        // A parameter that is searched by its logarithm begins at 0.
        if (double.IsNaN(one)) one = ToCoordinate(natural, Math.Max(range.Lower, 0), scale);
        return (Math.Min(one, other), Math.Max(one, other));
    }

    private double[] Generic => [.. Enumerable.Range(0, ParameterCount).Select(j => 0.3 + (0.1 * j))];

    /// <summary>Every unit one.</summary>
    private protected CurveScale UnitScale => new([.. Enumerable.Repeat(1.0, InputCount)], 1);

    /// <summary>Units that differ, so that what is the same in them is the same in any.</summary>
    internal CurveScale GenericScale => new([.. Enumerable.Repeat(2.0, InputCount)], 3);

    /// <inheritdoc cref="IScalingLaw.ToNatural"/>
    internal abstract void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian);

    /// <inheritdoc cref="IScalingLaw.Sort"/>
    internal abstract void Sort(Span<double> θ);

    /// <inheritdoc cref="IScalingLaw.Start"/>
    internal abstract void Start(CounterRandom random, ReadOnlySpan<double> shape, Span<double> θ);

    /// <inheritdoc cref="IScalingLaw.Hop"/>
    internal abstract bool Hop(CounterRandom random, ReadOnlySpan<double> shape, Span<double> θ);

    /// <summary>Closes a visitor over this law and a loss: the one place where names become types.</summary>
    internal abstract TResult Close<TVisitor, TResult>(Loss loss, ref TVisitor visitor)
        where TVisitor : IModelVisitor<TResult>;

    private static ImmutableArray<ScalingLaw> Collect()
    {
        var collector = new Collector { Laws = ImmutableArray.CreateBuilder<ScalingLaw>() };
        ScalingLaws.ForEach(ref collector);
        return collector.Laws.ToImmutable();
    }

    private struct Collector : IScalingLawVisitor
    {
        public ImmutableArray<ScalingLaw>.Builder Laws;

        public readonly void Visit<TLaw>()
            where TLaw : struct, IScalingLaw => Laws.Add(new ScalingLaw<TLaw>());
    }
}

/// <summary>What wants a law and a loss as types.</summary>
/// <typeparam name="TResult">What it makes of them.</typeparam>
internal interface IModelVisitor<out TResult>
{
    TResult Visit<TLaw, TLoss>()
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss;
}

internal sealed class ScalingLaw<TLaw> : ScalingLaw
    where TLaw : struct, IScalingLaw
{
    public override string Name => TLaw.Name;

    public override string Formula => TLaw.Formula;

    public override string Source => TLaw.Source;

    public override int Breaks => TLaw.Breaks;

    public override int ParameterCount => TLaw.ParameterCount;

    public override ImmutableArray<NaturalParameter> Parameters { get; } = [.. TLaw.Natural];

    public override int InputCount => TLaw.InputCount;

    public override bool NeedsPositiveX => TLaw.NeedsPositiveX;

    public override bool IsPositive => TLaw.IsLog;

    public override double[] Predict(ImmutableArray<Parameter> parameters, ReadOnlySpan<double> x)
    {
        double[] natural = [.. parameters.SelectMany(parameter => parameter.Values)];
        if (natural.Length != NaturalCount)
            throw new ArgumentException($"{Name} with {Breaks} breaks has {NaturalCount} numbers in its parameters; {natural.Length} were given.", nameof(parameters));
        if (x.Length % TLaw.InputCount != 0)
            throw new ArgumentException($"{Name} has {TLaw.InputCount} inputs; {x.Length} numbers were given.", nameof(x));
        var y = new double[x.Length / TLaw.InputCount];
        var plain = new At(natural, UnitScale);
        for (int i = 0; i < y.Length; i++)
        {
            ReadOnlySpan<double> inputs = x.Slice(i * TLaw.InputCount, TLaw.InputCount);
            double value = plain.Value(inputs), logScale = 0;

            // The law's exponents are cut at e^±170: far out, relative to x itself and to a y that is moved until they lie well inside.
            for (int move = 0; TLaw.IsLog && move < 16 && Math.Abs(value) > 100 && Math.Abs(logScale) < 700; move++)
            {
                CurveScale scale = TLaw.Scale(inputs, [Math.Exp(move == 0 ? 0 : logScale + value)]);
                logScale = Math.Log(scale.Y); // 0 for a law that is not relative to anything
                value = new At(natural, scale).Value(inputs);
            }

            y[i] = TLaw.IsLog ? Math.Exp(logScale + value) : value;
        }

        return y;
    }

    /// <summary>The law with its parameters relative to a scale.</summary>
    private readonly struct At
    {
        private readonly CurveScale _scale;
        private readonly Heap<F64> _θ = new(new F64[TLaw.ParameterCount]), _work = new(new F64[TLaw.WorkCount]), _columns = new(new F64[TLaw.ColumnCount]);
        private readonly bool _isNumber;

        public At(double[] natural, CurveScale scale)
        {
            _scale = scale;
            var values = new double[TLaw.ParameterCount];
            TLaw.FromNatural(natural, scale, values);
            _isNumber = !Array.Exists(values, double.IsNaN);
            for (int j = 0; j < values.Length; j++) _θ[j] = new(values[j]);
            TLaw.Prepare<F64, bool, Heap<F64>>(_θ, _work);
        }

        public double Value(ReadOnlySpan<double> x)
        {
            for (int k = 0; k < TLaw.ColumnCount; k++) _columns[k] = new(TLaw.Column(k, x, _scale));
            return _isNumber ? TLaw.Evaluate<F64, bool, Heap<F64>, Heap<F64>, Nowhere<F64>>(_columns, 0, _θ, _work, default, 0).Value : double.NaN;
        }
    }

    internal override (double[] Lower, double[] Upper) Bounds(CurveRange range)
    {
        var lower = new double[TLaw.ParameterCount];
        var upper = new double[TLaw.ParameterCount];
        for (int j = 0; j < lower.Length; j++) (lower[j], upper[j]) = TLaw.Bounds(j, range);
        return (lower, upper);
    }

    internal override CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => TLaw.Scale(x, y);

    internal override void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) => TLaw.FromNatural(natural, scale, θ);

    internal override double[] Columns(ReadOnlySpan<double> x, CurveScale scale)
    {
        var columns = new double[TLaw.ColumnCount];
        for (int k = 0; k < columns.Length; k++) columns[k] = TLaw.Column(k, x, scale);
        return columns;
    }

    internal override void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian) =>
        TLaw.ToNatural(θ, scale, natural, jacobian);

    internal override void Sort(Span<double> θ) => TLaw.Sort(θ);

    internal override unsafe void Start(CounterRandom random, ReadOnlySpan<double> shape, Span<double> θ)
    {
        fixed (double* from = shape, to = θ) TLaw.Start(random, new Block<F64>((F64*)from), new Block<F64>((F64*)to));
    }

    internal override unsafe bool Hop(CounterRandom random, ReadOnlySpan<double> shape, Span<double> θ)
    {
        fixed (double* from = shape, to = θ) return TLaw.Hop(random, new Block<F64>((F64*)from), new Block<F64>((F64*)to));
    }

    internal override TResult Close<TVisitor, TResult>(Loss loss, ref TVisitor visitor) => loss.Close<TLaw, TVisitor, TResult>(ref visitor);
}
