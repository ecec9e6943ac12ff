using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using BnslGpu.Kernels;

namespace BnslGpu.Benchmarks;

/// <summary>The functional forms of NIST's 27 nonlinear problems (Statistical Reference Datasets), as a user would write them.</summary>
/// <remarks>b1, b2, … are θ[0], θ[1], …; problems that share a form share a struct. A search from random starts would draw each from 0 to 1; nobody does.</remarks>
internal static class NistLaws
{
    /// <summary>The form of each problem.</summary>
    public static ImmutableSortedDictionary<string, ScalingLaw> OfProblem { get; } = new Dictionary<string, ScalingLaw>
    {
        ["Bennett5"] = Of<Bennett5>(),
        ["BoxBOD"] = Of<Misra1a>(),
        ["Chwirut1"] = Of<Chwirut>(),
        ["Chwirut2"] = Of<Chwirut>(),
        ["DanWood"] = Of<DanWood>(),
        ["ENSO"] = Of<Enso>(),
        ["Eckerle4"] = Of<Eckerle4>(),
        ["Gauss1"] = Of<Gauss>(),
        ["Gauss2"] = Of<Gauss>(),
        ["Gauss3"] = Of<Gauss>(),
        ["Hahn1"] = Of<Cubics>(),
        ["Kirby2"] = Of<Kirby2>(),
        ["Lanczos1"] = Of<Lanczos>(),
        ["Lanczos2"] = Of<Lanczos>(),
        ["Lanczos3"] = Of<Lanczos>(),
        ["MGH09"] = Of<Mgh09>(),
        ["MGH10"] = Of<Mgh10>(),
        ["MGH17"] = Of<Mgh17>(),
        ["Misra1a"] = Of<Misra1a>(),
        ["Misra1b"] = Of<Misra1b>(),
        ["Misra1c"] = Of<Misra1c>(),
        ["Misra1d"] = Of<Misra1d>(),
        ["Nelson"] = Of<Nelson>(),
        ["Rat42"] = Of<Rat42>(),
        ["Rat43"] = Of<Rat43>(),
        ["Roszman1"] = Of<Roszman1>(),
        ["Thurber"] = Of<Cubics>(),
    }.ToImmutableSortedDictionary(StringComparer.Ordinal);

    /// <summary>Refines one start of a problem: no search, no other start.</summary>
    public static Fit Fit(string problem, Points points, double[] start)
    {
        ScalingLaw law = OfProblem[problem];
        var stated = new Problem(points, law, LossOf(law));
        return FitSummary.Of(new(problem, points), new(stated, [.. start], [double.NaN], []), 0, CancellationToken.None);
    }

    /// <summary>Squares of y, or of log y where that is what the form gives.</summary>
    public static Loss LossOf(ScalingLaw law) => Loss.Get(law.IsPositive ? "msle" : "mse");

    private static ScalingLaw<Plain<TLaw>> Of<TLaw>()
        where TLaw : struct, IPlainLaw => new();

    /// <summary>b1 to bp, anywhere.</summary>
    private static PlainParameter[] B(int count) => [.. Enumerable.Range(1, count).Select(j => new PlainParameter($"b{j}", 0, 1))];

    private readonly struct Misra1a : IPlainLaw
    {
        public static string Name => "misra1a";

        public static string Formula => "y = b1 (1 - exp(-b2 x))";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => B(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * (T.Constant(1) - Functions.ExpClamped<T, TMask>(-(θ[1] * x[point])));
    }

    private readonly struct Misra1b : IPlainLaw
    {
        public static string Name => "misra1b";

        public static string Formula => "y = b1 (1 - (1 + b2 x/2)^-2)";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => B(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T root = T.MultiplyAdd(θ[1] * T.Constant(0.5), x[point], 1);
            return θ[0] * (T.Constant(1) - (T.Constant(1) / (root * root)));
        }
    }

    private readonly struct Misra1c : IPlainLaw
    {
        public static string Name => "misra1c";

        public static string Formula => "y = b1 (1 - (1 + 2 b2 x)^-.5)";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => B(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * (T.Constant(1) - (T.Constant(1) / T.Sqrt(T.MultiplyAdd(θ[1] * T.Constant(2), x[point], 1))));
    }

    private readonly struct Misra1d : IPlainLaw
    {
        public static string Name => "misra1d";

        public static string Formula => "y = b1 b2 x/(1 + b2 x)";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => B(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = θ[1] * x[point];
            return θ[0] * z / (T.Constant(1) + z);
        }
    }

    private readonly struct Chwirut : IPlainLaw
    {
        public static string Name => "chwirut";

        public static string Formula => "y = exp(-b1 x)/(b2 + b3 x)";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            Functions.ExpClamped<T, TMask>(-(θ[0] * x[point])) / T.MultiplyAdd(θ[2], x[point], θ[1]);
    }

    private readonly struct DanWood : IPlainLaw
    {
        public static string Name => "danwood";

        public static string Formula => "y = b1 x^b2";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => B(2);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * Functions.Pow<T, TMask>(x[point], θ[1]);
    }

    private readonly struct Bennett5 : IPlainLaw
    {
        public static string Name => "bennett5";

        public static string Formula => "y = b1 (b2 + x)^(-1/b3)";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * Functions.Pow<T, TMask>(θ[1] + x[point], T.Constant(-1) / θ[2]);
    }

    private readonly struct Eckerle4 : IPlainLaw
    {
        public static string Name => "eckerle4";

        public static string Formula => "y = b1/b2 exp(-((x - b3)/b2)²/2)";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = (x[point] - θ[2]) / θ[1];
            return θ[0] / θ[1] * Functions.ExpClamped<T, TMask>(T.Constant(-0.5) * z * z);
        }
    }

    private readonly struct Enso : IPlainLaw
    {
        public static string Name => "enso";

        public static string Formula => "y = b1 + b2 cos(2πx/12) + b3 sin(2πx/12) + b5 cos(2πx/b4) + b6 sin(2πx/b4) + b8 cos(2πx/b7) + b9 sin(2πx/b7)";

        public static int ParameterCount => 9;

        public static PlainParameter[] Parameters => B(9);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T angle = T.Constant(2 * Math.PI) * x[point];
            T sin12 = T.Sin(angle / T.Constant(12), out T cos12), sin4 = T.Sin(angle / θ[3], out T cos4), sin7 = T.Sin(angle / θ[6], out T cos7);
            return θ[0] + (θ[1] * cos12) + (θ[2] * sin12) + (θ[4] * cos4) + (θ[5] * sin4) + (θ[7] * cos7) + (θ[8] * sin7);
        }
    }

    private readonly struct Gauss : IPlainLaw
    {
        public static string Name => "gauss";

        public static string Formula => "y = b1 exp(-b2 x) + b3 exp(-(x - b4)²/b5²) + b6 exp(-(x - b7)²/b8²)";

        public static int ParameterCount => 8;

        public static PlainParameter[] Parameters => B(8);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = (x[point] - θ[3]) / θ[4], w = (x[point] - θ[6]) / θ[7];
            return (θ[0] * Functions.ExpClamped<T, TMask>(-(θ[1] * x[point]))) + (θ[2] * Functions.ExpClamped<T, TMask>(-(z * z)))
                + (θ[5] * Functions.ExpClamped<T, TMask>(-(w * w)));
        }
    }

    private readonly struct Cubics : IPlainLaw
    {
        public static string Name => "cubics";

        public static string Formula => "y = (b1 + b2 x + b3 x² + b4 x³)/(1 + b5 x + b6 x² + b7 x³)";

        public static int ParameterCount => 7;

        public static PlainParameter[] Parameters => B(7);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = x[point];
            T above = T.MultiplyAdd(z, T.MultiplyAdd(z, T.MultiplyAdd(z, θ[3], θ[2]), θ[1]), θ[0]);
            return above / T.MultiplyAdd(z, T.MultiplyAdd(z, T.MultiplyAdd(z, θ[6], θ[5]), θ[4]), 1);
        }
    }

    private readonly struct Kirby2 : IPlainLaw
    {
        public static string Name => "kirby2";

        public static string Formula => "y = (b1 + b2 x + b3 x²)/(1 + b4 x + b5 x²)";

        public static int ParameterCount => 5;

        public static PlainParameter[] Parameters => B(5);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = x[point];
            return T.MultiplyAdd(z, T.MultiplyAdd(z, θ[2], θ[1]), θ[0]) / T.MultiplyAdd(z, T.MultiplyAdd(z, θ[4], θ[3]), 1);
        }
    }

    private readonly struct Lanczos : IPlainLaw
    {
        public static string Name => "lanczos";

        public static string Formula => "y = b1 exp(-b2 x) + b3 exp(-b4 x) + b5 exp(-b6 x)";

        public static int ParameterCount => 6;

        public static PlainParameter[] Parameters => B(6);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = -x[point];
            return (θ[0] * Functions.ExpClamped<T, TMask>(θ[1] * z)) + (θ[2] * Functions.ExpClamped<T, TMask>(θ[3] * z)) + (θ[4] * Functions.ExpClamped<T, TMask>(θ[5] * z));
        }
    }

    private readonly struct Mgh09 : IPlainLaw
    {
        public static string Name => "mgh09";

        public static string Formula => "y = b1 (x² + b2 x)/(x² + b3 x + b4)";

        public static int ParameterCount => 4;

        public static PlainParameter[] Parameters => B(4);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = x[point];
            return θ[0] * z * (z + θ[1]) / T.MultiplyAdd(z, z + θ[2], θ[3]);
        }
    }

    private readonly struct Mgh10 : IPlainLaw
    {
        public static string Name => "mgh10";

        public static string Formula => "y = b1 exp(b2/(x + b3))";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * Functions.ExpClamped<T, TMask>(θ[1] / (x[point] + θ[2]));
    }

    private readonly struct Mgh17 : IPlainLaw
    {
        public static string Name => "mgh17";

        public static string Formula => "y = b1 + b2 exp(-b4 x) + b3 exp(-b5 x)";

        public static int ParameterCount => 5;

        public static PlainParameter[] Parameters => B(5);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T>
        {
            T z = -x[point];
            return θ[0] + (θ[1] * Functions.ExpClamped<T, TMask>(θ[3] * z)) + (θ[2] * Functions.ExpClamped<T, TMask>(θ[4] * z));
        }
    }

    private readonly struct Nelson : IPlainLaw
    {
        public static string Name => "nelson";

        public static string Formula => "log y = b1 - b2 x1 exp(-b3 x2)";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        public static int InputCount => 2;

        public static bool IsLog => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] - (θ[1] * x[point] * Functions.ExpClamped<T, TMask>(-(θ[2] * x[point, 1])));
    }

    private readonly struct Rat42 : IPlainLaw
    {
        public static string Name => "rat42";

        public static string Formula => "y = b1/(1 + exp(b2 - b3 x))";

        public static int ParameterCount => 3;

        public static PlainParameter[] Parameters => B(3);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * Functions.Sigmoid<T, TMask>((θ[2] * x[point]) - θ[1]);
    }

    private readonly struct Rat43 : IPlainLaw
    {
        public static string Name => "rat43";

        public static string Formula => "y = b1/(1 + exp(b2 - b3 x))^(1/b4)";

        public static int ParameterCount => 4;

        public static PlainParameter[] Parameters => B(4);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] * Functions.ExpClamped<T, TMask>(-(Functions.Softplus<T, TMask>(θ[1] - (θ[2] * x[point]), out _, out _) / θ[3]));
    }

    private readonly struct Roszman1 : IPlainLaw
    {
        public static string Name => "roszman1";

        public static string Formula => "y = b1 - b2 x - atan(b3/(x - b4))/π";

        public static int ParameterCount => 4;

        public static PlainParameter[] Parameters => B(4);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> =>
            θ[0] - (θ[1] * x[point]) - (T.Atan(θ[2] / (x[point] - θ[3])) * T.Constant(1 / Math.PI));
    }
}
