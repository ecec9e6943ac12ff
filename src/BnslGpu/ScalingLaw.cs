using System.Collections.Immutable;

namespace BnslGpu;

/// <summary>Placeholder until the kernels are in.</summary>
public abstract class ScalingLaw
{
    /// <summary>Finds a law.</summary>
    public static ScalingLaw Get(string name, int breaks) => throw new NotSupportedException(name + breaks);

    /// <summary>Predicts.</summary>
    public abstract double Predict(ImmutableArray<Parameter> parameters, double x);
}
