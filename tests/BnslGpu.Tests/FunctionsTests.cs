using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>exp, log, log(1 + x), softplus, powers, angles and sigmoids against references of about 104 bits, over the whole ranges that the engine promises.</summary>
public sealed class FunctionsTests(ITestOutputHelper output)
{
    private const int Draws = 100_000;

    // The reference

    [Fact]
    public void Reference_agrees_with_published_digits_and_with_itself_to_98_bits()
    {
        // e = 2.71828182845904523536028747135266249775724709369995…; log 10 = 2.30258509299404568401799145468436420760110148862877…
        Same(new(2.718281828459045, 1.4456468917292502e-16), DoubleDouble.Exp(1));
        Same(new(2.302585092994046, -2.1707562233822494e-16), DoubleDouble.Log(10));

        // sin 1 = 0.84147098480789650665250232163029899962…; sin 22 = −0.00885130929040387592169025681577233246…; atan 1 = π/4
        Same(new(0.8414709848078965, 1.776845092935536e-18), DoubleDouble.Sin(1, out _));
        Same(new(-0.008851309290403876, 2.8485303089220057e-19), DoubleDouble.Sin(22, out _));
        Same(new(0.7853981633974483, 3.061616997868383e-17), DoubleDouble.Atan(1));
        var random = new CounterRandom(1, 1, 0);
        for (int draw = 0; draw < 1000; draw++)
        {
            double x = Math.Exp(random.Uniform(-170, 170)), small = Math.Exp(random.Uniform(-200, 0));
            Same(x, DoubleDouble.Exp(DoubleDouble.Log(x)), 170); // an error of log x is multiplied by log x
            DoubleDouble sin = DoubleDouble.Sin(small * 10_000, out DoubleDouble cos);
            Same(1, (sin * sin) + (cos * cos));
            Same(DoubleDouble.Log(1 + Math.ScaleB(Math.Round(small * 1024), -10)), DoubleDouble.LogOnePlus(Math.ScaleB(Math.Round(small * 1024), -10)));
        }

        static void Same(DoubleDouble a, DoubleDouble b, double condition = 1) =>
            Assert.True(Math.Abs((a - b).High) <= condition * Math.ScaleB(Math.Abs(a.High), -98), $"{a} and {b} differ.");
    }

    // The functions

    [Fact]
    public void Exp_in_double_is_within_its_bound_on_170_either_side() => ExpIsWithinItsBound<F64, double>(170, 52);

    [Fact]
    public void Exp_in_float_is_within_its_bound_on_30_either_side() => ExpIsWithinItsBound<F32, float>(30, 23);

    [Fact]
    public void Log_in_double_is_within_its_bound_from_1e_minus_300_to_1e_300_and_dense_at_1() => LogIsWithinItsBound<F64, double>(300, 52);

    [Fact]
    public void Log_in_float_is_within_its_bound_from_1e_minus_37_to_1e_37_and_dense_at_1() => LogIsWithinItsBound<F32, float>(37, 23);

    [Fact]
    public void LogOnePlus_in_double_is_within_its_bound_from_0_to_1_and_for_tiny_x() => LogOnePlusIsWithinItsBound<F64, double>(300, 52);

    [Fact]
    public void LogOnePlus_in_float_is_within_its_bound_from_0_to_1_and_for_tiny_x() => LogOnePlusIsWithinItsBound<F32, float>(37, 23);

    [Fact]
    public void Exp_of_0_and_log_of_1_are_exact()
    {
        Assert.Equal(1, F64.Exp(new(0)).Value);
        Assert.Equal(1, F32.Exp(new(0)).Value);
        Assert.Equal(0, F64.Log(new(1), out F64 one).Value);
        Assert.Equal(1, one.Value);
        Assert.Equal(0, F32.Log(new(1), out F32 single).Value);
        Assert.Equal(1, single.Value);
        Assert.Equal(0, F64.LogOnePlus(new(0), out one).Value);
        Assert.Equal(1, one.Value);
    }

    private void ExpIsWithinItsBound<T, TScalar>(double limit, int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        var largest = new Largest();
        var random = new CounterRandom(2, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            // The whole range, then the middle of one period of the reduction, then the neighbourhood of 0.
            double reach = (draw % 4) switch { 0 or 1 => limit, 2 => 0.4, _ => Math.Exp(random.Uniform(-40, 0)) };
            Check(random.Uniform(-reach, reach));
        }

        Check(limit);
        Check(-limit);
        for (int n = (int)(-limit / Math.Log(2)); n <= limit / Math.Log(2); n++)
            for (int side = -3; side <= 3; side++) Check((n + 0.5) * Math.Log(2) * (1 + (side * T.Epsilon))); // where the reduction changes n
        Report("exp", largest);
        Assert.True(largest.Value <= Functions.ExpUlps, $"{largest} ulp; the bound is {Functions.ExpUlps}.");

        void Check(double at)
        {
            double x = Value(T.Constant(at));
            largest.See(DoubleDouble.Exp(x).Ulps(Value(T.Exp(T.Constant(at))), fraction), x);
        }
    }

    private void LogIsWithinItsBound<T, TScalar>(double decades, int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest largest = new(), reciprocal = new();
        var random = new CounterRandom(3, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            Check((draw % 4) switch
            {
                0 or 1 => Math.Pow(10, random.Uniform(-decades, decades)),
                2 => random.Uniform(0.5, 2),
                _ => 1 + ((random.Uniform() < 0.5 ? -1 : 1) * Math.Exp(random.Uniform(Math.Log(T.Epsilon), Math.Log(0.3)))),
            });
        }

        Check(Math.Pow(10, -decades));
        Check(Math.Pow(10, decades));
        for (int step = -100; step <= 100; step++)
        {
            Check(1 + (step * T.Epsilon));
            Check(Math.Sqrt(2) * (1 + (step * T.Epsilon)));
            Check(Math.Sqrt(0.5) * (1 + (step * T.Epsilon)));
        }

        Report("log", largest);
        Report("log's reciprocal, in ε", reciprocal);
        Assert.True(largest.Value <= Functions.LogUlps, $"{largest} ulp; the bound is {Functions.LogUlps}.");

        // m·(m + 1), the division and (m + 1)·q round once each, by ε/2; m + 1 cancels and a power of two is exact.
        Assert.True(reciprocal.Value <= 1.5, $"1/x is wrong by {reciprocal} ε; three roundings are 1.5.");

        void Check(double at)
        {
            double x = Value(T.Constant(at)), log = Value(T.Log(T.Constant(at), out T inverse));
            largest.See(DoubleDouble.Log(x).Ulps(log, fraction, 0.35), x);
            reciprocal.See(((DoubleDouble)1 / x).Epsilons(Value(inverse), T.Epsilon), x);
        }
    }

    private void LogOnePlusIsWithinItsBound<T, TScalar>(double decades, int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest largest = new(), reciprocal = new();
        var random = new CounterRandom(4, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws; draw++)
            Check((draw % 3) switch { 0 => random.Uniform(), 1 => Math.Exp(random.Uniform(-40, 0)), _ => Math.Pow(10, random.Uniform(-decades, 0)) });
        Check(1);
        Check(Math.Pow(10, -decades));
        Report("log(1 + x)", largest);
        Report("its reciprocal, in ε", reciprocal);
        Assert.True(largest.Value <= Functions.LogUlps, $"{largest} ulp; the bound is {Functions.LogUlps}.");

        // As for log, and 1 + x rounds too.
        Assert.True(reciprocal.Value <= 2, $"1/(1 + x) is wrong by {reciprocal} ε; four roundings are 2.");

        void Check(double at)
        {
            double x = Value(T.Constant(at)), log = Value(T.LogOnePlus(T.Constant(at), out T inverse));
            largest.See(DoubleDouble.LogOnePlus(x).Ulps(log, fraction), x);
            reciprocal.See(((DoubleDouble)1 / ((DoubleDouble)1 + x)).Epsilons(Value(inverse), T.Epsilon), x);
        }
    }

    // Softplus

    [Fact]
    public void Softplus_sigmoid_and_tail_in_double_agree_with_the_reference() => SoftplusAgreesWithTheReference<F64, double>(52);

    [Fact]
    public void Softplus_sigmoid_and_tail_in_float_agree_with_the_reference() => SoftplusAgreesWithTheReference<F32, float>(23);

    [Fact]
    public void Softplus_in_double_keeps_its_identities() => SoftplusKeepsItsIdentities<F64, double>();

    [Fact]
    public void Softplus_in_float_keeps_its_identities() => SoftplusKeepsItsIdentities<F32, float>();

    [Theory]
    [InlineData(0)]
    [InlineData(170.5)]
    [InlineData(1e5)]
    [InlineData(1e30)]
    [InlineData(1e300)]
    public void Softplus_is_finite_and_one_sided_far_out(double z)
    {
        FarOut<F64, double>(z);
        if (z <= 1e30) FarOut<F32, float>(z);

        static void FarOut<T, TScalar>(double z)
            where T : unmanaged, ILanes<T, bool, TScalar>
            where TScalar : unmanaged
        {
            // Beyond the limit the smaller of e^±z counts as e^−limit, and the tail as |z| times that.
            double size = Value(T.Constant(z)), clamped = Math.Exp(-Math.Min(size, T.ExponentLimit)), most = (1 + size) * clamped * 1.001;
            foreach (double sign in (double[])[1, -1])
            {
                double softplus = Value(Functions.Softplus<T, bool>(T.Constant(sign * z), out T sigmoid, out T tail));
                Assert.InRange(softplus - Math.Max(sign * size, 0), 0, most);
                Assert.InRange(Value(sigmoid) - (size > 0 && sign > 0 ? 1 : 0), size > 0 && sign > 0 ? -most : 0, most);
                Assert.InRange(Value(tail), 0, most);
            }
        }
    }

    private void SoftplusAgreesWithTheReference<T, TScalar>(int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest softplusError = new(), sigmoidError = new(), tailError = new();
        var random = new CounterRandom(5, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws / 2; draw++)
        {
            double reach = draw % 2 == 0 ? T.ExponentLimit : Math.Exp(random.Uniform(-20, 3));
            T at = T.Constant(random.Uniform(-reach, reach));
            double z = Value(at), softplus = Value(Functions.Softplus<T, bool>(at, out T sigmoid, out T tail));
            DoubleDouble e = DoubleDouble.Exp(-Math.Abs(z)), log = DoubleDouble.LogOnePlus(e), small = e / (e + 1);
            softplusError.See((log + Math.Max(z, 0)).Epsilons(softplus, T.Epsilon), z);
            sigmoidError.See((z < 0 ? small : (DoubleDouble)1 / (e + 1)).Epsilons(Value(sigmoid), T.Epsilon), z);
            tailError.See((log + (small * Math.Abs(z))).Epsilons(Value(tail), T.Epsilon), z);
        }

        Report("softplus, in ε", softplusError);
        Report("sigmoid, in ε", sigmoidError);
        Report("tail, in ε", tailError);

        // An ulp is at most ε of its number. e is wrong by ExpUlps, log(1 + e) by that (its condition is below 1) and LogUlps, 1/(1 + e) by at most half
        // of that, for e ≤ 1, and four roundings, which are 2 ε; one product or sum more is ½ ε each.
        double logError = Functions.ExpUlps + Functions.LogUlps, smallError = Functions.ExpUlps + (Functions.ExpUlps / 2) + 2 + 0.5;
        Assert.True(softplusError.Value <= logError + 0.5, $"softplus: {softplusError} ε");
        Assert.True(sigmoidError.Value <= smallError, $"sigmoid: {sigmoidError} ε");
        Assert.True(tailError.Value <= Math.Max(logError, smallError) + 0.5, $"tail: {tailError} ε");
    }

    private void SoftplusKeepsItsIdentities<T, TScalar>()
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest difference = new(), sum = new(), parts = new();
        var random = new CounterRandom(6, 1, 0);
        for (int draw = 0; draw < Draws / 2; draw++)
        {
            double reach = draw % 2 == 0 ? 2 * T.ExponentLimit : Math.Exp(random.Uniform(-20, 3));
            T z = T.Constant(random.Uniform(-reach, reach));
            T plus = Functions.Softplus<T, bool>(z, out T sigmoidPlus, out T tailPlus), minus = Functions.Softplus<T, bool>(-z, out T sigmoidMinus, out T tailMinus);
            double x = Value(z);

            // Sums of the numbers that come out are taken in a wider format (double for float), so that only the function's own roundings count.
            double larger = Math.Max(Value(plus), Value(minus));
            difference.See(Math.Abs(Value(plus) - Value(minus) - x) / (T.Epsilon * larger), x);
            sum.See(Math.Abs(Value(sigmoidPlus) + Value(sigmoidMinus) - 1) / T.Epsilon, x);
            parts.See(Math.Abs(Value(plus) - (x * Value(sigmoidPlus)) - Value(tailPlus)) / (T.Epsilon * (Value(plus) + (Math.Abs(x) * Value(sigmoidPlus)))), x);
            Assert.Equal(Value(tailPlus), Value(tailMinus)); // even, as |z| is all it sees
        }

        Report("softplus z − softplus −z − z, in ε softplus |z|", difference);
        Report("sigmoid z + sigmoid −z − 1, in ε", sum);
        Report("softplus − z sigmoid − tail, in ε of its terms", parts);

        // softplus ±z share their logarithm: the sum that makes the larger rounds, and in double the two differences here, ½ ε each.
        Assert.True(difference.Value <= 1.5, $"softplus z − softplus −z is {difference} ε from z.");

        // (1 + e) q with q wrong by 2 ε, e·q rounded (½), and here the sum (½).
        Assert.True(sum.Value <= 3, $"sigmoid z + sigmoid −z is {sum} ε from 1.");

        // log(1 + e) is in both sides, but not the same of its digits where z > 0: its own error counts, and sigmoid's 2 ε, and roundings here.
        Assert.True(parts.Value <= Functions.ExpUlps + Functions.LogUlps + 3, $"softplus − z sigmoid is {parts} ε from the tail.");
    }

    [Fact]
    public void ExpClamped_is_exp_cut_at_the_limit()
    {
        foreach (double x in (double[])[-1e300, -171, -170, -1, 0, 1, 170, 171, 1e300, double.NegativeInfinity, double.PositiveInfinity])
        {
            Assert.Equal(F64.Exp(new(Math.Clamp(x, -170, 170))).Value, Functions.ExpClamped<F64, bool>(new(x)).Value);
            Assert.Equal(F32.Exp(new((float)Math.Clamp(x, -30, 30))).Value, Functions.ExpClamped<F32, bool>(new((float)x)).Value);
        }
    }

    // Angles

    [Fact]
    public void Sin_and_cos_in_double_are_within_their_bound_on_10_000_either_side() => SinAndCosAreWithinTheirBound<F64, double>(52);

    [Fact]
    public void Sin_and_cos_in_float_are_within_their_bound_on_10_000_either_side() => SinAndCosAreWithinTheirBound<F32, float>(23);

    [Fact]
    public void Atan_in_double_is_within_its_bound() => AtanIsWithinItsBound<F64, double>(150, 52);

    [Fact]
    public void Atan_in_float_is_within_its_bound() => AtanIsWithinItsBound<F32, float>(37, 23);

    [Fact]
    public void Angles_at_the_ends()
    {
        Assert.Equal(0, F64.Sin(new(0), out F64 cosine).Value);
        Assert.Equal(1, cosine.Value);
        Assert.Equal(Math.PI / 2, F64.Atan(new(double.PositiveInfinity)).Value);
        Assert.Equal(-Math.PI / 2, F64.Atan(new(double.MinValue)).Value);
        Assert.Equal(0, F64.Atan(new(0)).Value);
        Assert.Equal(MathF.PI / 2, F32.Atan(new(float.MaxValue)).Value);
        Assert.True(double.IsNaN(F64.Sin(new(double.NaN), out _).Value));
        Assert.True(double.IsNaN(F64.Atan(new(double.NaN)).Value));
    }

    private void SinAndCosAreWithinTheirBound<T, TScalar>(int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest sine = new(), cosine = new();
        var random = new CounterRandom(7, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            double reach = (draw % 4) switch { 0 => 10_000, 1 => 50, 2 => 0.8, _ => Math.Exp(random.Uniform(-40, 0)) };
            Check(random.Uniform(-reach, reach));
        }

        // Where one of the two vanishes, and where the reduction changes n.
        for (int n = 0; n <= 12_732; n++)
            for (int side = -1; side <= 1; side++) Check(n * (Math.PI / 4) * (1 + (side * T.Epsilon)));
        Report("sin", sine);
        Report("cos", cosine);
        Assert.True(sine.Value <= Functions.AngleUlps, $"{sine} ulp; the bound is {Functions.AngleUlps}.");
        Assert.True(cosine.Value <= Functions.AngleUlps, $"{cosine} ulp; the bound is {Functions.AngleUlps}.");

        void Check(double at)
        {
            double x = Value(T.Constant(at));
            DoubleDouble sin = DoubleDouble.Sin(x, out DoubleDouble cos);
            if (x != 0) sine.See(sin.Ulps(Value(T.Sin(T.Constant(at))), fraction), x);
            cosine.See(cos.Ulps(Value(T.Cos(T.Constant(at))), fraction), x);
        }
    }

    private void AtanIsWithinItsBound<T, TScalar>(double decades, int fraction)
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        var largest = new Largest();
        var random = new CounterRandom(8, (ulong)fraction, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            double sign = random.Uniform() < 0.5 ? -1 : 1;
            Check(sign * ((draw % 3) switch { 0 => random.Uniform(), 1 => Math.Exp(random.Uniform(-2, 2)), _ => Math.Pow(10, random.Uniform(-decades, decades)) }));
        }

        for (int step = -100; step <= 100; step++) Check(1 + (step * T.Epsilon));
        Report("atan", largest);
        Assert.True(largest.Value <= Functions.AngleUlps, $"{largest} ulp; the bound is {Functions.AngleUlps}.");

        void Check(double at)
        {
            double x = Value(T.Constant(at));
            largest.See(DoubleDouble.Atan(x).Ulps(Value(T.Atan(T.Constant(at))), fraction), x);
        }
    }

    // Made of the others

    [Fact]
    public void Pow_sigmoid_and_tanh_in_double_agree_with_the_reference() => PowSigmoidAndTanhAgreeWithTheReference<F64, double>();

    [Fact]
    public void Pow_sigmoid_and_tanh_in_float_agree_with_the_reference() => PowSigmoidAndTanhAgreeWithTheReference<F32, float>();

    private void PowSigmoidAndTanhAgreeWithTheReference<T, TScalar>()
        where T : unmanaged, ILanes<T, bool, TScalar>
        where TScalar : unmanaged
    {
        Largest pow = new(), sigmoid = new(), tanh = new();
        var random = new CounterRandom(9, (ulong)T.Count, T.IsSingle ? 1u : 0u);
        for (int draw = 0; draw < Draws / 2; draw++)
        {
            T x = T.Constant(Math.Exp(random.Uniform(-20, 20)));
            T y = T.Constant(random.Uniform(-1, 1) * Math.Min(8, (T.ExponentLimit - 1) / Math.Abs(Math.Log(Value(x)))));
            DoubleDouble power = DoubleDouble.Log(Value(x)) * Value(y);
            double grown = 1 + (Math.Abs(Value(y)) * Math.Max(Math.Abs(Math.Log(Value(x))), 0.35));
            pow.See(DoubleDouble.Exp(power).Epsilons(Value(Functions.Pow<T, bool>(x, y)), T.Epsilon) / grown, Value(x));

            double reach = draw % 2 == 0 ? T.ExponentLimit / 2 : Math.Exp(random.Uniform(-20, 3)), z = Value(T.Constant(random.Uniform(-reach, reach)));
            DoubleDouble e = DoubleDouble.Exp(-Math.Abs(z)), e2 = e * e, size = (1 - e2) / (e2 + 1);
            sigmoid.See((z < 0 ? e / (e + 1) : (DoubleDouble)1 / (e + 1)).Epsilons(Value(Functions.Sigmoid<T, bool>(T.Constant(z))), T.Epsilon), z);
            tanh.See((z < 0 ? -size : size).Epsilons(Value(Functions.Tanh<T, bool>(T.Constant(z))), T.Epsilon), z);
        }

        Report("pow, in ε(1 + |y| max(|log x|, .35))", pow);
        Report("sigmoid, in ε", sigmoid);
        Report("tanh, in ε", tanh);
        Assert.True(pow.Value <= Functions.LogUlps + 1, $"pow: {pow}");
        Assert.True(sigmoid.Value <= (1.5 * Functions.ExpUlps) + 2, $"sigmoid: {sigmoid} ε"); // e and 1/(1 + e); two roundings and a product

        // 1 ± e and the quotient round, ½ ε each; the error of e ≤ 1/3 counts 2e/(1 − e²) ≤ ¾.
        Assert.True(tanh.Value <= (0.75 * Functions.ExpUlps) + 2, $"tanh: {tanh} ε");
    }

    [Fact]
    public void Dual_numbers_carry_the_derivatives_of_all_of_them()
    {
        var random = new CounterRandom(10, 0, 0);
        for (int draw = 0; draw < Draws / 10; draw++)
        {
            double x = random.Uniform(-1, 1) * Math.Exp(random.Uniform(-10, 3)), positive = Math.Exp(x / 4), y = random.Uniform(-3, 3);
            (double sin, double cos) = Math.SinCos(x);
            double sigmoid = 1 / (1 + Math.Exp(-x));
            Derivative(cos, 1, Dual<F64, bool>.Sin(Variable(x), out Dual<F64, bool> cosine));
            Derivative(-sin, 1, cosine);
            Derivative(1 / (1 + (x * x)), 1, Dual<F64, bool>.Atan(Variable(x)));
            Derivative(1 / Math.Pow(Math.Cosh(x), 2), 1, Functions.Tanh<Dual<F64, bool>, bool>(Variable(x)));
            Derivative(sigmoid / (1 + Math.Exp(x)), 1, Functions.Sigmoid<Dual<F64, bool>, bool>(Variable(x)));
            Derivative(y * Math.Pow(positive, y - 1), 10, Functions.Pow<Dual<F64, bool>, bool>(Variable(positive), new(new(y), new(0))));
            Derivative(Math.Log(positive) * Math.Pow(positive, y), 10, Functions.Pow<Dual<F64, bool>, bool>(new(new(positive), new(0)), Variable(y)));
        }

        static Dual<F64, bool> Variable(double value) => new(new(value), new(1));

        // Eight roundings of the formula and of the reference, times what a power or the reference magnifies.
        static void Derivative(double expected, double condition, Dual<F64, bool> actual) =>
            Assert.InRange(actual.Derivative.Value, expected - Tolerance(expected, condition), expected + Tolerance(expected, condition));

        static double Tolerance(double expected, double condition) => 8 * F64.Epsilon * Math.Min(condition, 1e4) * Math.Abs(expected);
    }

    private void Report(string what, Largest largest) => output.WriteLine($"{what}: {largest}");

    private static double Value<T>(T number) => number switch { F64 wide => wide.Value, F32 single => single.Value, _ => throw new NotSupportedException() };

    /// <summary>The largest value seen, and where.</summary>
    private sealed class Largest
    {
        private double _at;

        public double Value { get; private set; }

        public void See(double value, double at)
        {
            if (value <= Value) return; // NaN is larger than everything
            (Value, _at) = (double.IsNaN(value) ? double.PositiveInfinity : value, at);
        }

        public override string ToString() => $"{Value:g4} at {_at:R}";
    }
}
