using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Every operation of every lane type gives, lane by lane, the bits that the scalar gives.</summary>
public sealed class LanesTests
{
    private const int Draws = 4000;

    public static TheoryData<string> Widths
    {
        get
        {
            var widths = new TheoryData<string> { "64" };
            if (Vector128.IsHardwareAccelerated) widths.Add("128");
            if (Vector256.IsHardwareAccelerated) widths.Add("256");
            if (Vector512.IsHardwareAccelerated) widths.Add("512");
            return widths;
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Lanes_of_double_give_the_bits_of_the_scalar(string width)
    {
        switch (width)
        {
            case "128": Prove<Lanes128<double>, Vector128<double>, F64, double>(170); break;
            case "256": Prove<Lanes256<double>, Vector256<double>, F64, double>(170); break;
            case "512": Prove<Lanes512<double>, Vector512<double>, F64, double>(170); break;
            default: Prove<F64, bool, F64, double>(170); break;
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Lanes_of_float_give_the_bits_of_the_scalar(string width)
    {
        switch (width)
        {
            case "128": Prove<Lanes128<float>, Vector128<float>, F32, float>(30); break;
            case "256": Prove<Lanes256<float>, Vector256<float>, F32, float>(30); break;
            case "512": Prove<Lanes512<float>, Vector512<float>, F32, float>(30); break;
            default: Prove<F32, bool, F32, float>(30); break;
        }
    }

    [Fact]
    public void Min_and_max_give_the_second_if_either_is_not_a_number()
    {
        Assert.Equal(1, F64.Min(new(double.NaN), new(1)).Value);
        Assert.Equal(1, F64.Max(new(double.NaN), new(1)).Value);
        Assert.True(double.IsNaN(F64.Min(new(1), new(double.NaN)).Value));
        Assert.True(double.IsNaN(F64.Max(new(1), new(double.NaN)).Value));
        Assert.Equal(1, F32.Min(new(float.NaN), new(1)).Value);
        Assert.Equal(1, F32.Max(new(float.NaN), new(1)).Value);
        Assert.True(float.IsNaN(F32.Min(new(1), new(float.NaN)).Value));
        Assert.True(float.IsNaN(F32.Max(new(1), new(float.NaN)).Value));
    }

    [Fact]
    public void Comparisons_with_what_is_not_a_number_are_false()
    {
        foreach (double value in (double[])[double.NaN, 1, double.PositiveInfinity])
        {
            Assert.False(F64.Less(new(double.NaN), new(value)) || F64.LessOrEqual(new(double.NaN), new(value)));
            Assert.False(F64.Less(new(value), new(double.NaN)) || F64.LessOrEqual(new(value), new(double.NaN)));
            Assert.False(F32.Less(new(float.NaN), new((float)value)) || F32.LessOrEqual(new((float)value), new(float.NaN)));
        }
    }

    [Fact]
    public void MultiplyAdd_rounds_once()
    {
        // (1 + ε)(1 − ε) − 1 = −ε², which two roundings lose.
        Assert.Equal(-F64.Epsilon * F64.Epsilon, F64.MultiplyAdd(new(1 + F64.Epsilon), new(1 - F64.Epsilon), F64.Constant(-1)).Value);
        Assert.Equal((float)(-F32.Epsilon * F32.Epsilon), F32.MultiplyAdd(new((float)(1 + F32.Epsilon)), new((float)(1 - F32.Epsilon)), F32.Constant(-1)).Value);
    }

    [Fact]
    public void Split_and_PowerOfTwo_take_a_number_apart_and_put_it_together()
    {
        var random = new CounterRandom(7, 0, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            double x = Math.Exp(random.Uniform(-700, 700));
            double m = F64.Split(new(x), out F64 k, out F64 inverse).Value;
            Assert.InRange(m, 0.7071, 1.4143);
            Assert.Equal(x, m * Math.ScaleB(1, (int)k.Value));
            Assert.Equal(1, Math.ScaleB(inverse.Value, (int)k.Value));
            Assert.Equal(Math.ScaleB(1, (int)k.Value), F64.PowerOfTwo(new(k.Value + F64.RoundingConstant)).Value);
            float y = (float)Math.Exp(random.Uniform(-86, 86)), single = F32.Split(new(y), out F32 n, out F32 inverseSingle).Value;
            Assert.InRange(single, 0.7071f, 1.4143f);
            Assert.Equal(y, (float)Math.ScaleB(single, (int)n.Value));
            Assert.Equal(1, (float)Math.ScaleB(inverseSingle.Value, (int)n.Value));
            Assert.Equal((float)Math.ScaleB(1, (int)n.Value), F32.PowerOfTwo(new((float)(n.Value + F32.RoundingConstant))).Value);
        }
    }

    private static void Prove<T, TMask, S, TScalar>(double limit)
        where T : unmanaged, ILanes<T, TMask, TScalar>
        where TMask : struct
        where S : unmanaged, ILanes<S, bool, TScalar>
        where TScalar : unmanaged
    {
        Assert.Equal(Unsafe.SizeOf<T>() / Unsafe.SizeOf<TScalar>(), T.Count);
        Assert.Equal((S.IsSingle, S.Epsilon, S.ExponentLimit, S.RoundingConstant), (T.IsSingle, T.Epsilon, T.ExponentLimit, T.RoundingConstant));
        double most = S.IsSingle ? float.MaxValue : double.MaxValue, least = S.IsSingle ? 1.17549435e-38 : 2.2250738585072014e-308;
        double[] special = [0, -0.0, 1, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, most, -most, least, -least, S.IsSingle ? 1e-45 : 5e-324, 0.5, 1e30, limit];

        Operation<T, S>[] operations =
        [
            new("+", (a, b, c) => a + b, (a, b, c) => a + b),
            new("-", (a, b, c) => a - b, (a, b, c) => a - b),
            new("*", (a, b, c) => a * b, (a, b, c) => a * b),
            new("/", (a, b, c) => a / b, (a, b, c) => a / b),
            new("negative", (a, b, c) => -a, (a, b, c) => -a),
            new("MultiplyAdd", (a, b, c) => T.MultiplyAdd(a, b, c), (a, b, c) => S.MultiplyAdd(a, b, c)),
            new("MultiplyAdd of a constant", (a, b, c) => T.MultiplyAdd(a, b, 0.1), (a, b, c) => S.MultiplyAdd(a, b, 0.1)),
            new("Constant", (a, b, c) => a * T.Constant(0.1), (a, b, c) => a * S.Constant(0.1)),
            new("Abs", (a, b, c) => T.Abs(a), (a, b, c) => S.Abs(a)),
            new("Min", (a, b, c) => T.Min(a, b), (a, b, c) => S.Min(a, b)),
            new("Max", (a, b, c) => T.Max(a, b), (a, b, c) => S.Max(a, b)),
            new("Sqrt", (a, b, c) => T.Sqrt(a), (a, b, c) => S.Sqrt(a)),
            new("Less", (a, b, c) => T.Select(T.Less(a, b), c, -c), (a, b, c) => S.Select(S.Less(a, b), c, -c)),
            new("LessOrEqual", (a, b, c) => T.Select(T.LessOrEqual(a, b), c, -c), (a, b, c) => S.Select(S.LessOrEqual(a, b), c, -c)),
            new("And", (a, b, c) => T.Select(T.And(T.Less(a, b), T.Less(b, c)), c, -c), (a, b, c) => S.Select(S.And(S.Less(a, b), S.Less(b, c)), c, -c)),
            new("Or", (a, b, c) => T.Select(T.Or(T.Less(a, b), T.Less(b, c)), c, -c), (a, b, c) => S.Select(S.Or(S.Less(a, b), S.Less(b, c)), c, -c)),
        ];

        // Defined for what their docs say they take: exponents within the limit, normal positive numbers, [0, 1], integers.
        Operation<T, S>[] functions =
        [
            new("Exp", (a, b, c) => T.Exp(a), (a, b, c) => S.Exp(a)),
            new("Log", (a, b, c) => T.Log(b, out _), (a, b, c) => S.Log(b, out _)),
            new("Log's reciprocal", (a, b, c) => { _ = T.Log(b, out T q); return q; }, (a, b, c) => { _ = S.Log(b, out S q); return q; }),
            new("LogOnePlus", (a, b, c) => T.LogOnePlus(c, out _), (a, b, c) => S.LogOnePlus(c, out _)),
            new("LogOnePlus's reciprocal", (a, b, c) => { _ = T.LogOnePlus(c, out T q); return q; }, (a, b, c) => { _ = S.LogOnePlus(c, out S q); return q; }),
            new("Sin", (a, b, c) => T.Sin(a * T.Constant(50)), (a, b, c) => S.Sin(a * S.Constant(50))),
            new("Cos", (a, b, c) => T.Cos(a * T.Constant(50)), (a, b, c) => S.Cos(a * S.Constant(50))),
            new("Atan", (a, b, c) => T.Atan(b) + T.Atan(-c) + T.Atan(a), (a, b, c) => S.Atan(b) + S.Atan(-c) + S.Atan(a)),
            new("Pow", (a, b, c) => Functions.Pow<T, TMask>(b, c), (a, b, c) => Functions.Pow<S, bool>(b, c)),
            new("Sigmoid", (a, b, c) => Functions.Sigmoid<T, TMask>(a), (a, b, c) => Functions.Sigmoid<S, bool>(a)),
            new("Tanh", (a, b, c) => Functions.Tanh<T, TMask>(a) + Functions.Tanh<T, TMask>(c), (a, b, c) => Functions.Tanh<S, bool>(a) + Functions.Tanh<S, bool>(c)),
            new("Split's fraction", (a, b, c) => T.Split(b, out _, out _), (a, b, c) => S.Split(b, out _, out _)),
            new("Split's exponent", (a, b, c) => { _ = T.Split(b, out T k, out _); return k; }, (a, b, c) => { _ = S.Split(b, out S k, out _); return k; }),
            new("Split's inverse power", (a, b, c) => { _ = T.Split(b, out _, out T i); return i; }, (a, b, c) => { _ = S.Split(b, out _, out S i); return i; }),
            new("PowerOfTwo", (a, b, c) => T.PowerOfTwo(a + T.Constant(T.RoundingConstant)), (a, b, c) => S.PowerOfTwo(a + S.Constant(S.RoundingConstant))),
            new("Softplus", (a, b, c) => Functions.Softplus<T, TMask>(a * T.Constant(3), out _, out _), (a, b, c) => Functions.Softplus<S, bool>(a * S.Constant(3), out _, out _)),
            new("sigmoid", (a, b, c) => { _ = Functions.Softplus<T, TMask>(a, out T s, out _); return s; }, (a, b, c) => { _ = Functions.Softplus<S, bool>(a, out S s, out _); return s; }),
            new("tail", (a, b, c) => { _ = Functions.Softplus<T, TMask>(a, out _, out T t); return t; }, (a, b, c) => { _ = Functions.Softplus<S, bool>(a, out _, out S t); return t; }),
        ];

        var random = new CounterRandom(8, (ulong)T.Count, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            var a = new double[T.Count];
            var b = new double[T.Count];
            var c = new double[T.Count];
            for (int lane = 0; lane < T.Count; lane++) (a[lane], b[lane], c[lane]) = (Any(), Any(), Any());
            foreach (Operation<T, S> operation in operations) Check(operation, a, b, c);
            for (int lane = 0; lane < T.Count; lane++)
            {
                a[lane] = draw == 0 ? limit : random.Uniform(-limit, limit);
                b[lane] = draw == 0 ? least : Math.Exp(random.Uniform(Math.Log(least), Math.Log(most)));
                c[lane] = draw == 0 ? 0 : random.Uniform() < 0.5 ? random.Uniform() : Math.Exp(random.Uniform(-80, 0));
            }

            foreach (Operation<T, S> operation in functions) Check(operation, a, b, c);
        }

        double Any() => random.Uniform() < 0.3
            ? special[(int)(random.Uniform() * special.Length)]
            : (random.Uniform() < 0.5 ? -1 : 1) * Math.Exp(random.Uniform() < 0.5 ? random.Uniform(-3, 3) : random.Uniform(-80, 80));

        void Check(Operation<T, S> operation, double[] a, double[] b, double[] c)
        {
            T lanes = operation.OfLanes(Load(a), Load(b), Load(c));
            for (int lane = 0; lane < T.Count; lane++)
            {
                S scalar = operation.OfScalars(S.Constant(a[lane]), S.Constant(b[lane]), S.Constant(c[lane]));
                double expected = Number<S, TScalar>(scalar, 0), actual = Number<T, TScalar>(lanes, lane);

                // Which of many bit patterns a NaN has is nobody's business.
                if (BitConverter.DoubleToUInt64Bits(expected) == BitConverter.DoubleToUInt64Bits(actual) || (double.IsNaN(expected) && double.IsNaN(actual))) continue;
                Assert.Fail($"{operation.Name}({a[lane]:R}, {b[lane]:R}, {c[lane]:R}) in lane {lane} of {T.Count} is {actual:R}; the scalar gives {expected:R}.");
            }
        }

        static T Load(double[] values)
        {
            T lanes = default;
            for (int lane = 0; lane < T.Count; lane++)
                Unsafe.Add(ref Unsafe.As<T, S>(ref lanes), lane) = S.Constant(values[lane]);
            return lanes;
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Bits_tells_which_lanes_of_a_mask_are_set(string width)
    {
        switch (width)
        {
            case "128": Check<Lanes128<double>, Vector128<double>, F64, double>(); Check<Lanes128<float>, Vector128<float>, F32, float>(); break;
            case "256": Check<Lanes256<double>, Vector256<double>, F64, double>(); Check<Lanes256<float>, Vector256<float>, F32, float>(); break;
            case "512": Check<Lanes512<double>, Vector512<double>, F64, double>(); Check<Lanes512<float>, Vector512<float>, F32, float>(); break;
            default: Check<F64, bool, F64, double>(); Check<F32, bool, F32, float>(); break;
        }

        static void Check<T, TMask, S, TScalar>()
            where T : unmanaged, ILanes<T, TMask, TScalar>
            where TMask : struct
            where S : unmanaged, ILanes<S, bool, TScalar>
            where TScalar : unmanaged
        {
            for (uint pattern = 0; pattern < Math.Min(1u << T.Count, 1024); pattern++)
            {
                T lanes = T.Broadcast(default);
                for (int lane = 0; lane < T.Count; lane++)
                    Unsafe.Add(ref Unsafe.As<T, S>(ref lanes), lane) = S.Constant((pattern >> lane) & 1);
                Assert.Equal(pattern, T.Bits(T.Less(T.Constant(0), lanes)));
            }
        }
    }

    private static double Number<T, TScalar>(T lanes, int lane)
        where T : unmanaged
        where TScalar : unmanaged
    {
        TScalar scalar = Unsafe.Add(ref Unsafe.As<T, TScalar>(ref lanes), lane);
        return typeof(TScalar) == typeof(float) ? Unsafe.BitCast<TScalar, float>(scalar) : Unsafe.BitCast<TScalar, double>(scalar);
    }

    private sealed record Operation<T, S>(string Name, Func<T, T, T, T> OfLanes, Func<S, S, S, S> OfScalars);
}
