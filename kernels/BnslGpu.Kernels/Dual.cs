namespace BnslGpu.Kernels;

/// <summary>A number and its derivative in one direction: v + ε v′ with ε² = 0.</summary>
/// <remarks>Forward differentiation (Clifford 1873; Griewank and Walther 2008, ch. 3). It proves the laws' own gradients right.</remarks>
/// <typeparam name="T">What value and derivative are made of.</typeparam>
/// <typeparam name="TMask">Its mask; comparisons look at the value alone.</typeparam>
/// <param name="Value">v.</param>
/// <param name="Derivative">v′.</param>
public readonly record struct Dual<T, TMask>(T Value, T Derivative) : IReal<Dual<T, TMask>, TMask>
    where T : struct, IReal<T, TMask>
    where TMask : struct
{
    /// <inheritdoc/>
    public static double ExponentLimit => T.ExponentLimit;

    /// <inheritdoc/>
    public static double Epsilon => T.Epsilon;

    /// <inheritdoc/>
    public static Dual<T, TMask> Constant(double value) => new(T.Constant(value), T.Constant(0));

    /// <inheritdoc/>
    public static Dual<T, TMask> Detach(Dual<T, TMask> value) => new(T.Detach(value.Value), T.Constant(0));

    /// <inheritdoc/>
    public static Dual<T, TMask> operator +(Dual<T, TMask> a, Dual<T, TMask> b) => new(a.Value + b.Value, a.Derivative + b.Derivative);

    /// <inheritdoc/>
    public static Dual<T, TMask> operator -(Dual<T, TMask> a, Dual<T, TMask> b) => new(a.Value - b.Value, a.Derivative - b.Derivative);

    /// <inheritdoc/>
    public static Dual<T, TMask> operator *(Dual<T, TMask> a, Dual<T, TMask> b) =>
        new(a.Value * b.Value, (a.Derivative * b.Value) + (a.Value * b.Derivative));

    /// <inheritdoc/>
    public static Dual<T, TMask> operator /(Dual<T, TMask> a, Dual<T, TMask> b)
    {
        T quotient = a.Value / b.Value;
        return new(quotient, (a.Derivative - (quotient * b.Derivative)) / b.Value);
    }

    /// <inheritdoc/>
    public static Dual<T, TMask> operator -(Dual<T, TMask> a) => new(-a.Value, -a.Derivative);

    /// <inheritdoc/>
    public static Dual<T, TMask> MultiplyAdd(Dual<T, TMask> a, Dual<T, TMask> b, Dual<T, TMask> c) =>
        new(T.MultiplyAdd(a.Value, b.Value, c.Value), (a.Derivative * b.Value) + (a.Value * b.Derivative) + c.Derivative);

    /// <inheritdoc/>
    public static Dual<T, TMask> MultiplyAdd(Dual<T, TMask> a, Dual<T, TMask> b, double c) => MultiplyAdd(a, b, Constant(c));

    /// <inheritdoc/>
    public static Dual<T, TMask> Abs(Dual<T, TMask> a) => Select(T.Less(a.Value, T.Constant(0)), -a, a);

    /// <inheritdoc/>
    public static Dual<T, TMask> Min(Dual<T, TMask> a, Dual<T, TMask> b) => Select(T.Less(a.Value, b.Value), a, b);

    /// <summary>The larger; a where they are equal: with |a|′ = 1 at 0 this keeps max(z, 0) + log(1 + e^−|z|) smooth there.</summary>
    public static Dual<T, TMask> Max(Dual<T, TMask> a, Dual<T, TMask> b) => Select(T.LessOrEqual(-a.Value, -b.Value), a, b);

    /// <inheritdoc/>
    public static Dual<T, TMask> Sqrt(Dual<T, TMask> a)
    {
        T root = T.Sqrt(a.Value);
        return new(root, a.Derivative / (root + root));
    }

    /// <inheritdoc/>
    public static TMask Less(Dual<T, TMask> a, Dual<T, TMask> b) => T.Less(a.Value, b.Value);

    /// <inheritdoc/>
    public static TMask LessOrEqual(Dual<T, TMask> a, Dual<T, TMask> b) => T.LessOrEqual(a.Value, b.Value);

    /// <inheritdoc/>
    public static TMask And(TMask a, TMask b) => T.And(a, b);

    /// <inheritdoc/>
    public static TMask Or(TMask a, TMask b) => T.Or(a, b);

    /// <inheritdoc/>
    public static Dual<T, TMask> Select(TMask mask, Dual<T, TMask> whenTrue, Dual<T, TMask> whenFalse) =>
        new(T.Select(mask, whenTrue.Value, whenFalse.Value), T.Select(mask, whenTrue.Derivative, whenFalse.Derivative));

    /// <inheritdoc/>
    public static Dual<T, TMask> Exp(Dual<T, TMask> x)
    {
        T e = T.Exp(x.Value);
        return new(e, e * x.Derivative);
    }

    /// <inheritdoc/>
    public static Dual<T, TMask> Log(Dual<T, TMask> x, out Dual<T, TMask> reciprocal)
    {
        T log = T.Log(x.Value, out T q);
        reciprocal = new(q, -(q * q * x.Derivative));
        return new(log, q * x.Derivative);
    }

    /// <inheritdoc/>
    public static Dual<T, TMask> LogOnePlus(Dual<T, TMask> x, out Dual<T, TMask> reciprocal)
    {
        T log = T.LogOnePlus(x.Value, out T q);
        reciprocal = new(q, -(q * q * x.Derivative));
        return new(log, q * x.Derivative);
    }

    /// <inheritdoc/>
    public static Dual<T, TMask> Sin(Dual<T, TMask> x, out Dual<T, TMask> cosine)
    {
        T sin = T.Sin(x.Value, out T cos);
        cosine = new(cos, -(sin * x.Derivative));
        return new(sin, cos * x.Derivative);
    }

    /// <inheritdoc/>
    public static Dual<T, TMask> Atan(Dual<T, TMask> x) => new(T.Atan(x.Value), x.Derivative / T.MultiplyAdd(x.Value, x.Value, 1));
}
