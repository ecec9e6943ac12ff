using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.IO.Enumeration;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl fit</c>: curves in, report out.</summary>
internal sealed class FitCommand : ToolCommand
{
    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = "CSV files with a header row; - reads standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _x = OptionKinds.Text(
        "--x", "COLUMN,…", "Column of the scale; for a law of several inputs one each, as in N,D. Default: x, or that of a benchmark whose header is known.");
    private readonly Option<string?> _y = OptionKinds.Text(
        "--y", "COLUMN", "Column of the performance. Default: y, or that of a benchmark whose header is known.");
    private readonly Option<string?> _weight = OptionKinds.Text(
        "--weight", "COLUMN", "Column of how much each point counts, above 0. Only ratios matter. Default: all alike.");
    private readonly Option<string?> _sigma = OptionKinds.Text(
        "--sigma", "COLUMN", "Column of the standard deviation of each measurement, above 0; a point counts by its inverse square.");
    private readonly Option<double?> _ceiling = OptionKinds.Number(
        "--ceiling", "A ceiling of y that is known (1 for accuracy): fits and forecasts are then of the distance to it, C - y, which falls.", "", double.IsFinite);
    private readonly Option<string?> _sigmaOf = OptionKinds.OneOf(
        "--sigma-of", "What --sigma is the standard deviation of: y, or log y. Default: y.", ["y", "log"]);
    private readonly Option<string?> _curve = OptionKinds.Text(
        "--curve", "COLUMN,…", "Columns whose values together name a row's curve. Default: curve, else each file is one.");
    private readonly Option<string?> _fitWhen = OptionKinds.Text(
        "--fit-when", "COLUMN=VALUE", "Rows to fit; the others are held out and only scored. Default: split=fit, if there is such a column.");
    private readonly Option<string?> _holdout = OptionKinds.Text(
        "--holdout", "K|SHARE", "Hold out the last K points of each curve, or this share of them (0.2: the last fifth); of several inputs, the last by the first.");
    private readonly Option<bool> _keepCopies = OptionKinds.Switch(
        "--keep-copies", "Keep exact copies of a row, which are otherwise dropped.");
    private readonly Option<bool> _skipInvalid = OptionKinds.Switch(
        "--skip-invalid", "Skip wrong rows and say how many; otherwise the first one ends the run.");
    private readonly Option<string?> _only = OptionKinds.Text(
        "--only", "NAME", "Fit only curves whose name contains this; with * or ?, whose whole name matches.");

    private readonly Option<string?> _recipe = OptionKinds.OneOf(
        "--recipe", "Sets every choice below, which may then be changed one by one. Default: least-squares.",
        FitOptions.Recipes.Select(recipe => recipe.Recipe));
    private readonly Option<string?> _law = OptionKinds.Text(
        "--law", "NAME,…", $"Functional forms to fit side by side: {string.Join(", ", ScalingLaw.All.Select(law => law.Name).Distinct())}; see 'bnsl laws'. Default: bnsl.");
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
    private readonly Option<int[]?> _breaks = OptionKinds.Value<int[]>(
        "--breaks", "0,1,…|0-3", "Numbers of breaks to fit side by side, each 0 to 6. Default: 0-3.",
        "whole numbers like 0,1,2 or a range like 0-3", Scales.TryReadBreaks);
    private readonly Option<string?> _loss = OptionKinds.OneOf(
        "--loss", $"What is minimised: {string.Join("; ", Loss.All.Select(loss => $"{loss.Name} is {loss.Formula}"))}. Default: msle.",
        Loss.All.Select(loss => loss.Name));
    private readonly Option<double?> _delta = OptionKinds.Number(
        "--delta", "Errors of log y beyond this count linearly under --loss huber. Default: 0.001.", " above 0", value => value > 0);
    private readonly Option<ImmutableArray<ParameterValue>[]> _fix = OptionKinds.Several<ImmutableArray<ParameterValue>>(
        "--fix", "NAME=VALUE,…", "Parameters that are known, as in a=0; c is c of every break, c2 that of the second. 'bnsl laws' says which can be.",
        "values like a=0 or a=0,c0=0.5", RuleTexts.TryReadValues);
    private readonly Option<ImmutableArray<ParameterRange>[]> _bound = OptionKinds.Several<ImmutableArray<ParameterRange>>(
        "--bound", "NAME=LOW:HIGH,…", "Where parameters may lie, within the law's own box; either end may be left out.",
        "ranges like f=0.05:10 or d=:1e6", RuleTexts.TryReadRanges);
    private readonly Option<ImmutableArray<ImmutableArray<string>>[]> _tie = OptionKinds.Several<ImmutableArray<ImmutableArray<string>>>(
        "--tie", "NAME=NAME…,…", "Parameters that share one value, as in alpha=beta; one name alone (f) shares it over all breaks.",
        "names like f or alpha=beta", RuleTexts.TryReadTies);
    private readonly Option<ImmutableArray<ParameterValue>[]> _init = OptionKinds.Several<ImmutableArray<ParameterValue>>(
        "--init", "NAME=VALUE,…", "A start of your own, before the random ones; what it leaves out is drawn. May be given again.",
        "values like a=0.3,b=2,c0=0.1", RuleTexts.TryReadValues);
    private readonly Option<int?> _starts = OptionKinds.Value<int?>(
        "--starts", "auto|N", "Starts of each curve and number of breaks: those of --init, random ones, then hops from the best minima; auto spends as many as --missed asks for. Default: auto.",
        $"auto or a whole number from 1 to {FitOptions.MostStarts}", TryReadStarts);
    private readonly Option<double?> _missed = OptionKinds.Number(
        "--missed", "With --starts auto: the chance of a missed minimum at which a search ends. Default: 0.02.", " above 0 and below 1", value => value is > 0 and < 1);
    private readonly Option<ulong?> _seed = OptionKinds.Seed("--seed", "Seed of every random number. Default: 0.");
    private readonly Option<string?> _precision = OptionKinds.OneOf(
        "--precision", "Arithmetic of the search; results are always refined in double. Default: double.",
        Enum.GetNames<SearchPrecision>().Select(Lower));
    private readonly Option<string?> _device = OptionKinds.Text(
        "--device", "auto|simd|cuda[:N]|opencl[:N]|ilgpu-cpu", "Where the search runs; see 'bnsl devices'. Several, with commas, share the work. Default: auto.");
    private readonly Option<int?> _threads = OptionKinds.Whole(
        "--threads", "Threads; 0 takes every core. No result depends on it. Default: 0.", least: 0);
    private readonly Option<int?> _chunk = OptionKinds.Whole(
        "--chunk", "Starts a thread takes at a time; 0 lets the engine choose. No result depends on it. Default: 0.", least: 0);

    private readonly Option<string?> _format = OptionKinds.OneOf(
        "--format", "What the report looks like. Default: by the ending of --output, else table.",
        ReportFormats.All.Select(format => format.Name));
    private readonly Option<string?> _output = OptionKinds.Text(
        "--output", "FILE", "Write the report there, whole or not at all, instead of to standard output.");
    private readonly Option<string?> _plot = OptionKinds.Text("--plot", "DIRECTORY", "Draw each curve with its fit as an SVG file there.");
    private readonly Option<string?> _report = OptionKinds.Text(
        "--report", "FILE.html", "Write a page with tables and charts of all curves there as well, to open in a browser or to send; it needs no network.");
    private readonly Option<bool> _quiet = OptionKinds.Switch("--quiet", "No notes and no progress on standard error.");

    public FitCommand(Streams streams)
        : base("fit", "Fit scaling curves from CSV files and report laws, parameters and errors.", streams)
    {
        _files.Validators.Add(found =>
        {
            foreach (string word in found.Tokens.Select(token => token.Value))
                if (word.StartsWith('-') && word != "-") found.AddError(Program.Unknown(this, word));
        });
        Add(_files);
        foreach (Option option in (Option[])[_x, _y, _ceiling, _weight, _sigma, _sigmaOf, _curve, _fitWhen, _holdout, _keepCopies, _skipInvalid, _only,
            _recipe, _law, _lawsFrom, _breaks, _loss, _delta, _fix, _bound, _tie, _init, _starts, _missed, _seed, _precision, _device, _threads, _chunk, _format, _output, _plot, _report, _quiet])
            Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl fit loss.csv", "fit every curve of the file with 0 to 3 breaks and show a table"),
        new("bnsl fit runs.csv --x tokens --y val_loss --curve model,task --holdout 3",
            "name the columns, and score the fits on the last 3 points of each curve"),
        new("bnsl fit runs.csv --holdout 0.2 --report report.html", "also write a page with a chart of every curve, for a browser"),
        new("bnsl fit examples/four-digit-addition.csv --recipe paper --output report.json --plot plots",
            "fit as the BNSL paper's script does; keep the report and a plot"),
        new("bnsl fit loss.csv --fix a=0 --bound f=0.05:10 --tie f --init c0=0.1,d=1e6",
            "no limit, no break sharper than 0.05, all breaks as wide as each other, and one start that is yours"),
        new("bnsl fit runs.csv --law chinchilla --x N,D --y loss --loss huber --sigma loss_sd",
            "a law of two inputs, to measurements whose standard deviation is known"),
        new("bnsl fit loss.csv --laws-from MyLaws.dll --law mine", "a law of your own assembly"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        bool quiet = call.GetValue(_quiet);
        string? path = call.GetValue(_output), plots = call.GetValue(_plot), page = call.GetValue(_report);
        IReportFormat format = Format(call.GetValue(_format), path);
        (CurveColumns columns, FitOptions options) = Choices(call);
        OutputFile.Check(path);
        if (page == "-") throw new WrongCallException("--report is '-'; expected a file. --format html writes the page to standard output.");
        OutputFile.Check(page);

        _ = Task.Run(() => Fitter.Warm(options));
        long begin = Stopwatch.GetTimestamp();
        ImmutableArray<Curve> curves = Read(call, columns, quiet);
        double read = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        Streams.Interrupt.ThrowIfCancellationRequested();
        if (plots is not null) Directory.CreateDirectory(plots);
        FitReport report = Fit(curves, options, call);
        report = report with { Seconds = report.Seconds with { Read = read, Total = report.Seconds.Total + read } };

        OutputFile.Write(path, Streams, writer => format.Write(report, writer));
        if (plots is not null) Draw(report, plots);
        if (page is not null) OutputFile.Write(page, Streams, writer => HtmlReport.Write(report, writer));
        foreach (string remark in report.Remarks) Streams.Say(remark);
        if (Streams.Interrupt.IsCancellationRequested) return ExitCode.Interrupted;
        int fitted = report.Curves.Count(curve => curve.Chosen >= 0);
        if (fitted == 0)
        {
            Streams.Say("no curve could be fitted; the report says why.");
            return ExitCode.Failed;
        }
        if (!quiet && path is not (null or "-")) Streams.Say($"{path} written; {fitted} of {report.Curves.Length} curves fitted.");
        if (!quiet && page is not null) Streams.Say($"{page} written.");
        return ExitCode.Done;
    }

    private static bool TryReadStarts(string text, out int? starts)
    {
        starts = text == "auto" ? 0 : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count is >= 1 and <= FitOptions.MostStarts ? count : null;
        return starts is not null;
    }

    private static string Endings => OptionKinds.Listed([.. ReportFormats.All.Select(format => format.FileExtension)], "or");

    private static string Lower(string name) => name.ToLowerInvariant();

    private static IReportFormat Format(string? name, string? path)
    {
        if (name is not null) return ReportFormats.Find(name);
        if (path is null or "-") return ReportFormats.Find("table");
        string ending = Path.GetExtension(path);
        return ReportFormats.All.FirstOrDefault(format => format.FileExtension == ending)
            ?? throw new WrongCallException($"--output {path} does not end in {Endings}; say which --format it should have.");
    }

    /// <summary>What the options say, checked before anything is read.</summary>
    private (CurveColumns Columns, FitOptions Options) Choices(ParseResult call)
    {
        ImmutableArray<ScalingLaw> added = LawsFile.Load(call.GetValue(_lawsFrom));
        if (call.GetValue(_sigmaOf) is { } of && call.GetValue(_sigma) is null)
            throw new WrongCallException($"--sigma-of is '{of}' and there is no --sigma; expected the column that it speaks of.");
        CurveColumns columns = new()
        {
            X = call.GetValue(_x) is { } inputs ? [.. inputs.Split(',')] : [],
            Y = call.GetValue(_y),
            Ceiling = call.GetValue(_ceiling),
            Weight = call.GetValue(_weight),
            Sigma = call.GetValue(_sigma),
            SigmaOf = call.GetValue(_sigmaOf) == "log" ? SigmaOf.LogY : SigmaOf.Y,
            Curve = call.GetValue(_curve) is { } names ? [.. names.Split(',')] : [],
            FitWhen = call.GetValue(_fitWhen),
            Holdout = call.GetValue(_holdout),
            KeepCopies = call.GetValue(_keepCopies),
            SkipInvalid = call.GetValue(_skipInvalid),
        };
        string? recipe = call.GetValue(_recipe);
        FitOptions given = FitOptions.Recipes.First(choices => recipe is null || choices.Recipe == recipe);
        FitOptions options = given with
        {
            Laws = call.GetValue(_law) is { } laws ? [.. laws.Split(',')] : given.Laws,
            Breaks = call.GetValue(_breaks) is { Length: > 0 } breaks ? [.. breaks] : given.Breaks,
            Loss = call.GetValue(_loss) ?? given.Loss,
            Delta = call.GetValue(_delta) ?? given.Delta,
            Parameters = new()
            {
                Ranges =
                [
                    .. (call.GetValue(_fix) ?? []).SelectMany(values => values).Select(value => new ParameterRange(value.Parameter, value.Value, value.Value)),
                    .. (call.GetValue(_bound) ?? []).SelectMany(ranges => ranges),
                ],
                Ties = [.. (call.GetValue(_tie) ?? []).SelectMany(ties => ties)],
                Starts = [.. call.GetValue(_init) ?? []],
            },
            Starts = call.GetValue(_starts) ?? given.Starts,
            MissedChance = call.GetValue(_missed) ?? given.MissedChance,
            Seed = call.GetValue(_seed) ?? given.Seed,
            Precision = Enum.Parse<SearchPrecision>(call.GetValue(_precision) ?? $"{given.Precision}", ignoreCase: true),
            Device = call.GetValue(_device) ?? given.Device,
            Threads = call.GetValue(_threads) ?? given.Threads,
            ChunkSize = call.GetValue(_chunk) ?? given.ChunkSize,
        };
        try
        {
            columns.Validate();
            options.Validate();
        }
        catch (ArgumentException wrong)
        {
            throw Wrong(wrong, call);
        }

        if (!call.GetValue(_quiet) && added.Length > 0 && !added.Any(law => options.Laws.Contains(law.Name)))
            Streams.Say($"--laws-from has {OptionKinds.Listed([.. added.Select(law => law.Name)], "and")}; --law is {string.Join(',', options.Laws)}.");
        ScalingLaw[] chosen = [.. ScalingLaw.All.Where(law => options.Laws.Contains(law.Name)).DistinctBy(law => law.Name)];
        int count = Math.Max(columns.X.Length, 1);
        if (Array.Find(chosen, law => law.InputCount != count) is { } other)
            throw new WrongCallException($"the law {other.Name} has {Inputs(other.InputCount)} and --x names {count}; expected a column for each.");
        return (columns with { AnyX = Array.TrueForAll(chosen, law => !law.NeedsPositiveX) }, options);

        static string Inputs(int count) => count == 1 ? "1 input" : $"{count} inputs";
    }

    /// <summary>The library's complaint about a choice, in the words of this command.</summary>
    private WrongCallException Wrong(ArgumentException complaint, ParseResult call) => new(complaint.Message
        .Replace("CurveColumns.X ", "--x ", StringComparison.Ordinal)
        .Replace("CurveColumns.Y ", "--y ", StringComparison.Ordinal)
        .Replace("CurveColumns.Weight ", "--weight ", StringComparison.Ordinal)
        .Replace("CurveColumns.Sigma ", "--sigma ", StringComparison.Ordinal)
        .Replace("CurveColumns.Curve ", "--curve ", StringComparison.Ordinal)
        .Replace("CurveColumns.FitWhen ", "--fit-when ", StringComparison.Ordinal)
        .Replace("CurveColumns.Holdout ", "--holdout ", StringComparison.Ordinal)
        .Replace("ParameterRules.Ranges ", call.GetResult(_bound) is null ? "--fix " : call.GetResult(_fix) is null ? "--bound " : "--fix or --bound ", StringComparison.Ordinal)
        .Replace("ParameterRules.Ties ", "--tie ", StringComparison.Ordinal)
        .Replace("ParameterRules.Starts ", "--init ", StringComparison.Ordinal)
        .Replace("FitOptions.Breaks ", "--breaks ", StringComparison.Ordinal)
        .Replace("FitOptions.Device ", "--device ", StringComparison.Ordinal)
        .Replace("FitOptions.Laws ", "--law ", StringComparison.Ordinal)
        .Replace("FitOptions.Starts ", "--starts ", StringComparison.Ordinal)
        .Replace("FitOptions.Loss ", "--loss ", StringComparison.Ordinal));

    private ImmutableArray<Curve> Read(ParseResult call, CurveColumns columns, bool quiet)
    {
        string[] files = call.GetRequiredValue(_files);
        CurveTable table = files is ["-"] ? CurveCsv.Read(Streams.In, "stdin", columns) : CurveCsv.ReadFiles(files, columns);
        if (!quiet)
        {
            foreach (string note in table.Notes) Streams.Say(note);
        }
        return call.GetValue(_only) is { } name ? Named(table.Curves, name) : table.Curves;
    }

    private static ImmutableArray<Curve> Named(ImmutableArray<Curve> curves, string name)
    {
        string pattern = name.AsSpan().ContainsAny('*', '?') ? name : $"*{name}*";
        ImmutableArray<Curve> named = [.. curves.Where(curve => FileSystemName.MatchesSimpleExpression(pattern, curve.Name))];
        if (named.Length > 0) return named;
        string some = string.Join(", ", curves.Take(3).Select(curve => $"'{curve.Name}'"));
        throw new WorkException($"--only {name} matches none of the {curves.Length} curves: {some}{(curves.Length > 3 ? ", …" : ".")}");
    }

    private FitReport Fit(ImmutableArray<Curve> curves, FitOptions options, ParseResult call)
    {
        try
        {
            return call.GetValue(_quiet)
                ? Fitter.Fit(curves, options, stop: Streams.Interrupt)
                : ProgressDisplay.Watch(Streams, progress => Fitter.Fit(curves, options, progress, stop: Streams.Interrupt));
        }
        // The engine's complaint about a choice; what derives from it would be a mistake of ours.
        catch (ArgumentException wrong) when (wrong.GetType() == typeof(ArgumentException))
        {
            throw Wrong(wrong, call);
        }
    }

    private static void Draw(FitReport report, string directory)
    {
        ImmutableArray<string> files = SvgPlot.FileNames(report.Curves.Select(curve => curve.Curve.Name));
        foreach ((CurveFit curve, string file) in report.Curves.Zip(files))
            File.WriteAllText(Path.Combine(directory, file), SvgPlot.Render(curve), OutputFile.Encoding);
    }
}
