using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace BnslGpu;

/// <summary>A file of a suite is not to be had, or is not the released one. The message says where to look and what to do.</summary>
public sealed class SuiteFileException : Exception
{
    /// <summary>Makes the exception without a message of its own.</summary>
    public SuiteFileException() { }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">Where to look and what to do.</param>
    public SuiteFileException(string message) : base(message) { }

    /// <summary>Makes the exception.</summary>
    /// <param name="message">Where to look and what to do.</param>
    /// <param name="innerException">What was met first.</param>
    public SuiteFileException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>Files of a suite on this machine: verified, and downloaded where they are missing.</summary>
public static class SuiteDownload
{
    // For the answer to begin, and for each part of it to come.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    /// <summary>Where downloads stay: bnsl in XDG_CACHE_HOME or ~/.cache; on Windows in the user's local application data.</summary>
    public static string CacheFolder
    {
        get
        {
            // The specification of XDG has relative paths ignored.
            string? cache = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData) : Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
            if (!Path.IsPathRooted(cache)) cache = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(cache, "bnsl");
        }
    }

    /// <summary>The files of a suite in a folder that has them.</summary>
    /// <param name="suite">The suite.</param>
    /// <param name="folder">The folder.</param>
    /// <returns>Their paths, in the order of <see cref="Suite.Files"/>.</returns>
    /// <exception cref="SuiteFileException">One is not there, or is not the released one.</exception>
    public static ImmutableArray<string> Find(Suite suite, string folder)
    {
        ArgumentNullException.ThrowIfNull(suite);
        return [.. suite.Files.Select(file =>
        {
            string path = Path.Combine(folder, file.Name);
            if (!File.Exists(path)) throw new SuiteFileException($"{path}: there is no such file. Get it from {file.Address}.");
            string hash = Sha256(path);
            return hash == file.Sha256 ? path : throw new SuiteFileException(
                $"{path} is not the released file: its sha256 is {hash}, expected {file.Sha256}. Get it from {file.Address}, or score your own with 'bnsl suite {file.Name}'.");
        })];
    }

    /// <summary>The files of a suite in a folder, each downloaded if it is not there.</summary>
    /// <remarks>
    /// What has come of a file stays in NAME.part until its hash is right; a later call goes on from there. Several processes may ask at once: one
    /// downloads, the others wait for it.
    /// </remarks>
    /// <param name="suite">The suite.</param>
    /// <param name="folder">The folder; it is made.</param>
    /// <param name="progress">Told how many bytes have come.</param>
    /// <param name="cancellation">Ends the download; what has come stays.</param>
    /// <returns>Their paths, in the order of <see cref="Suite.Files"/>.</returns>
    /// <exception cref="SuiteFileException">A file cannot be had, or what came is not it.</exception>
    public static async Task<ImmutableArray<string>> GetAsync(Suite suite, string folder, IProgress<FitProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(suite);
        Directory.CreateDirectory(folder);
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = s_patience }) { Timeout = Timeout.InfiniteTimeSpan };
        var paths = ImmutableArray.CreateBuilder<string>(suite.Files.Length);
        foreach (SuiteFile file in suite.Files)
        {
            string path = Path.Combine(folder, file.Name);
            if (!IsReleased(path, file)) await DownloadAsync(http, file, path, progress, cancellation);
            paths.Add(path);
        }

        return paths.MoveToImmutable();
    }

    private static bool IsReleased(string path, SuiteFile file) => File.Exists(path) && Sha256(path) == file.Sha256;

    private static async Task DownloadAsync(HttpClient http, SuiteFile file, string path, IProgress<FitProgress>? progress, CancellationToken cancellation)
    {
        string part = path + ".part";
        try
        {
            using FileStream? stream = await OpenAsync(part, path, file, progress, cancellation);
            if (stream is null) return;
            await FillAsync(http, file, path, stream, progress, cancellation);
        }
        catch
        {
            if (new FileInfo(part) is { Exists: true, Length: 0 }) File.Delete(part);
            throw;
        }

        try
        {
            File.Move(part, path, overwrite: true);
        }
        catch (IOException) when (IsReleased(path, file))
        {
            // Another process was there first.
        }
    }

    /// <summary>Downloads until the part is the file.</summary>
    private static async Task FillAsync(HttpClient http, SuiteFile file, string path, FileStream part, IProgress<FitProgress>? progress, CancellationToken cancellation)
    {
        bool fromFirstByte = part.Length == 0;
        while (true)
        {
            long before = part.Length;
            try
            {
                await ContinueAsync(http, file, part, progress, cancellation);
            }
            catch (Exception cut) when (cut is HttpRequestException or IOException or OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                // A connection that brought something is worth another.
                if (part.Length > before) continue;
                string why = cut is OperationCanceledException ? $"no answer within {s_patience.TotalSeconds:0} s" : (cut.InnerException ?? cut).Message.TrimEnd('.');
                string kept = part.Length > 0 ? $" The first {part.Length} bytes are in {part.Name}; the next call goes on from there." : "";
                throw new SuiteFileException(
                    $"{file.Address} could not be downloaded: {why}. Without a network, get the file elsewhere and put it at {path}, or name the folder that has it with --data DIR.{kept}", cut);
            }

            part.Position = 0;
            string hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(part, cancellation));
            if (hash == file.Sha256) return;
            part.SetLength(0);
            if (fromFirstByte)
            {
                throw new SuiteFileException(
                    $"What {file.Address} gave is not the released file: its sha256 is {hash}, expected {file.Sha256}. Look at the address (a proxy may answer in its place); if you have the file, put it at {path} or name its folder with --data DIR.");
            }

            // The part was of something else: once more.
            fromFirstByte = true;
        }
    }

    /// <summary>The part, locked; null once another process has finished the file.</summary>
    private static async Task<FileStream?> OpenAsync(string part, string path, SuiteFile file, IProgress<FitProgress>? progress, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var stream = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                if (!IsReleased(path, file)) return stream;
                await stream.DisposeAsync();
                File.Delete(part);
                return null;
            }
            catch (IOException) when (File.Exists(part))
            {
                progress?.Report(new($"wait for the process that downloads {file.Name}", 0, 1));
                await Task.Delay(200, cancellation);
            }
        }
    }

    /// <summary>Appends what is missing, or starts over where the server does not give parts.</summary>
    private static async Task ContinueAsync(HttpClient http, SuiteFile file, FileStream stream, IProgress<FitProgress>? progress, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(s_patience);
        using var request = new HttpRequestMessage(HttpMethod.Get, file.Address);
        if (stream.Length > 0) request.Headers.Range = new RangeHeaderValue(stream.Length, null);
        using HttpResponseMessage response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        // Nothing follows: the part is whole, or longer than the file; its hash will say.
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && stream.Length > 0) return;
        response.EnsureSuccessStatusCode();
        if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != stream.Length) stream.SetLength(0);
        stream.Position = stream.Length;
        long total = stream.Length + (response.Content.Headers.ContentLength ?? 0);
        await using Stream body = await response.Content.ReadAsStreamAsync(patience.Token);
        var buffer = new byte[1 << 16];
        while (true)
        {
            patience.CancelAfter(s_patience);
            int read = await body.ReadAsync(buffer, patience.Token);
            if (read == 0) return;
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellation);
            await stream.FlushAsync(cancellation);
            progress?.Report(new($"download {file.Name}", stream.Length, total));
        }
    }

    private static string Sha256(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
