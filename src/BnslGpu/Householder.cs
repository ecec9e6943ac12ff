namespace BnslGpu;

/// <summary>Orthogonal triangularisation by Householder reflections (Golub and Van Loan 2013, §5.2).</summary>
internal static class Householder
{
    /// <summary>Turns the first columns of A into an upper triangle, and the others along with them.</summary>
    /// <param name="a">A by columns. Shape [columns + others, rows]. What is below the triangle on return is not zeroed.</param>
    /// <param name="rows">Rows of A.</param>
    /// <param name="columns">Columns to triangularise.</param>
    /// <param name="others">Columns that are only multiplied by Qᵀ.</param>
    public static void Triangularise(Span<double> a, int rows, int columns, int others)
    {
        for (int k = 0; k < Math.Min(columns, rows); k++)
        {
            Span<double> v = a.Slice((k * rows) + k, rows - k);
            double norm = Norm(v);
            if (norm == 0) continue;
            double head = v[0], pivot = head > 0 ? -norm : norm;
            v[0] = head - pivot;
            double scale = -1 / (pivot * v[0]); // 2/vᵀv
            for (int j = k + 1; j < columns + others; j++)
            {
                Span<double> column = a.Slice((j * rows) + k, rows - k);
                double dot = 0;
                for (int i = 0; i < v.Length; i++) dot += v[i] * column[i];
                dot *= scale;
                for (int i = 0; i < v.Length; i++) column[i] -= dot * v[i];
            }

            v[0] = pivot;
        }
    }

    private static double Norm(ReadOnlySpan<double> v)
    {
        double sum = 0;
        foreach (double value in v) sum += value * value;
        return Math.Sqrt(sum);
    }
}
