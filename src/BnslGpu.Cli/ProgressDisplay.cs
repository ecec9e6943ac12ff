using System.Diagnostics;
using Spectre.Console;

namespace BnslGpu.Cli;

/// <summary>Shows how far a run is on standard error: bars on a terminal, else a line every ten seconds.</summary>
/// <remarks>Nothing is shown in the first second, and Spectre.Console is not loaded in it.</remarks>
internal sealed class ProgressDisplay : IProgress<FitProgress>
{
    private const int Silence = 1000, BarsEvery = 100, LineEvery = 10_000;
    private readonly Lock _lock = new();
    private FitProgress _latest;

    /// <inheritdoc/>
    public void Report(FitProgress value)
    {
        lock (_lock)
        {
            // Reports of several threads may overtake each other.
            if (value.Stage != _latest.Stage || value.Done >= _latest.Done) _latest = value;
        }
    }

    /// <summary>Runs the work on another thread and shows its progress from this one.</summary>
    public static T Watch<T>(Streams streams, Func<IProgress<FitProgress>, T> work)
    {
        if (streams.Progress is { } told) return work(told);
        ProgressDisplay display = new();
        Task<T> running = Task.Run(() => work(display));
        if (!Ends(running, Silence))
        {
            if (streams.ErrorIsTerminal) display.ShowBars(running);
            else display.ShowLines(running, streams);
        }
        return running.GetAwaiter().GetResult();
    }

    private FitProgress Latest
    {
        get
        {
            lock (_lock) return _latest;
        }
    }

    // Unlike Task.Wait, this does not throw what the work threw.
    private static bool Ends(Task running, int milliseconds) => Task.WaitAny([running], milliseconds) >= 0;

    private void ShowLines(Task running, Streams streams)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!Ends(running, LineEvery))
        {
            (string stage, long done, long total) = Latest;
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds + Silence / 1000.0;
            streams.Say($"{stage} {Percent(done, total):0} % after {seconds:0} s");
        }
    }

    // Spectre.Console stands in this method alone, so that it is loaded only where bars are drawn.
    private void ShowBars(Task running)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        Progress progress = console.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn());
        progress.Start(context =>
        {
            ProgressTask? bar = null;
            do
            {
                (string? stage, long done, long total) = Latest;
                if (stage is null) continue;
                if (bar is null || bar.Description != Markup.Escape(stage))
                {
                    if (bar is not null) bar.Value = bar.MaxValue;
                    bar = context.AddTask(Markup.Escape(stage), autoStart: true, maxValue: 100);
                }
                bar.Value = Percent(done, total);
            }
            while (!Ends(running, BarsEvery));
        });
    }

    private static double Percent(long done, long total) => total > 0 ? 100.0 * done / total : 0;
}
