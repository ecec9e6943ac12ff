using System.Reflection;
using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Laws of one's own: a formula over a kind of number, its gradient by dual numbers.</summary>
public sealed class PlainLawTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ScalingLaw<Plain<TLaw>> Plain<TLaw>()
        where TLaw : struct, IPlainLaw => new();

    [Theory]
    [InlineData("msle")]
    [InlineData("mse")]
    [InlineData("huber")]
    public void Plain_law_has_the_minimum_of_the_law_with_an_analytic_gradient(string loss)
    {
        Points points = Noisy();
        Solved own = new(new(points, Plain<PlainOffsetPowerLaw>(), Loss.Get(loss), 0.01), cancellation: Token);
        Solved builtIn = new(new(points, ScalingLaw.Get("m2", 0), Loss.Get(loss), 0.01), cancellation: Token);

        // Residuals of mse are relative to the unit in which a law sees y.
        double unit = Loss.Get(loss).Unit(builtIn.Problem.LogScale);
        Assert.Equal(builtIn.Objective * unit * unit, own.Objective, 1e-10 * builtIn.Objective);
        foreach (string parameter in (string[])["a", "b", "c"]) Assert.Equal(builtIn[parameter], own[parameter], 1e-5 * Math.Abs(builtIn[parameter]));
    }

    [Fact]
    public void Plain_law_has_the_same_bits_on_every_width_number_of_threads_and_chunk_and_in_any_order_of_rows()
    {
        Points points = Noisy();
        Points reversed = new([.. points.X.ToArray().Reverse()], [.. points.Y.ToArray().Reverse()]);
        Candidates expected = Search(points, LaneWidth.Scalar, 1, 0);
        foreach (LaneWidth width in SimdBackend.Widths)
        {
            foreach ((int threads, int chunk) in ((int, int)[])[(1, 0), (2, 5)])
            {
                Candidates found = Search(reversed, width, threads, chunk);
                Assert.Equal(expected.StartLosses.Select(BitConverter.DoubleToInt64Bits), found.StartLosses.Select(BitConverter.DoubleToInt64Bits));
                Assert.Equal(expected.Parameters.Select(BitConverter.DoubleToInt64Bits), found.Parameters.Select(BitConverter.DoubleToInt64Bits));
            }
        }

        static Candidates Search(Points points, LaneWidth width, int threads, int chunk)
        {
            ParameterRules rules = new() { Priors = [new("b", -0.3, 0.1, 3)], Ranges = [new("c", 0.05, 1)] };
            Problem problem = new(points, Plain<PlainOffsetPowerLaw>(), Loss.Get("msle"), rules: rules);
            return new SimdBackend(width).Search(new([problem]), new(19, 3, 4, SearchPrecision.Mixed, 60, threads, chunk), stop: Token)[0];
        }
    }

    [Fact]
    public void Search_finds_the_minimum_whatever_the_units_of_a_law_are()
    {
        Assert.All((int[])[Hits<Small>(), Hits<Large>()], hits => Assert.InRange(hits, 8, 64));

        static int Hits<TSize>()
            where TSize : struct, ISize
        {
            var random = new CounterRandom(9, 0, 0);
            double[] x = [.. Enumerable.Range(0, 14).Select(i => i * TSize.Value)];
            double[] y = [.. x.Select(value => TSize.Value * Math.Exp(-value / (4 * TSize.Value)) * (1 + (0.01 * Examples.Normal(ref random))))];
            Problem problem = new(new(x, y), Plain<Decay<TSize>>(), Loss.Get("mse"));
            Candidates found = new SimdBackend().Search(new([problem]), new(64, 1, 1, SearchPrecision.Double, 200, 1), stop: Token)[0];
            Minimum minimum = Refiner.Refine(problem, [TSize.Value, 4 * TSize.Value], 400, Token);
            return found.StartLosses.Count(loss => loss <= minimum.Loss * (1 + 1e-6));
        }
    }

    [Fact]
    public void Law_that_gives_log_y_is_predicted_far_out_of_where_exponents_are_cut()
    {
        ScalingLaw law = Plain<LogLine>();
        foreach (double x in (double[])[-650, -120, 0, 5, 150, 300, 650])
            Assert.Equal(Math.Exp(0.5 + x), law.Predict(law.Pack([0.5, 1]), x), 1e-13 * Math.Exp(0.5 + x));
    }

    [Fact]
    public void Names_that_are_taken_and_parameters_that_do_not_fit_are_refused()
    {
        Assert.Equal("There is another law 'm2' with 0 breaks. Give one of them another name.", Refused(() => ScalingLaw.AddPlain<TakenName>()));
        Assert.StartsWith("two-names has 2 parameters and names 1.", Refused(() => ScalingLaw.AddPlain<TwoNames>()), StringComparison.Ordinal);
        Assert.StartsWith("not-above, parameter a: starts from 0 to 1", Refused(() => ScalingLaw.AddPlain<NotAbove>()), StringComparison.Ordinal);
        Assert.Equal("There is another law 'm2' with 0 breaks. Give one of them another name.", Refused(() => ScalingLaw.AddAll(typeof(TakenName).Assembly)));

        static string Refused(Action add) => Assert.Throws<ArgumentException>(add).Message;
    }

    [Fact]
    public void Adding_what_is_known_changes_nothing()
    {
        int count = ScalingLaw.All.Length;
        Assert.Same(ScalingLaw.Get("m1", 0), ScalingLaw.Add<PowerLaw>());
        Assert.Contains(ScalingLaw.Get("m3", 0), ScalingLaw.AddAll(typeof(PowerLaw).Assembly));
        Assert.Empty(ScalingLaw.AddAll(Assembly.GetAssembly(typeof(Fitter))!));
        Assert.Equal(count, ScalingLaw.All.Length);
    }

    private static Points Noisy()
    {
        var random = new CounterRandom(71, 0, 0);
        double[] x = Examples.Even(24, 2, 3000), y = [.. x.Select(value => (0.2 + (4 * Math.Pow(value, -0.4))) * Math.Exp(0.02 * Examples.Normal(ref random)))];
        return new(x, y);
    }

    private interface ISize
    {
        static abstract double Value { get; }
    }

    private readonly struct Small : ISize
    {
        public static double Value => 1e-20;
    }

    private readonly struct Large : ISize
    {
        public static double Value => 1e20;
    }

    private readonly struct Decay<TSize> : IPlainLaw
        where TSize : struct, ISize
    {
        public static string Name => "decay";

        public static string Formula => "y = b exp(-x/tau)";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => [new("b", 0, 3 * TSize.Value), new("tau", TSize.Value, 20 * TSize.Value)];

        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> => θ[0] * Functions.ExpClamped<T, TMask>(-x[point] / θ[1]);
    }

    private readonly struct TwoNames : IPlainLaw
    {
        public static string Name => "two-names";

        public static string Formula => "";

        public static int ParameterCount => 2;

        public static PlainParameter[] Parameters => [new("a", 0, 1)];

        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> => θ[0];
    }

    private readonly struct NotAbove : IPlainLaw
    {
        public static string Name => "not-above";

        public static string Formula => "";

        public static int ParameterCount => 1;

        public static PlainParameter[] Parameters => [new("a", 0, 1)];

        public static bool IsLogarithmic(int parameter) => true;

        public static T Value<T, TMask, TPoints, TArray>(TPoints x, int point, TArray θ)
            where T : struct, IReal<T, TMask>
            where TMask : struct
            where TPoints : struct, IArray<T>
            where TArray : struct, IArray<T> => θ[0];
    }
}
