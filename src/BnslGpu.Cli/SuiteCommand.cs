using System.Collections.Immutable;
using System.CommandLine;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary><c>bnsl suite</c>: how BNSL and its rivals forecast the held-out points of many curves.</summary>
internal sealed class SuiteCommand : ToolCommand
{
    private static readonly ImmutableArray<string> s_laws = ["bnsl", "m1", "m2", "m3", "m4"];

    private readonly Argument<string[]> _what = new("NAME|FILE")
    {
        Description = $"A suite: {string.Join("; ", Suite.All.Select(suite => $"{suite.Name} ({suite.Description}; {suite.Source})"))}. Or CSV files of your own; - reads standard input.",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _folder = OptionKinds.Text(
        "--data", "DIR", "The folder that has the files of the suite. Default: they are downloaded once, verified, and kept in the user's cache.");
    private readonly CurveOptions _data = new();
    private readonly SearchChoices _search = new();
    private readonly Option<string?> _law = OptionKinds.Text(
        "--law", "NAME,…", $"Functional forms to compare; see 'bnsl laws'. bnsl is scored by its forecast, the others by one least-squares fit. Default: {string.Join(',', s_laws)}.");
    private readonly Option<string[]> _lawsFrom = LawsFile.Option();
    private readonly Option<bool> _tasks = OptionKinds.Switch("--tasks", "Show every task after the summary, as --output always does.");
    private readonly Option<string?> _format = OptionKinds.OneOf(
        "--format", "What the scores look like: csv has a row a task and form, json everything. Default: by the ending of --output, else table.",
        SuiteFormats.All.Select(format => format.Name));
    private readonly Option<string?> _output = OptionKinds.Text(
        "--output", "FILE", "Write the scores there, whole or not at all, instead of to standard output.");
    private readonly Option<string?> _report = OptionKinds.Text(
        "--report", "FILE.html", "Write a page with the tables, every task and a chart of every curve there as well, to open in a browser or to send; it needs no network.");
    private readonly Option<bool> _quiet = OptionKinds.Switch("--quiet", "No notes and no progress on standard error.");

    public SuiteCommand(Streams streams)
        : base("suite", "Score forecasts of whole suites of curves against M1 to M4: errors, shares of best, calibration.", streams)
    {
        AddFiles(_what);
        _what.CompletionSources.Add([.. Suite.All.Select(suite => suite.Name)]);
        OptionKinds.Suggest(_law, ScalingLaw.All.Select(law => law.Name));
        foreach (Option option in (Option[])[_folder, .. _data.All, _search.Recipe, _law, _lawsFrom, _search.Breaks, .. _search.Rest, _tasks, _format, _output, _report, _quiet])
            Add(option);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl suite revisiting", "download the 92 curves of arXiv:2209.06640 once, fit them, and show how BNSL compares with M1 to M4"),
        new("bnsl suite revisiting --data revisiting --output scores.json", "the same from files that are there, with every task, for a program"),
        new("bnsl suite revisiting --report suite.html", "also write a page with every task and a chart of every curve"),
        new("bnsl suite runs.csv --x tokens --y val_loss --curve group,model --holdout 0.3 --tasks",
            "score forecasts of the last 30 % of your own curves; the first part of a curve's name is its domain"),
        new("bnsl suite revisiting --only 'IC|*' --law bnsl,m4 --format markdown", "some of the curves, some of the forms, for a paper or an issue"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        bool quiet = call.GetValue(_quiet);
        string? path = call.GetValue(_output);
        string? page = call.GetValue(_report);
        bool toFile = path is not (null or "-");
        ISuiteFormat format = Format(call.GetValue(_format), path);
        string[] words = call.GetRequiredValue(_what);
        Suite? suite = Named(words, call.GetValue(_folder));
        LawsFile.Load(call.GetValue(_lawsFrom));
        FitOptions options = _search.Choices(call) with { Laws = call.GetValue(_law) is { } laws ? [.. laws.Split(',')] : s_laws };
        CurveColumns given = _data.Columns(call), columns;
        try
        {
            given.Validate();
            options.Validate();
            columns = CurveOptions.ForLaws(given, options.Laws);
        }
        catch (ArgumentException wrong)
        {
            throw SearchChoices.Wrong(CurveOptions.Wrong(wrong.Message));
        }

        OutputFile.Check(path);
        if (page == "-") throw new WrongCallException("--report is '-'; expected a file.");
        OutputFile.Check(page);
        string[] files = suite is null ? words : [.. Files(suite, call.GetValue(_folder), quiet)];
        OutputFile.CheckNotRead("--output", path, files);
        OutputFile.CheckNotRead("--report", page, files);
        ImmutableArray<Curve> curves = _data.Read(call, files, columns, Streams, quiet);
        ReleasedFits? released = suite?.Released;
        if (released is not null && given != new CurveColumns())
        {
            if (!quiet) Streams.Say($"the released figures of {suite!.Name} are left out: other columns or points are asked for than they are of.");
            released = null;
        }

        Streams.Interrupt.ThrowIfCancellationRequested();
        string name = suite?.Name ?? string.Join(", ", words.Select(word => word == "-" ? "stdin" : Path.GetFileNameWithoutExtension(word)));
        SuiteReport report = Score(progress => SuiteReport.Fit(name, curves, options, suite?.Groups ?? [], released, progress, Streams.Interrupt), quiet);

        OutputFile.Write(path, Streams, writer => format.Write(report, toFile || call.GetValue(_tasks), writer));
        if (page is not null) OutputFile.WritePage(page, Streams, quiet, (writer, progress) => SuitePage.Write(report, writer, progress));
        int scored = report.Tasks.Count(task => task.Scores.Zip(report.Forms).Any(one => one.Second.Kind != FormKind.Released && !double.IsNaN(one.First.Rmsle)));
        if (scored == 0)
        {
            string hint = report.Tasks.All(task => task.HeldOutPoints == 0) ? " Hold points out with --holdout 3 or --fit-when COLUMN=VALUE." : "";
            Streams.Say($"no curve could be scored; the report says why.{hint}");
            return ExitCode.Failed;
        }

        if (!quiet && page is not null) Streams.Say($"{page} written.");
        if (!quiet && toFile) Streams.Say($"{path} written; {scored} of {report.Tasks.Length} tasks scored.");
        return ExitCode.Done;
    }

    /// <summary>The suite that is asked for; null where files are.</summary>
    private static Suite? Named(string[] words, string? folder)
    {
        // A file of that name would be meant as ./revisiting.
        Suite? suite = words is [var name] ? Suite.Find(name) : null;
        if (suite is null && folder is not null) throw new WrongCallException($"--data is the folder of a suite's files ({string.Join(", ", Suite.All.Select(one => one.Name))}); files of your own are named as they are.");
        if (suite is null && Array.Find(words, word => word != "-" && !Path.HasExtension(word) && !File.Exists(word)) is { } unknown)
            throw new WrongCallException($"'{unknown}' is neither a suite ({string.Join(", ", Suite.All.Select(one => one.Name))}) nor a file.");
        return suite;
    }

    private static ISuiteFormat Format(string? name, string? path)
    {
        if (name is not null) return SuiteFormats.Find(name);
        if (path is null or "-") return SuiteFormats.All[0];
        return SuiteFormats.All.FirstOrDefault(format => format.FileExtension == Path.GetExtension(path))
            ?? throw new WrongCallException($"--output {path} does not end in {OptionKinds.Listed([.. SuiteFormats.All.Select(format => format.FileExtension)], "or")}; say which --format it should have.");
    }

    private ImmutableArray<string> Files(Suite suite, string? folder, bool quiet)
    {
        if (folder is not null) return SuiteDownload.Find(suite, folder);
        string cache = Path.Combine(SuiteDownload.CacheFolder, suite.Name);
        ImmutableArray<string> Get(IProgress<FitProgress>? progress) => SuiteDownload.GetAsync(suite, cache, progress, Streams.Interrupt).GetAwaiter().GetResult();
        if (quiet) return Get(null);
        bool missing = suite.Files.Any(file => !File.Exists(Path.Combine(cache, file.Name)));
        if (missing) Streams.Say($"downloading {suite.Name} to {cache}.");
        return missing ? ProgressDisplay.Watch(Streams, Get) : Get(null);
    }

    // Half a search would be scored as if it were a whole one: an interrupted suite has no report.
    private SuiteReport Score(Func<IProgress<FitProgress>?, SuiteReport> fit, bool quiet)
    {
        try
        {
            return quiet ? fit(null) : ProgressDisplay.Watch(Streams, fit);
        }
        // The engine's complaint about a choice; what derives from it would be a mistake of ours.
        catch (ArgumentException wrong) when (wrong.GetType() == typeof(ArgumentException))
        {
            throw SearchChoices.Wrong(CurveOptions.Wrong(wrong.Message));
        }
    }
}
