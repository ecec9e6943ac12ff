using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using BnslGpu.Kernels;

namespace BnslGpu;

/// <summary>SIMD lanes in a 512-bit register: lane i is candidate i; no operation crosses lanes.</summary>
/// <remarks>A mask is a register whose lane is all ones or all zeros. Every operation rounds as its scalar does, so a candidate's path does not depend on the width.</remarks>
/// <typeparam name="TScalar">double or float.</typeparam>
internal struct Lanes512<TScalar> :
    ILanes<Lanes512<TScalar>, Vector512<TScalar>, TScalar>
    where TScalar : unmanaged
{
    private Vector512<TScalar> _register;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<TScalar>.Count;
    }

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float);
    }

    public static double ExponentLimit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.ExponentLimit : F64.ExponentLimit;
    }

    public static double Epsilon
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.Epsilon : F64.Epsilon;
    }

    public static double RoundingConstant
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.RoundingConstant : F64.RoundingConstant;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Broadcast(TScalar value) => new() { _register = Vector512.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector512<TScalar> mask) => (uint)mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Constant(double value) =>
        typeof(TScalar) == typeof(float)
            ? new() { _register = Vector512.Create((float)value).As<float, TScalar>() }
            : new() { _register = Vector512.Create(value).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> operator +(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = a._register + b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> operator -(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = a._register - b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> operator *(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = a._register * b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> operator /(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = a._register / b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> operator -(Lanes512<TScalar> a) => new() { _register = -a._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> MultiplyAdd(Lanes512<TScalar> a, Lanes512<TScalar> b, Lanes512<TScalar> c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector512.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), c._register.AsSingle()).As<float, TScalar>() }
        : new() { _register = Vector512.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), c._register.AsDouble()).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> MultiplyAdd(Lanes512<TScalar> a, Lanes512<TScalar> b, double c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector512.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), Vector512.Create((float)c)).As<float, TScalar>() }
        : new() { _register = Vector512.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), Vector512.Create(c)).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Abs(Lanes512<TScalar> a) => new() { _register = Vector512.Abs(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Min(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = Vector512.MinNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Max(Lanes512<TScalar> a, Lanes512<TScalar> b) => new() { _register = Vector512.MaxNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Sqrt(Lanes512<TScalar> a) => new() { _register = Vector512.Sqrt(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<TScalar> Less(Lanes512<TScalar> a, Lanes512<TScalar> b) => Vector512.LessThan(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<TScalar> LessOrEqual(Lanes512<TScalar> a, Lanes512<TScalar> b) => Vector512.LessThanOrEqual(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<TScalar> And(Vector512<TScalar> a, Vector512<TScalar> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<TScalar> Or(Vector512<TScalar> a, Vector512<TScalar> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Select(Vector512<TScalar> mask, Lanes512<TScalar> whenTrue, Lanes512<TScalar> whenFalse) =>
        new() { _register = Vector512.ConditionalSelect(mask, whenTrue._register, whenFalse._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> PowerOfTwo(Lanes512<TScalar> shifted) => typeof(TScalar) == typeof(float)
        ? new() { _register = ((shifted._register.AsUInt32() << 23) + Vector512.Create(F32.OneBits)).As<uint, TScalar>() }
        : new() { _register = ((shifted._register.AsUInt64() << 52) + Vector512.Create(F64.OneBits)).As<ulong, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Split(Lanes512<TScalar> x, out Lanes512<TScalar> exponent, out Lanes512<TScalar> inversePower)
    {
        if (typeof(TScalar) == typeof(float))
        {
            Vector512<uint> t = x._register.AsUInt32() + Vector512.Create(F32.OneBits - F32.SqrtHalfBits), biased = t >>> 23;
            exponent = new() { _register = ((biased | Vector512.Create(F32.TwoTo23Bits)).AsSingle() - Vector512.Create(8388608f + 127)).As<float, TScalar>() };
            inversePower = new() { _register = ((Vector512.Create(254u) - biased) << 23).As<uint, TScalar>() };
            return new() { _register = ((t & Vector512.Create(F32.FractionBits)) + Vector512.Create(F32.SqrtHalfBits)).As<uint, TScalar>() };
        }
        else
        {
            Vector512<ulong> t = x._register.AsUInt64() + Vector512.Create(F64.OneBits - F64.SqrtHalfBits), biased = t >>> 52;
            exponent = new() { _register = ((biased | Vector512.Create(F64.TwoTo52Bits)).AsDouble() - Vector512.Create(4503599627370496.0 + 1023)).As<double, TScalar>() };
            inversePower = new() { _register = ((Vector512.Create(2046ul) - biased) << 52).As<ulong, TScalar>() };
            return new() { _register = ((t & Vector512.Create(F64.FractionBits)) + Vector512.Create(F64.SqrtHalfBits)).As<ulong, TScalar>() };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Exp(Lanes512<TScalar> x) => Functions.Exp<Lanes512<TScalar>, Vector512<TScalar>>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Log(Lanes512<TScalar> x, out Lanes512<TScalar> reciprocal) =>
        Functions.Log<Lanes512<TScalar>, Vector512<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> LogOnePlus(Lanes512<TScalar> x, out Lanes512<TScalar> reciprocal) =>
        Functions.LogOnePlus<Lanes512<TScalar>, Vector512<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Sin(Lanes512<TScalar> x, out Lanes512<TScalar> cosine) =>
        Functions.Sin<Lanes512<TScalar>, Vector512<TScalar>>(x, out cosine);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512<TScalar> Atan(Lanes512<TScalar> x) => Functions.Atan<Lanes512<TScalar>, Vector512<TScalar>>(x);
}

/// <summary>SIMD lanes in a 256-bit register: lane i is candidate i; no operation crosses lanes.</summary>
/// <remarks>A mask is a register whose lane is all ones or all zeros. Every operation rounds as its scalar does, so a candidate's path does not depend on the width.</remarks>
/// <typeparam name="TScalar">double or float.</typeparam>
internal struct Lanes256<TScalar> :
    ILanes<Lanes256<TScalar>, Vector256<TScalar>, TScalar>
    where TScalar : unmanaged
{
    private Vector256<TScalar> _register;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<TScalar>.Count;
    }

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float);
    }

    public static double ExponentLimit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.ExponentLimit : F64.ExponentLimit;
    }

    public static double Epsilon
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.Epsilon : F64.Epsilon;
    }

    public static double RoundingConstant
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.RoundingConstant : F64.RoundingConstant;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Broadcast(TScalar value) => new() { _register = Vector256.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector256<TScalar> mask) => (uint)mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Constant(double value) =>
        typeof(TScalar) == typeof(float)
            ? new() { _register = Vector256.Create((float)value).As<float, TScalar>() }
            : new() { _register = Vector256.Create(value).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> operator +(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = a._register + b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> operator -(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = a._register - b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> operator *(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = a._register * b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> operator /(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = a._register / b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> operator -(Lanes256<TScalar> a) => new() { _register = -a._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> MultiplyAdd(Lanes256<TScalar> a, Lanes256<TScalar> b, Lanes256<TScalar> c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector256.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), c._register.AsSingle()).As<float, TScalar>() }
        : new() { _register = Vector256.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), c._register.AsDouble()).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> MultiplyAdd(Lanes256<TScalar> a, Lanes256<TScalar> b, double c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector256.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), Vector256.Create((float)c)).As<float, TScalar>() }
        : new() { _register = Vector256.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), Vector256.Create(c)).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Abs(Lanes256<TScalar> a) => new() { _register = Vector256.Abs(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Min(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = Vector256.MinNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Max(Lanes256<TScalar> a, Lanes256<TScalar> b) => new() { _register = Vector256.MaxNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Sqrt(Lanes256<TScalar> a) => new() { _register = Vector256.Sqrt(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<TScalar> Less(Lanes256<TScalar> a, Lanes256<TScalar> b) => Vector256.LessThan(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<TScalar> LessOrEqual(Lanes256<TScalar> a, Lanes256<TScalar> b) => Vector256.LessThanOrEqual(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<TScalar> And(Vector256<TScalar> a, Vector256<TScalar> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<TScalar> Or(Vector256<TScalar> a, Vector256<TScalar> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Select(Vector256<TScalar> mask, Lanes256<TScalar> whenTrue, Lanes256<TScalar> whenFalse) =>
        new() { _register = Vector256.ConditionalSelect(mask, whenTrue._register, whenFalse._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> PowerOfTwo(Lanes256<TScalar> shifted) => typeof(TScalar) == typeof(float)
        ? new() { _register = ((shifted._register.AsUInt32() << 23) + Vector256.Create(F32.OneBits)).As<uint, TScalar>() }
        : new() { _register = ((shifted._register.AsUInt64() << 52) + Vector256.Create(F64.OneBits)).As<ulong, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Split(Lanes256<TScalar> x, out Lanes256<TScalar> exponent, out Lanes256<TScalar> inversePower)
    {
        if (typeof(TScalar) == typeof(float))
        {
            Vector256<uint> t = x._register.AsUInt32() + Vector256.Create(F32.OneBits - F32.SqrtHalfBits), biased = t >>> 23;
            exponent = new() { _register = ((biased | Vector256.Create(F32.TwoTo23Bits)).AsSingle() - Vector256.Create(8388608f + 127)).As<float, TScalar>() };
            inversePower = new() { _register = ((Vector256.Create(254u) - biased) << 23).As<uint, TScalar>() };
            return new() { _register = ((t & Vector256.Create(F32.FractionBits)) + Vector256.Create(F32.SqrtHalfBits)).As<uint, TScalar>() };
        }
        else
        {
            Vector256<ulong> t = x._register.AsUInt64() + Vector256.Create(F64.OneBits - F64.SqrtHalfBits), biased = t >>> 52;
            exponent = new() { _register = ((biased | Vector256.Create(F64.TwoTo52Bits)).AsDouble() - Vector256.Create(4503599627370496.0 + 1023)).As<double, TScalar>() };
            inversePower = new() { _register = ((Vector256.Create(2046ul) - biased) << 52).As<ulong, TScalar>() };
            return new() { _register = ((t & Vector256.Create(F64.FractionBits)) + Vector256.Create(F64.SqrtHalfBits)).As<ulong, TScalar>() };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Exp(Lanes256<TScalar> x) => Functions.Exp<Lanes256<TScalar>, Vector256<TScalar>>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Log(Lanes256<TScalar> x, out Lanes256<TScalar> reciprocal) =>
        Functions.Log<Lanes256<TScalar>, Vector256<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> LogOnePlus(Lanes256<TScalar> x, out Lanes256<TScalar> reciprocal) =>
        Functions.LogOnePlus<Lanes256<TScalar>, Vector256<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Sin(Lanes256<TScalar> x, out Lanes256<TScalar> cosine) =>
        Functions.Sin<Lanes256<TScalar>, Vector256<TScalar>>(x, out cosine);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256<TScalar> Atan(Lanes256<TScalar> x) => Functions.Atan<Lanes256<TScalar>, Vector256<TScalar>>(x);
}

/// <summary>SIMD lanes in a 128-bit register: lane i is candidate i; no operation crosses lanes.</summary>
/// <remarks>A mask is a register whose lane is all ones or all zeros. Every operation rounds as its scalar does, so a candidate's path does not depend on the width.</remarks>
/// <typeparam name="TScalar">double or float.</typeparam>
internal struct Lanes128<TScalar> :
    ILanes<Lanes128<TScalar>, Vector128<TScalar>, TScalar>
    where TScalar : unmanaged
{
    private Vector128<TScalar> _register;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<TScalar>.Count;
    }

    public static bool IsSingle
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float);
    }

    public static double ExponentLimit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.ExponentLimit : F64.ExponentLimit;
    }

    public static double Epsilon
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.Epsilon : F64.Epsilon;
    }

    public static double RoundingConstant
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(TScalar) == typeof(float) ? F32.RoundingConstant : F64.RoundingConstant;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Broadcast(TScalar value) => new() { _register = Vector128.Create(value) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(Vector128<TScalar> mask) => (uint)mask.ExtractMostSignificantBits();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Constant(double value) =>
        typeof(TScalar) == typeof(float)
            ? new() { _register = Vector128.Create((float)value).As<float, TScalar>() }
            : new() { _register = Vector128.Create(value).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> operator +(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = a._register + b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> operator -(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = a._register - b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> operator *(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = a._register * b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> operator /(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = a._register / b._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> operator -(Lanes128<TScalar> a) => new() { _register = -a._register };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> MultiplyAdd(Lanes128<TScalar> a, Lanes128<TScalar> b, Lanes128<TScalar> c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector128.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), c._register.AsSingle()).As<float, TScalar>() }
        : new() { _register = Vector128.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), c._register.AsDouble()).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> MultiplyAdd(Lanes128<TScalar> a, Lanes128<TScalar> b, double c) => typeof(TScalar) == typeof(float)
        ? new() { _register = Vector128.FusedMultiplyAdd(a._register.AsSingle(), b._register.AsSingle(), Vector128.Create((float)c)).As<float, TScalar>() }
        : new() { _register = Vector128.FusedMultiplyAdd(a._register.AsDouble(), b._register.AsDouble(), Vector128.Create(c)).As<double, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Abs(Lanes128<TScalar> a) => new() { _register = Vector128.Abs(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Min(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = Vector128.MinNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Max(Lanes128<TScalar> a, Lanes128<TScalar> b) => new() { _register = Vector128.MaxNative(a._register, b._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Sqrt(Lanes128<TScalar> a) => new() { _register = Vector128.Sqrt(a._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<TScalar> Less(Lanes128<TScalar> a, Lanes128<TScalar> b) => Vector128.LessThan(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<TScalar> LessOrEqual(Lanes128<TScalar> a, Lanes128<TScalar> b) => Vector128.LessThanOrEqual(a._register, b._register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<TScalar> And(Vector128<TScalar> a, Vector128<TScalar> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<TScalar> Or(Vector128<TScalar> a, Vector128<TScalar> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Select(Vector128<TScalar> mask, Lanes128<TScalar> whenTrue, Lanes128<TScalar> whenFalse) =>
        new() { _register = Vector128.ConditionalSelect(mask, whenTrue._register, whenFalse._register) };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> PowerOfTwo(Lanes128<TScalar> shifted) => typeof(TScalar) == typeof(float)
        ? new() { _register = ((shifted._register.AsUInt32() << 23) + Vector128.Create(F32.OneBits)).As<uint, TScalar>() }
        : new() { _register = ((shifted._register.AsUInt64() << 52) + Vector128.Create(F64.OneBits)).As<ulong, TScalar>() };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Split(Lanes128<TScalar> x, out Lanes128<TScalar> exponent, out Lanes128<TScalar> inversePower)
    {
        if (typeof(TScalar) == typeof(float))
        {
            Vector128<uint> t = x._register.AsUInt32() + Vector128.Create(F32.OneBits - F32.SqrtHalfBits), biased = t >>> 23;
            exponent = new() { _register = ((biased | Vector128.Create(F32.TwoTo23Bits)).AsSingle() - Vector128.Create(8388608f + 127)).As<float, TScalar>() };
            inversePower = new() { _register = ((Vector128.Create(254u) - biased) << 23).As<uint, TScalar>() };
            return new() { _register = ((t & Vector128.Create(F32.FractionBits)) + Vector128.Create(F32.SqrtHalfBits)).As<uint, TScalar>() };
        }
        else
        {
            Vector128<ulong> t = x._register.AsUInt64() + Vector128.Create(F64.OneBits - F64.SqrtHalfBits), biased = t >>> 52;
            exponent = new() { _register = ((biased | Vector128.Create(F64.TwoTo52Bits)).AsDouble() - Vector128.Create(4503599627370496.0 + 1023)).As<double, TScalar>() };
            inversePower = new() { _register = ((Vector128.Create(2046ul) - biased) << 52).As<ulong, TScalar>() };
            return new() { _register = ((t & Vector128.Create(F64.FractionBits)) + Vector128.Create(F64.SqrtHalfBits)).As<ulong, TScalar>() };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Exp(Lanes128<TScalar> x) => Functions.Exp<Lanes128<TScalar>, Vector128<TScalar>>(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Log(Lanes128<TScalar> x, out Lanes128<TScalar> reciprocal) =>
        Functions.Log<Lanes128<TScalar>, Vector128<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> LogOnePlus(Lanes128<TScalar> x, out Lanes128<TScalar> reciprocal) =>
        Functions.LogOnePlus<Lanes128<TScalar>, Vector128<TScalar>>(x, out reciprocal);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Sin(Lanes128<TScalar> x, out Lanes128<TScalar> cosine) =>
        Functions.Sin<Lanes128<TScalar>, Vector128<TScalar>>(x, out cosine);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128<TScalar> Atan(Lanes128<TScalar> x) => Functions.Atan<Lanes128<TScalar>, Vector128<TScalar>>(x);
}
