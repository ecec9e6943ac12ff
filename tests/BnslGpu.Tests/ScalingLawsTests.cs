using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Every law in the list under every loss: gradients, values, coordinates; and what is true of BNSL in particular.</summary>
public sealed class ScalingLawsTests(ITestOutputHelper output)
{
    private const int Draws = 3000;

    public static TheoryData<string, int> EveryLaw
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (ScalingLaw law in ScalingLaw.All) data.Add(law.Name, law.Breaks);
            return data;
        }
    }

    public static TheoryData<string, int, string> EveryLawAndLoss
    {
        get
        {
            var data = new TheoryData<string, int, string>();
            foreach (ScalingLaw law in ScalingLaw.All)
                foreach (Loss loss in Loss.All) data.Add(law.Name, law.Breaks, loss.Name);
            return data;
        }
    }

    // Gradients

    [Theory]
    [MemberData(nameof(EveryLawAndLoss))]
    public void Gradient_agrees_with_the_dual_number_derivative(string law, int breaks, string loss) =>
        Show(Run(law, breaks, loss, new GradientAgainstDual()));

    [Theory]
    [MemberData(nameof(EveryLawAndLoss))]
    public void Residual_and_gradient_in_float_agree_with_double(string law, int breaks, string loss) =>
        Show(Run(law, breaks, loss, new FloatAgainstDouble()));

    private void Show((double Share, int Draws) seen) => output.WriteLine($"largest error {seen.Share:g3} of its bound, {seen.Draws} draws");

    private static TResult Run<TVisitor, TResult>(string law, int breaks, string loss, TVisitor visitor)
        where TVisitor : IModelVisitor<TResult> => ScalingLaw.Get(law, breaks).Close<TVisitor, TResult>(Loss.Get(loss), ref visitor);

    private static (double Share, int Draws) Run<TVisitor>(string law, int breaks, string loss, TVisitor visitor)
        where TVisitor : IModelVisitor<(double Share, int Draws)> => Run<TVisitor, (double Share, int Draws)>(law, breaks, loss, visitor);

    /// <summary>Row's gradient against Row over dual numbers; each may be wrong by its own running error, and by what the exponent's limit cuts off.</summary>
    private readonly struct GradientAgainstDual : IModelVisitor<(double Share, int Draws)>
    {
        public (double Share, int Draws) Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            // Below the limit a dual number sees a constant, e^−170, and the gradient its exponential, times |z| c f and what share of y it has, times y where the loss is of y.
            double cut = Math.Exp(-F64.ExponentLimit) * 1e10, largest = 0;
            int kept = 0;
            var random = new CounterRandom(11, (ulong)TLaw.Breaks, 0);
            var gradient = new F64[TLaw.ParameterCount];
            var bound = new RunningError<F64>[TLaw.ParameterCount];
            for (int draw = 0; draw < Draws; draw++)
            {
                Place place = Place.Draw<TLaw>(ref random, TLaw.Breaks, single: false);
                double r = Row<F64, TLaw, TLoss>(place, x => new(x), new Heap<F64>(gradient)).Value;
                Row<RunningError<F64>, TLaw, TLoss>(place, x => new(x, 0), new Heap<RunningError<F64>>(bound));
                if (!(Size<TLaw, TLoss>(place) < F64.ExponentLimit - 10)) continue; // cut (m4 multiplies what is cut by e₀ ≤ e^8.3): the gradient is that of the uncut one
                kept++;
                for (int j = 0; j < TLaw.ParameterCount; j++)
                {
                    int direction = j, at = 0;
                    Dual<F64, bool> dual = Row<Dual<F64, bool>, TLaw, TLoss>(place, x => new(new(x), new(at++ == direction ? 1 : 0)), default(Nowhere<Dual<F64, bool>>));
                    at = 0;
                    Dual<RunningError<F64>, bool> dualBound = Row<Dual<RunningError<F64>, bool>, TLaw, TLoss>(
                        place, x => new(new(x, 0), new(at++ == direction ? 1 : 0, 0)), default(Nowhere<Dual<RunningError<F64>, bool>>));
                    Assert.Equal(r, dual.Value.Value);
                    double difference = Math.Abs(gradient[j].Value - dual.Derivative.Value);
                    double tolerance = (F64.Epsilon * (bound[j].Error + dualBound.Derivative.Error)) + (cut * Math.Max(1, Math.Exp(Size<TLaw, TLoss>(place))));
                    if (!(difference <= tolerance))
                        Assert.Fail($"Draw {draw}, {place}: ∂r/∂θ[{j}] is {gradient[j].Value:R}; by dual numbers {dual.Derivative.Value:R}; tolerance {tolerance:g3}.");
                    largest = Math.Max(largest, difference / tolerance);
                }
            }

            Assert.True(kept > Draws / (TLaw.IsLog ? 3 : 12), $"Only {kept} of {Draws} draws lie within the exponent's limit.");
            return (largest, kept);
        }
    }

    /// <summary>Row in float against the same formula, at the same float parameters and with float's exponent limit, in double.</summary>
    private readonly struct FloatAgainstDouble : IModelVisitor<(double Share, int Draws)>
    {
        public (double Share, int Draws) Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            // e^−30 times e^−30 and small factors is all that can come near the end of float's normal numbers.
            const double underflow = 1e-35;
            double largest = 0;
            int kept = 0;
            var random = new CounterRandom(12, (ulong)TLaw.Breaks, 0);
            var gradient = new F32[TLaw.ParameterCount];
            var exact = new RunningError<F32>[TLaw.ParameterCount];
            for (int draw = 0; draw < Draws; draw++)
            {
                Place place = Place.Draw<TLaw>(ref random, TLaw.Breaks, single: true);
                if (!(Size<TLaw, TLoss>(place) < F32.ExponentLimit - 1)) continue;
                kept++;
                F32 r = Row<F32, TLaw, TLoss>(place, x => new((float)x), new Heap<F32>(gradient));
                RunningError<F32> exactR = Row<RunningError<F32>, TLaw, TLoss>(place, x => new(x, 0), new Heap<RunningError<F32>>(exact));
                Check("r", r.Value, exactR);
                for (int j = 0; j < TLaw.ParameterCount; j++) Check($"∂r/∂θ[{j}]", gradient[j].Value, exact[j]);

                void Check(string what, double single, RunningError<F32> wide)
                {
                    double difference = Math.Abs(single - wide.Value), tolerance = (F32.Epsilon * wide.Error) + underflow;
                    if (!(difference <= tolerance)) Assert.Fail($"Draw {draw}, {place}: {what} is {single:R} in float, {wide.Value:R} in double; tolerance {tolerance:g3}.");
                    largest = Math.Max(largest, difference / tolerance);
                }
            }

            Assert.True(kept > Draws / (TLaw.IsLog ? 10 : 40), $"Only {kept} of {Draws} draws lie within the exponent's limit.");
            return (largest, kept);
        }
    }

    /// <summary>Parameters, one point and its target.</summary>
    private sealed record Place(double[] Parameters, double[] Columns, double Target, double LogScale)
    {
        /// <summary>Anywhere in the box, its corners and beyond the data's edges among it.</summary>
        public static Place Draw<TLaw>(ref CounterRandom random, int breaks, bool single)
            where TLaw : struct, IScalingLaw
        {
            double first = -Math.Exp(random.Uniform(0, 3)), logScale = random.Uniform(-8, 3);
            var x = new double[TLaw.InputCount];
            for (int input = 0; input < x.Length; input++)
                x[input] = random.Uniform() < 0.2 ? 1 : Math.Exp(random.Uniform() < 0.1 ? random.Uniform(first, 3) : random.Uniform(first, 0));
            var θ = new double[TLaw.ParameterCount];
            for (int j = 0; j < θ.Length; j++)
            {
                (double lower, double upper) = TLaw.Bounds(j, new(first, 1, 4));
                double span = random.Uniform(), corner = random.Uniform();

                // Without a bound, a few e-folds; between bounds, mostly near the middle (where sums of breaks stay within the exponent's limit).
                if (!double.IsFinite(lower) || !double.IsFinite(upper)) θ[j] = random.Uniform(-5, 5);
                else if (corner < 0.08) θ[j] = lower;
                else if (corner < 0.16) θ[j] = upper;
                else if (corner < 0.6) θ[j] = lower + ((upper - lower) * span);
                else θ[j] = (0.5 * (lower + upper)) + (0.05 * (upper - lower) * (span - 0.5));
                if (corner is > 0.95 && lower < 0 && upper <= 0) θ[j] = random.Uniform() < 0.5 ? lower - random.Uniform(0, 3) : upper + random.Uniform(0, 3);
                if (single) θ[j] = (float)θ[j];
            }

            double[] columns = [.. Enumerable.Range(0, TLaw.ColumnCount).Select(column => TLaw.Column(column, x, Unit(x.Length)))];
            double target = random.Uniform(-3, 3);
            return single
                ? new(θ, [.. columns.Select(column => (double)(float)column)], (float)target, (float)logScale)
                : new(θ, columns, target, logScale);
        }

        public override string ToString() =>
            $"θ = [{string.Join(", ", Parameters.Select(value => value.ToString("R")))}], columns {string.Join(", ", Columns)}, target {Target:R}, log scale {LogScale:R}";
    }

    /// <summary>One row of the Jacobian over any number.</summary>
    private static T Row<T, TLaw, TLoss>(Place place, Func<double, T> parameter, IArray<T> gradient)
        where T : struct, IReal<T, bool>
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        var θ = new Heap<T>([.. place.Parameters.Select(parameter)]);
        var work = new Heap<T>(new T[TLaw.WorkCount]);
        var points = new Heap<T>([.. place.Columns.Select(Fixed), Fixed(place.Target), T.Constant(1)]);
        var units = new Heap<T>([Fixed(place.LogScale), Fixed(0.5)]);
        TLaw.Prepare<T, bool, Heap<T>>(θ, work);
        return gradient is Heap<T> heap
            ? LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, 0, units, θ, work, heap, 0, out _)
            : LevenbergMarquardt<T, bool, TLaw, TLoss>.Row(points, 0, units, θ, work, default(Nowhere<T>), 0, out _);

        static T Fixed(double value) => T.Constant(value);
    }

    /// <summary>The law's value, log y or y.</summary>
    private static double Value<TLaw>(Place place)
        where TLaw : struct, IScalingLaw => TLaw.IsLog
            ? Row<F64, TLaw, Msle>(place with { Target = 0 }, x => new(x), default(Nowhere<F64>)).Value
            : Row<F64, TLaw, SquaredError>(place with { Target = 0 }, x => new(x), default(Nowhere<F64>)).Value;

    /// <summary>How many e-folds a draw reaches, against the exponent's limit; NaN where a loss of log y meets a y without one.</summary>
    private static double Size<TLaw, TLoss>(Place place)
        where TLaw : struct, IScalingLaw
        where TLoss : struct, ILoss
    {
        double value = Value<TLaw>(place), logY = TLaw.IsLog ? value : Math.Log(TLoss.IsOfLog ? value : Math.Abs(value));

        // Where y is a difference, what it is a difference of may be larger.
        double limit = TLaw.IsLog ? 0 : Math.Log(Math.Max(1, Math.Abs(place.Parameters[0])));
        if (!TLaw.IsLog && TLoss.IsOfLog && logY < -3) return double.NaN;
        return Math.Abs(logY) + Math.Abs(place.LogScale) + limit;
    }

    private static CurveScale Unit(int inputs, double x = 1, double y = 1) => new([.. Enumerable.Repeat(x, inputs)], y);

    // Values

    /// <summary>The published formulas, as plainly as they can be written; a law that is added to the list is added here.</summary>
    private static double Plain(string law, int breaks, double[] natural, double[] inputs)
    {
        double x = inputs[0];
        switch (law)
        {
            case "m1":
                return natural[0] * Math.Pow(x, natural[2]);
            case "m2":
                return (natural[0] * Math.Pow(x, natural[2])) + natural[3];
            case "m3":
                return natural[0] * Math.Pow((1 / x) + natural[2], natural[3]);
            case "m3-printed":
                return (natural[0] * Math.Pow(x + natural[4], natural[2])) + natural[3];
            case "m4":
                double low = natural[0], high = natural[1], right = natural[4] + (natural[5] * Math.Log(x));
                for (int halving = 0; halving < 200; halving++)
                {
                    double middle = 0.5 * (low + high);
                    bool below = Math.Log(middle - natural[0]) - (natural[2] * Math.Log(natural[1] - middle)) < right;
                    (low, high) = below ? (middle, high) : (low, middle);
                }

                return 0.5 * (low + high);
            case "chinchilla" or "chinchilla3" or "chinchilla4":
                return natural[0] + inputs.Select((input, i) => natural[1 + (3 * i)] * Math.Pow(input, -natural[3 + (3 * i)])).Sum();
        }

        Assert.StartsWith("bnsl", law, StringComparison.Ordinal);
        double y = natural[1] * Math.Pow(x, -natural[3]);
        for (int i = 0; i < breaks; i++)
        {
            double c = natural[4 + i], d = natural[4 + breaks + i], f = natural[4 + (2 * breaks) + i];
            y *= Math.Pow(1 + Math.Pow(x / d, 1 / f), -c * f);
        }

        return law == "bnsl-rising" ? natural[0] - y : natural[0] + y;
    }

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Predict_is_the_published_formula(string name, int breaks)
    {
        ScalingLaw law = ScalingLaw.Get(name, breaks);
        var random = new CounterRandom(13, (ulong)breaks, 0);
        double largest = 0;
        for (int draw = 0; draw < Draws; draw++)
        {
            double[] natural = Ordinary(ref random, name, breaks, out double[] x, out double terms);
            double expected = Plain(name, breaks, natural, x), actual = law.Predict(law.Pack(natural), x.AsSpan())[0];

            // Both sum or multiply the same terms of log y, each rounded a few times: log, ratio, power, product. The two differ by no more than 8 ε of them.
            double tolerance = 8 * F64.Epsilon * (1 + terms) * (law.IsPositive ? expected : Math.Abs(natural[0]) + Math.Abs(expected - natural[0]));
            if (!(Math.Abs(actual - expected) <= tolerance)) Assert.Fail($"Draw {draw}, [{string.Join(", ", natural)}] at {string.Join(", ", x)}: {actual:R}; plainly {expected:R}; tolerance {tolerance:g3}.");
            largest = Math.Max(largest, Math.Abs(actual - expected) / tolerance);
        }

        output.WriteLine($"largest error {largest:g3} of its bound");
    }

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Natural_units_and_solver_coordinates_agree_on_every_value_and_come_back(string name, int breaks)
    {
        ScalingLaw law = ScalingLaw.Get(name, breaks);
        Run<RoundTrip, bool>(name, breaks, Loss.All[0].Name, new(law));
    }

    private readonly struct RoundTrip(ScalingLaw law) : IModelVisitor<bool>
    {
        public bool Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            var random = new CounterRandom(14, (ulong)TLaw.Breaks, 0);
            double[] natural = new double[law.NaturalCount], θ = new double[TLaw.ParameterCount];
            for (int draw = 0; draw < 300; draw++)
            {
                // There and back, in any scale.
                double[] ordinary = Ordinary(ref random, TLaw.Name, TLaw.Breaks, out double[] x, out double terms);
                CurveScale scale = Unit(x.Length, draw % 2 == 0 ? x[0] : Math.Exp(random.Uniform(-5, 5)), Math.Exp(random.Uniform(-5, 5)));
                double size = 1 + terms + Math.Abs(Math.Log(scale.Y)) + Math.Abs((TLaw.Breaks > 0 ? ordinary[3] : 1) * Math.Log(scale.X));
                for (int i = 0; i < TLaw.Breaks; i++) // c f softplus at the scale's x, from log d and log x that round
                    size += Math.Abs(ordinary[4 + i]) * (Math.Abs(Math.Log(scale.X)) + Math.Abs(Math.Log(ordinary[4 + TLaw.Breaks + i])) + ordinary[4 + (2 * TLaw.Breaks) + i]);
                TLaw.FromNatural(ordinary, scale, θ);
                TLaw.ToNatural(θ, scale, natural, new double[natural.Length * θ.Length]);
                for (int k = 0; k < natural.Length; k++) // logarithms and exponentials of numbers of that size
                    Assert.True(Math.Abs(natural[k] - ordinary[k]) <= 8 * F64.Epsilon * size * (1 + Math.Abs(ordinary[k])), $"Draw {draw}, parameter {k}: {natural[k]:R}, was {ordinary[k]:R}");

                // What θ says in its own scale, the natural parameters predict.
                var place = new Place(θ, [.. Enumerable.Range(0, TLaw.ColumnCount).Select(column => TLaw.Column(column, x, scale))], 0, 0);
                double value = Value<TLaw>(place), expected = scale.Y * (TLaw.IsLog ? Math.Exp(value) : value), actual = law.Predict(law.Pack(ordinary), x.AsSpan())[0];
                double part = TLaw.IsLog ? expected : Math.Abs(ordinary[0]) + Math.Abs(expected - ordinary[0]);
                Assert.True(Math.Abs(actual - expected) <= 8 * F64.Epsilon * size * part, $"Draw {draw}: {actual:R}; θ says {expected:R}");
            }

            return true;
        }
    }

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Jacobian_of_natural_units_agrees_with_central_differences(string name, int breaks)
    {
        ScalingLaw law = ScalingLaw.Get(name, breaks);
        int p = law.ParameterCount, count = law.NaturalCount;
        var random = new CounterRandom(15, (ulong)breaks, 0);
        for (int draw = 0; draw < 100; draw++)
        {
            CurveScale scale = Unit(law.InputCount, Math.Exp(random.Uniform(-3, 5)), Math.Exp(random.Uniform(-3, 3)));
            double[] θ = [.. Enumerable.Range(0, p).Select(_ => random.Uniform(-1, 1))], natural = new double[count], jacobian = new double[count * p];
            (double[] lower, double[] upper) = law.Bounds(new(-3, 1, 4));
            for (int j = 0; j < p; j++) θ[j] = Math.Min(Math.Max(θ[j], lower[j]), upper[j]);
            law.ToNatural(θ, scale, natural, jacobian);
            for (int j = 0; j < p; j++)
            {
                const double h = 1e-5;
                double[] above = new double[count], below = new double[count], moved = [.. θ];
                moved[j] = θ[j] + h;
                law.ToNatural(moved, scale, above, new double[count * p]);
                moved[j] = θ[j] - h;
                law.ToNatural(moved, scale, below, new double[count * p]);
                for (int k = 0; k < count; k++)
                {
                    double difference = (above[k] - below[k]) / (2 * h), derivative = jacobian[(k * p) + j];

                    // h²/6 of the third derivative, which is at most of the order |natural| (1 + |log x|)³ for exponentials of θ; and rounding over h.
                    double size = Math.Abs(natural[k]) + Math.Abs(derivative), reach = 1 + Math.Abs(Math.Log(scale.X));
                    Assert.True(Math.Abs(difference - derivative) <= ((h * h * reach * reach * reach) + (20 * reach * F64.Epsilon / h)) * size, $"∂{k}/∂θ[{j}] = {derivative:R}; by differences {difference:R}");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Sort_puts_breaks_in_ascending_d_and_changes_no_value(string name, int breaks) =>
        Run<SortIsHarmless, bool>(name, breaks, Loss.All[0].Name, default);

    private readonly struct SortIsHarmless : IModelVisitor<bool>
    {
        public bool Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss
        {
            var random = new CounterRandom(16, (ulong)TLaw.Breaks, 0);
            for (int draw = 0; draw < 300; draw++)
            {
                Place place = Place.Draw<TLaw>(ref random, TLaw.Breaks, single: false), sorted = place with { Parameters = [.. place.Parameters] };
                TLaw.Sort(sorted.Parameters);
                Assert.Equal(place.Parameters.Order(), sorted.Parameters.Order());
                var again = (double[])sorted.Parameters.Clone();
                TLaw.Sort(again);
                Assert.Equal(sorted.Parameters, again);
                var natural = new double[TLaw.Natural.Sum(parameter => parameter.PerBreak ? TLaw.Breaks : 1)];
                TLaw.ToNatural(sorted.Parameters, Unit(TLaw.InputCount), natural, new double[natural.Length * sorted.Parameters.Length]);
                int at = 0;
                foreach (NaturalParameter parameter in TLaw.Natural)
                {
                    int count = parameter.PerBreak ? TLaw.Breaks : 1;
                    if (parameter is { Name: "d" }) Assert.Equal(natural[at..(at + count)].Order(), natural[at..(at + count)]);
                    at += count;
                }

                RunningError<F64> before = Row<RunningError<F64>, TLaw, TLoss>(place, x => new(x, 0), default(Nowhere<RunningError<F64>>));
                Assert.True(Math.Abs(before.Value - Row<F64, TLaw, TLoss>(sorted, x => new(x), default(Nowhere<F64>)).Value) <= 2 * F64.Epsilon * before.Error, $"Draw {draw}, {place}");
            }

            return true;
        }
    }

    // Starts

    [Theory]
    [MemberData(nameof(EveryLaw))]
    public void Starts_are_finite_inside_the_box_and_give_finite_residuals(string name, int breaks)
    {
        ScalingLaw law = ScalingLaw.Get(name, breaks);
        foreach (Loss loss in Loss.All)
        {
            foreach (double steepness in (double[])[-6, -0.3, 0, 0.5, 6])
            {
                double[] x = [.. Enumerable.Range(0, 25).Select(i => Math.Exp(0.5 * i))];
                double[] inputs = [.. x.SelectMany((value, i) => Enumerable.Range(0, law.InputCount).Select(input => value * (1 + (input * (i % 3)))))];
                var problem = new Problem(new(inputs, law.InputCount, [.. x.Select((value, i) => (0.2 + Math.Pow(value, steepness)) * (1 + (0.3 * ((i * 7 % 5) - 2) / 2)))]), law, loss);
                var θ = new double[500 * law.ParameterCount];
                for (int start = 0; start < 500; start++)
                {
                    Span<double> own = θ.AsSpan(start * law.ParameterCount, law.ParameterCount);
                    problem.Start(17, start, own);
                    for (int j = 0; j < own.Length; j++)
                    {
                        Assert.True(double.IsFinite(own[j]));
                        Assert.InRange(own[j], problem.Lower[j], problem.Upper[j]);
                    }
                }

                Evaluation evaluation = new SimdBackend().Evaluate([new(problem, θ, new double[500], [])], TestContext.Current.CancellationToken)[0];
                Assert.All(evaluation.Residuals, r => Assert.True(double.IsFinite(r)));
                Assert.All(evaluation.Jacobian, r => Assert.True(double.IsFinite(r)));
            }
        }
    }

    // BNSL

    [Fact]
    public void Bnsl_without_breaks_is_a_power_law()
    {
        ScalingLaw law = ScalingLaw.Get("bnsl", 0);
        var random = new CounterRandom(18, 0, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            double a = random.Uniform(0, 2), logB = random.Uniform(-5, 5), c0 = random.Uniform(-2, 2), x = Math.Exp(random.Uniform(-8, 12));
            double power = Math.Exp(logB) * Math.Pow(x, -c0), y = law.Predict(law.Pack([a, Math.Exp(logB), logB, c0]), x);
            Assert.True(Math.Abs(y - (a + power)) <= 4 * F64.Epsilon * (a + power) * (1 + Math.Abs(logB) + Math.Abs(c0 * Math.Log(x))), $"Draw {draw}: {y:R}, {a + power:R}");
        }
    }

    [Fact]
    public void Bnsl_break_with_c_0_changes_nothing()
    {
        var random = new CounterRandom(19, 0, 0);
        for (int breaks = 0; breaks < 6; breaks++)
        {
            ScalingLaw fewer = ScalingLaw.Get("bnsl", breaks), more = ScalingLaw.Get("bnsl", breaks + 1);
            for (int draw = 0; draw < 300; draw++)
            {
                double[] natural = Ordinary(ref random, "bnsl", breaks, out double[] x, out _);
                double[] c = [.. natural[4..(4 + breaks)], 0], d = [.. natural[(4 + breaks)..(4 + (2 * breaks))], Math.Exp(random.Uniform(-5, 5))];
                double[] f = [.. natural[(4 + (2 * breaks))..], Math.Exp(random.Uniform(-4, 4))];
                Assert.Equal(fewer.Predict(fewer.Pack(natural), x.AsSpan()), more.Predict(more.Pack([.. natural[..4], .. c, .. d, .. f]), x.AsSpan()));
            }
        }
    }

    [Fact]
    public void Bnsl_far_below_a_break_does_not_see_it_and_far_above_has_the_sum_of_slopes()
    {
        ScalingLaw power = ScalingLaw.Get("bnsl", 0), broken = ScalingLaw.Get("bnsl", 1);
        var random = new CounterRandom(20, 0, 0);
        for (int draw = 0; draw < Draws; draw++)
        {
            double c0 = random.Uniform(-1, 1), c = random.Uniform(-2, 2), logD = random.Uniform(-3, 3), f = Math.Exp(random.Uniform(-3, 0));
            double Broken(double logX) => Math.Log(broken.Predict(broken.Pack([0, 1, 0, c0, c, Math.Exp(logD), f]), Math.Exp(logX)));

            // softplus(∓40) = e^−40 and 40 + e^−40: beyond what a double shows. Terms are below 200, and each difference rounds like them.
            double below = logD - (40 * f), above = logD + (40 * f), size = 8 * F64.Epsilon * 200;
            Assert.InRange(Broken(below) - Math.Log(power.Predict(power.Pack([0, 1, 0, c0]), Math.Exp(below))), -size, size);
            Assert.InRange(Broken(above + 1) - Broken(above) + c0 + c, -size, size);
        }
    }

    [Fact]
    public void Bnsl_at_its_break_has_lost_c_f_log_2()
    {
        ScalingLaw broken = ScalingLaw.Get("bnsl", 1);
        double y = broken.Predict(broken.Pack([0, 1, 0, 0, 1.5, 100, 0.25]), 100);
        Assert.Equal(Math.Pow(2, -1.5 * 0.25), y, 10 * F64.Epsilon);
    }

    [Fact]
    public void Predict_with_the_wrong_number_of_parameters_says_how_many_it_wants()
    {
        ScalingLaw law = ScalingLaw.Get("bnsl", 1), other = ScalingLaw.Get("bnsl", 0);
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => law.Predict(other.Pack([0, 1, 0, 1]), 2));
        Assert.StartsWith("bnsl with 1 breaks has 7 numbers in its parameters; 4 were given.", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_names_are_answered_with_the_list()
    {
        Assert.Contains("bnsl with 0 to 6 breaks", Assert.Throws<ArgumentException>(() => ScalingLaw.Get("bnsl", 7)).Message, StringComparison.Ordinal);
        Assert.Contains("msle, msle1p", Assert.Throws<ArgumentException>(() => Loss.Get("mae")).Message, StringComparison.Ordinal);
        Assert.Contains("simd", Assert.Throws<ArgumentException>(() => Backends.Get("abacus")).Message, StringComparison.Ordinal);
    }

    /// <summary>Natural parameters [a, b, log b, c0, c…, d…, f…] in ranges where the plain formula neither overflows nor cancels.</summary>
    /// <param name="random">Where they come from.</param>
    /// <param name="law">Its name.</param>
    /// <param name="breaks">How many breaks.</param>
    /// <param name="x">A point's inputs.</param>
    /// <param name="terms">Σ|terms| of log y there, and of what they are made of.</param>
    private static double[] Ordinary(ref CounterRandom random, string law, int breaks, out double[] x, out double terms)
    {
        if (!law.StartsWith("bnsl", StringComparison.Ordinal)) return OrdinaryComparison(ref random, law, out x, out terms);
        double logX = random.Uniform(-6, 6), logB = random.Uniform(-3, 3), c0 = random.Uniform(-1, 1);
        var natural = new double[4 + (3 * breaks)];
        (natural[0], natural[1], natural[2], natural[3]) = (random.Uniform() < 0.2 ? 0 : random.Uniform(), Math.Exp(logB), logB, c0);
        x = [Math.Exp(logX)];
        terms = Math.Abs(logB) + Math.Abs(c0 * logX);
        for (int i = 0; i < breaks; i++)
        {
            double c = random.Uniform(-2, 2), logD = random.Uniform(-6, 6), f = Math.Exp(random.Uniform(-3, 1));
            (natural[4 + i], natural[4 + breaks + i], natural[4 + (2 * breaks) + i]) = (c, Math.Exp(logD), f);

            // c f softplus z with z = (log x − log d)/f, where log x and log d round.
            terms += Math.Abs(c) * (Math.Abs(logX) + Math.Abs(logD) + f);
        }

        return natural;
    }

    private static double[] OrdinaryComparison(ref CounterRandom random, string law, out double[] inputs, out double terms)
    {
        double logX = random.Uniform(-6, 6), log = random.Uniform(-3, 3), slope = random.Uniform(-1, 1), limit = random.Uniform();
        double x = Math.Exp(logX);
        inputs = [x];
        terms = Math.Abs(log) + Math.Abs(slope * logX);
        switch (law)
        {
            case "chinchilla" or "chinchilla3" or "chinchilla4":
                int count = law == "chinchilla" ? 2 : law[^1] - '0';
                inputs = new double[count];
                var sum = new double[1 + (3 * count)];
                (sum[0], terms) = (limit, 0);
                for (int i = 0; i < count; i++)
                {
                    inputs[i] = Math.Exp(logX = random.Uniform(-6, 6));
                    (sum[2 + (3 * i)], sum[3 + (3 * i)]) = (log, slope) = (random.Uniform(-3, 3), random.Uniform(0, 1));
                    sum[1 + (3 * i)] = Math.Exp(log);
                    terms += Math.Abs(log) + Math.Abs(slope * logX);
                }

                return sum;
            case "m1":
                return [Math.Exp(log), log, slope];
            case "m2":
                return [Math.Exp(log), log, slope, limit];
            case "m3":
                double g = Math.Exp(random.Uniform(-4, 4));
                terms += Math.Abs(slope) * (6 + Math.Abs(Math.Log((1 / x) + g)));
                return [Math.Exp(log), log, g, Math.Abs(slope)];
            case "m3-printed":
                double d = Math.Exp(random.Uniform(-4, 4));
                terms += 6 + Math.Abs(Math.Log(x + d));
                return [Math.Exp(log), log, slope, limit, d];
            case "m4":
                double e0 = limit + random.Uniform(0.5, 5), alpha = Math.Exp(random.Uniform(-1, 1));

                // The root moves with the right side, and y with the root, by no more than each by its own size.
                terms = (20 + terms) * (1 + alpha);
                return [limit, e0, alpha, Math.Exp(log), log, slope];
            default:
                throw new ArgumentException($"{law} wants ordinary parameters here.", nameof(law));
        }
    }
}
