using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Sum of power laws of several inputs over a limit: Chinchilla's law of parameters and tokens, and its kin.</summary>
/// <remarks>
/// y = E + Σᵢ Aᵢ·xᵢ^(−αᵢ), Hoffmann et al. 2022, eq. 2, arXiv:2203.15556 (two inputs: A/N^α + B/D^β). θ = [E, then (log gᵢ, αᵢ) an input], y
/// relative to the smallest, xᵢ to its geometric mean, gᵢ the term there: log y = log(E + Σᵢ exp(log gᵢ − αᵢ uᵢ)). E stays linear because it may be 0.
/// </remarks>
/// <typeparam name="TInputs">The number of inputs, as one of breaks.</typeparam>
public readonly struct SumOfPowerLaws<TInputs> : IScalingLaw
    where TInputs : struct, IBreaks
{
    private const int E = 0, FirstTerm = 1, PerTerm = 2;

    /// <inheritdoc/>
    public static string Name => TInputs.Count == 2 ? "chinchilla" : $"chinchilla{TInputs.Count}";

    /// <inheritdoc/>
    public static string Formula => TInputs.Count == 2 ? "y = E + A x1^-alpha + B x2^-beta" : $"y = E + sum_i A_i x_i^-alpha_i, i = 1..{TInputs.Count}";

    /// <inheritdoc/>
    public static string Source => "Hoffmann et al. 2022, eq. 2, arXiv:2203.15556";

    /// <inheritdoc/>
    public static int InputCount => TInputs.Count;

    /// <inheritdoc/>
    public static int ParameterCount => FirstTerm + (PerTerm * TInputs.Count);

    /// <inheritdoc/>
    public static int ColumnCount => TInputs.Count;

    /// <summary>The geometric mean of every input, and the smallest y.</summary>
    public static CurveScale Scale(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        var means = new double[TInputs.Count];
        for (int i = 0; i < x.Length; i++) means[i % means.Length] += Math.Log(x[i]) / y.Length;
        double smallest = double.PositiveInfinity;
        foreach (double value in y) smallest = Math.Min(smallest, value);
        return new([.. means.Select(Math.Exp)], smallest);
    }

    /// <inheritdoc/>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => Math.Log(x[column]) - Math.Log(scale.Inputs[column]);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T y = θ[E];
        for (int i = 0; i < TInputs.Count; i++) y += Term<T, TMask, TPoints, TArray>(points, point, θ, i);
        T logY = T.Log(y, out T inverseY);
        gradient[row, E] = inverseY;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i);
            T share = Term<T, TMask, TPoints, TArray>(points, point, θ, i) * inverseY;
            gradient[row, j] = share;
            gradient[row, j + 1] = -share * points[point, i];
        }

        return logY;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Term<T, TMask, TPoints, TArray>(TPoints points, int point, TArray θ, int i)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
    {
        int j = FirstTerm + (PerTerm * i);
        return Functions.ExpClamped<T, TMask>(T.MultiplyAdd(-θ[j, 1], points[point, i], θ[j]));
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) =>
        parameter == E ? (0, 0.9999)
        : (parameter - FirstTerm) % PerTerm == 1 ? (0, 20)
        : (double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>E below the smallest y, or 0; α from 0 to 1.2; the terms share what is left of the mean y.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double e = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98);
        double left = Math.Max(CurveShape.Y(shape, 0) - e, 0.02), all = 0;
        for (int i = 0; i < TInputs.Count; i++)
        {
            double share = F64.Exp(new F64(random.Uniform(-3, 0))).Value;
            θ[FirstTerm + (PerTerm * i)] = new F64(share);
            θ[FirstTerm + (PerTerm * i) + 1] = new F64(random.Uniform(0, 1.2));
            all += share;
        }

        θ[E] = new F64(e);
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i);
            θ[j] = F64.Log(new F64(left * θ[j].Value / all), out _);
        }
    }

    /// <summary>E; then A, log A and α of every input.</summary>
    public static NaturalParameter[] Natural =>
    [
        new("E", false),
        .. Enumerable.Range(0, TInputs.Count).SelectMany(i => TInputs.Count == 2
            ? (NaturalParameter[])[new(i == 0 ? "A" : "B", false), new(i == 0 ? "logA" : "logB", false), new(i == 0 ? "alpha" : "beta", false)]
            : [new($"A{i + 1}", false), new($"logA{i + 1}", false), new($"alpha{i + 1}", false)]),
    ];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        int p = ParameterCount;
        natural[0] = θ[E] * scale.Y;
        jacobian[E] = scale.Y;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i), k = 1 + (3 * i);
            double reach = Math.Log(scale.Inputs[i]), logA = natural[k + 1] = θ[j] + (θ[j + 1] * reach) + Math.Log(scale.Y), a = natural[k] = Math.Exp(logA);
            (jacobian[(k * p) + j], jacobian[(k * p) + j + 1]) = (a, a * reach);
            (jacobian[((k + 1) * p) + j], jacobian[((k + 1) * p) + j + 1]) = (1, reach);
            natural[k + 2] = θ[j + 1];
            jacobian[((k + 2) * p) + j + 1] = 1;
        }
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[E] = natural[0] / scale.Y;
        for (int i = 0; i < TInputs.Count; i++)
        {
            int j = FirstTerm + (PerTerm * i), k = 1 + (3 * i);
            θ[j + 1] = natural[k + 2];
            θ[j] = natural[k + 1] - (θ[j + 1] * Math.Log(scale.Inputs[i])) - Math.Log(scale.Y);
        }
    }
}
