using BnslGpu.Formats;
using Xunit;

namespace BnslGpu.Tests.Formats;

public sealed class NpzFormatTests
{
    private static byte[] Written(FitReport report)
    {
        using var bytes = new MemoryStream();
        new NpzFormat().Write(report, bytes);
        return bytes.ToArray();
    }

    [Fact]
    public void Same_report_gives_the_same_bytes() => Assert.Equal(Written(Sample.Report), Written(Sample.Report with { Seconds = default, Options = Sample.Report.Options with { Threads = 1 } }));

    [Fact]
    public void Arrays_of_one_kind_have_as_many_rows()
    {
        var arrays = Npz.Read(Written(Sample.Report));
        (string Prefix, string Rows)[] kinds = [("curves", "2"), ("points_", "7"), ("fits_", "2"), ("forecasts_", "2")];
        foreach ((string prefix, string rows) in kinds)
            Assert.All(arrays.Where(array => array.Key.StartsWith(prefix, StringComparison.Ordinal)), array => Assert.Matches($@"^\[{rows}[\],]", array.Value.Shape));
        Assert.Equal(["version", "parameters", "levels"], arrays.Keys.Where(name => !kinds.Any(kind => name.StartsWith(kind.Prefix, StringComparison.Ordinal))));
    }

    [Fact]
    public void Numpy_opens_it_without_pickle_and_finds_the_points_and_the_forecast()
    {
        string python = Tools.Python("numpy");
        using var folder = new ScratchFolder();
        Curve two = new("N, D", new Points([1, 2, 3, 4], 2, [5, 6]));
        File.WriteAllBytes(folder.File("r.npz"), Written(Sample.Report with { Curves = [.. Sample.Report.Curves, Sample.WithoutFit with { Curve = two }] }));
        folder.Write("read.py", """
            import numpy as np
            z = np.load("r.npz", allow_pickle=False)
            for name in z: z[name]
            mine = z["points_curve"] == list(z["curves"]).index("sum|4 digits")
            print(z["points_x"][mine & ~z["points_held_out"], 0].tolist(), z["points_y"][mine & z["points_held_out"]].tolist())
            chosen = z["curves_chosen"][1]
            print(z["fits_law"][chosen], dict(zip(z["parameters"].tolist(), z["fits_parameters"][chosen].tolist()))["d1"], z["curves_chosen"][0])
            print(z["forecasts_x"][1, [0, -1]].tolist(), bool((z["forecasts_lower"][1] < z["forecasts_upper"][1]).all()), z["forecasts_lower"].shape)
            print(z["points_x"][z["points_curve"] == 2].tolist(), str(z["curves"][0]), z["version"].shape)
            """);
        CliResult ran = Tools.Run(python, ["read.py"], folder.Path)!;
        Assert.Equal("", ran.Error);
        Assert.Equal(["[16.0, 81.0, 256.0, 625.0] [0.85]", "bnsl 400.0 -1", "[625.0, 6250.0] True (3, 33, 3)", "[[1.0, 2.0], [3.0, 4.0]] =1+\"<&>\",π ()"], ran.Out.TrimEnd().Split('\n'));
    }
}
