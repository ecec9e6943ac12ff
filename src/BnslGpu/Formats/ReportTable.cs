using System.Collections.Immutable;

namespace BnslGpu.Formats;

/// <summary>A table of results about many curves, shown above them in a page; a reader may sort it by any column.</summary>
/// <param name="Title">What it shows, as a heading.</param>
/// <param name="Caption">How to read it, in a sentence or two; may be empty.</param>
/// <param name="Columns">Its columns, each with a value a row.</param>
public sealed record ReportTable(string Title, string Caption, ImmutableArray<ReportColumn> Columns)
{
    /// <summary>Checks that every column has as many rows as the first.</summary>
    /// <exception cref="ArgumentException">One has more or fewer; the message names it.</exception>
    internal void Validate()
    {
        foreach (ReportColumn column in Columns)
        {
            if (column.Count != Columns[0].Count)
                throw new ArgumentException($"Table '{Title}': column '{column.Title}' has {column.Count} rows. Violated constraint: {Columns[0].Count}, as '{Columns[0].Title}' has.");
            if (column is NumberColumn { Errors.IsEmpty: false } numbers && numbers.Errors.Length != numbers.Values.Length)
                throw new ArgumentException($"Table '{Title}': column '{column.Title}' has {numbers.Errors.Length} errors. Violated constraint: none, or one for each of {numbers.Values.Length} values.");
        }
    }
}

/// <summary>A column of a <see cref="ReportTable"/>: a <see cref="TextColumn"/> or a <see cref="NumberColumn"/>.</summary>
/// <param name="Title">Its header.</param>
public abstract record ReportColumn(string Title)
{
    /// <summary>Rows.</summary>
    internal abstract int Count { get; }
}

/// <summary>Words, set to the left and sorted by letters. A text that is the name of one of the report's curves leads to that curve.</summary>
/// <param name="Title">Its header.</param>
/// <param name="Values">A text a row.</param>
public sealed record TextColumn(string Title, ImmutableArray<string> Values) : ReportColumn(Title)
{
    internal override int Count => Values.Length;
}

/// <summary>Numbers, set to the right and sorted by size.</summary>
/// <param name="Title">Its header.</param>
/// <param name="Values">A number a row; one that is not finite is shown as a dash and sorted to the end.</param>
public sealed record NumberColumn(string Title, ImmutableArray<double> Values) : ReportColumn(Title)
{
    /// <summary>What is shown after ± beside each value; empty, the default, for nothing.</summary>
    public ImmutableArray<double> Errors { get; init; } = [];

    /// <summary>Significant digits, 1 to 6. Default 4.</summary>
    public int Digits { get; init; } = 4;

    internal override int Count => Values.Length;
}

/// <summary>A fit made elsewhere (published, or by another program) of one of a report's curves, drawn beside the report's own.</summary>
/// <param name="Curve">Name of the curve. A fit of a curve that the report does not have is left out.</param>
/// <param name="Label">What it is called there.</param>
/// <param name="Fit">The fit.</param>
public sealed record RivalFit(string Curve, string Label, Fit Fit);
