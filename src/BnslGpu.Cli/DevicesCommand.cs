using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace BnslGpu.Cli;

/// <summary><c>bnsl devices</c>: where the search can run on this machine.</summary>
internal sealed class DevicesCommand : ToolCommand
{
    /// <summary>What this tool starts itself with to enumerate a kind of device where a crash of its driver harms nobody.</summary>
    private readonly Option<string?> _probe = new("--probe") { Hidden = true };

    public DevicesCommand(Streams streams)
        : base("devices", "List where the search can run on this machine, how fast, and why the rest cannot be used.", streams) => Add(_probe);

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples { get; } =
    [
        new("bnsl devices", "what --device can name here, its memory, and starts a second of one break on 60 points"),
        new("bnsl fit loss.csv --device simd --threads 4", "search on four cores"),
        new("bnsl fit loss.csv --device cuda --starts 100000", "search on every CUDA device there is"),
        new("bnsl fit loss.csv --device cuda:1,opencl:0", "share the work between two"),
    ];

    /// <inheritdoc/>
    protected override int Run(ParseResult call)
    {
        if (call.GetValue(_probe) is { } kind)
        {
            Streams.Out.WriteLine(Backends.Enumerate(kind));
            return ExitCode.Done;
        }

        foreach (DeviceStatus device in Backends.Look())
        {
            Streams.Interrupt.ThrowIfCancellationRequested();
            Streams.Out.WriteLine(device.WhyNot is { } reason
                ? $"{device.Name,-10} not usable: {string.Join(", ", new[] { device.Description, reason }.Where(part => part.Length > 0))}"
                : $"{device.Name,-10} {Rate(device.Rate),9} starts/s  {device.Description}");
            Streams.Out.Flush();
        }

        Streams.Out.WriteLine();
        Streams.Out.WriteLine("Starts are of one break on 60 points. --device auto is simd, or a GPU where there is much to do and it is faster.");
        return ExitCode.Done;
    }

    private static string Rate(double rate) => double.Parse(rate.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Enumerates devices of a kind in a process of its own.</summary>
    /// <returns>Why that did not go well; null where it did.</returns>
    public static string? Probe(string kind)
    {
        string tool = Environment.ProcessPath ?? "bnsl";
        string[] self = Path.GetFileNameWithoutExtension(tool) == "dotnet" ? [Path.Combine(AppContext.BaseDirectory, "bnsl.dll")] : [];
        Assembly own = typeof(DevicesCommand).Assembly;
#pragma warning disable IL3000 // In another program's process; a single file is a process of its own.
        if (Assembly.GetEntryAssembly() != own) (tool, self) = ("dotnet", [own.Location]);
#pragma warning restore IL3000
        return Probe(new ProcessStartInfo(tool, [.. self, "devices", "--probe", kind]), seconds: 30);
    }

    /// <summary>Waits for a process that says how many devices of a kind there are.</summary>
    internal static string? Probe(ProcessStartInfo start, double seconds)
    {
        (start.UseShellExecute, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true);
        try
        {
            using Process child = Process.Start(start)!;
            Task<string> output = child.StandardOutput.ReadToEndAsync(), error = child.StandardError.ReadToEndAsync();
            if (!child.WaitForExit(TimeSpan.FromSeconds(seconds)))
            {
                child.Kill(entireProcessTree: true);
                return string.Create(CultureInfo.InvariantCulture, $"its driver did not answer within {seconds} s.");
            }

            if (child.ExitCode != 0) return $"its driver failed when asked for its devices (exit code {child.ExitCode}{(error.Result.Trim() is { Length: > 0 } said ? $": {said.Split('\n')[0]}" : "")}).";
            return output.Result.Trim() == "0" ? "no driver with a device of double precision was found." : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // No child could be started: then there is nobody to ask but the driver itself.
        }
    }
}
