namespace BnslGpu;

/// <summary>How far a word that is not known lies from those that are.</summary>
internal static class EditDistance
{
    /// <summary>The known word that was probably meant; null if none is near.</summary>
    /// <param name="word">What was written.</param>
    /// <param name="known">What could have been.</param>
    /// <param name="most">Edits that a word may be away.</param>
    public static string? Nearest(string word, IEnumerable<string> known, int most) =>
        known.Select(name => (Name: name, Edits: Between(word, name))).Where(one => one.Edits <= most && one.Edits < word.Length).OrderBy(one => one.Edits).FirstOrDefault().Name;

    /// <summary>Levenshtein's distance, one row at a time.</summary>
    public static int Between(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }
}
