using System.Runtime.CompilerServices;

namespace BnslGpu.Kernels;

/// <summary>Random numbers that are a function of their key and place alone: Philox4x32-10.</summary>
/// <remarks>
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The key is the seed; the 128-bit counter holds the
/// stream (64 bits: what is drawn for), the item (32 bits: which start, resample or point) and the block (32 bits: how far one has drawn).
/// No two places share a number, and none depends on what was drawn before, so threads, chunks and devices cannot change a result.
/// </remarks>
public struct CounterRandom
{
    private readonly uint _key0, _key1, _stream0, _stream1, _item;
    private uint _block;
    private uint _x0, _x1, _x2, _x3;
    private bool _half;

    /// <summary>The numbers of one item of one stream.</summary>
    /// <param name="seed">The user's seed.</param>
    /// <param name="stream">What is drawn for; see <see cref="Mix"/>.</param>
    /// <param name="item">Which start, resample or point.</param>
    public CounterRandom(ulong seed, ulong stream, uint item)
    {
        _key0 = (uint)seed;
        _key1 = (uint)(seed >> 32);
        _stream0 = (uint)stream;
        _stream1 = (uint)(stream >> 32);
        _item = item;
    }

    /// <summary>A number in (0, 1), uniform on multiples of 2⁻⁵² shifted by half of one; never 0 or 1.</summary>
    public double Uniform()
    {
        ulong bits;
        if (_half)
        {
            bits = ((ulong)_x2 << 32) | _x3;
        }
        else
        {
            Draw();
            bits = ((ulong)_x0 << 32) | _x1;
        }

        _half = !_half;
        return ((bits >> 12) + 0.5) * 2.220446049250313e-16;
    }

    /// <summary>A number in (low, high), uniform.</summary>
    public double Uniform(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>The 32-bit words of one block, for comparison with the published test vectors.</summary>
    /// <param name="counter">Words of the counter, lowest first.</param>
    /// <param name="key">Words of the key, lowest first.</param>
    public static (uint X0, uint X1, uint X2, uint X3) Block((uint C0, uint C1, uint C2, uint C3) counter, (uint K0, uint K1) key)
    {
        (uint x0, uint x1, uint x2, uint x3) = counter;
        (uint k0, uint k1) = key;
        for (int round = 0; round < 10; round++)
        {
            ulong p0 = Product(0xD2511F53, x0), p1 = Product(0xCD9E8D57, x2);
            uint y0 = (uint)(p1 >> 32) ^ x1 ^ k0;
            uint y2 = (uint)(p0 >> 32) ^ x3 ^ k1;
            x1 = (uint)p1;
            x3 = (uint)p0;
            x0 = y0;
            x2 = y2;
            k0 = Sum(k0, 0x9E3779B9);
            k1 = Sum(k1, 0xBB67AE85);
        }

        return (x0, x1, x2, x3);
    }

    /// <summary>Mixes a word into a running hash (the finaliser of SplitMix64, Steele, Lea and Flood 2014); for making streams of data.</summary>
    public static ulong Mix(ulong hash, ulong word)
    {
        ulong z = Sum(Sum(hash, word), 0x9E3779B97F4A7C15);
        z = Product(z ^ (z >> 30), 0xBF58476D1CE4E5B9);
        z = Product(z ^ (z >> 27), 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }

    // Modulo 2³² and 2⁶⁴. They have names for devices: ILGPU writes a plain sum or product as one of signed numbers, and a compiler of OpenCL C may
    // take for granted that such a one stays within its range. IlgpuDevice says what these are.

    /// <summary>a b modulo 2⁶⁴.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Product(ulong a, ulong b) => a * b;

    /// <summary>a + b modulo 2⁶⁴.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Sum(ulong a, ulong b) => a + b;

    /// <summary>a + b modulo 2³².</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Sum(uint a, uint b) => a + b;

    private void Draw()
    {
        (_x0, _x1, _x2, _x3) = Block((_block, _item, _stream0, _stream1), (_key0, _key1));
        _block++;
    }
}
