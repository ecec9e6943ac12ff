using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace BnslGpu.Formats;

/// <summary>What a saved report is needed for later: what was fitted to what, and how.</summary>
/// <param name="Curves">One entry a curve, in the order of the report.</param>
public sealed record SavedReport(ImmutableArray<SavedCurve> Curves)
{
    /// <summary>What errors call it: a file's name.</summary>
    public string Source { get; init; } = "";

    /// <summary>Version of the engine that made it; empty where the report does not say.</summary>
    public string Version { get; init; } = "";

    /// <summary>Where the search ran; empty where the report does not say.</summary>
    public string Device { get; init; } = "";

    /// <summary>The options it was made with and the seed, each as JSON, by name (ordinal); empty where the report does not say.</summary>
    public ImmutableSortedDictionary<string, string> Options { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}

/// <summary>The fits of one curve in a saved report.</summary>
/// <param name="Name">The curve's name.</param>
/// <param name="Chosen">Index of the chosen fit in <paramref name="Fits"/>; −1 where there is none.</param>
/// <param name="Fits">The fits.</param>
public sealed record SavedCurve(string Name, int Chosen, ImmutableArray<SavedFit> Fits)
{
    /// <summary>What each input is called; empty where the report does not say.</summary>
    public ImmutableArray<string> XNames { get; init; } = [];

    /// <summary>What the performance is called; empty where the report does not say.</summary>
    public string YName { get; init; } = "";

    /// <summary>The points that were fitted; null where the report does not have them.</summary>
    public Points? FitPoints { get; init; }

    /// <summary>The points that were held out; null where the report does not have them.</summary>
    public Points? HeldOutPoints { get; init; }

    /// <summary>The forecast; null where the curve has none, or the report is older than forecasts of several laws.</summary>
    public Forecast? Forecast { get; init; }
}

/// <summary>One fit in a saved report.</summary>
/// <param name="Law">Name of the law.</param>
/// <param name="Breaks">Number of breaks; 0 for laws without.</param>
/// <param name="Loss">Name of the loss that was minimised.</param>
/// <param name="Parameters">Parameters in natural units.</param>
public sealed record SavedFit(string Law, int Breaks, string Loss, ImmutableArray<Parameter> Parameters)
{
    /// <summary>Standard error of each parameter, same shapes; empty where the report does not say.</summary>
    public ImmutableArray<Parameter> StandardErrors { get; init; } = [];

    /// <summary>Errors of log y; NaN where the report does not say.</summary>
    public Rmsle Rmsle { get; init; } = new(double.NaN, double.NaN, double.NaN);

    /// <summary>Errors of y; NaN where the report does not say.</summary>
    public Rmse Rmse { get; init; } = new(double.NaN, double.NaN);

    /// <summary>The law's value.</summary>
    /// <param name="x">Scale.</param>
    /// <returns>ŷ in the units of y.</returns>
    public double Predict(double x) => Predict([x])[0];

    /// <summary>The law's values.</summary>
    /// <param name="x">Inputs, point by point. Shape [points, inputs of the law].</param>
    /// <returns>ŷ of each point, in the units of y. Shape [points].</returns>
    public double[] Predict(ReadOnlySpan<double> x) => ScalingLaw.Get(Law, Breaks).Predict(Parameters, x);
}

/// <summary>Reads what <see cref="JsonFormat"/> writes. Properties it does not need may be missing; others may stand beside them.</summary>
public static class JsonReport
{
    /// <summary>Reads a report from text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What errors call it: a file's name.</param>
    /// <exception cref="InvalidDataException">It is not a report; the message says what is wrong and where.</exception>
    public static SavedReport Read(string json, string source)
    {
        ArgumentNullException.ThrowIfNull(json);
        return Read(() => JsonDocument.Parse(json.AsMemory(json.StartsWith('\uFEFF') ? 1 : 0)), source);
    }

    /// <summary>Reads a report from bytes: UTF-8 or, after a byte order mark, UTF-16 or UTF-32; packed with gzip or not.</summary>
    /// <param name="stream">Read to its end and closed.</param>
    /// <param name="source">What errors call it: a file's name.</param>
    /// <exception cref="InvalidDataException">It is not a report; the message says what is wrong and where.</exception>
    public static SavedReport Read(Stream stream, string source)
    {
        ArgumentNullException.ThrowIfNull(stream);
        string json;
        try
        {
            using var text = InputText.Open(stream, strict: true);
            json = text.WhatElse is null ? text.ReadToEnd() : "\0";
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{source}: some text in it is not UTF-8, so it is not a bnsl report. {Remedy}", e);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{source} is gzip that is damaged or cut off. Pack it or copy it again.", e);
        }

        return Read(json, source);
    }

    private static SavedReport Read(Func<JsonDocument> parse, string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        JsonDocument document;
        try
        {
            document = parse();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{source}, line {(e.LineNumber ?? 0) + 1}: this is not JSON, so it is not a bnsl report. {Remedy}", e);
        }

        using (document)
        {
            try
            {
                return ReadReport(document.RootElement, source);
            }
            catch (InvalidOperationException e)
            {
                // A string is decoded when it is asked for, and only then is seen not to be UTF-8.
                throw new InvalidDataException($"{source}: some text in it is not UTF-8, so it is not a bnsl report. {Remedy}", e);
            }
        }
    }

    private const string Remedy = "Save one with bnsl fit and the format json.";

    private static SavedReport ReadReport(JsonElement root, string source)
    {
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty("tool", out JsonElement tool)
            || tool.ValueKind != JsonValueKind.String
            || tool.GetString() != "bnsl")
            throw new InvalidDataException($"{source} is not a bnsl report: its property 'tool' is not 'bnsl'. {Remedy}");
        Node report = new(root, source, "");
        return new SavedReport([.. report.Get("curves").Items().Select(ReadCurve)])
        {
            Source = source,
            Version = report.Has("version") ? report.Get("version").Text() : "",
            Device = report.Has("device") ? report.Get("device").Text() : "",
            Options = ReadOptions(report),
        };
    }

    private static ImmutableSortedDictionary<string, string> ReadOptions(Node report)
    {
        var options = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (report.Has("options"))
            foreach ((string name, Node value) in report.Get("options").Properties()) options[name] = Compact(value.Element);
        if (report.Has("seed")) options["seed"] = report.Get("seed").Element.GetRawText();
        return options.ToImmutable();
    }

    /// <summary>JSON without white space.</summary>
    private static string Compact(JsonElement element)
    {
        var utf8 = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(utf8, JsonFormat.s_options with { Indented = false })) element.WriteTo(json);
        return Encoding.UTF8.GetString(utf8.WrittenSpan);
    }

    private static SavedCurve ReadCurve(Node node)
    {
        string name = CurveText.WithoutControls(node.Get("curve").Text());
        ImmutableArray<SavedFit> fits = [.. node.Get("fits").Items().Select(ReadFit)];
        Node chosen = node.Get("chosen");
        int index = chosen.Element.ValueKind == JsonValueKind.Null ? -1 : chosen.Integer();
        if (index < -1 || index >= fits.Length) throw chosen.Wrong($"null or the index of one of {fits.Length} fits");
        return new SavedCurve(name, index, fits)
        {
            XNames = node.Has("xNames") ? [.. node.Get("xNames").Items().Select(item => CurveText.WithoutControls(item.Text()))] : [],
            YName = node.Has("yName") ? CurveText.WithoutControls(node.Get("yName").Text()) : "",
            FitPoints = node.Has("data") ? ReadPoints(node.Get("data").Get("fit")) : null,
            HeldOutPoints = node.Has("data") ? ReadPoints(node.Get("data").Get("heldOut")) : null,
            Forecast = node.Has("forecast") ? ReadForecast(node.Get("forecast")) : null,
        };
    }

    private static Points ReadPoints(Node node)
    {
        double[][] x = [.. node.Get("x").Items().Select(item => item.Element.ValueKind == JsonValueKind.Array ? item.Items().Select(input => input.Number()).ToArray() : [item.Number()])];
        int inputs = x.Length == 0 ? 1 : x[0].Length;
        if (inputs == 0 || Array.Exists(x, point => point.Length != inputs)) throw node.Get("x").Wrong("numbers, or arrays of as many numbers");
        string sigmas = node.Has("sigmasOfLogY") ? "sigmasOfLogY" : "sigmas";
        try
        {
            return new([.. x.SelectMany(point => point)], inputs, Numbers("y"), node.Has("weights") ? Numbers("weights") : [], node.Has(sigmas) ? Numbers(sigmas) : [], sigmas == "sigmas" ? SigmaOf.Y : SigmaOf.LogY);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{node.Source}, {node.Path}: {e.Message}", e);
        }

        double[] Numbers(string name) => [.. node.Get(name).Items().Select(item => item.Number())];
    }

    private static Forecast? ReadForecast(Node node)
    {
        // Reports once had the chosen fit's noise there, then a list of objects.
        if (node.Element.ValueKind == JsonValueKind.Null || !node.Has("members") || node.Get("members").Element.ValueKind == JsonValueKind.Array) return null;
        Node members = node.Get("members"), law = members.Get("law"), breaks = members.Get("breaks");
        Node[] laws = [.. law.Items()], numbers = [.. breaks.Items()];
        if (laws.Length == 0) throw law.Wrong("one law or more");
        (string Name, Node[] Cells)[] parameters = [.. members.Get("parameters").Properties().Select(column => (column.Name, Column(column.Node)))];
        Node[] weight = Of("weight"), pointWeight = Of("pointWeight"), offset = Of("offset"), offsetVariance = Of("offsetVariance"), drift = Of("drift"), bend = Of("bend"), noise = Of("noise"), degrees = Of("degrees");
        if (numbers.Length != laws.Length) throw breaks.Wrong($"{laws.Length} values, as law has");
        return new()
        {
            LastX = node.Get("lastX") is var lastX && double.IsFinite(lastX.Number()) ? lastX.Number() : throw lastX.Wrong("a finite number"),
            Members =
            [
                .. laws.Select((name, k) => new ForecastMember
                {
                    Law = name.Text(),
                    Breaks = numbers[k].Integer(),
                    Parameters = InOrder(
                        FindLaw(name, numbers[k].Integer()),
                        [.. parameters.Where(column => column.Cells[k].Element.ValueKind != JsonValueKind.Null).Select(column => ReadParameter(column.Name, column.Cells[k], numbers[k].Integer()))],
                        members.Get("parameters")),
                    Weight = Share(weight[k]),
                    PointWeight = Share(pointWeight[k]),
                    Offset = offset[k].Number(),
                    OffsetVariance = offsetVariance[k].Number(),
                    Drift = drift[k].Number(),
                    Bend = bend[k].Number(),
                    Noise = noise[k].Number(),
                    Degrees = degrees[k].Number() is > 0 and var own ? own : throw degrees[k].Wrong("a number above 0"),
                }),
            ],
        };

        Node[] Of(string name) => Column(members.Get(name));

        static double Share(Node cell) => cell.Number() is >= 0 and < double.PositiveInfinity and var share ? share : throw cell.Wrong("a finite number of at least 0");

        Node[] Column(Node column)
        {
            Node[] cells = [.. column.Items()];
            return cells.Length == laws.Length ? cells : throw column.Wrong($"{laws.Length} values, as law has");
        }
    }

    private static SavedFit ReadFit(Node node)
    {
        int breaks = node.Get("breaks").Integer();
        if (breaks < 0) throw node.Get("breaks").Wrong("a number of breaks, 0 or more");
        Node law = node.Get("law");
        ScalingLaw known = FindLaw(law, breaks);
        return new SavedFit(
            law.Text(),
            breaks,
            node.Get("loss").Text(),
            Named("parameters"))
        {
            StandardErrors = node.Has("standardErrors") ? Named("standardErrors") : [],
            Rmsle = node.Has("rmsle") ? new(Error("rmsle", "fit"), Error("rmsle", "heldOut"), Error("rmsle", "heldOutError")) : new(double.NaN, double.NaN, double.NaN),
            Rmse = node.Has("rmse") ? new(Error("rmse", "fit"), Error("rmse", "heldOut")) : new(double.NaN, double.NaN),
        };

        ImmutableArray<Parameter> Named(string name) =>
            InOrder(known, [.. node.Get(name).Properties().Select(parameter => ReadParameter(parameter.Name, parameter.Node, breaks))], node.Get(name));

        double Error(string name, string of) => node.Get(name).Get(of).Number();
    }

    private static ScalingLaw FindLaw(Node law, int breaks)
    {
        try
        {
            return ScalingLaw.Get(CurveText.Printable(law.Text()), breaks);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"{law.Source}, {law.Path}: {e.Message} Laws of your own must be added first, as with --laws-from.", e);
        }
    }

    /// <summary>A law takes its parameters in its own order, and tools that rewrite JSON may sort properties by name.</summary>
    private static ImmutableArray<Parameter> InOrder(ScalingLaw law, ImmutableArray<Parameter> parameters, Node node) =>
    [
        .. law.Parameters.Select(expected =>
            parameters.LastOrDefault(parameter => parameter.Name == expected.Name) is not { } found ? throw node.Missing(expected.Name)
            : found.IsVector != expected.PerBreak ? throw node.Get(expected.Name).Wrong(expected.PerBreak ? "an array" : "one number")
            : found),
    ];

    private static Parameter ReadParameter(string name, Node node, int breaks)
    {
        if (node.Element.ValueKind != JsonValueKind.Array) return new Parameter(name, IsVector: false, [node.Number()]);
        ImmutableArray<double> values = [.. node.Items().Select(item => item.Number())];
        if (values.Length != breaks) throw node.Wrong($"one number a break, {breaks} of them");
        return new Parameter(name, IsVector: true, values);
    }

    /// <summary>A value, and where it stands: every error names both.</summary>
    private readonly record struct Node(JsonElement Element, string Source, string Path)
    {
        public Node Get(string property)
        {
            if (Element.ValueKind != JsonValueKind.Object) throw Wrong("an object");
            return Element.TryGetProperty(property, out JsonElement value) ? At(value, property) : throw Missing(property);
        }

        public bool Has(string property) => Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(property, out _);

        public IEnumerable<Node> Items()
        {
            if (Element.ValueKind != JsonValueKind.Array) throw Wrong("an array");
            Node self = this;
            return Element.EnumerateArray().Select((item, i) => self with { Element = item, Path = $"{self.Path}[{i}]" });
        }

        public IEnumerable<(string Name, Node Node)> Properties()
        {
            if (Element.ValueKind != JsonValueKind.Object) throw Wrong("an object");
            Node self = this;
            return Element.EnumerateObject().Select(property => (property.Name, self.At(property.Value, property.Name)));
        }

        public string Text() => Element.ValueKind == JsonValueKind.String ? Element.GetString()! : throw Wrong("a string");

        public int Integer() =>
            Element.ValueKind == JsonValueKind.Number && Element.TryGetInt32(out int value) ? value : throw Wrong("a whole number");

        public double Number() => Element.ValueKind switch
        {
            JsonValueKind.Number => Element.GetDouble(),
            JsonValueKind.String when Element.GetString() == "NaN" => double.NaN,
            JsonValueKind.String when Element.GetString() == "Infinity" => double.PositiveInfinity,
            JsonValueKind.String when Element.GetString() == "-Infinity" => double.NegativeInfinity,
            _ => throw Wrong("a number, \"NaN\", \"Infinity\" or \"-Infinity\""),
        };

        public bool Flag() => Element.ValueKind is JsonValueKind.True or JsonValueKind.False ? Element.GetBoolean() : throw Wrong("true or false");

        public InvalidDataException Missing(string property) =>
            new($"{Source}{(Path.Length > 0 ? $", {CurveText.Printable(Path)}" : "")}: property '{CurveText.Printable(property)}' is missing. {Remedy}");

        public InvalidDataException Wrong(string expected)
        {
            string found = Element.GetRawText();
            if (found.Length > 40) found = string.Concat(found.AsSpan(0, 40), "…");
            return new InvalidDataException($"{Source}, {(Path.Length > 0 ? CurveText.Printable(Path) : "top level")} is {CurveText.WithoutControls(found)}; expected {expected}.");
        }

        private Node At(JsonElement value, string property) =>
            this with { Element = value, Path = Path.Length > 0 ? $"{Path}.{property}" : property };
    }
}
