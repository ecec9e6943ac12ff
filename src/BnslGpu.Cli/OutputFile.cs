using System.Text;
using BnslGpu.Formats;

namespace BnslGpu.Cli;

/// <summary>Where a result goes: standard output, or a file that appears whole or not at all.</summary>
internal static class OutputFile
{
    /// <summary>UTF-8 without a byte order mark, which pipes and CSV readers would take for text.</summary>
    public static Encoding Encoding { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Complains about a path that cannot be written, before any work is done for it.</summary>
    /// <exception cref="WorkException">The path is a directory, or lies in none.</exception>
    public static void Check(string? path)
    {
        if (IsStandard(path)) return;
        if (Directory.Exists(path)) throw new WorkException($"{path} is a directory; expected a file.");
        string full = Path.GetFullPath(path!);
        string? directory = Path.GetDirectoryName(full);
        if (!Directory.Exists(directory) && !IsWindowsDevice(full)) throw new WorkException($"{path} cannot be written: there is no directory {directory}.");
    }

    /// <summary>Complains about a path that would take the place of what is read.</summary>
    /// <param name="option">What names the path, or has it made.</param>
    /// <param name="path">The file that will be written.</param>
    /// <param name="files">Those that are read.</param>
    /// <exception cref="WrongCallException">The path is one of them.</exception>
    public static void CheckNotRead(string option, string? path, IEnumerable<string> files)
    {
        if (!IsStandard(path) && files.Any(file => File.Exists(file) && Target(file) == Target(path!)))
            throw new WrongCallException($"{option} would replace {path}, which is read; expected another name.");
    }

    /// <summary>Writes to standard output, or to a temporary file that is then renamed.</summary>
    /// <param name="path">The file; null or <c>-</c> is standard output.</param>
    /// <param name="streams">Has standard output.</param>
    /// <param name="write">Writes the whole result.</param>
    public static void Write(string? path, Streams streams, Action<TextWriter> write)
    {
        if (IsStandard(path)) write(streams.Out);
        else
            WriteBytes(path!, stream =>
            {
                using StreamWriter file = new(stream, Encoding, leaveOpen: true) { NewLine = "\n" };
                write(file);
            });
    }

    /// <summary>Writes a report in its format.</summary>
    /// <param name="path">The file; null or <c>-</c> is standard output.</param>
    /// <param name="streams">Has standard output.</param>
    /// <param name="format">Text or bytes.</param>
    /// <param name="report">The report.</param>
    public static void Write(string? path, Streams streams, IReportFormat format, FitReport report)
    {
        if (format is ITextFormat text) Write(path, streams, writer => text.Write(report, writer));
        else if (!IsStandard(path)) WriteBytes(path!, stream => format.Write(report, stream));
        else format.Write(report, streams.OutBytes!);
    }

    /// <summary>Complains about bytes that would go to a terminal, before any work is done for them.</summary>
    /// <exception cref="WrongCallException">The format is not text, and nothing takes its bytes.</exception>
    public static void Check(string? path, Streams streams, IReportFormat format)
    {
        Check(path);
        if (IsStandard(path) && format is not ITextFormat && streams.OutBytes is null)
            throw new WrongCallException($"--format is '{format.Name}', which is not text; expected --output FILE{format.FileExtension}, or standard output that goes to a file.");
    }

    private static void WriteBytes(string path, Action<Stream> write)
    {
        string target = Target(path);
        if (IsDevice(target))
        {
            using FileStream device = new(target, FileMode.Create, FileAccess.Write);
            write(device);
            return;
        }
        string temporary = $"{target}.{Path.GetRandomFileName()}";
        try
        {
            using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write)) write(file);
            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Writes a page, which takes seconds where there are many curves; how far it is is shown.</summary>
    /// <param name="path">The file.</param>
    /// <param name="streams">Has standard error.</param>
    /// <param name="quiet">Nothing is shown.</param>
    /// <param name="write">Writes the whole page.</param>
    public static void WritePage(string path, Streams streams, bool quiet, Action<TextWriter, IProgress<FitProgress>?> write) => Write(path, streams, writer =>
    {
        if (quiet)
        {
            write(writer, null);
            return;
        }

        ProgressDisplay.Watch(streams, progress =>
        {
            write(writer, progress);
            return path;
        });
    });

    /// <summary>The file itself: a link stays, and what it points to is replaced.</summary>
    private static string Target(string path) => (File.Exists(path) ? File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName : null) ?? Path.GetFullPath(path);

    private static bool IsStandard(string? path) => path is null or "-";

    /// <summary>True of what a rename would put a file in the place of, like /dev/null and /dev/stdout.</summary>
    private static bool IsDevice(string full) =>
        full.StartsWith("/dev/", StringComparison.Ordinal) || full.StartsWith("/proc/", StringComparison.Ordinal) || IsWindowsDevice(full);

    /// <summary>NUL is \\.\NUL in full, in no directory.</summary>
    private static bool IsWindowsDevice(string full) => full.StartsWith(@"\\.\", StringComparison.Ordinal);
}
