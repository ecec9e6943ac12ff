using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Power law, M1 of the comparison.</summary>
/// <remarks>
/// y = a·x^b, Alabdulmohsin, Neyshabur and Zhai 2022, arXiv:2209.06640. θ = [log y₀, b], y₀ the value at the last fit point: log y = log y₀ + b u.
/// </remarks>
public readonly struct PowerLaw : IScalingLaw
{
    private const int LogY0 = 0, B = 1;

    /// <inheritdoc/>
    public static string Name => "m1";

    /// <inheritdoc/>
    public static string Formula => "y = a x^b";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M1, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T u = points[point];
        gradient[row + LogY0] = T.Constant(1);
        gradient[row + B] = u;
        return T.MultiplyAdd(θ[B], u, θ[LogY0]);
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) =>
        parameter == B ? (-20, 20) : (double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>Through the last point with a slope of the curve's, blurred; the problem is linear, any start will do.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        θ[LogY0] = F64.Log(new F64(CurveShape.Y(shape, 0)), out _);
        θ[B] = new F64(random.Uniform(-1, 0.2));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        double logX = Math.Log(scale.X);
        double logA = natural[1] = θ[LogY0] - (θ[B] * logX) + Math.Log(scale.Y);
        double a = natural[0] = Math.Exp(logA);
        natural[2] = θ[B];
        (jacobian[LogY0], jacobian[B]) = (a, -a * logX);
        (jacobian[2 + LogY0], jacobian[2 + B]) = (1, -logX);
        jacobian[4 + B] = 1;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[B] = natural[2];
        θ[LogY0] = natural[1] + (θ[B] * Math.Log(scale.X)) - Math.Log(scale.Y);
    }
}

/// <summary>Power law with a limit, M2 of the comparison.</summary>
/// <remarks>y = a·x^b + c, arXiv:2209.06640. This is BNSL without breaks, in whose coordinates it is fitted: c is its a, a its b, b its −c₀.</remarks>
public readonly struct OffsetPowerLaw : IScalingLaw
{
    /// <inheritdoc/>
    public static string Name => "m2";

    /// <inheritdoc/>
    public static string Formula => "y = a x^b + c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M2, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => Bnsl<Breaks0>.ParameterCount;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T> =>
        Bnsl<Breaks0>.Evaluate<T, TMask, TPoints, TArray, TGradient>(points, point, θ, work, gradient, row);

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => Bnsl<Breaks0>.Bounds(parameter, range);

    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64> => Bnsl<Breaks0>.Start(random, shape, θ);

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false), new("c", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        // Rows of BNSL are a, b, log b, c₀.
        Span<double> bnsl = stackalloc double[4], rows = stackalloc double[12];
        rows.Clear();
        Bnsl<Breaks0>.ToNatural(θ, scale, bnsl, rows);
        (natural[0], natural[1], natural[2], natural[3]) = (bnsl[1], bnsl[2], -bnsl[3], bnsl[0]);
        rows[3..6].CopyTo(jacobian);
        rows[6..9].CopyTo(jacobian[3..]);
        for (int j = 0; j < 3; j++) jacobian[6 + j] = -rows[9 + j];
        rows[..3].CopyTo(jacobian[9..]);
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ) =>
        Bnsl<Breaks0>.FromNatural([natural[3], natural[0], natural[1], -natural[2]], scale, θ);
}

/// <summary>Saturating power law, M3 of the comparison as its authors' code has it.</summary>
/// <remarks>
/// y = b·(1/x + g)^c with g, c ≥ 0; no offset (released code of arXiv:2209.06640). θ = [log y₀, c, γ] with y₀ the value at the last fit point and
/// γ = g x₀ linear because g = 0 must be reachable: log y = log y₀ + c (log(e^−u + γ) − log(1 + γ)).
/// </remarks>
public readonly struct SaturatingPowerLaw : IScalingLaw
{
    private const int LogY0 = 0, C = 1, Γ = 2;

    /// <inheritdoc/>
    public static string Name => "m3";

    /// <inheritdoc/>
    public static string Formula => "y = b (1/x + g)^c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M3 as released, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 3;

    /// <summary>log(1 + γ) and 1/(1 + γ).</summary>
    public static int WorkCount => 2;

    /// <summary>1/x, relative to the last fit point.</summary>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => scale.X / x[0];

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        work[0] = T.Log(θ[Γ] + T.Constant(1), out T reciprocal);
        work[1] = reciprocal;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T log = T.Log(points[point] + θ[Γ], out T reciprocal) - work[0];
        gradient[row + LogY0] = T.Constant(1);
        gradient[row + C] = log;
        gradient[row + Γ] = θ[C] * (reciprocal - work[1]);
        return T.MultiplyAdd(θ[C], log, θ[LogY0]);
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter switch
    {
        LogY0 => (double.NegativeInfinity, double.PositiveInfinity),
        C => (0, 20),
        _ => (0, 100 * Math.Exp(-range.FirstLogX)),
    };

    /// <summary>Through the last point; c from 0 to 2, γ log-uniform over what bends the curve within the data, or 0.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        θ[LogY0] = F64.Log(new F64(CurveShape.Y(shape, 0)), out _);
        θ[C] = new F64(random.Uniform(0, 2));
        θ[Γ] = random.Uniform() < 0.2 ? new F64(0) : F64.Exp(new F64(random.Uniform(-3, Math.Min(-shape[0].Value, 100))));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("b", false), new("logB", false), new("g", false), new("c", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        double logX = Math.Log(scale.X), c = θ[C], γ = θ[Γ];
        double logB = natural[1] = θ[LogY0] + Math.Log(scale.Y) - (c * (Math.Log(1 + γ) - logX));
        Span<double> row = jacobian.Slice(3, 3);
        (row[LogY0], row[C], row[Γ]) = (1, logX - Math.Log(1 + γ), -c / (1 + γ));
        double b = natural[0] = Math.Exp(logB);
        for (int j = 0; j < 3; j++) jacobian[j] = b * row[j];
        natural[2] = γ / scale.X;
        jacobian[6 + Γ] = 1 / scale.X;
        natural[3] = c;
        jacobian[9 + C] = 1;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[C] = natural[3];
        θ[Γ] = natural[2] * scale.X;
        θ[LogY0] = natural[1] - Math.Log(scale.Y) + (θ[C] * (Math.Log(1 + θ[Γ]) - Math.Log(scale.X)));
    }
}

/// <summary>Shifted power law, M3 of the comparison as its paper prints it.</summary>
/// <remarks>
/// y = a·(x + d)^b + c, arXiv:2209.06640. θ = [c, log g₀, b, δ] with δ = d/x₀, x₀ the last fit point, and g₀ the power part there:
/// log g = log g₀ + b (log(e^u + δ) − log(1 + δ)), log y = log(c + g). c and δ stay linear because both may be 0, and δ below it.
/// </remarks>
public readonly struct ShiftedPowerLaw : IScalingLaw
{
    private const int Limit = 0, LogG0 = 1, B = 2, Δ = 3;

    /// <inheritdoc/>
    public static string Name => "m3-printed";

    /// <inheritdoc/>
    public static string Formula => "y = a (x + d)^b + c";

    /// <inheritdoc/>
    public static string Source => "Alabdulmohsin et al. 2022, M3 as printed, arXiv:2209.06640";

    /// <inheritdoc/>
    public static int ParameterCount => 4;

    /// <summary>log(1 + δ) and 1/(1 + δ).</summary>
    public static int WorkCount => 2;

    /// <summary>x, relative to the last fit point.</summary>
    public static double Column(int column, ReadOnlySpan<double> x, CurveScale scale) => x[0] / scale.X;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prepare<T, TMask, TArray>(TArray θ, TArray work)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TArray : struct, IArray<T>
    {
        work[0] = T.Log(θ[Δ] + T.Constant(1), out T reciprocal);
        work[1] = reciprocal;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Evaluate<T, TMask, TPoints, TArray, TGradient>(TPoints points, int point, TArray θ, TArray work, TGradient gradient, int row)
        where T : struct, IReal<T, TMask>
        where TMask : struct
        where TPoints : struct, IArray<T>
        where TArray : struct, IArray<T>
        where TGradient : struct, IArray<T>
    {
        T log = T.Log(points[point] + θ[Δ], out T reciprocal) - work[0];
        T g = Functions.ExpClamped<T, TMask>(T.MultiplyAdd(θ[B], log, θ[LogG0]));
        T logY = T.Log(θ[Limit] + g, out T inverseY);
        T share = g * inverseY;
        gradient[row, Limit] = inverseY;
        gradient[row, LogG0] = share;
        gradient[row, B] = share * log;
        gradient[row, Δ] = share * (θ[B] * (reciprocal - work[1]));
        return logY;
    }

    /// <inheritdoc/>
    public static (double Lower, double Upper) Bounds(int parameter, CurveRange range) => parameter switch
    {
        Limit => (0, 0.9999),
        LogG0 => (double.NegativeInfinity, double.PositiveInfinity),
        B => (-20, 20),
        _ => (-0.9999 * Math.Exp(range.FirstLogX), 100),
    };

    /// <summary>Through the last point; c below the smallest y, or 0; b falling; δ log-uniform from the first point's x to three times the last's, or 0.</summary>
    /// <inheritdoc cref="IScalingLaw.Start"/>
    public static void Start<TShape, TArray>(CounterRandom random, TShape shape, TArray θ)
        where TShape : struct, IArray<F64>
        where TArray : struct, IArray<F64>
    {
        double limit = random.Uniform() < 0.2 ? 0 : random.Uniform(0, 0.98), y = CurveShape.Y(shape, 0);
        θ[Limit] = new F64(limit);
        θ[LogG0] = F64.Log(new F64(Math.Max(y - limit, 0.02 * y)), out _);
        θ[B] = new F64(random.Uniform(-2, 0.2));
        θ[Δ] = random.Uniform() < 0.2 ? new F64(0) : F64.Exp(new F64(random.Uniform(Math.Max(shape[0].Value, -100), 1)));
    }

    /// <inheritdoc/>
    public static NaturalParameter[] Natural => [new("a", false), new("logA", false), new("b", false), new("c", false), new("d", false)];

    /// <inheritdoc/>
    public static void ToNatural(ReadOnlySpan<double> θ, CurveScale scale, Span<double> natural, Span<double> jacobian)
    {
        const int P = 4;
        double reach = Math.Log(1 + θ[Δ]) + Math.Log(scale.X), b = θ[B];
        double logA = natural[1] = θ[LogG0] + Math.Log(scale.Y) - (b * reach);
        Span<double> row = jacobian.Slice(P, P);
        (row[LogG0], row[B], row[Δ]) = (1, -reach, -b / (1 + θ[Δ]));
        double a = natural[0] = Math.Exp(logA);
        for (int j = 0; j < P; j++) jacobian[j] = a * row[j];
        natural[2] = b;
        jacobian[(2 * P) + B] = 1;
        natural[3] = θ[Limit] * scale.Y;
        jacobian[(3 * P) + Limit] = scale.Y;
        natural[4] = θ[Δ] * scale.X;
        jacobian[(4 * P) + Δ] = scale.X;
    }

    /// <inheritdoc/>
    public static void FromNatural(ReadOnlySpan<double> natural, CurveScale scale, Span<double> θ)
    {
        θ[Limit] = natural[3] / scale.Y;
        θ[B] = natural[2];
        θ[Δ] = natural[4] / scale.X;
        θ[LogG0] = natural[1] - Math.Log(scale.Y) + (θ[B] * (Math.Log(1 + θ[Δ]) + Math.Log(scale.X)));
    }
}

/// <summary>The laws by name. Adding one is a struct above and its line here.</summary>
public static class ScalingLaws
{
    /// <summary>Shows a visitor every law.</summary>
    public static void ForEach<TVisitor>(ref TVisitor visitor)
        where TVisitor : IScalingLawVisitor
    {
        visitor.Visit<Bnsl<Breaks0>>();
        visitor.Visit<Bnsl<Breaks1>>();
        visitor.Visit<Bnsl<Breaks2>>();
        visitor.Visit<Bnsl<Breaks3>>();
        visitor.Visit<Bnsl<Breaks4>>();
        visitor.Visit<Bnsl<Breaks5>>();
        visitor.Visit<Bnsl<Breaks6>>();
        visitor.Visit<PowerLaw>();
        visitor.Visit<OffsetPowerLaw>();
        visitor.Visit<SaturatingPowerLaw>();
        visitor.Visit<SigmoidalPowerLaw>();
        visitor.Visit<ShiftedPowerLaw>();
        visitor.Visit<SumOfPowerLaws<Breaks2>>();
        visitor.Visit<SumOfPowerLaws<Breaks3>>();
        visitor.Visit<SumOfPowerLaws<Breaks4>>();
        Signed<Above, TVisitor>(ref visitor);
        Signed<Below, TVisitor>(ref visitor);
    }

    private static void Signed<TSide, TVisitor>(ref TVisitor visitor)
        where TSide : struct, ISide
        where TVisitor : IScalingLawVisitor
    {
        visitor.Visit<SignedBnsl<Breaks0, TSide>>();
        visitor.Visit<SignedBnsl<Breaks1, TSide>>();
        visitor.Visit<SignedBnsl<Breaks2, TSide>>();
        visitor.Visit<SignedBnsl<Breaks3, TSide>>();
        visitor.Visit<SignedBnsl<Breaks4, TSide>>();
    }
}

/// <summary>What wants to be told each law as a type.</summary>
public interface IScalingLawVisitor
{
    /// <summary>Called once a law.</summary>
    void Visit<TLaw>()
        where TLaw : struct, IScalingLaw;
}
