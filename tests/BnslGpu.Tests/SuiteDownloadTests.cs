using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>Downloads from a server of this test's own.</summary>
public sealed class SuiteDownloadTests
{
    private static readonly byte[] s_data = [.. Enumerable.Range(0, 300_000).Select(i => (byte)((i * 7) + (i >> 8)))];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task File_is_downloaded_once_verified_and_then_read_from_the_folder()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, _) => Server.Answer(context, s_data));
        Suite suite = server.Suite(s_data);
        string path = Assert.Single(await SuiteDownload.GetAsync(suite, folder.File("new/folder"), cancellation: Token));
        Assert.Equal(s_data, File.ReadAllBytes(path));
        Assert.Equal(["data.csv"], Names(folder, "new/folder"));
        Assert.Equal(path, Assert.Single(SuiteDownload.Find(suite, folder.File("new/folder"))));
        await SuiteDownload.GetAsync(suite, folder.File("new/folder"), cancellation: Token);
        Assert.Single(server.Ranges);
    }

    [Fact]
    public async Task File_that_was_changed_in_the_folder_is_downloaded_again()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, _) => Server.Answer(context, s_data));
        folder.Write("data.csv", "changed");
        await SuiteDownload.GetAsync(server.Suite(s_data), folder.Path, cancellation: Token);
        Assert.Equal(s_data, File.ReadAllBytes(folder.File("data.csv")));
    }

    [Fact]
    public async Task Cut_connection_is_taken_up_with_a_range_where_it_was_cut()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, request) =>
        {
            if (request > 0) Server.Answer(context, s_data);
            else Server.Cut(context, s_data, 100_000);
        });
        await SuiteDownload.GetAsync(server.Suite(s_data), folder.Path, cancellation: Token);
        Assert.Equal(s_data, File.ReadAllBytes(folder.File("data.csv")));
        Assert.Equal(["", "bytes=100000-"], server.Ranges);
    }

    [Fact]
    public async Task What_came_before_stays_in_a_part_that_the_next_call_goes_on_from()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, request) =>
        {
            if (request == 0) Server.Cut(context, s_data, 100_000);
            else if (request == 1) Server.Fail(context, 503);
            else Server.Answer(context, s_data);
        });
        Suite suite = server.Suite(s_data);
        SuiteFileException failure = await Assert.ThrowsAsync<SuiteFileException>(() => SuiteDownload.GetAsync(suite, folder.Path, cancellation: Token));
        Assert.Contains("503", failure.Message);
        Assert.Contains($"The first 100000 bytes are in {folder.File("data.csv.part")}", failure.Message);
        await SuiteDownload.GetAsync(suite, folder.Path, cancellation: Token);
        Assert.Equal(s_data, File.ReadAllBytes(folder.File("data.csv")));
        Assert.Equal(["", "bytes=100000-", "bytes=100000-"], server.Ranges);
        Assert.Equal(["data.csv"], Names(folder));
    }

    [Fact]
    public async Task Server_without_ranges_gives_the_whole_file_again()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, _) => Server.Answer(context, s_data, ranges: false));
        File.WriteAllBytes(folder.File("data.csv.part"), s_data[..1000]);
        await SuiteDownload.GetAsync(server.Suite(s_data), folder.Path, cancellation: Token);
        Assert.Equal(s_data, File.ReadAllBytes(folder.File("data.csv")));
        Assert.Equal(["bytes=1000-"], server.Ranges);
    }

    [Theory]
    [InlineData(1000)] // of another file
    [InlineData(400_000)] // longer than the file: the server has nothing to add
    public async Task Part_of_something_else_is_thrown_away_and_the_file_asked_for_whole(int length)
    {
        using ScratchFolder folder = new();
        using Server server = new((context, _) => Server.Answer(context, s_data));
        File.WriteAllBytes(folder.File("data.csv.part"), new byte[length]);
        await SuiteDownload.GetAsync(server.Suite(s_data), folder.Path, cancellation: Token);
        Assert.Equal(s_data, File.ReadAllBytes(folder.File("data.csv")));
        Assert.Equal([$"bytes={length}-", ""], server.Ranges);
    }

    [Fact]
    public async Task Wrong_hash_is_an_error_that_names_both_and_nothing_is_kept()
    {
        using ScratchFolder folder = new();
        byte[] page = Encoding.UTF8.GetBytes("<html>Please log in.</html>");
        using Server server = new((context, _) => Server.Answer(context, page));
        SuiteFileException failure = await Assert.ThrowsAsync<SuiteFileException>(() => SuiteDownload.GetAsync(server.Suite(s_data), folder.Path, cancellation: Token));
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(page)), failure.Message);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(s_data)), failure.Message);
        Assert.Empty(Names(folder));
    }

    [Fact]
    public async Task Without_a_network_the_address_and_where_to_put_the_file_are_named()
    {
        using ScratchFolder folder = new();
        Suite suite;
        using (Server server = new((_, _) => { })) suite = server.Suite(s_data); // its port is closed again
        SuiteFileException failure = await Assert.ThrowsAsync<SuiteFileException>(() => SuiteDownload.GetAsync(suite, folder.Path, cancellation: Token));
        Assert.StartsWith($"{suite.Files[0].Address} could not be downloaded: ", failure.Message);
        Assert.Contains($"put it at {folder.File("data.csv")}, or name the folder that has it with --data DIR.", failure.Message);
        Assert.Empty(Names(folder));
    }

    [Fact]
    public async Task Several_that_ask_at_once_share_one_download()
    {
        using ScratchFolder folder = new();
        using Server server = new((context, _) =>
        {
            Thread.Sleep(100);
            Server.Answer(context, s_data);
        });
        Suite suite = server.Suite(s_data);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => SuiteDownload.GetAsync(suite, folder.Path, cancellation: Token), Token)));
        Assert.Single(server.Ranges);
        Assert.Equal(["data.csv"], Names(folder));
    }

    [Fact]
    public void Folder_without_the_file_or_with_another_is_an_error_that_says_what_to_do()
    {
        using ScratchFolder folder = new();
        Suite suite = Suite.Find("revisiting")!;
        string message = Assert.Throws<SuiteFileException>(() => SuiteDownload.Find(suite, folder.Path)).Message;
        Assert.Equal($"{folder.File("benchmark.lang.csv")}: there is no such file. Get it from {suite.Files[0].Address}.", message);
        folder.Write("benchmark.lang.csv", "x,y\n1,2\n");
        message = Assert.Throws<SuiteFileException>(() => SuiteDownload.Find(suite, folder.Path)).Message;
        Assert.Contains("is not the released file", message);
        Assert.Contains("63c346db00a66b692e1ea9a0f71a2f2b267e55f74be5b863a92e199dffbf0983", message);
    }

    private static string[] Names(ScratchFolder folder, string below = "") => [.. Directory.GetFiles(folder.File(below)).Select(path => Path.GetFileName(path)).Order()];

    /// <summary>A server on this machine that answers requests one after another and keeps what ranges were asked for.</summary>
    private sealed class Server : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly ConcurrentQueue<string> _ranges = [];
        private readonly Uri _address;

        public Server(Action<HttpListenerContext, int> answer)
        {
            using (var probe = new TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                _address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/");
            }

            _listener.Prefixes.Add(_address.ToString());
            _listener.Start();
            new Thread(() =>
            {
                for (int request = 0; _listener.IsListening; request++)
                {
                    try
                    {
                        HttpListenerContext context = _listener.GetContext();
                        _ranges.Enqueue(context.Request.Headers["Range"] ?? "");
                        answer(context, request);
                    }
                    catch (Exception ended) when (ended is HttpListenerException or ObjectDisposedException or InvalidOperationException)
                    {
                        // The test is over, or the client was gone.
                    }
                }
            })
            { IsBackground = true }.Start();
        }

        public string[] Ranges => [.. _ranges];

        public Suite Suite(byte[] data) => new()
        {
            Name = "test",
            Description = "",
            Source = "",
            Files = [new("data.csv", new(_address, "data.csv"), Convert.ToHexStringLower(SHA256.HashData(data)))],
        };

        public static void Answer(HttpListenerContext context, byte[] data, bool ranges = true)
        {
            int from = ranges && context.Request.Headers["Range"] is { } range ? int.Parse(range["bytes=".Length..^1]) : 0;
            if (from > 0)
            {
                context.Response.StatusCode = from < data.Length ? 206 : 416;
                if (from < data.Length) context.Response.Headers["Content-Range"] = $"bytes {from}-{data.Length - 1}/{data.Length}";
                else from = data.Length;
            }

            context.Response.ContentLength64 = data.Length - from;
            context.Response.OutputStream.Write(data, from, data.Length - from);
            context.Response.Close();
        }

        public static void Fail(HttpListenerContext context, int status)
        {
            context.Response.StatusCode = status;
            context.Response.Close();
        }

        /// <summary>Promises everything and ends after so many bytes.</summary>
        public static void Cut(HttpListenerContext context, byte[] data, int after)
        {
            context.Response.ContentLength64 = data.Length;
            context.Response.OutputStream.Write(data, 0, after);
            context.Response.OutputStream.Flush();
            Thread.Sleep(200); // An abort may throw away what has not been read.
            context.Response.Abort();
        }

        // The thread is not waited for: a listener that is closed just before it is asked for a context never answers.
        public void Dispose() => _listener.Close();
    }
}
