using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>A functional form by name: what people and reports need of an <see cref="IScalingLaw"/>.</summary>
public abstract class ScalingLaw
{
    private protected ScalingLaw()
    {
    }

    /// <summary>Every law, one entry a number of breaks.</summary>
    public static ImmutableArray<ScalingLaw> All { get; } = Collect();

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

    /// <summary>Symbols of the parameters in natural units, in the order of reports.</summary>
    public abstract ImmutableArray<NaturalParameter> Parameters { get; }

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
        All.Count(law => law.Name == name) == 1 ? [Get(name, 0)] : breaks.Select(count => Get(name, count));

    /// <summary>The law's value.</summary>
    /// <param name="parameters">Parameters in natural units, as in a <see cref="Fit"/>.</param>
    /// <param name="x">Scale, &gt; 0.</param>
    /// <returns>y in its own unit.</returns>
    public double Predict(ImmutableArray<Parameter> parameters, double x) => Predict(parameters, [x])[0];

    /// <summary>The law's values.</summary>
    /// <param name="parameters">Parameters in natural units, as in a <see cref="Fit"/>.</param>
    /// <param name="x">Scales, &gt; 0.</param>
    /// <returns>y at each x, in its own unit; NaN where a parameter is not a number.</returns>
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

    /// <summary>Numbers in a row of all parameters in natural units.</summary>
    internal int NaturalCount => Parameters.Sum(parameter => parameter.PerBreak ? Breaks : 1);

    /// <summary>Where θ may lie. Shape [ParameterCount] each.</summary>
    internal abstract (double[] Lower, double[] Upper) Bounds(CurveRange range);

    /// <summary>What a backend reads of each point: the law's columns.</summary>
    internal abstract double[] Columns(double x, CurveScale scale);

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

/// <summary>A loss by name: what people and reports need of an <see cref="ILoss"/>.</summary>
public abstract class Loss
{
    private protected Loss()
    {
    }

    /// <summary>Every loss, the default first.</summary>
    public static ImmutableArray<Loss> All { get; } = Collect();

    /// <summary>Name on the command line and in reports.</summary>
    public abstract string Name { get; }

    /// <summary>The formula, for people.</summary>
    public abstract string Formula { get; }

    /// <summary>Measured values must be larger than this.</summary>
    public abstract double LowestY { get; }

    /// <summary>Finds a loss.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists what there is.</exception>
    public static Loss Get(string name) =>
        All.FirstOrDefault(loss => loss.Name == name)
        ?? throw new ArgumentException($"There is no loss '{name}'. There is: {string.Join(", ", All.Select(loss => loss.Name))}.");

    /// <inheritdoc cref="ILoss.Target"/>
    internal abstract double Target(double y, double logScale);

    /// <inheritdoc cref="ILoss.Unit"/>
    internal abstract double Unit(double logScale);

    /// <summary>Closes a visitor over a law and this loss.</summary>
    internal abstract TResult Close<TLaw, TVisitor, TResult>(ref TVisitor visitor)
        where TLaw : struct, IScalingLaw
        where TVisitor : IModelVisitor<TResult>;

    private static ImmutableArray<Loss> Collect()
    {
        var collector = new Collector { Losses = ImmutableArray.CreateBuilder<Loss>() };
        Losses.ForEach(ref collector);
        return collector.Losses.ToImmutable();
    }

    private struct Collector : ILossVisitor
    {
        public ImmutableArray<Loss>.Builder Losses;

        public readonly void Visit<TLoss>()
            where TLoss : struct, ILoss => Losses.Add(new Loss<TLoss>());
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

    public override double[] Predict(ImmutableArray<Parameter> parameters, ReadOnlySpan<double> x)
    {
        double[] natural = [.. parameters.SelectMany(parameter => parameter.Values)];
        if (natural.Length != NaturalCount)
            throw new ArgumentException($"{Name} with {Breaks} breaks has {NaturalCount} numbers in its parameters; {natural.Length} were given.", nameof(parameters));
        var y = new double[x.Length];
        var plain = new At(natural, new(1, 1));
        for (int i = 0; i < x.Length; i++)
        {
            double logY = plain.LogY(x[i]);

            // The law's exponents are cut at e^±170: far out, relative to x itself and to a y that is moved until they lie well inside.
            double logScale = 0;
            for (int move = 0; move < 16 && Math.Abs(logY) > 100 && Math.Abs(logScale) < 700; move++)
            {
                logScale = move == 0 ? 0 : logScale + logY;
                logY = new At(natural, new(x[i], Math.Exp(logScale))).LogY(x[i]);
            }

            y[i] = Math.Exp(logScale + logY);
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

        public double LogY(double x)
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

    internal override double[] Columns(double x, CurveScale scale)
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

internal sealed class Loss<TLoss> : Loss
    where TLoss : struct, ILoss
{
    public override string Name => TLoss.Name;

    public override string Formula => TLoss.Formula;

    public override double LowestY => TLoss.LowestY;

    internal override double Target(double y, double logScale) => TLoss.Target(y, logScale);

    internal override double Unit(double logScale) => TLoss.Unit(logScale);

    internal override TResult Close<TLaw, TVisitor, TResult>(ref TVisitor visitor) => visitor.Visit<TLaw, TLoss>();
}
