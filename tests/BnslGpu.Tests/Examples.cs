using BnslGpu.Kernels;

namespace BnslGpu.Tests;

/// <summary>Curves that several tests fit.</summary>
internal static class Examples
{
    /// <summary>4-digit addition, the BNSL paper's own example: 14 points to fit, 3 held out. The data of its released script.</summary>
    public static Curve FourDigitAddition { get; } = new(
        "4-digit addition",
        new(
            [160, 192, 256, 320, 384, 448, 480, 512, 544, 576, 608, 640, 672, 736],
            [2.13809046, 2.11813418, 2.08955508, 2.06988398, 2.05404987, 2.03837089, 2.02814281, 2.00496872, 1.95576149, 1.86313841, 1.70891537, 1.50637664, 1.29754721, 0.96559684]),
        new([800, 864, 928], [0.75856477, 0.64768338, 0.55695445]));

    /// <summary>[a, b, log b, c0, c, d, f] of its least-squares fit on log(1 + y), as an independent C++ multi-start fitter found it.</summary>
    public static double[] FourDigitAdditionNatural => [.413885, 2.277272, Math.Log(2.277272), .0550774, 5.662906, 612.5836, .0591930];

    /// <summary>x evenly spaced in its logarithm.</summary>
    public static double[] Even(int count, double first, double last) =>
        [.. Enumerable.Range(0, count).Select(i => first * Math.Pow(last / first, i / (count - 1.0)))];

    /// <summary>A normal number, by Box and Muller 1958.</summary>
    public static double Normal(ref CounterRandom random) => Math.Sqrt(-2 * Math.Log(random.Uniform())) * Math.Cos(2 * Math.PI * random.Uniform());

    /// <summary>Natural parameters in the solver's coordinates of a problem.</summary>
    public static double[] Solver(Problem problem, double[] natural) =>
        problem.Law.Close<Coordinates, double[]>(problem.Loss, new(problem, natural));

    private readonly struct Coordinates(Problem problem, double[] natural) : IModelVisitor<double[]>
    {
        public double[] Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            var θ = new double[TLaw.ParameterCount];
            TLaw.FromNatural(natural, problem.Scale, θ);
            return θ;
        }
    }
}
