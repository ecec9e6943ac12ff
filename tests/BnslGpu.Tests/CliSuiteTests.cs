using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Xunit;

namespace BnslGpu.Tests;

/// <summary><c>bnsl suite</c> with the engine behind it.</summary>
[Collection(ProcessWide.Name)]
public sealed class CliSuiteTests
{
    private static readonly string s_two = "group,model,x,y\n" + string.Concat(
        from model in (string[])["a,one", "a,two", "b,one"]
        from i in Enumerable.Range(0, 12)
        select string.Create(CultureInfo.InvariantCulture, $"{model},{1 << i},{0.1 + (model.Length * i * 1e-4) + Math.Pow(2, -0.3 * i) + (0.003 * Math.Sin(5 * i))}\n"));

    private static string[] Few(params string[] more) => ["suite", "-", "--curve", "group,model", "--holdout", "3", "--breaks", "0,1", "--starts", "8", .. more];

    [Fact]
    public void Csv_of_one_s_own_is_scored_by_domain_against_four_forms()
    {
        CliResult result = CliRunner.RunWith(s_two, CancellationToken.None, Few("--format", "json", "--quiet"));
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        using JsonDocument json = JsonDocument.Parse(result.Out);
        JsonElement report = json.RootElement;
        Assert.Equal("stdin", report.GetProperty("suite").GetString());
        Assert.Equal(["BNSL", "BNSL n=1", "M1", "M2", "M3", "M4"], report.GetProperty("forms").EnumerateArray().Select(form => form.GetProperty("name").GetString()!));
        Assert.Equal(["a", "b", "all"], report.GetProperty("averages").EnumerateArray().Select(group => group.GetProperty("name").GetString()!));
        JsonElement[] tasks = [.. report.GetProperty("tasks").EnumerateArray()];
        Assert.Equal(["a|one", "a|two", "b|one"], tasks.Select(task => task.GetProperty("task").GetString()!));
        Assert.All(tasks, task => Assert.InRange(task.GetProperty("rmsle").GetProperty("BNSL").GetDouble(), 1e-6, 0.5));
        // Without a limit nothing fits a curve that has one.
        Assert.All(tasks, task => Assert.True(task.GetProperty("rmsle").GetProperty("M1").GetDouble() > task.GetProperty("rmsle").GetProperty("M2").GetDouble()));
        JsonElement best = report.GetProperty("best")[0].GetProperty("shares")[2];
        Assert.Equal(1, ((string[])["BNSL", "M1", "M2", "M3", "M4"]).Sum(form => best.GetProperty(form).GetDouble()), 1e-12);
    }

    [Fact]
    public void A_page_has_the_tables_every_task_and_the_fits_of_the_other_forms()
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.RunWith(s_two, CancellationToken.None, Few("--report", folder.File("suite.html"), "--format", "json"));
        Assert.Equal((0, $"bnsl: {folder.File("suite.html")} written.\n"), (result.ExitCode, result.Error));
        string page = File.ReadAllText(folder.File("suite.html"));
        const string Begin = "<script id=\"data\" type=\"application/json\">";
        string text = page[(page.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length)..];
        using JsonDocument data = JsonDocument.Parse(text[..text.IndexOf("</script>", StringComparison.Ordinal)]), scores = JsonDocument.Parse(result.Out);
        JsonElement[] tables = [.. data.RootElement.GetProperty("tables").EnumerateArray()];
        Assert.Equal(["Mean RMSLE", "Best in % ", "Best in % ", "What the f", "Tasks"], tables.Select(table => table.GetProperty("title").GetString()!).Select(title => title[..Math.Min(10, title.Length)]));
        JsonElement[] columns = [.. tables[^1].GetProperty("columns").EnumerateArray()];
        Assert.Equal(["task", "fitted", "held out", "BNSL", "BNSL n=1", "M1", "M2", "M3", "M4", "within 80 %"], columns.Select(column => column.GetProperty("title").GetString()!));
        Assert.Equal(["a|one", "a|two", "b|one"], columns[0].GetProperty("values").EnumerateArray().Select(name => name.GetString()!));
        JsonElement[] tasks = [.. scores.RootElement.GetProperty("tasks").EnumerateArray()];
        foreach ((double shown, JsonElement task) in columns[5].GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).Zip(tasks))
            Assert.Equal(task.GetProperty("rmsle").GetProperty("M1").GetDouble(), shown, 1e-5);
        JsonElement[] curves = [.. data.RootElement.GetProperty("curves").EnumerateArray()];
        Assert.All(curves, curve => Assert.Equal(["bnsl, 0 breaks", "bnsl, 1 break", "M1", "M2", "M3", "M4"], curve.GetProperty("fits").EnumerateArray().Select(fit => fit.GetProperty("label").GetString()!)));
        Assert.Equal((2, "bnsl: --report is '-'; expected a file. See 'bnsl suite --help'.\n"), CliRunner.RunWith(s_two, CancellationToken.None, Few("--report", "-")) is var wrong ? (wrong.ExitCode, wrong.Error) : default);
    }

    [Fact]
    public void Every_format_has_every_task_in_a_file_and_tables_on_the_screen_only_when_asked()
    {
        using ScratchFolder folder = new();
        string data = folder.Write("runs.csv", s_two);
        foreach (string ending in (string[])["txt", "md", "csv", "json"])
        {
            string[] call = [.. Few("--law", "bnsl,m1", "--output", folder.File($"scores.{ending}"))];
            call[1] = data;
            CliResult result = CliRunner.Run(call);
            Assert.Equal((0, ""), (result.ExitCode, result.Out));
            Assert.Contains("3 of 3 tasks scored.", result.Error);
            string text = File.ReadAllText(folder.File($"scores.{ending}"));
            Assert.Contains(ending == "md" ? "| b\\|one | 9+3 |" : "b|one", text);
        }

        string[] rows = File.ReadAllLines(folder.File("scores.csv"));
        Assert.StartsWith("task,domain,form,kind,points_fit,points_held_out,rmsle,rmsle_error,log_density,coverage_50,coverage_80,coverage_95,interval_score_80,interval_score_95", rows[0]);
        Assert.Equal(1 + (3 * 3), rows.Length);
        Assert.All(rows, row => Assert.Equal(13, row.Count(letter => letter == ',')));

        string brief = CliRunner.RunWith(s_two, CancellationToken.None, Few("--law", "bnsl,m1")).Out;
        Assert.StartsWith("stdin: 3 tasks scored; BNSL with 0, 1 breaks, recipe forecast, seed 0\n", brief);
        Assert.DoesNotContain("b|one", brief);
        string whole = CliRunner.RunWith(s_two, CancellationToken.None, Few("--law", "bnsl,m1", "--tasks")).Out;
        Assert.Contains("\n  b|one ", whole);
        Assert.All(brief.Split('\n'), line => Assert.InRange(line.Length, 0, 140));
    }

    [Fact]
    public void Curves_without_a_name_of_several_parts_are_one_domain()
    {
        string one = s_two.Replace("group,model,", "group,curve,", StringComparison.Ordinal);
        CliResult result = CliRunner.RunWith(one.Replace("b,one", "b,three", StringComparison.Ordinal), CancellationToken.None, "suite", "-", "--holdout", "2", "--breaks", "1", "--starts", "4", "--law", "bnsl", "--quiet");
        Assert.Contains("  all (3)\n", result.Out);
    }

    [Fact]
    public void Report_says_why_and_exit_code_is_1_where_nothing_is_held_out()
    {
        CliResult result = CliRunner.RunWith("x,y\n1,3\n2,2\n4,1\n", CancellationToken.None, "suite", "-");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("! stdin: There are no held-out points to score.\n", result.Out);
        Assert.Contains("Hold points out with --holdout 3", result.Error);
    }

    [Theory]
    [InlineData("suite nonsense", "bnsl: 'nonsense' is neither a suite (revisiting) nor a file. See 'bnsl suite --help'.")]
    [InlineData("suite a.csv --data d", "bnsl: --data is the folder of a suite's files (revisiting); files of your own are named as they are. See 'bnsl suite --help'.")]
    [InlineData("suite revisiting --law m9", "bnsl: --law = m9. Violated constraint: one of ")]
    [InlineData("suite revisiting --law chinchilla", "bnsl: the law chinchilla has 2 inputs and --x names 1; expected a column for each. See 'bnsl suite --help'.")]
    [InlineData("suite revisiting --output a.png", "bnsl: --output a.png does not end in .txt, .md, .csv or .json; say which --format it should have. See 'bnsl suite --help'.")]
    [InlineData("suite a.csv --holdout 3 --fit-when a=1", "bnsl: --fit-when = 'a=1' and --holdout = '3'.")]
    public void Wrong_call_is_one_sentence_and_exit_code_2(string call, string complaint)
    {
        CliResult result = CliRunner.Run(call.Split(' '));
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.StartsWith(complaint, result.Error);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Interrupted_suite_has_no_report()
    {
        CliResult result = CliRunner.RunWith(s_two, new CancellationToken(canceled: true), Few());
        Assert.Equal(new CliResult(130, "", "bnsl: interrupted.\n"), result);
    }

    [Fact]
    public void Without_a_network_one_sentence_names_the_address_and_the_cache()
    {
        using ScratchFolder folder = new();
        IWebProxy proxy = HttpClient.DefaultProxy;
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        try
        {
            // Nobody listens there.
            HttpClient.DefaultProxy = new WebProxy("http://127.0.0.1:9");
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", folder.Path);
            string file = Path.Combine(SuiteDownload.CacheFolder, "revisiting", "benchmark.lang.csv");
            if (!OperatingSystem.IsWindows()) Assert.Equal(folder.File("bnsl/revisiting/benchmark.lang.csv"), file);
            else Assert.SkipWhen(File.Exists(file), "The suite is in the cache of this user.");
            CliResult result = CliRunner.Run("suite", "revisiting", "--quiet");
            Assert.Equal((1, ""), (result.ExitCode, result.Out));
            Assert.StartsWith("bnsl: https://raw.githubusercontent.com/google-research/", result.Error);
            Assert.EndsWith($"put it at {file}, or name the folder that has it with --data DIR.\n", result.Error);
        }
        finally
        {
            HttpClient.DefaultProxy = proxy;
            Environment.SetEnvironmentVariable("XDG_CACHE_HOME", cache);
        }
    }

    /// <summary>The scores of M1 are those that its authors' code gives: a linear problem has one answer. Those of one break were found by another program.</summary>
    [Fact]
    public void The_92_curves_get_the_scores_that_other_programs_gave_them()
    {
        string folder = Path.Combine(Path.GetDirectoryName(Source())!, "..", "..", "..", "shared", "data", "revisiting");
        if (!File.Exists(Path.Combine(folder, "benchmark.vision.csv"))) Assert.Skip("The benchmark of arXiv:2209.06640 is not in ../shared/data/revisiting.");
        CliResult result = CliRunner.Run("suite", "revisiting", "--data", folder, "--law", "bnsl,m1", "--breaks", "1", "--starts", "16", "--format", "json");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains("687 exact copies of rows were dropped", result.Error);
        using JsonDocument json = JsonDocument.Parse(result.Out);
        JsonElement[] tasks = [.. json.RootElement.GetProperty("tasks").EnumerateArray()];
        Assert.Equal(92, tasks.Length);
        Assert.All(tasks, task =>
        {
            // Six digits were printed.
            double released = task.GetProperty("rmsle").GetProperty("M1 released").GetDouble();
            Assert.Equal(released, task.GetProperty("rmsle").GetProperty("M1").GetDouble(), 1e-5 * released);
        });
        Dictionary<string, Dictionary<string, double>> means = json.RootElement.GetProperty("averages").EnumerateArray().ToDictionary(
            group => group.GetProperty("name").GetString()!,
            group => group.GetProperty("rmsle").EnumerateArray().ToDictionary(form => form.GetProperty("form").GetString()!, form => form.GetProperty("mean").GetProperty("mean").GetDouble()));
        Assert.Equal(["BB", "IC", "LM", "NMT", "language", "all"], means.Keys);
        Assert.Equal(0.0402, means["IC"]["BNSL n=1"], 0.02 * 0.0402);
        Assert.Equal(0.0338, means["all"]["BNSL n=1"], 0.02 * 0.0338);
        Assert.Equal(0.0415, means["IC"]["M4 released"], 0.00005);
        Assert.Equal(((5 * means["LM"]["M1"]) + (5 * means["NMT"]["M1"]) + (10 * means["BB"]["M1"])) / 20, means["language"]["M1"], 1e-12);
    }

    private static string Source([CallerFilePath] string path = "") => path;
}
