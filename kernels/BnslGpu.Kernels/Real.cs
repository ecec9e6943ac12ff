using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>A kind of number: one formula over it runs as double, as float, as SIMD lanes, on a device, or as a dual number.</summary>
/// <remarks>
/// A lane or device thread never branches on a value: comparisons give a mask, and <see cref="Select"/> chooses.
/// Every operation acts on each lane alone, so a lane's result does not depend on its neighbours or on how many there are.
/// Constants are the second operand of <see cref="Less"/>, <see cref="LessOrEqual"/>, <see cref="Min"/> and <see cref="Max"/>: ILGPU 1.5.3 moves one that is the
/// first to the other side, and by mistake makes the comparison one that holds for what is not a number. Hence −x &lt; −c for c &lt; x.
/// </remarks>
/// <typeparam name="TSelf">The number.</typeparam>
/// <typeparam name="TMask">What a comparison gives: bool for scalars, one bit pattern a lane for lanes.</typeparam>
public interface IReal<TSelf, TMask>
    where TSelf : struct, IReal<TSelf, TMask>
    where TMask : struct
{
    /// <summary>Exponents below this count as this: e^170 and its inverse (30 in float) still square to normal numbers.</summary>
    static abstract double ExponentLimit { get; }

    /// <summary>Distance from 1 to the next larger number.</summary>
    static abstract double Epsilon { get; }

    /// <summary>A constant, rounded to this kind; the same in every lane.</summary>
    static abstract TSelf Constant(double value);

    /// <summary>The value alone: an iteration's last guess, whose derivative and error the next step does not inherit.</summary>
    static virtual TSelf Detach(TSelf value) => value;

    /// <summary>a + b.</summary>
    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>a − b.</summary>
    static abstract TSelf operator -(TSelf a, TSelf b);

    /// <summary>a·b.</summary>
    static abstract TSelf operator *(TSelf a, TSelf b);

    /// <summary>a/b.</summary>
    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>−a.</summary>
    static abstract TSelf operator -(TSelf a);

    /// <summary>a·b + c, rounded once on every CPU path; a device may round twice.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>a·b + c for a constant c, rounded to this kind first.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, double c);

    /// <summary>|a|.</summary>
    static abstract TSelf Abs(TSelf a);

    /// <summary>The smaller; b if either is not a number.</summary>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>The larger; b if either is not a number.</summary>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>√a.</summary>
    static abstract TSelf Sqrt(TSelf a);

    /// <summary>a &lt; b; false if either is not a number.</summary>
    static abstract TMask Less(TSelf a, TSelf b);

    /// <summary>a ≤ b; false if either is not a number.</summary>
    static abstract TMask LessOrEqual(TSelf a, TSelf b);

    /// <summary>Both.</summary>
    static abstract TMask And(TMask a, TMask b);

    /// <summary>Either.</summary>
    static abstract TMask Or(TMask a, TMask b);

    /// <summary>whenTrue where the mask is set, whenFalse elsewhere.</summary>
    static abstract TSelf Select(TMask mask, TSelf whenTrue, TSelf whenFalse);

    /// <summary>eˣ.</summary>
    /// <param name="x">Within ±<see cref="ExponentLimit"/>; the caller clamps.</param>
    static abstract TSelf Exp(TSelf x);

    /// <summary>log x and 1/x, which share their only division.</summary>
    /// <param name="x">Normal and positive; anything else gives a meaningless number, never an exception.</param>
    /// <param name="reciprocal">1/x.</param>
    static abstract TSelf Log(TSelf x, out TSelf reciprocal);

    /// <summary>log(1 + x) and 1/(1 + x), which share their only division.</summary>
    /// <param name="x">In [0, 1].</param>
    /// <param name="reciprocal">1/(1 + x).</param>
    static abstract TSelf LogOnePlus(TSelf x, out TSelf reciprocal);

    /// <summary>sin x and cos x, which share the reduction of x.</summary>
    /// <param name="x">Within ±10,000; beyond, digits are lost, never an exception.</param>
    /// <param name="cosine">cos x.</param>
    static abstract TSelf Sin(TSelf x, out TSelf cosine);

    /// <summary>sin x.</summary>
    /// <inheritdoc cref="Sin(TSelf, out TSelf)"/>
    static virtual TSelf Sin(TSelf x) => TSelf.Sin(x, out _);

    /// <summary>cos x.</summary>
    /// <inheritdoc cref="Sin(TSelf, out TSelf)"/>
    static virtual TSelf Cos(TSelf x)
    {
        TSelf.Sin(x, out TSelf cosine);
        return cosine;
    }

    /// <summary>The angle in [−π/2, π/2] whose tangent is x.</summary>
    static abstract TSelf Atan(TSelf x);
}

/// <summary>Numbers whose binary exponent can be taken apart and put together; what <see cref="Functions"/> needs below <see cref="IReal{TSelf, TMask}"/>.</summary>
/// <typeparam name="TSelf">The number.</typeparam>
/// <typeparam name="TMask">Its mask.</typeparam>
public interface IBinaryReal<TSelf, TMask> : IReal<TSelf, TMask>
    where TSelf : struct, IBinaryReal<TSelf, TMask>
    where TMask : struct
{
    /// <summary>True for 32-bit floats, which need shorter polynomials.</summary>
    static abstract bool IsSingle { get; }

    /// <summary>1.5·2^52 (1.5·2^23 in float): added to a number, it leaves the nearest integer in the low bits.</summary>
    static abstract double RoundingConstant { get; }

    /// <summary>2ⁿ for the integer n held in the low bits of n + <see cref="RoundingConstant"/>.</summary>
    /// <param name="shifted">n + <see cref="RoundingConstant"/>, n within the exponents of normal numbers.</param>
    static abstract TSelf PowerOfTwo(TSelf shifted);

    /// <summary>x = m·2^k with m in [√½, √2).</summary>
    /// <param name="x">Normal and positive.</param>
    /// <param name="exponent">k.</param>
    /// <param name="inversePower">2^−k.</param>
    /// <returns>m.</returns>
    static abstract TSelf Split(TSelf x, out TSelf exponent, out TSelf inversePower);
}

/// <summary>One number, which a double can be made of.</summary>
/// <typeparam name="TSelf">The number.</typeparam>
public interface IScalar<TSelf> : IBinaryReal<TSelf, bool>
    where TSelf : unmanaged, IScalar<TSelf>
{
    /// <summary>The number as a double.</summary>
    static abstract double ToDouble(TSelf number);
}

/// <summary>Candidates side by side in one number, on a CPU: lane i is scalar i in memory.</summary>
/// <typeparam name="TSelf">The number.</typeparam>
/// <typeparam name="TMask">Its mask.</typeparam>
/// <typeparam name="TScalar">double or float.</typeparam>
public interface ILanes<TSelf, TMask, TScalar> : IBinaryReal<TSelf, TMask>
    where TSelf : unmanaged, ILanes<TSelf, TMask, TScalar>
    where TMask : struct
    where TScalar : unmanaged
{
    /// <summary>How many candidates.</summary>
    static abstract int Count { get; }

    /// <summary>The same scalar in every lane.</summary>
    static abstract TSelf Broadcast(TScalar value);

    /// <summary>Bit i is lane i of the mask.</summary>
    static abstract uint Bits(TMask mask);
}

/// <summary>Numbers in a row, wherever they live: a span's memory, a register file of lanes, a column of device memory.</summary>
/// <typeparam name="T">The number.</typeparam>
public interface IArray<T>
    where T : struct
{
    /// <summary>The number at an index; not checked.</summary>
    T this[int index] { get; set; }

    /// <summary>The number at index + offset, added as addresses: offsets that are constants cost nothing.</summary>
    T this[int index, int offset] { get; set; }

    /// <summary>True where the numbers are to lie in registers, which have no addresses: every index must then be a constant, and loops be written out.</summary>
    static abstract bool IsRegisters { get; }

    /// <summary>True where what is written is forgotten, so that it need not be computed.</summary>
    static virtual bool IsNowhere => false;
}

/// <summary>An array that forgets: what is written for a derivative nobody asked for costs nothing.</summary>
/// <typeparam name="T">The number.</typeparam>
public readonly struct Nowhere<T> : IArray<T>
    where T : struct
{
    /// <inheritdoc/>
    public static bool IsRegisters => false;

    /// <inheritdoc/>
    public static bool IsNowhere => true;

    /// <summary>Reads zero; writes vanish.</summary>
    public T this[int index]
    {
        get => default;
        set { }
    }

    /// <summary>Reads zero; writes vanish.</summary>
    public T this[int index, int offset]
    {
        get => default;
        set { }
    }
}

/// <summary>A double.</summary>
/// <param name="value">The number.</param>
public struct F64(double value) : ILanes<F64, bool, double>, IScalar<F64>
{
    private double _value = value;

    /// <summary>The number.</summary>
    public readonly double Value => _value;

    /// <summary>Bits of √½ rounded down to the top 20 bits of the fraction; the exact place of the cut does not matter.</summary>
    internal const ulong SqrtHalfBits = 0x3FE6_A09E_0000_0000;
    internal const ulong OneBits = 0x3FF0_0000_0000_0000;
    internal const ulong FractionBits = 0x000F_FFFF_FFFF_FFFF;
    internal const ulong TwoTo52Bits = 0x4330_0000_0000_0000;

    /// <inheritdoc/>
    public static double ExponentLimit => 170;

    /// <inheritdoc/>
    public static double Epsilon => 2.220446049250313e-16;

    /// <inheritdoc/>
    public static bool IsSingle => false;

    /// <inheritdoc/>
    public static double RoundingConstant => 6755399441055744.0;

    /// <summary>One: a scalar is a single lane.</summary>
    public static int Count => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(F64 number) => number._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Broadcast(double value) => new() { _value = value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(bool mask) => mask ? 1u : 0u;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Constant(double value) => new() { _value = value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 operator +(F64 a, F64 b) => new() { _value = a._value + b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 operator -(F64 a, F64 b) => new() { _value = a._value - b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 operator *(F64 a, F64 b) => new() { _value = a._value * b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 operator /(F64 a, F64 b) => new() { _value = a._value / b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 operator -(F64 a) => new() { _value = -a._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 MultiplyAdd(F64 a, F64 b, F64 c) => new() { _value = Math.FusedMultiplyAdd(a._value, b._value, c._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 MultiplyAdd(F64 a, F64 b, double c) => new() { _value = Math.FusedMultiplyAdd(a._value, b._value, c) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Abs(F64 a) => new() { _value = Math.Abs(a._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Min(F64 a, F64 b) => a._value < b._value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Max(F64 a, F64 b) => a._value > b._value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Sqrt(F64 a) => new() { _value = Math.Sqrt(a._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(F64 a, F64 b) => a._value < b._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(F64 a, F64 b) => a._value <= b._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool And(bool a, bool b) => a & b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Or(bool a, bool b) => a | b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Select(bool mask, F64 whenTrue, F64 whenFalse) => mask ? whenTrue : whenFalse;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 PowerOfTwo(F64 shifted) =>
        new() { _value = BitConverter.UInt64BitsToDouble((BitConverter.DoubleToUInt64Bits(shifted._value) << 52) + OneBits) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Split(F64 x, out F64 exponent, out F64 inversePower)
    {
        ulong t = BitConverter.DoubleToUInt64Bits(x._value) + (OneBits - SqrtHalfBits);
        ulong biased = t >> 52;
        exponent = new() { _value = BitConverter.UInt64BitsToDouble(biased | TwoTo52Bits) - (4503599627370496.0 + 1023) };
        inversePower = new() { _value = BitConverter.UInt64BitsToDouble((2046 - biased) << 52) };
        return new() { _value = BitConverter.UInt64BitsToDouble((t & FractionBits) + SqrtHalfBits) };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Exp(F64 x) => Functions.Exp<F64, bool>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Log(F64 x, out F64 reciprocal) => Functions.Log<F64, bool>(x, out reciprocal);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 LogOnePlus(F64 x, out F64 reciprocal) => Functions.LogOnePlus<F64, bool>(x, out reciprocal);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Sin(F64 x, out F64 cosine) => Functions.Sin<F64, bool>(x, out cosine);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F64 Atan(F64 x) => Functions.Atan<F64, bool>(x);
}

/// <summary>A float.</summary>
/// <param name="value">The number.</param>
public struct F32(float value) : ILanes<F32, bool, float>, IScalar<F32>
{
    private float _value = value;

    /// <summary>The number.</summary>
    public readonly float Value => _value;

    internal const uint SqrtHalfBits = 0x3F35_04F3;
    internal const uint OneBits = 0x3F80_0000;
    internal const uint FractionBits = 0x007F_FFFF;
    internal const uint TwoTo23Bits = 0x4B00_0000;

    /// <inheritdoc/>
    public static double ExponentLimit => 30;

    /// <inheritdoc/>
    public static double Epsilon => 1.1920928955078125e-07;

    /// <inheritdoc/>
    public static bool IsSingle => true;

    /// <inheritdoc/>
    public static double RoundingConstant => 12582912.0;

    /// <summary>One: a scalar is a single lane.</summary>
    public static int Count => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double ToDouble(F32 number) => number._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Broadcast(float value) => new() { _value = value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(bool mask) => mask ? 1u : 0u;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Constant(double value) => new() { _value = (float)value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 operator +(F32 a, F32 b) => new() { _value = a._value + b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 operator -(F32 a, F32 b) => new() { _value = a._value - b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 operator *(F32 a, F32 b) => new() { _value = a._value * b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 operator /(F32 a, F32 b) => new() { _value = a._value / b._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 operator -(F32 a) => new() { _value = -a._value };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 MultiplyAdd(F32 a, F32 b, F32 c) => new() { _value = MathF.FusedMultiplyAdd(a._value, b._value, c._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 MultiplyAdd(F32 a, F32 b, double c) => new() { _value = MathF.FusedMultiplyAdd(a._value, b._value, (float)c) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Abs(F32 a) => new() { _value = MathF.Abs(a._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Min(F32 a, F32 b) => a._value < b._value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Max(F32 a, F32 b) => a._value > b._value ? a : b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Sqrt(F32 a) => new() { _value = MathF.Sqrt(a._value) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Less(F32 a, F32 b) => a._value < b._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool LessOrEqual(F32 a, F32 b) => a._value <= b._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool And(bool a, bool b) => a & b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Or(bool a, bool b) => a | b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Select(bool mask, F32 whenTrue, F32 whenFalse) => mask ? whenTrue : whenFalse;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 PowerOfTwo(F32 shifted) =>
        new() { _value = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(shifted._value) << 23) + OneBits) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Split(F32 x, out F32 exponent, out F32 inversePower)
    {
        uint t = BitConverter.SingleToUInt32Bits(x._value) + (OneBits - SqrtHalfBits);
        uint biased = t >> 23;
        exponent = new() { _value = BitConverter.UInt32BitsToSingle(biased | TwoTo23Bits) - (8388608f + 127) };
        inversePower = new() { _value = BitConverter.UInt32BitsToSingle((254 - biased) << 23) };
        return new() { _value = BitConverter.UInt32BitsToSingle((t & FractionBits) + SqrtHalfBits) };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Exp(F32 x) => Functions.Exp<F32, bool>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Log(F32 x, out F32 reciprocal) => Functions.Log<F32, bool>(x, out reciprocal);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 LogOnePlus(F32 x, out F32 reciprocal) => Functions.LogOnePlus<F32, bool>(x, out reciprocal);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Sin(F32 x, out F32 cosine) => Functions.Sin<F32, bool>(x, out cosine);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static F32 Atan(F32 x) => Functions.Atan<F32, bool>(x);
}
