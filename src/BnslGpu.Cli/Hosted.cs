using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace BnslGpu.Cli;

/// <summary>The tool inside another program's process: bnsl.py calls <see cref="Run"/> through hostfxr.</summary>
/// <remarks>
/// A call is that of the command line, its arguments and standard input in memory, and its answer what the tool would write. A host therefore knows no option, no
/// column and no number format of its own, and gets the tool's numbers to the last bit.
/// </remarks>
internal static unsafe class Hosted
{
    private const int Output = 1, Error = 2, Progress = 3;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50), s_tell = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs one call of the tool; calls may overlap.</summary>
    /// <param name="args">The arguments in UTF-8, each ended by a zero.</param>
    /// <param name="argsLength">Bytes of <paramref name="args"/>.</param>
    /// <param name="input">Standard input in UTF-8; it is read where it lies.</param>
    /// <param name="inputLength">Bytes of <paramref name="input"/>.</param>
    /// <param name="interrupt">What Ctrl-C does: set to another value than 0 at any time before the return, the call ends early.</param>
    /// <param name="answer">
    /// Takes (kind, UTF-8, length), which it must copy: 1 is all of standard output and 2 all of standard error, once each before the return; 3 is progress as
    /// "stage done total", now and then and from any thread, one at a time.
    /// </param>
    /// <returns>The <see cref="ExitCode"/>.</returns>
    [UnmanagedCallersOnly]
    public static int Run(byte* args, int argsLength, byte* input, long inputLength, int* interrupt, delegate* unmanaged<int, byte*, int, void> answer)
    {
        string[] words = Encoding.UTF8.GetString(args, argsLength).Split('\0')[..^1];
        Backends.Probe ??= DevicesCommand.Probe;
        using UnmanagedMemoryStream given = new(input, inputLength);
        using StreamReader @in = new(given, Encoding.UTF8);
        using MemoryStream written = new();
        using StreamWriter @out = new(written, OutputFile.Encoding) { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        using CancellationTokenSource source = new();
        using ManualResetEventSlim ended = new();
        Thread watch = new(() =>
        {
            while (!ended.Wait(s_look))
                if (Volatile.Read(ref *interrupt) != 0) source.Cancel();
        })
        { IsBackground = true };
        watch.Start();
        int exitCode = Program.Run(words, new Streams(@in, @out, TextWriter.Synchronized(error)) { Interrupt = source.Token, Progress = new Teller(answer) });
        ended.Set();
        watch.Join();
        @out.Flush();
        Answer(answer, Output, written.GetBuffer().AsSpan(0, (int)written.Length));
        Answer(answer, Error, Encoding.UTF8.GetBytes(error.ToString()));
        return exitCode;
    }

    private static void Answer(delegate* unmanaged<int, byte*, int, void> answer, int kind, ReadOnlySpan<byte> utf8)
    {
        fixed (byte* text = utf8) answer(kind, text, utf8.Length);
    }

    /// <summary>Hands progress over, a stage's first at once and then every tenth of a second: the host may have to wait for a lock of its own.</summary>
    private sealed class Teller(delegate* unmanaged<int, byte*, int, void> answer) : IProgress<FitProgress>
    {
        private readonly delegate* unmanaged<int, byte*, int, void> _answer = answer;
        private readonly Lock _lock = new();
        private string? _stage;
        private long _told;

        public void Report(FitProgress value)
        {
            if (value.Stage == _stage && Stopwatch.GetElapsedTime(Volatile.Read(ref _told)) < s_tell) return;
            lock (_lock)
            {
                (_stage, _told) = (value.Stage, Stopwatch.GetTimestamp());
                Answer(_answer, Progress, Encoding.UTF8.GetBytes($"{value.Stage} {value.Done} {value.Total}"));
            }
        }
    }
}
