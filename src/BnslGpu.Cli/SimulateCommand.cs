using System.Collections.Immutable;
using System.CommandLine;
using BnslGpu.Kernels;

namespace BnslGpu.Cli;

/// <summary><c>bnsl simulate</c>: a law and noise in, curves out; for trying what a fit can recover.</summary>
internal sealed class SimulateCommand : ToolCommand
{
    // "simulate" in ASCII: no other stream of random numbers begins from this word.
    private const ulong Stream = 0x73696D756C617465;

    private readonly Option<double?> _a = OptionKinds.Number(
        "--a", "Limit of y at infinite scale. Default: 0.", " of at least 0", a => a >= 0);
    private readonly Option<double?> _b = OptionKinds.Number(
        "--b", "Factor of the power part, above 0. Default: 1.", " above 0", b => b > 0);
    private readonly Option<double?> _c0 = OptionKinds.Number(
        "--c0", "Slope before the first break: the power part goes as x^-c0. Default: 0.3.", "", _ => true);
    private readonly Option<double[]?> _c = OptionKinds.Value<double[]>(
        "--c", "C1,C2,…", "Change of slope at each break.", "finite numbers separated by commas", Scales.TryReadNumbers);
    private readonly Option<double[]?> _d = OptionKinds.Value<double[]>(
        "--d", "D1,D2,…", "Scale of each break.", "numbers above 0 separated by commas", Scales.TryReadPositive);
    private readonly Option<double[]?> _f = OptionKinds.Value<double[]>(
        "--f", "F1,F2,…", "Width of each break; small is sharp.", "numbers above 0 separated by commas", Scales.TryReadPositive);
    private readonly Option<double[]?> _x = OptionKinds.Value<double[]>(
        "--x", "X,…|X..X:N", "Scales: a list, or N log-spaced values. Default: 1e3..1e9:30.", Scales.Expected, Scales.TryRead);
    private readonly Option<double?> _noise = OptionKinds.Number(
        "--noise", "Standard deviation of log y about the law, normal. Default: 0.", " of at least 0", deviation => deviation >= 0);
    private readonly Option<ulong?> _seed = OptionKinds.Seed("--seed", "Seed of the noise. Default: 0.");
    private readonly Option<int?> _curves = OptionKinds.Whole(
        "--curves", "Curves of the same law, each with its own noise. Default: 1.", least: 1);
    private readonly Option<int?> _holdout = OptionKinds.Whole(
        "--holdout", "Last points of each curve that column split calls heldout. Default: 0.", least: 0);
    private readonly Option<string?> _name = OptionKinds.Text(
        "--name", "NAME", "Name of the curve; several are numbered. Default: simulated.");
    private readonly Option<string?> _output = OptionKinds.Text(
        "--output", "FILE", "Write the CSV there, whole or not at all, instead of to standard output.");

    public SimulateCommand(Streams streams)
        : base("simulate", "Write curves drawn from a broken neural scaling law, as CSV (curve,x,y,split).", streams)
    {
        foreach (Option option in (Option[])[_a, _b, _c0, _c, _d, _f, _x, _noise, _seed, _curves, _holdout, _name, _output]) Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl simulate --a 0.5 --b 20 --c0 0.2 --x 1e3..1e9:30 --noise 0.01", "a power law with a limit and 1 % noise"),
        new("bnsl simulate --b 5 --c0 0.05 --c 0.3,0.2 --d 1e4,1e6 --f 0.1,0.2 --curves 100 --output curves.csv",
            "100 curves with two breaks"),
        new("bnsl simulate --c 0.3 --d 1e5 --f 0.2 --noise 0.02 --holdout 5 | bnsl fit -", "can a fit extrapolate over the last 5 points?"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        double[] c = call.GetValue(_c) ?? [], d = call.GetValue(_d) ?? [], f = call.GetValue(_f) ?? [];
        if (c.Length != d.Length || c.Length != f.Length)
            throw new WrongCallException($"--c has {c.Length} values, --d {d.Length} and --f {f.Length}; each break needs one of each.");
        double[] x = [.. (call.GetValue(_x) is { Length: > 0 } given ? given : DefaultX).Order()];
        int heldOut = call.GetValue(_holdout) ?? 0;
        if (heldOut >= x.Length)
            throw new WrongCallException($"--holdout is {heldOut}; expected fewer than the {x.Length} points of a curve.");
        double[] y = Law(call.GetValue(_a) ?? 0, call.GetValue(_b) ?? 1, call.GetValue(_c0) ?? 0.3, c, d, f, x);

        double noise = call.GetValue(_noise) ?? 0;
        ulong seed = call.GetValue(_seed) ?? 0;
        int curves = call.GetValue(_curves) ?? 1;
        string name = call.GetValue(_name) ?? "simulated";
        string? path = call.GetValue(_output);
        OutputFile.Check(path);
        OutputFile.Write(path, Streams, writer =>
        {
            writer.WriteLine("curve,x,y,split");
            for (int curve = 0; curve < curves; curve++)
            {
                Streams.Interrupt.ThrowIfCancellationRequested();
                // As many digits as the last number has: the order of names is the order of curves.
                string numbered = curves == 1 ? name : $"{name}-{(curve + 1).ToString($"D{curves.ToString().Length}")}";
                for (int i = 0; i < x.Length; i++)
                {
                    double value = noise > 0 ? y[i] * Math.Exp(noise * Normal(seed, curve, i)) : y[i];
                    string split = i < x.Length - heldOut ? "fit" : "heldout";
                    writer.WriteLine($"{CsvText.Field(numbered)},{CsvText.Number(x[i])},{CsvText.Number(value)},{split}");
                }
            }
        });
        return ExitCode.Done;
    }

    private static double[] DefaultX => Scales.TryRead("1e3..1e9:30", out double[] x) ? x : [];

    private static double[] Law(double a, double b, double c0, double[] c, double[] d, double[] f, double[] x)
    {
        if (!ScalingLaw.All.Any(known => known.Name == "bnsl" && known.Breaks == c.Length))
            throw new WrongCallException($"--c has {c.Length} values; expected at most {ScalingLaw.All.Max(known => known.Breaks)}.");
        ScalingLaw law = ScalingLaw.Get("bnsl", c.Length);
        ImmutableArray<Parameter> parameters =
        [
            new("a", false, [a]), new("b", false, [b]), new("logB", false, [Math.Log(b)]), new("c0", false, [c0]),
            new("c", true, [.. c]), new("d", true, [.. d]), new("f", true, [.. f]),
        ];
        double[] y = [.. x.Select(scale => law.Predict(parameters, scale))];
        int wrong = Array.FindIndex(y, value => !double.IsFinite(value));
        return wrong < 0
            ? y
            : throw new WorkException($"the law is not finite at x = {CsvText.Number(x[wrong])}; try other parameters or scales.");
    }

    /// <summary>A standard normal number for one point of one curve, by Box and Muller.</summary>
    private static double Normal(ulong seed, int curve, int point)
    {
        CounterRandom random = new(seed, CounterRandom.Mix(Stream, (ulong)curve), (uint)point);
        double radius = Math.Sqrt(-2 * Math.Log(random.Uniform()));
        return radius * Math.Cos(Math.Tau * random.Uniform());
    }
}
