using System.Diagnostics;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Programs that are not ours, for tests of what is written for them.</summary>
internal static class Tools
{
    /// <summary>Debian's Python with the modules, or the test is skipped.</summary>
    public static string Python(params string[] modules)
    {
        string import = $"import {string.Join(", ", modules)}";
        string? found = ((string[])["/usr/bin/python3", "python3"]).FirstOrDefault(python => Run(python, ["-c", import])?.ExitCode == 0);
        Assert.SkipWhen(found is null, $"no python3 with {string.Join(", ", modules)}");
        return found!;
    }

    /// <summary>A shell, or the test is skipped.</summary>
    public static string Shell(string name)
    {
        Assert.SkipWhen(Run(name, ["-c", ":"])?.ExitCode is not 0, $"no {name}");
        return name;
    }

    /// <summary>Runs a program to its end, at most a minute.</summary>
    /// <returns>Null where it cannot be started.</returns>
    public static CliResult? Run(string program, string[] arguments, string? folder = null)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder ?? "",
            })!;
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(60_000))
            {
                process.Kill(entireProcessTree: true);
                throw new TimeoutException($"{program} did not end.");
            }

            return new(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
