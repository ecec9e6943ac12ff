using System.Runtime.CompilerServices;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>A double as a program without this engine would have it: Math.Exp, Math.Log and double.LogP1, products and sums rounded apart.</summary>
/// <remarks>Inlined like the engine's own numbers, and the .NET library calls the C library's functions, so it is no straw man.</remarks>
internal readonly struct MathReal(double value) : ILanes<MathReal, bool, double>
{
    private readonly double _value = value;

    public static double ExponentLimit => F64.ExponentLimit;

    public static double Epsilon => F64.Epsilon;

    public static bool IsSingle => false;

    public static double RoundingConstant => F64.RoundingConstant;

    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Broadcast(double value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(bool mask) => mask ? 1u : 0u;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Constant(double value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal operator +(MathReal a, MathReal b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal operator -(MathReal a, MathReal b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal operator *(MathReal a, MathReal b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal operator /(MathReal a, MathReal b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal operator -(MathReal a) => new(-a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal MultiplyAdd(MathReal a, MathReal b, MathReal c) => new((a._value * b._value) + c._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal MultiplyAdd(MathReal a, MathReal b, double c) => new((a._value * b._value) + c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Abs(MathReal a) => new(Math.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Min(MathReal a, MathReal b) => a._value < b._value ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Max(MathReal a, MathReal b) => a._value > b._value ? a : b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Sqrt(MathReal a) => new(Math.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(MathReal a, MathReal b) => a._value < b._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(MathReal a, MathReal b) => a._value <= b._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool And(bool a, bool b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Or(bool a, bool b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Select(bool mask, MathReal whenTrue, MathReal whenFalse) => mask ? whenTrue : whenFalse;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Exp(MathReal x) => new(Math.Exp(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Log(MathReal x, out MathReal reciprocal)
    {
        reciprocal = new(1 / x._value);
        return new(Math.Log(x._value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal LogOnePlus(MathReal x, out MathReal reciprocal)
    {
        reciprocal = new(1 / (1 + x._value));
        return new(double.LogP1(x._value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Sin(MathReal x, out MathReal cosine)
    {
        cosine = new(Math.Cos(x._value));
        return new(Math.Sin(x._value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Atan(MathReal x) => new(Math.Atan(x._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal PowerOfTwo(MathReal shifted) => new(F64.PowerOfTwo(new(shifted._value)).Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MathReal Split(MathReal x, out MathReal exponent, out MathReal inversePower)
    {
        F64 m = F64.Split(new(x._value), out F64 k, out F64 power);
        exponent = new(k.Value);
        inversePower = new(power.Value);
        return new(m.Value);
    }
}
