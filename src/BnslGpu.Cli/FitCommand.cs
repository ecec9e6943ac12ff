using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl fit</c>: curves in, report out.</summary>
internal sealed class FitCommand : ToolCommand
{
    private readonly Argument<string[]> _files = new("FILE")
    {
        Description = "CSV files with a header row, packed with gzip or not; - reads standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly CurveOptions _data = new();
    private readonly SearchChoices _search = new();
    private readonly Option<string?> _law = OptionKinds.Text(
        "--law", "NAME,…", $"Functional forms to fit side by side: {string.Join(", ", ScalingLaw.All.Select(law => law.Name).Distinct())}; see 'bnsl laws'. Default: bnsl.");
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
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
    private readonly Option<string?> _format = OptionKinds.OneOf(
        "--format", "What the report looks like. Default: by the ending of --output, else table.",
        ReportFormats.All.Select(format => format.Name));
    private readonly Option<string?> _output = OptionKinds.Text(
        "--output", "FILE", "Write the report there, whole or not at all, instead of to standard output.");
    private readonly Option<string?> _plot = OptionKinds.Text("--plot", "DIRECTORY", "Draw each curve with its fit as an SVG file there.");
    private readonly Option<string?> _script = OptionKinds.Text(
        "--plot-script", "FILE.py", "Write a Python script that draws all curves with matplotlib, and FILE.csv with what it draws, for figures to change by hand.");
    private readonly Option<string?> _report = OptionKinds.Text(
        "--report", "FILE.html", "Write a page with tables and charts of all curves there as well, to open in a browser or to send; it needs no network.");
    private readonly Option<bool> _quiet = OptionKinds.Switch("--quiet", "No notes and no progress on standard error.");

    public FitCommand(Streams streams)
        : base("fit", "Fit scaling curves from CSV files and report laws, parameters and errors.", streams)
    {
        AddFiles(_files);
        OptionKinds.Suggest(_law, ScalingLaw.All.Select(law => law.Name));
        foreach (Option option in (Option[])[.. _data.All, _search.Recipe, _law, _lawsFrom, _search.Breaks, _loss, _delta, _fix, _bound, _tie, _init, .. _search.Rest, _format, _output, _plot, _script, _report, _quiet])
            Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl fit loss.csv", "fit every curve of the file with 0 to 3 breaks and show a table"),
        new("bnsl fit runs.csv --x tokens --y val_loss --curve model,task --holdout 3",
            "name the columns, and score the fits on the last 3 points of each curve"),
        new("bnsl fit sweep.csv.gz --wide --x step", "a table with a column a curve, packed"),
        new("bnsl fit runs.csv --holdout 0.2 --report report.html", "also write a page with a chart of every curve, for a browser"),
        new("bnsl fit runs.csv --output report.md --plot-script figure.py", "tables to paste into an issue; a script for matplotlib with its CSV beside it"),
        new("bnsl fit runs.csv --envelope lower --x compute --y loss", "fit the frontier of many runs: the best loss that so much compute has reached"),
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
        string? path = call.GetValue(_output), plots = call.GetValue(_plot), page = call.GetValue(_report), script = call.GetValue(_script);
        IReportFormat format = Format(call.GetValue(_format), path);
        (CurveColumns columns, FitOptions options) = Choices(call);
        OutputFile.Check(path, Streams, format);
        OutputFile.Check(script);
        if (script is not null && Path.GetExtension(script) != ".py") throw new WrongCallException($"--plot-script is '{script}'; expected a file that ends in .py.");
        if (script is not null && path is not (null or "-") && Path.GetFullPath(path) == Path.GetFullPath(Path.ChangeExtension(script, ".csv")))
            throw new WrongCallException($"--output is '{path}', where --plot-script writes what it draws; expected another name.");
        if (page == "-") throw new WrongCallException("--report is '-'; expected a file. --format html writes the page to standard output.");
        OutputFile.Check(page);
        string[] files = call.GetRequiredValue(_files);
        OutputFile.CheckNotRead("--output", path, files);
        OutputFile.CheckNotRead("--report", page, files);
        OutputFile.CheckNotRead("--plot-script", script, files);
        OutputFile.CheckNotRead("--plot-script", Path.ChangeExtension(script, ".csv"), files);

        _ = Task.Run(() => Fitter.Warm(options));
        long begin = Stopwatch.GetTimestamp();
        ImmutableArray<Curve> curves = _data.Read(call, files, columns, Streams, quiet);
        double read = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        Streams.Interrupt.ThrowIfCancellationRequested();
        if (plots is not null) Directory.CreateDirectory(plots);
        FitReport report = Fit(curves, options, call);
        report = report with { Seconds = report.Seconds with { Read = read, Total = report.Seconds.Total + read } };

        OutputFile.Write(path, Streams, format, report);
        if (plots is not null) Draw(report, plots);
        if (script is not null)
        {
            OutputFile.Write(Path.ChangeExtension(script, ".csv"), Streams, writer => MatplotlibPlot.WriteData(report, writer));
            OutputFile.Write(script, Streams, MatplotlibPlot.WriteScript);
        }

        if (page is not null) OutputFile.WritePage(page, Streams, quiet, (writer, progress) => HtmlReport.Write(report, writer, progress: progress));
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
        if (!quiet && plots is not null) Streams.Say($"{plots}: {report.Curves.Length} {(report.Curves.Length == 1 ? "plot" : "plots")} written.");
        if (!quiet && script is not null) Streams.Say($"{script} and its data, {Path.ChangeExtension(script, ".csv")}, written; draw with python3 {script}.");
        return ExitCode.Done;
    }

    private static string Endings => OptionKinds.Listed([.. ReportFormats.All.Select(format => format.FileExtension)], "or");

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
        CurveColumns columns = _data.Columns(call);
        FitOptions given = _search.Choices(call);
        FitOptions options = given with
        {
            Laws = call.GetValue(_law) is { } laws ? [.. laws.Split(',')] : given.Laws,
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
        return (CurveOptions.ForLaws(columns, options.Laws), options);
    }

    /// <summary>The library's complaint about a choice, in the words of this command.</summary>
    private WrongCallException Wrong(ArgumentException complaint, ParseResult call) => SearchChoices.Wrong(CurveOptions.Wrong(complaint.Message)
        .Replace("ParameterRules.Ranges ", call.GetResult(_bound) is null ? "--fix " : call.GetResult(_fix) is null ? "--bound " : "--fix or --bound ", StringComparison.Ordinal)
        .Replace("ParameterRules.Ties ", "--tie ", StringComparison.Ordinal)
        .Replace("ParameterRules.Starts ", "--init ", StringComparison.Ordinal)
        .Replace("FitOptions.Loss ", "--loss ", StringComparison.Ordinal));

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
