using System.Collections.Immutable;
using BnslGpu.Kernels;

namespace BnslGpu;

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

    /// <inheritdoc cref="ILoss.IsRobust"/>
    public abstract bool IsRobust { get; }

    /// <inheritdoc cref="ILoss.Slope"/>
    internal abstract double Slope(double y, double logScale);

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

internal sealed class Loss<TLoss> : Loss
    where TLoss : struct, ILoss
{
    public override string Name => TLoss.Name;

    public override string Formula => TLoss.Formula;

    public override double LowestY => TLoss.LowestY;

    internal override double Target(double y, double logScale) => TLoss.Target(y, logScale);

    public override bool IsRobust => TLoss.IsRobust;

    internal override double Slope(double y, double logScale) => TLoss.Slope(y, logScale);

    internal override double Unit(double logScale) => TLoss.Unit(logScale);

    internal override TResult Close<TLaw, TVisitor, TResult>(ref TVisitor visitor) => visitor.Visit<TLaw, TLoss>();
}
