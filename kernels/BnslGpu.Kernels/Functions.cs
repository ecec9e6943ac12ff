using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>The transcendental functions of the engine: one polynomial for every kind of number, so that every target computes the same.</summary>
/// <remarks>
/// Minimax polynomials by Remez exchange in 60 digits, weighted for relative error. Largest errors against double-double values at 8 million random
/// points in the stated ranges, double / float: exp 1.02 / 1.01 ulp; log 3.16 / 2.83 ulp of max(|log|, .35), its reciprocal 1.23 / 1.22 ε;
/// log(1 + x) 3.62 / 3.51 ulp, its reciprocal 1.46 / 1.46 ε; softplus, sigmoid and tail 2.49, 2.10, 2.57 / 2.36, 2.15, 2.42 ε.
/// <c>FunctionsTests</c> fails where the bounds below do not hold.
/// </remarks>
public static class Functions
{
    /// <summary>Bound on the error of <see cref="Exp"/>, in ulp.</summary>
    public const double ExpUlps = 1.1;

    /// <summary>Bound on the error of <see cref="Log"/> and <see cref="LogOnePlus"/>, in ulp of max(|log|, 0.35) and of |log(1 + x)|.</summary>
    public const double LogUlps = 4;

    /// <summary>eˣ = 2ⁿ eʳ, n = round(x / log 2), |r| ≤ log(2)/2, eʳ = 1 + r + r² q(r).</summary>
    /// <inheritdoc cref="IReal{TSelf, TMask}.Exp"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T, TMask>(T x)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T magic = T.Constant(T.RoundingConstant);
        T shifted = T.MultiplyAdd(x, T.Constant(1.4426950408889634), T.RoundingConstant);
        T n = shifted - magic;
        T q, r;
        if (T.IsSingle)
        {
            // log 2 in two pieces, the first with 9 trailing zeros, so that n times it is exact.
            r = T.MultiplyAdd(n, T.Constant(-0.693145751953125), x);
            r = T.MultiplyAdd(n, T.Constant(-1.4286068203094172e-06), r);
            q = T.MultiplyAdd(r, T.Constant(0.0013814594191411062), 0.008368716917760475);
            q = T.MultiplyAdd(r, q, 0.04166838812672027);
            q = T.MultiplyAdd(r, q, 0.16666520631426113);
            q = T.MultiplyAdd(r, q, 0.4999999344748157);
        }
        else
        {
            r = T.MultiplyAdd(n, T.Constant(-0.69314718036912381649), x);
            r = T.MultiplyAdd(n, T.Constant(-1.9082149292705877e-10), r);

            // By pairs (Estrin 1960): half the wait of Horner's chain. The polynomials of float are too short to gain by it.
            T r2 = r * r, r4 = r2 * r2;
            T q0 = T.MultiplyAdd(r, T.Constant(0.16666666666666413), 0.5000000000000011);
            T q2 = T.MultiplyAdd(r, T.Constant(0.008333333333494446), 0.04166666666653016);
            T q4 = T.MultiplyAdd(r, T.Constant(0.0001984126950660702), 0.0013888888943629925);
            T q6 = T.MultiplyAdd(r, T.Constant(2.755758635352228e-06), 2.480149309902565e-05);
            T q8 = T.MultiplyAdd(r, T.Constant(2.5000066626477466e-08), 2.763024836847288e-07);
            q0 = T.MultiplyAdd(r2, q2, q0);
            q4 = T.MultiplyAdd(r2, q6, q4);
            q4 = T.MultiplyAdd(r4, q8, q4);
            q = T.MultiplyAdd(r4, q4, q0);
        }

        T power = T.PowerOfTwo(shifted);
        return T.MultiplyAdd(power, T.MultiplyAdd(r * r, q, r), power);
    }

    /// <summary>log x = k log 2 + 2 atanh s, x = m 2ᵏ, s = (m − 1)/(m + 1); 1/x comes out of the same division.</summary>
    /// <inheritdoc cref="IReal{TSelf, TMask}.Log"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T, TMask>(T x, out T reciprocal)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T one = T.Constant(1);
        T m = T.Split(x, out T k, out T inversePower);
        T next = m + one;
        T q = one / (m * next);
        reciprocal = next * q * inversePower;
        T twice = TwiceAtanh<T, TMask>((m - one) * (m * q));
        return T.IsSingle
            ? T.MultiplyAdd(k, T.Constant(0.693145751953125), T.MultiplyAdd(k, T.Constant(1.4286068203094172e-06), twice))
            : T.MultiplyAdd(k, T.Constant(0.69314718036912381649), T.MultiplyAdd(k, T.Constant(1.9082149292705877e-10), twice));
    }

    /// <summary>log(1 + x) = 2 atanh(x/(2 + x)); 1/(1 + x) comes out of the same division.</summary>
    /// <inheritdoc cref="IReal{TSelf, TMask}.LogOnePlus"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LogOnePlus<T, TMask>(T x, out T reciprocal)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T one = T.Constant(1);
        T m = x + one;
        T next = x + T.Constant(2);
        T q = one / (m * next);
        reciprocal = next * q;
        return TwiceAtanh<T, TMask>(x * (m * q));
    }

    /// <summary>2 atanh s = 2s (1 + s² p(s²)) for |s| ≤ 1/3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T TwiceAtanh<T, TMask>(T s)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T w = s * s;
        T p;
        if (T.IsSingle)
        {
            p = T.MultiplyAdd(w, T.Constant(0.14012237853942047), 0.13999568465823123);
            p = T.MultiplyAdd(w, p, 0.20010849693399616);
            p = T.MultiplyAdd(w, p, 0.33333206562309986);
        }
        else
        {
            T w2 = w * w, w4 = w2 * w2;
            T p0 = T.MultiplyAdd(w, T.Constant(0.1999999999799885), 0.3333333333333894);
            T p2 = T.MultiplyAdd(w, T.Constant(0.1111109632770244), 0.14285714531587104);
            T p4 = T.MultiplyAdd(w, T.Constant(0.07682096227273583), 0.09091410355961477);
            T p6 = T.MultiplyAdd(w, T.Constant(0.049491632515396886), 0.06793621231597184);
            p0 = T.MultiplyAdd(w2, p2, p0);
            p4 = T.MultiplyAdd(w2, p6, p4);
            p4 = T.MultiplyAdd(w4, T.Constant(0.08874404308752076), p4);
            p = T.MultiplyAdd(w4, p4, p0);
        }

        T twice = s + s;
        return T.MultiplyAdd(twice, w * p, twice);
    }

    /// <summary>softplus z = log(1 + eᶻ), with its derivative and what a scale of z needs; one exponential, one division, finite for every z.</summary>
    /// <param name="z">Any; beyond ±<see cref="IReal{TSelf, TMask}.ExponentLimit"/> the smaller of e^±z is e^−limit.</param>
    /// <param name="sigmoid">1/(1 + e^−z).</param>
    /// <param name="tail">softplus z − z sigmoid z = log(1 + e^−|z|) + |z| sigmoid(−|z|), without cancellation.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Softplus<T, TMask>(T z, out T sigmoid, out T tail)
        where T : struct, IReal<T, TMask>
        where TMask : struct => Softplus<T, TMask>(z, out sigmoid, out _, out tail);

    /// <inheritdoc cref="Softplus{T, TMask}(T, out T, out T)"/>
    /// <param name="z">Any.</param>
    /// <param name="sigmoid">1/(1 + e^−z).</param>
    /// <param name="complement">1 − sigmoid z = sigmoid(−z), without cancellation.</param>
    /// <param name="tail">softplus z − z sigmoid z.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Softplus<T, TMask>(T z, out T sigmoid, out T complement, out T tail)
        where T : struct, IReal<T, TMask>
        where TMask : struct
    {
        T zero = T.Constant(0);
        T size = T.Abs(z);
        T e = T.Exp(-T.Min(size, T.Constant(T.ExponentLimit)));
        T log = T.LogOnePlus(e, out T q);
        T small = e * q;
        TMask negative = T.Less(z, zero);
        sigmoid = T.Select(negative, small, q);
        complement = T.Select(negative, q, small);
        tail = T.MultiplyAdd(size, small, log);
        return T.Max(z, zero) + log;
    }

    /// <summary>eˣ with x cut to ±<see cref="IReal{TSelf, TMask}.ExponentLimit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpClamped<T, TMask>(T x)
        where T : struct, IReal<T, TMask>
        where TMask : struct
    {
        T limit = T.Constant(T.ExponentLimit);
        return T.Exp(T.Max(T.Min(x, limit), -limit));
    }
}
