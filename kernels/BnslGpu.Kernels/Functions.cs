using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>The transcendental functions of the engine: one polynomial for every kind of number, so that every target computes the same.</summary>
/// <remarks>
/// Minimax polynomials by Remez exchange in 60 digits, weighted for relative error. Largest errors against double-double values at 8 million random
/// points in the stated ranges, double / float: exp 1.02 / 1.01 ulp; log 3.16 / 2.83 ulp of max(|log|, .35), its reciprocal 1.23 / 1.22 ε;
/// log(1 + x) 3.62 / 3.51 ulp, its reciprocal 1.46 / 1.46 ε; softplus, sigmoid and tail 2.49, 2.10, 2.57 / 2.36, 2.15, 2.42 ε;
/// sin and cos 1.48 / 1.52 ulp for |x| ≤ 10,000, atan 1.33 / 1.24 ulp; sigmoid alone 1.66 / 1.64 ε, tanh 1.62 / 1.58 ε.
/// <c>FunctionsTests</c> fails where the bounds below do not hold.
/// </remarks>
public static class Functions
{
    /// <summary>Bound on the error of <see cref="Exp"/>, in ulp.</summary>
    public const double ExpUlps = 1.1;

    /// <summary>Bound on the error of <see cref="Log"/> and <see cref="LogOnePlus"/>, in ulp of max(|log|, 0.35) and of |log(1 + x)|.</summary>
    public const double LogUlps = 4;

    /// <summary>Bound on the error of <see cref="Sin"/> and its cosine for |x| ≤ 10,000, and of <see cref="Atan"/>, in ulp.</summary>
    public const double AngleUlps = 1.6;

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

    /// <summary>x = n π/2 + r, |r| ≤ π/4: sin x = S cos r + C sin r and cos x = C cos r − S sin r with S = sin(n π/2) and C = sin((n + 1) π/2), each 0 or ±1.</summary>
    /// <remarks>Cody and Waite 1980. The first product and difference are exact because they round once; on a device that rounds twice r is wrong by |x| ε.</remarks>
    /// <inheritdoc cref="IReal{TSelf, TMask}.Sin(TSelf, out TSelf)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sin<T, TMask>(T x, out T cosine)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T n = T.MultiplyAdd(x, T.Constant(0.6366197723675814), T.RoundingConstant) - T.Constant(T.RoundingConstant);
        T r, w, p, q;
        if (T.IsSingle)
        {
            r = T.MultiplyAdd(n, T.Constant(-1.5707963705062866), x);
            r = T.MultiplyAdd(n, T.Constant(4.371138828673793e-08), r);
            r = T.MultiplyAdd(n, T.Constant(1.7151245100058819e-15), r);
            w = r * r;
            p = T.MultiplyAdd(w, T.Constant(-0.00019513953884597868), 0.008332150988280773);
            p = T.MultiplyAdd(w, p, -0.16666653752326965);
            q = T.MultiplyAdd(w, T.Constant(2.443163793941494e-05), -0.0013887303648516536);
            q = T.MultiplyAdd(w, q, 0.04166664555668831);
        }
        else
        {
            r = T.MultiplyAdd(n, T.Constant(-1.5707963267948966), x);
            r = T.MultiplyAdd(n, T.Constant(-6.123233995736766e-17), r);
            r = T.MultiplyAdd(n, T.Constant(1.4973849048591698e-33), r);
            w = r * r;
            T w2 = w * w;
            p = T.MultiplyAdd(w, T.Constant(1.5895566096785867e-10), -2.5050736619408942e-08);
            q = T.MultiplyAdd(w, T.Constant(-1.1358075228300315e-11), 2.0875692119593883e-09);
            p = T.MultiplyAdd(w2, p, T.MultiplyAdd(w, T.Constant(2.7557313552333373e-06), -0.0001984126982939701));
            q = T.MultiplyAdd(w2, q, T.MultiplyAdd(w, T.Constant(-2.7557314116564416e-07), 2.4801587288639766e-05));
            p = T.MultiplyAdd(w2, p, T.MultiplyAdd(w, T.Constant(0.008333333333321888), -0.1666666666666663));
            q = T.MultiplyAdd(w2, q, T.MultiplyAdd(w, T.Constant(-0.0013888888888872726), 0.04166666666666659));
        }

        T sin = T.MultiplyAdd(r * w, p, r);
        T cos = T.MultiplyAdd(w, T.MultiplyAdd(w, q, -0.5), 1);
        T s = QuarterTurns<T, TMask>(n), c = QuarterTurns<T, TMask>(n + T.Constant(1));
        cosine = T.MultiplyAdd(c, cos, -(s * sin));
        return T.MultiplyAdd(s, cos, c * sin);
    }

    /// <summary>sin(n π/2) = n − 2 round(n/2), halves to even.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T QuarterTurns<T, TMask>(T n)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T half = T.MultiplyAdd(n, T.Constant(0.5), T.RoundingConstant) - T.Constant(T.RoundingConstant);
        return T.MultiplyAdd(half, T.Constant(-2), n);
    }

    /// <summary>atan t = t + t³ p(t²) for t in [0, 1]; π/2 − atan(1/t) beyond; odd.</summary>
    /// <inheritdoc cref="IReal{TSelf, TMask}.Atan"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Atan<T, TMask>(T x)
        where T : struct, IBinaryReal<T, TMask>
        where TMask : struct
    {
        T zero = T.Constant(0), one = T.Constant(1), size = T.Abs(x);
        TMask beyond = T.Less(-size, T.Constant(-1));
        T t = T.Select(beyond, one / size, size);
        T w = t * t;
        T p;
        if (T.IsSingle)
        {
            p = T.MultiplyAdd(w, T.Constant(-0.0017936229705810547), 0.010914611630141735);
            p = T.MultiplyAdd(w, p, -0.031177856028079987);
            p = T.MultiplyAdd(w, p, 0.05795760452747345);
            p = T.MultiplyAdd(w, p, -0.0840345099568367);
            p = T.MultiplyAdd(w, p, 0.10952185839414597);
            p = T.MultiplyAdd(w, p, -0.14264242351055145);
            p = T.MultiplyAdd(w, p, 0.19998548924922943);
            p = T.MultiplyAdd(w, p, -0.33333298563957214);
        }
        else
        {
            T w2 = w * w, w4 = w2 * w2, w8 = w4 * w4;
            T p0 = T.MultiplyAdd(w, T.Constant(0.19999999999951748), -0.3333333333333307);
            T p2 = T.MultiplyAdd(w, T.Constant(0.11111111007338303), -0.14285714282587975);
            T p4 = T.MultiplyAdd(w, T.Constant(0.07692279888081636), -0.09090907007729448);
            T p6 = T.MultiplyAdd(w, T.Constant(0.058805297677753554), -0.0666640441647738);
            T p8 = T.MultiplyAdd(w, T.Constant(0.04722347809052335), -0.05253526608121986);
            T p10 = T.MultiplyAdd(w, T.Constant(0.03664313553641216), -0.042192422447428456);
            T p12 = T.MultiplyAdd(w, T.Constant(0.02198704062014405), -0.029905713096971206);
            T p14 = T.MultiplyAdd(w, T.Constant(0.007197863758939822), -0.013902546137481384);
            T p16 = T.MultiplyAdd(w, T.Constant(0.0008315554844738958), -0.0028855982376513787);
            T p18 = T.MultiplyAdd(w, T.Constant(1.3229907695643224e-05), -0.00015221023018002107);
            p0 = T.MultiplyAdd(w2, p2, p0);
            p4 = T.MultiplyAdd(w2, p6, p4);
            p8 = T.MultiplyAdd(w2, p10, p8);
            p12 = T.MultiplyAdd(w2, p14, p12);
            p16 = T.MultiplyAdd(w2, p18, p16);
            p0 = T.MultiplyAdd(w4, p4, p0);
            p8 = T.MultiplyAdd(w4, p12, p8);
            p8 = T.MultiplyAdd(w8, p16, p8);
            p = T.MultiplyAdd(w8, p8, p0);
        }

        // π/2 in two pieces; the second joins the small term, where it costs no rounding of its own.
        T right = T.Constant(T.IsSingle ? 1.5707963705062866 : 1.5707963267948966), rest = T.Constant(T.IsSingle ? -4.371138828673793e-08 : 6.123233995736766e-17);
        T cube = t * w;
        T angle = T.Select(beyond, right - t, t) + T.MultiplyAdd(T.Select(beyond, -cube, cube), p, T.Select(beyond, rest, zero));
        return T.Select(T.Less(x, zero), -angle, angle);
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

    /// <summary>xʸ = e^(y log x), y log x cut to ±<see cref="IReal{TSelf, TMask}.ExponentLimit"/>; not a number where x ≤ 0, so that no fit steps there.</summary>
    /// <remarks>The error of y log x becomes a relative error: up to (<see cref="LogUlps"/> + 1) |y| max(|log x|, .35) ε, and that of <see cref="Exp"/>.</remarks>
    /// <param name="x">Normal.</param>
    /// <param name="y">Any.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Pow<T, TMask>(T x, T y)
        where T : struct, IReal<T, TMask>
        where TMask : struct =>
        T.Select(T.Less(-x, T.Constant(0)), ExpClamped<T, TMask>(y * T.Log(x, out _)), T.Constant(double.NaN));

    /// <summary>1/(1 + e^−z), without cancellation on either side.</summary>
    /// <param name="z">Any; |z| beyond <see cref="IReal{TSelf, TMask}.ExponentLimit"/> counts as that.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T, TMask>(T z)
        where T : struct, IReal<T, TMask>
        where TMask : struct
    {
        T e = T.Exp(-T.Min(T.Abs(z), T.Constant(T.ExponentLimit)));
        T q = T.Constant(1) / (e + T.Constant(1));
        return T.Select(T.Less(z, T.Constant(0)), e * q, q);
    }

    /// <summary>tanh x.</summary>
    /// <remarks>
    /// (1 − e^−2|x|)/(1 + e^−2|x|) cancels near 0: below .55 Lambert's continued fraction x/(1 + x²/(3 + x²/(5 + …))) stands in for it, cut after eight
    /// levels, at 1e-18; unlike a minimax polynomial it has the right derivatives too.
    /// </remarks>
    /// <param name="x">Any.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T, TMask>(T x)
        where T : struct, IReal<T, TMask>
        where TMask : struct
    {
        T one = T.Constant(1), size = T.Abs(x), w = size * size;
        T e = T.Exp(-T.Min(size + size, T.Constant(T.ExponentLimit)));
        T p = T.MultiplyAdd(w, T.Constant(36), 6930);
        p = T.MultiplyAdd(w, p, 270270);
        p = T.MultiplyAdd(w, p, 2027025);
        T q = w + T.Constant(630);
        q = T.MultiplyAdd(w, q, 51975);
        q = T.MultiplyAdd(w, q, 945945);
        q = T.MultiplyAdd(w, q, 2027025);
        TMask small = T.Less(size, T.Constant(0.55));
        T tanh = T.Select(small, size * p, one - e) / T.Select(small, q, one + e);
        return T.Select(T.Less(x, T.Constant(0)), -tanh, tanh);
    }
}
