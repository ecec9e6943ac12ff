using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace BnslGpu.Formats;

/// <summary>Arrays for numpy.load, which opens them without pickle: points, parameters, and forecasts with the ends of their intervals.</summary>
/// <remarks>
/// <para>Curves stand in the order of the report. Arrays whose names begin alike have one entry a curve, a point, a fit, or a place of the forecast:</para>
/// <list type="table">
/// <item><term>version</term><description>Of the engine; str, shape [].</description></item>
/// <item><term>curves</term><description>Names; str [curves].</description></item>
/// <item><term>curves_chosen</term><description>The chosen fit's index among all fits, −1 without; int64 [curves].</description></item>
/// <item><term>curves_last_x</term><description>The last fitted x, from which the forecast goes on, NaN without a forecast; float64 [curves].</description></item>
/// <item><term>points_curve</term><description>Which curve a point is of; int64 [points].</description></item>
/// <item><term>points_x, points_y</term><description>The point: x has as many columns as the curve of most inputs, NaN beyond its own; float64 [points, inputs], [points].</description></item>
/// <item><term>points_held_out</term><description>Whether it is only scored; bool [points].</description></item>
/// <item><term>points_fitted</term><description>y of the chosen fit there, NaN without; float64 [points].</description></item>
/// <item><term>points_forecast, points_lower, points_upper</term><description>y of the forecast there and the intervals of a measurement, of held-out points; else NaN; float64 [points], [points, levels] twice.</description></item>
/// <item><term>fits_curve, fits_breaks</term><description>Which curve a fit is of, its number of breaks; int64 [fits].</description></item>
/// <item><term>fits_law</term><description>Name of its law; str [fits].</description></item>
/// <item><term>fits_chosen</term><description>Whether it is the chosen one; bool [fits].</description></item>
/// <item><term>fits_objective, fits_rmsle, fits_rmsle_held_out, fits_aicc, fits_bic</term><description>As in the report; float64 [fits].</description></item>
/// <item><term>parameters</term><description>Names, as the columns of <see cref="CsvFormat"/> have them: a, b, log_b, c0, c1, …; str [parameters].</description></item>
/// <item><term>fits_parameters, fits_standard_errors</term><description>Their values, NaN where a fit has none; float64 [fits, parameters].</description></item>
/// <item><term>levels</term><description>Of the intervals: 0.5, 0.8, 0.95; float64 [levels].</description></item>
/// <item><term>forecasts_x</term><description>Places at equal steps of log x, from the last fitted x to ten times it or to the last held-out x if that is farther; NaN without a forecast; float64 [curves, 33].</description></item>
/// <item><term>forecasts_y, forecasts_lower, forecasts_upper</term><description>y of the forecast there and the intervals of a measurement; float64 [curves, 33], [curves, 33, levels] twice.</description></item>
/// </list>
/// <para>Numbers are little-endian, arrays in C order. Nothing is compressed and no date is kept, so that the same report gives the same bytes.</para>
/// </remarks>
public sealed class NpzFormat : IReportFormat
{
    /// <inheritdoc/>
    public string Name => "npz";

    /// <inheritdoc/>
    public string Description => "Arrays for numpy.load: points, parameters, forecasts with intervals.";

    /// <inheritdoc/>
    public string FileExtension => ".npz";

    /// <inheritdoc/>
    public void Write(FitReport report, Stream output)
    {
        ArgumentNullException.ThrowIfNull(report);
        ArgumentNullException.ThrowIfNull(output);
        // A zip that is written to a stream without seeking has other headers: every output gets that of the memory.
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            var arrays = new NpyArrays(zip);
            arrays.Texts("version", [FitReport.Version], isScalar: true);
            Curves(report, arrays);
            Points(report, arrays);
            Fits(report, arrays);
            Forecasts(report, arrays);
        }

        bytes.Position = 0;
        bytes.CopyTo(output);
    }

    private static void Curves(FitReport report, NpyArrays arrays)
    {
        arrays.Texts("curves", [.. report.Curves.Select(curve => curve.Curve.Name)]);
        int before = 0;
        var chosen = new List<long>();
        foreach (CurveFit curve in report.Curves)
        {
            chosen.Add(curve.Chosen < 0 ? -1 : before + curve.Chosen);
            before += curve.Fits.Length;
        }

        arrays.Integers("curves_chosen", [.. chosen]);
        arrays.Numbers("curves_last_x", [.. report.Curves.Select(curve => curve.Forecast?.LastX ?? double.NaN)], report.Curves.Length);
    }

    private static void Points(FitReport report, NpyArrays arrays)
    {
        int inputs = report.Curves.Select(curve => curve.Curve.Fit.Inputs).DefaultIfEmpty(1).Max(), levels = Forecast.Levels.Length;
        List<long> curves = [];
        List<bool> heldOut = [];
        List<double> x = [], y = [], fitted = [];
        Ahead ahead = new();
        foreach ((int k, Ahead own) in Ahead.OfEach(report, curve => curve.Forecast is null ? Ahead.None(curve.Curve.HeldOut.Count) : Ahead.Of(curve.Forecast, curve.Curve.HeldOut.X)))
        {
            CurveFit curve = report.Curves[k];
            Add(curve.Curve.Fit, isHeldOut: false);
            Add(curve.Curve.HeldOut, isHeldOut: true);
            ahead.Add(Ahead.None(curve.Curve.Fit.Count));
            ahead.Add(own);

            void Add(Points points, bool isHeldOut)
            {
                for (int i = 0; i < points.Count; i++)
                {
                    curves.Add(k);
                    heldOut.Add(isHeldOut);
                    x.AddRange(points.At(i));
                    x.AddRange(Enumerable.Repeat(double.NaN, inputs - points.Inputs));
                    y.Add(points.Y[i]);
                }

                fitted.AddRange(curve.Chosen < 0 ? Enumerable.Repeat(double.NaN, points.Count) : curve.Fits[curve.Chosen].Predict(points.X));
            }
        }

        arrays.Integers("points_curve", [.. curves]);
        arrays.Numbers("points_x", [.. x], y.Count, inputs);
        arrays.Numbers("points_y", [.. y], y.Count);
        arrays.Booleans("points_held_out", [.. heldOut]);
        arrays.Numbers("points_fitted", [.. fitted], y.Count);
        arrays.Numbers("points_forecast", [.. ahead.Y], y.Count);
        arrays.Numbers("points_lower", [.. ahead.Lower], y.Count, levels);
        arrays.Numbers("points_upper", [.. ahead.Upper], y.Count, levels);
    }

    private static void Fits(FitReport report, NpyArrays arrays)
    {
        (CurveFit Curve, int At, Fit Fit)[] fits = [.. report.Curves.SelectMany((curve, k) => curve.Fits.Select(fit => (curve, k, fit)))];
        arrays.Integers("fits_curve", [.. fits.Select(one => (long)one.At)]);
        arrays.Texts("fits_law", [.. fits.Select(one => one.Fit.Law)]);
        arrays.Integers("fits_breaks", [.. fits.Select(one => (long)one.Fit.Breaks)]);
        arrays.Booleans("fits_chosen", [.. report.Curves.SelectMany(curve => curve.Fits.Select((_, i) => i == curve.Chosen))]);
        arrays.Numbers("fits_objective", [.. fits.Select(one => one.Fit.Objective)], fits.Length);
        arrays.Numbers("fits_rmsle", [.. fits.Select(one => one.Fit.Rmsle.Fit)], fits.Length);
        arrays.Numbers("fits_rmsle_held_out", [.. fits.Select(one => one.Fit.Rmsle.HeldOut)], fits.Length);
        arrays.Numbers("fits_aicc", [.. fits.Select(one => one.Fit.Aicc)], fits.Length);
        arrays.Numbers("fits_bic", [.. fits.Select(one => one.Fit.Bic)], fits.Length);
        ImmutableArray<string> names = CsvFormat.ParameterColumns(report);
        arrays.Texts("parameters", [.. names]);
        arrays.Numbers("fits_parameters", [.. fits.SelectMany(one => Row(one.Fit.Parameters))], fits.Length, names.Length);
        arrays.Numbers("fits_standard_errors", [.. fits.SelectMany(one => Row(one.Fit.StandardErrors))], fits.Length, names.Length);

        IEnumerable<double> Row(ImmutableArray<Parameter> parameters)
        {
            ILookup<string, double> values = parameters.SelectMany(CsvFormat.Cells).ToLookup(cell => cell.Column, cell => cell.Value);
            return names.Select(name => values.Contains(name) ? values[name].First() : double.NaN);
        }
    }

    private static void Forecasts(FitReport report, NpyArrays arrays)
    {
        const int Places = 33;
        int curves = report.Curves.Length, levels = Forecast.Levels.Length;
        arrays.Numbers("levels", [.. Forecast.Levels], levels);
        Ahead ahead = new();
        foreach ((_, Ahead own) in Ahead.OfEach(report, curve => curve.Forecast is null ? Ahead.None(Places) : Ahead.Of(curve.Forecast, Ahead.Places(curve.Forecast, curve.Curve.HeldOut, Places))))
            ahead.Add(own);
        arrays.Numbers("forecasts_x", [.. ahead.X], curves, Places);
        arrays.Numbers("forecasts_y", [.. ahead.Y], curves, Places);
        arrays.Numbers("forecasts_lower", [.. ahead.Lower], curves, Places, levels);
        arrays.Numbers("forecasts_upper", [.. ahead.Upper], curves, Places, levels);
    }
}

/// <summary>Puts arrays into a zip as NumPy's format 1.0 has them.</summary>
/// <remarks>https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html: a magic, a header that is a Python dict padded to 64 bytes, then the values.</remarks>
internal sealed class NpyArrays(ZipArchive zip)
{
    /// <summary>Doubles, row by row.</summary>
    public void Numbers(string name, double[] values, params int[] shape) =>
        Add(name, "<f8", shape, MemoryMarshal.AsBytes(LittleEndian(MemoryMarshal.Cast<double, long>(values))));

    /// <summary>Whole numbers.</summary>
    public void Integers(string name, long[] values) => Add(name, "<i8", [values.Length], MemoryMarshal.AsBytes(LittleEndian(values)));

    /// <summary>True and false.</summary>
    public void Booleans(string name, bool[] values) => Add(name, "|b1", [values.Length], MemoryMarshal.AsBytes<bool>(values));

    /// <summary>Texts, each padded with zeros to the longest. Half a surrogate pair becomes U+FFFD.</summary>
    public void Texts(string name, string[] values, bool isScalar = false)
    {
        Encoding utf32 = new UTF32Encoding(bigEndian: false, byteOrderMark: false);
        byte[][] encoded = [.. values.Select(utf32.GetBytes)];
        int width = Math.Max(4, encoded.Select(bytes => bytes.Length).DefaultIfEmpty(0).Max()); // NumPy has no texts of no length
        var padded = new byte[width * values.Length];
        for (int i = 0; i < values.Length; i++) encoded[i].CopyTo(padded, i * width);
        Add(name, $"<U{width / 4}", isScalar ? [] : [values.Length], padded);
    }

    private static ReadOnlySpan<long> LittleEndian(ReadOnlySpan<long> values)
    {
        if (BitConverter.IsLittleEndian) return values;
        var reversed = new long[values.Length];
        System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(values, reversed);
        return reversed;
    }

    private void Add(string name, string type, int[] shape, ReadOnlySpan<byte> values)
    {
        // A tuple of one has a comma after it.
        string tuple = $"({string.Join(", ", shape)}{(shape.Length == 1 ? "," : "")})";
        string dict = $"{{'descr': '{type}', 'fortran_order': False, 'shape': {tuple}, }}";
        const int Before = 10; // magic, version, length
        int length = (Before + dict.Length + 1 + 63) / 64 * 64 - Before;
        byte[] header = [0x93, .. "NUMPY"u8, 1, 0, (byte)length, (byte)(length >> 8), .. Encoding.ASCII.GetBytes(dict.PadRight(length - 1) + "\n")];
        ZipArchiveEntry entry = zip.CreateEntry(name + ".npy", CompressionLevel.NoCompression);
        entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using Stream stream = entry.Open();
        stream.Write(header);
        stream.Write(values);
    }
}
