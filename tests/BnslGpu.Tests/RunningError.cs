using BnslGpu.Kernels;

namespace BnslGpu.Tests;

/// <summary>A number with a bound on what rounding did to it: Wilkinson's running error analysis, for any formula over <see cref="IReal{TSelf, TMask}"/>.</summary>
/// <remarks>
/// Evaluating a law over this number gives k·Σ|terms| of its every result: |computed − exact| ≤ ε·<see cref="Error"/>, to first order (second where it is
/// cheap). Each operation adds what its arguments carry, times its derivative, and half an ε of its result; exp, log and log(1 + x) add the bounds that
/// <see cref="Functions"/> states for them. So the conditioning of every intermediate, of z = (u − log d)/f above all, is in the tolerance.
/// </remarks>
/// <typeparam name="TKind">The arithmetic that is bounded: F64 or F32.</typeparam>
/// <param name="Value">The number, in double.</param>
/// <param name="Error">Bound on its error, in units of the kind's ε.</param>
internal readonly record struct RunningError<TKind>(double Value, double Error) : IReal<RunningError<TKind>, bool>
    where TKind : struct, IBinaryReal<TKind, bool>
{
    public static double ExponentLimit => TKind.ExponentLimit;

    public static double Epsilon => TKind.Epsilon;

    public static RunningError<TKind> Constant(double value) => new(value, TKind.IsSingle ? Math.Abs(value - (float)value) / Epsilon : 0);

    public static RunningError<TKind> Detach(RunningError<TKind> value) => new(value.Value, 0);

    public static RunningError<TKind> operator +(RunningError<TKind> a, RunningError<TKind> b) => Round(a.Value + b.Value, a.Error + b.Error);

    public static RunningError<TKind> operator -(RunningError<TKind> a, RunningError<TKind> b) => Round(a.Value - b.Value, a.Error + b.Error);

    public static RunningError<TKind> operator *(RunningError<TKind> a, RunningError<TKind> b) => Round(a.Value * b.Value, Product(a, b));

    public static RunningError<TKind> operator /(RunningError<TKind> a, RunningError<TKind> b)
    {
        double quotient = a.Value / b.Value;
        return Round(quotient, (a.Error + (Math.Abs(quotient) * b.Error)) / Math.Max(Math.Abs(b.Value) - (Epsilon * b.Error), 0));
    }

    public static RunningError<TKind> operator -(RunningError<TKind> a) => a with { Value = -a.Value };

    public static RunningError<TKind> MultiplyAdd(RunningError<TKind> a, RunningError<TKind> b, RunningError<TKind> c) =>
        Round(Math.FusedMultiplyAdd(a.Value, b.Value, c.Value), Product(a, b) + c.Error);

    public static RunningError<TKind> MultiplyAdd(RunningError<TKind> a, RunningError<TKind> b, double c) => MultiplyAdd(a, b, Constant(c));

    public static RunningError<TKind> Abs(RunningError<TKind> a) => a with { Value = Math.Abs(a.Value) };

    public static RunningError<TKind> Min(RunningError<TKind> a, RunningError<TKind> b) => Either(a.Value < b.Value ? a : b, a, b);

    public static RunningError<TKind> Max(RunningError<TKind> a, RunningError<TKind> b) => Either(a.Value > b.Value ? a : b, a, b);

    public static RunningError<TKind> Sqrt(RunningError<TKind> a)
    {
        double root = Math.Sqrt(a.Value);
        return Round(root, a.Error / (2 * root));
    }

    public static bool Less(RunningError<TKind> a, RunningError<TKind> b) => a.Value < b.Value;

    public static bool LessOrEqual(RunningError<TKind> a, RunningError<TKind> b) => a.Value <= b.Value;

    public static bool And(bool a, bool b) => a & b;

    public static bool Or(bool a, bool b) => a | b;

    public static RunningError<TKind> Select(bool mask, RunningError<TKind> whenTrue, RunningError<TKind> whenFalse) => mask ? whenTrue : whenFalse;

    public static RunningError<TKind> Exp(RunningError<TKind> x)
    {
        double e = Math.Exp(x.Value), relative = Math.Exp(Epsilon * x.Error) - 1;
        return new(e, e * (Math.Max(relative / Epsilon, x.Error) + Functions.ExpUlps));
    }

    public static RunningError<TKind> Log(RunningError<TKind> x, out RunningError<TKind> reciprocal)
    {
        double log = Math.Log(x.Value), q = 1 / x.Value, moved = x.Error / Math.Max(Math.Abs(x.Value) - (Epsilon * x.Error), 0);
        reciprocal = new(q, Math.Abs(q) * (moved + 1.5)); // three roundings
        return new(log, moved + (Functions.LogUlps * Math.Max(Math.Abs(log), 0.35)));
    }

    public static RunningError<TKind> LogOnePlus(RunningError<TKind> x, out RunningError<TKind> reciprocal)
    {
        // double.LogP1 is Math.Log(1 + x) and loses x; this is Kahan's.
        double one = 1 + x.Value, log = one > 1 ? Math.Log(one) * (x.Value / (one - 1)) : x.Value, q = 1 / one, moved = x.Error * q;
        reciprocal = new(q, q * (moved + 2)); // four roundings
        return new(log, moved + (Functions.LogUlps * Math.Abs(log)));
    }

    public static RunningError<TKind> Sin(RunningError<TKind> x, out RunningError<TKind> cosine)
    {
        (double sin, double cos) = Math.SinCos(x.Value);
        cosine = new(cos, (x.Error * (Math.Abs(sin) + (Epsilon * x.Error))) + (Functions.AngleUlps * Math.Abs(cos)));
        return new(sin, (x.Error * (Math.Abs(cos) + (Epsilon * x.Error))) + (Functions.AngleUlps * Math.Abs(sin)));
    }

    public static RunningError<TKind> Atan(RunningError<TKind> x)
    {
        double angle = Math.Atan(x.Value), nearest = Math.Max(Math.Abs(x.Value) - (Epsilon * x.Error), 0);
        return new(angle, (x.Error / (1 + (nearest * nearest))) + (Functions.AngleUlps * Math.Abs(angle)));
    }

    private static RunningError<TKind> Round(double value, double error) => new(value, error + (Math.Abs(value) / 2));

    private static double Product(RunningError<TKind> a, RunningError<TKind> b) =>
        (a.Error * Math.Abs(b.Value)) + (Math.Abs(a.Value) * b.Error) + (Epsilon * a.Error * b.Error);

    /// <summary>Where the errors reach over the difference the other may have been taken.</summary>
    private static RunningError<TKind> Either(RunningError<TKind> taken, RunningError<TKind> a, RunningError<TKind> b) =>
        Math.Abs(a.Value - b.Value) <= Epsilon * (a.Error + b.Error) ? taken with { Error = Math.Max(a.Error, b.Error) } : taken;
}
