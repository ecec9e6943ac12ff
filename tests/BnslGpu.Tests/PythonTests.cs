using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>The tests of bnsl.py are Python's own, in Python/test_bnsl.py; here each of them passes, or is skipped with its reason.</summary>
public sealed partial class PythonTests(PythonTests.Outcome outcome) : IClassFixture<PythonTests.Outcome>
{
    private static string Root { get; } = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Source())!, "../.."));

    private static string File { get; } = Path.Combine(Root, "tests/BnslGpu.Tests/Python/test_bnsl.py");

    public static TheoryData<string> Names() => [.. Definition().Matches(System.IO.File.ReadAllText(File)).Select(match => match.Groups["name"].Value)];

    [Theory, MemberData(nameof(Names))]
    public void In_Python(string name)
    {
        Assert.SkipWhen(outcome.Python is null, "there is no Python from 3.9 on");
        Match result = Regex.Match(outcome.Text, $@"^{name} \(.*?\.\.\. (ok|skipped '(.*)'|expected failure|FAIL|ERROR)$", RegexOptions.Multiline | RegexOptions.Singleline);
        Assert.SkipWhen(result.Groups[2].Success, result.Groups[2].Value);
        Assert.True(result.Groups[1].Value == "ok", outcome.Text);
    }

    /// <summary>All tests are run once, by the Python that has the most of what they would use.</summary>
    public sealed class Outcome
    {
        private static readonly string[] s_names = ["python3", "/usr/bin/python3", "python"];

        public Outcome()
        {
            const string Has = "import sys, importlib.util as u; print(0 if sys.version_info < (3, 9) else 1 + sum(u.find_spec(name) is not None for name in ('numpy', 'pandas', 'matplotlib')))";
            (string Name, int Has)[] pythons = [.. s_names.Select(name => (name, int.TryParse(Run(name, "-c", Has), out int has) ? has : 0))];
            if (pythons.MaxBy(python => python.Has) is not { Has: > 0 } python) return;
            Python = python.Name;
            Text = Run(Python, "-W", "ignore", File, "-v");
        }

        public string? Python { get; }

        public string Text { get; } = "";

        private static string Run(string program, params string[] args)
        {
            ProcessStartInfo start = new(program, args) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment["PYTHONPATH"] = AppContext.BaseDirectory; // bnsl.py beside bnsl.dll, as the build leaves them
            start.Environment.Remove("BNSL_HOME");
            start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
            start.Environment.Remove("BNSL_ENGINE");
            try
            {
                using Process process = Process.Start(start)!;
                Task<string> error = process.StandardError.ReadToEndAsync();
                string output = process.StandardOutput.ReadToEnd();
                return output + error.Result;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return "";
            }
        }
    }

    [GeneratedRegex(@"^    def (?<name>test_\w+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Definition();

    private static string Source([CallerFilePath] string path = "") => path;
}
