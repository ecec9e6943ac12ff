namespace BnslGpu.Tests;

/// <summary>A number as the unevaluated sum of two doubles, about 104 bits: what the engine's functions are measured against.</summary>
/// <remarks>Dekker 1971; Hida, Li and Bailey 2001. <c>FunctionsTests</c> checks exp and log against each other and against published digits.</remarks>
internal readonly record struct DoubleDouble(double High, double Low)
{
    private const int Terms = 40;

    private static readonly DoubleDouble[] InverseFactorials = MakeInverseFactorials();
    private static readonly DoubleDouble[] InverseOdds = [.. Enumerable.Range(0, Terms).Select(k => (DoubleDouble)1 / ((2 * k) + 1))];

    /// <summary>log 2 to 107 bits.</summary>
    public static DoubleDouble Log2 => new(0.6931471805599453, 2.3190468138462996e-17);

    public static implicit operator DoubleDouble(double value) => new(value, 0);

    public static DoubleDouble operator +(DoubleDouble a, DoubleDouble b)
    {
        DoubleDouble high = Sum(a.High, b.High), low = Sum(a.Low, b.Low);
        high = QuickSum(high.High, high.Low + low.High);
        return QuickSum(high.High, high.Low + low.Low);
    }

    public static DoubleDouble operator -(DoubleDouble a) => new(-a.High, -a.Low);

    public static DoubleDouble operator -(DoubleDouble a, DoubleDouble b) => a + -b;

    public static DoubleDouble operator *(DoubleDouble a, DoubleDouble b)
    {
        double product = a.High * b.High;
        return QuickSum(product, Math.FusedMultiplyAdd(a.High, b.High, -product) + ((a.High * b.Low) + (a.Low * b.High)));
    }

    public static DoubleDouble operator /(DoubleDouble a, DoubleDouble b)
    {
        double first = a.High / b.High;
        DoubleDouble rest = a - (b * first);
        double second = rest.High / b.High;
        rest -= b * second;
        return QuickSum(first, second) + (rest.High / b.High);
    }

    /// <summary>eˣ = 2ⁿ Σ rᵏ/k!, r = x − n log 2.</summary>
    public static DoubleDouble Exp(DoubleDouble x)
    {
        double n = Math.Round(x.High / Log2.High);
        DoubleDouble r = x - (Log2 * n), sum = 0;
        for (int k = 30; k >= 0; k--) sum = (sum * r) + InverseFactorials[k];
        return new(Math.ScaleB(sum.High, (int)n), Math.ScaleB(sum.Low, (int)n));
    }

    /// <summary>log x = k log 2 + 2 atanh((m − 1)/(m + 1)), x = m 2ᵏ, m in [√½, √2).</summary>
    public static DoubleDouble Log(double x)
    {
        int k = Math.ILogB(x);
        double m = Math.ScaleB(x, -k);
        if (m > 1.4142135623730951) (m, k) = (m / 2, k + 1);
        return (Log2 * k) + TwiceAtanh((m - (DoubleDouble)1) / (m + (DoubleDouble)1));
    }

    /// <summary>log(1 + x), x in [0, 1], without loss for tiny x.</summary>
    public static DoubleDouble LogOnePlus(DoubleDouble x) => TwiceAtanh(x / (x + 2));

    /// <summary>sin x and cos x: Σ (−1)ᵏ r^(2k+1)/(2k + 1)! and Σ (−1)ᵏ r^2k/(2k)!, r = x − n π/2 with π/2 in three doubles, for |x| up to 1e9.</summary>
    public static DoubleDouble Sin(double x, out DoubleDouble cosine)
    {
        double n = Math.Round(x / (Math.PI / 2));
        DoubleDouble r = x - ((DoubleDouble)1.5707963267948966 * n), w, sin = 0, cos = 0;
        r -= (DoubleDouble)6.123233995736766e-17 * n;
        r -= -1.4973849048591698e-33 * n;
        w = r * r;
        for (int k = 14; k >= 0; k--)
        {
            sin = InverseFactorials[(2 * k) + 1] - (sin * w);
            cos = InverseFactorials[2 * k] - (cos * w);
        }

        sin *= r;
        int quarter = (int)(((long)n % 4 + 4) % 4);
        cosine = quarter switch { 0 => cos, 1 => -sin, 2 => -cos, _ => sin };
        return quarter switch { 0 => sin, 1 => cos, 2 => -sin, _ => -cos };
    }

    /// <summary>atan x = a + atan((x cos a − sin a)/(cos a + x sin a)), a in double, so that the second is its argument.</summary>
    public static DoubleDouble Atan(double x)
    {
        double a = Math.Atan(x);
        DoubleDouble sin = Sin(a, out DoubleDouble cos);
        return a + (((cos * x) - sin) / (cos + (sin * x)));
    }

    /// <summary>|value − this| in units in the last place of this, or of a floor where this is smaller.</summary>
    /// <param name="value">What was computed.</param>
    /// <param name="fraction">Bits of the fraction: 52 for double, 23 for float.</param>
    /// <param name="floor">Numbers below this have its last place.</param>
    public double Ulps(double value, int fraction, double floor = 0) =>
        Math.Abs((value - High) - Low) / Math.ScaleB(1, Math.ILogB(Math.Max(Math.Abs(High), floor)) - fraction);

    /// <summary>|value − this|/|this| in units of ε.</summary>
    public double Epsilons(double value, double ε) => Math.Abs((value - High) - Low) / (Math.Abs(High) * ε);

    /// <summary>2 Σ s^(2k+1)/(2k + 1), |s| ≤ 1/3.</summary>
    private static DoubleDouble TwiceAtanh(DoubleDouble s)
    {
        DoubleDouble w = s * s, sum = 0;
        for (int k = Terms - 1; k >= 0; k--) sum = (sum * w) + InverseOdds[k];
        return s * sum * 2;
    }

    private static DoubleDouble[] MakeInverseFactorials()
    {
        var inverse = new DoubleDouble[Terms];
        inverse[0] = 1;
        for (int k = 1; k < Terms; k++) inverse[k] = inverse[k - 1] / k;
        return inverse;
    }

    private static DoubleDouble Sum(double a, double b)
    {
        double sum = a + b, shadow = sum - a;
        return new(sum, (a - (sum - shadow)) + (b - shadow));
    }

    private static DoubleDouble QuickSum(double a, double b)
    {
        double sum = a + b;
        return new(sum, b - (sum - a));
    }
}
