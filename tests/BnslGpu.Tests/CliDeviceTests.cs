using System.Diagnostics;
using System.Text.Json.Nodes;
using BnslGpu.Cli;
using Xunit;

namespace BnslGpu.Tests;

/// <summary><c>--device</c> and <c>bnsl devices</c>.</summary>
[Collection(DeviceTests.Name)]
public sealed class CliDeviceTests
{
    private const string Curve = "curve,x,y\none,1,8.1\none,2,4.3\none,4,2.2\none,8,1.3\none,16,0.8\none,32,0.6\none,64,0.55\none,128,0.52\n";

    [Theory]
    [InlineData("double", "bnsl")]
    [InlineData("mixed", "m1,m4")]
    public void Report_of_the_simulator_is_that_of_simd_but_for_device_and_seconds(string precision, string laws)
    {
        SkipWithout("ilgpu-cpu");
        using ScratchFolder folder = new();
        string file = folder.Write("one.csv", Curve);
        JsonNode simd = Report("simd"), device = Report("ilgpu-cpu");
        Assert.StartsWith("ilgpu-cpu: ", (string?)device["device"], StringComparison.Ordinal);
        foreach (JsonNode report in (JsonNode[])[simd, device])
            foreach (string own in (string[])["device", "seconds"]) report.AsObject().Remove(own);
        Assert.Equal(simd.ToJsonString(), device.ToJsonString());

        JsonNode Report(string name)
        {
            CliResult result = CliRunner.Run("fit", file, "--law", laws, "--breaks", "0,1", "--starts", "100", "--precision", precision, "--device", name, "--format", "json", "--quiet");
            Assert.Equal((0, ""), (result.ExitCode, result.Error));
            return JsonNode.Parse(result.Out)!;
        }
    }

    [Theory]
    [InlineData("gpu9")]
    [InlineData("cuda:x")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:0:1")]
    [InlineData("simd,cuda")]
    [InlineData("opencl,auto")]
    [InlineData("cuda:")]
    [InlineData(",")]
    [InlineData("ilgpu-cpu:7")]
    [InlineData("cuda:63")]
    [InlineData("opencl:63")]
    public void Device_that_is_not_there_is_one_sentence_and_exit_code_2(string name)
    {
        using ScratchFolder folder = new();
        CliResult result = CliRunner.Run("fit", folder.Write("one.csv", Curve), "--device", name, "--quiet");
        Assert.Equal((2, ""), (result.ExitCode, result.Out));
        Assert.Matches("^bnsl: [^\n]+[.] See 'bnsl fit --help'[.]\n$", result.Error);
    }

    [Fact]
    public void Devices_lists_every_kind_with_its_rate_or_why_not()
    {
        CliResult result = CliRunner.Run("devices");
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        string[] lines = result.Out.Split('\n');
        foreach (string kind in Backends.Kinds) Assert.Contains(lines, line => line.Contains(kind, StringComparison.Ordinal));
        foreach (string line in lines.TakeWhile(line => line.Length > 0)) Assert.Matches("^[a-z]+[^ ]*.* ([1-9][0-9,]* starts/s  .+|not usable: .+[.)])$", line);
    }

    [Fact]
    public void Driver_that_a_probe_finds_broken_is_not_touched()
    {
        SkipWithout("ilgpu-cpu");
        Func<string, string?>? before = Backends.Probe;
        try
        {
            Backends.Probe = kind => kind == "opencl" ? "its driver is planted." : null;
            Assert.Equal("opencl cannot be used: its driver is planted.", Assert.Throws<ArgumentException>(() => Backends.Get("opencl")).Message);
            Assert.Contains("opencl     not usable: its driver is planted.\n", CliRunner.Run("devices").Out);
        }
        finally
        {
            Backends.Probe = before;
        }
    }

    [Theory]
    [InlineData("echo 2", null)]
    [InlineData("echo 0", "no driver with a device of double precision was found.")]
    [InlineData("echo lost >&2; exit 3", "its driver failed when asked for its devices (exit code 3: lost).")]
    [InlineData("kill -SEGV $$", "its driver failed when asked for its devices (exit code 139).")]
    [InlineData("sleep 60", "its driver did not answer within 0.5 s.")]
    public void Probe_reports_a_driver_that_crashes_or_hangs(string script, string? reason)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "A shell is needed.");
        Assert.Equal(reason, DevicesCommand.Probe(new ProcessStartInfo("/bin/sh", ["-c", script]), seconds: script.StartsWith("sleep", StringComparison.Ordinal) ? 0.5 : 30));
    }

    [Fact]
    public void Probe_that_cannot_be_started_leaves_the_driver_to_be_asked() =>
        Assert.Null(DevicesCommand.Probe(new ProcessStartInfo("/no/such/tool"), seconds: 1));

    [Fact]
    public void Probe_of_a_kind_counts_its_devices()
    {
        CliResult result = CliRunner.Run("devices", "--probe", "ilgpu-cpu");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches("^[01]\n$", result.Out);
    }

    private static void SkipWithout(string kind)
    {
        try
        {
            (Backends.Get(kind) as IDisposable)?.Dispose();
        }
        catch (ArgumentException unusable)
        {
            Assert.Skip(unusable.Message);
        }
    }
}
