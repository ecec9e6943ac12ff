using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace BnslGpu.Tests;

public sealed class CurveCsvTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bnsl-csv-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // What the columns mean

    [Fact]
    public void Columns_curve_x_y_and_split_are_recognised()
    {
        CurveTable table = Read("curve,x,y,split\nb,1,3,fit\nb,2,2,heldout\na,1,5,fit\n");
        Assert.Equal(["a: 1→5 |", "b: 1→3 | 2→2"], table.Curves.Select(Show));
        Assert.Equal((3, 0, 0), (table.Rows, table.CopiesDropped, table.RowsSkipped));
        Assert.Empty(table.Notes);
    }

    [Theory]
    [InlineData("fit", true)]
    [InlineData("FIT", true)]
    [InlineData(" Train ", true)]
    [InlineData("heldout", false)]
    [InlineData("Held-Out", false)]
    [InlineData("held_out", false)]
    [InlineData("held out", false)]
    [InlineData("TEST", false)]
    public void Split_is_said_in_words_of_any_case(string word, bool fit) =>
        Assert.Equal(fit ? 1 : 0, Assert.Single(Read($"x,y,split\n1,2,{word}\n").Curves).Fit.Count);

    [Theory]
    [InlineData("1")]
    [InlineData("0")]
    [InlineData("validation")]
    [InlineData("")]
    public void Split_refuses_every_other_word(string word)
    {
        string shown = word.Length == 0 ? "an empty field" : $"'{word}'";
        Fails($"x,y,split\n1,2,{word}\n", $"loss.csv, line 2, column \"split\": {shown} says neither what is fitted nor what is held out; "
            + "expected fit or heldout (--fit-when takes any column and value). Remove the row or pass --skip-invalid.");
    }

    [Fact]
    public void Without_a_curve_column_the_file_is_one_curve_with_its_name() =>
        Assert.Equal("runs.small", Assert.Single(Read("x,y\n1,2\n2,1\n", source: "out/runs.small.csv").Curves).Name);

    [Fact]
    public void Header_names_match_trimmed_and_in_any_case_with_byte_order_mark_and_crlf() =>
        Assert.Equal(["a: 1→5 |"], Read("\uFEFF Curve , X,y \r\na,1,5\r\n").Curves.Select(Show));

    [Fact]
    public void Name_that_matches_exactly_is_taken_before_one_in_another_case() =>
        Assert.Equal(["loss: 1→5 |"], Read("X,x,y\n9,1,5\n").Curves.Select(Show));

    [Fact]
    public void Benchmark_columns_are_recognised_by_themselves() =>
        Assert.Equal(
            ["NMT|log_perplexity|6 Enc, 6 Dec: 500000→0.93 | 1000000→0.74"],
            Read("""
                Domain,Task,Model,Seen Examples,Loss,Training
                NMT,log_perplexity,"6 Enc, 6 Dec",500000.0,0.93,1
                NMT,log_perplexity,"6 Enc, 6 Dec",1000000.0,0.74,0
                """)
                .Curves.Select(Show));

    [Fact]
    public void Options_override_the_benchmark_columns()
    {
        const string text = "Domain,Task,Model,Seen Examples,Loss,Training,Steps,Error\nIC,t,m,1,2,1,10,20\nIC,t,m,3,4,0,30,40\n";
        var columns = new CurveColumns { X = ["steps"], Y = "Error", Curve = ["Model", "Task"], FitWhen = "Training=0" };
        Assert.Equal(["m|t: 30→40 | 10→20"], Read(text, columns).Curves.Select(Show));
    }

    [Fact]
    public void Columns_are_named_by_options_and_several_are_joined_in_the_curve_name()
    {
        var columns = new CurveColumns { X = ["Tokens"], Y = "Loss", Curve = ["Model", "Seed"] };
        Assert.Equal(["gpt|1: 10→3 |", "gpt|2: 10→4 |"], Read("Seed,Model,tokens,loss\n2,gpt,10,4\n1,gpt,10,3\n", columns).Curves.Select(Show));
    }

    [Theory]
    [InlineData("1")]
    [InlineData("1.0")]
    [InlineData(" 1 ")]
    public void Fit_when_compares_as_text_or_as_numbers(string cell) =>
        Assert.Equal(["loss: 1→2 | 2→1"], Read($"x,y,part\n1,2,{cell}\n2,1,no\n", new() { FitWhen = "Part = 1" }).Curves.Select(Show));

    [Fact]
    public void Fit_when_takes_precedence_over_a_split_column_and_says_so()
    {
        CurveTable table = Read("x,y,split,part\n1,2,fit,b\n2,1,heldout,a\n", new() { FitWhen = "part=a" });
        Assert.Equal(["loss: 2→1 | 1→2"], table.Curves.Select(Show));
        Assert.Equal(["loss.csv: column \"split\" is not used, for column \"part\" says what is held out."], table.Notes);
    }

    [Fact]
    public void Fit_when_that_never_holds_is_an_error_with_the_values_that_are_there() =>
        Fails("x,y,part\n1,2,train\n2,1,test\n", new() { FitWhen = "part=training" },
            "No row is a fit point: column \"part\" is never 'training' (it is 'train', 'test'). Name the right value with --fit-when Column=value.");

    // A ceiling

    [Fact]
    public void Under_a_ceiling_the_distance_to_it_is_what_is_fitted()
    {
        Curve curve = Read("x,acc\n1,0.25\n2,0.5\n4,0.75\n", new() { Y = "acc", Ceiling = 1 }).Curves[0];
        Assert.Equal([0.75, 0.5, 0.25], curve.Fit.Y);
        Assert.Equal("1 - acc", curve.YName);
    }

    // Several inputs, weights, sigmas

    [Fact]
    public void Several_columns_of_x_are_the_inputs_in_their_order()
    {
        Curve curve = Assert.Single(Read("D,y,N,split\n20,2,1,fit\n10,3,1,fit\n10,1,2,test\n", new() { X = ["N", "D"] }).Curves);
        Assert.Equal((2, 2, 1), (curve.Fit.Inputs, curve.Fit.Count, curve.HeldOut.Count));
        Assert.Equal([1, 10, 1, 20], curve.Fit.X.ToArray());
        Assert.Equal([3, 2], curve.Fit.Y.ToArray());
        Assert.Equal([2, 10], curve.HeldOut.At(0).ToArray());
        Assert.Equal(["N", "D"], curve.XNames);
    }

    [Theory]
    [InlineData("1", "1 1 1 2", "3 1")]
    [InlineData("2", "1 1 1 2", "3 1")]
    [InlineData("0.9", "1 1 1 2", "3 1")]
    public void Holdout_of_several_inputs_takes_the_last_by_the_first(string holdout, string fit, string heldOut)
    {
        Curve curve = Assert.Single(Read("N,D,y\n1,2,5\n3,1,4\n1,1,6\n", new() { X = ["N", "D"], Holdout = holdout }).Curves);
        Assert.Equal((fit, heldOut), (string.Join(' ', curve.Fit.X.ToArray()), string.Join(' ', curve.HeldOut.X.ToArray())));
    }

    [Fact]
    public void Weights_and_sigmas_come_with_their_points_fitted_and_held_out()
    {
        const string text = "x,y,w,split\n2,5,0.5,fit\n1,6,2,fit\n3,4,7,test\n";
        Curve weighted = Assert.Single(Read(text, new() { Weight = "w" }).Curves), plain = Assert.Single(Read(text).Curves);
        Assert.Equal([2, 0.5], weighted.Fit.Weights.ToArray());
        Assert.Equal([7], weighted.HeldOut.Weights.ToArray());
        Assert.Equal(0, weighted.Fit.Sigmas.Length);
        Curve measured = Assert.Single(Read(text, new() { Sigma = "W", SigmaOf = SigmaOf.LogY }).Curves);
        Assert.Equal([2, 0.5], measured.Fit.Sigmas.ToArray());
        Assert.Equal((SigmaOf.LogY, SigmaOf.LogY), (measured.Fit.SigmaOf, measured.HeldOut.SigmaOf));
        Assert.Equal((0, 0), (plain.Fit.Weights.Length, plain.Fit.Sigmas.Length));
        Curve last = Assert.Single(Read("x,y,w\n2,5,0.5\n1,6,2\n", new() { Weight = "w", Holdout = "1" }).Curves);
        Assert.Equal([0.5], last.HeldOut.Weights.ToArray());
    }

    [Theory]
    [InlineData("0", "'0' is not greater than 0; expected a finite number > 0")]
    [InlineData("-1", "'-1' is not greater than 0; expected a finite number > 0")]
    [InlineData("much", "'much' is not a number; expected a finite number")]
    public void Weight_or_sigma_is_a_finite_number_greater_than_zero(string field, string complaint)
    {
        string text = $"x,y,w\n1,2,1\n2,1,{field}\n", message = $"loss.csv, line 3, column \"w\": {complaint}. Remove the row or pass --skip-invalid.";
        Fails(text, new() { Weight = "w" }, message);
        Fails(text, new() { Sigma = "w" }, message);
    }

    [Fact]
    public void X_of_any_sign_is_taken_where_it_is_asked_for()
    {
        Assert.Equal(["loss: -1→3 0→2 1→1 |"], Read("x,y\n0,2\n1,1\n-1,3\n", new() { AnyX = true }).Curves.Select(Show));
        Fails("N,D,y\n1,0,2\n", new() { X = ["N", "D"] },
            "loss.csv, line 2, column \"D\": '0' is not greater than 0; x is fitted on a log scale, expected a finite number > 0. No row of the file is right.");
    }

    // What is held out

    [Theory]
    [InlineData("1", 9)]
    [InlineData("3", 7)]
    [InlineData("0.2", 8)]
    [InlineData("0.25", 7)]
    [InlineData(".5", 5)]
    [InlineData("0.001", 9)]
    [InlineData("0.999", 1)]
    [InlineData("10", 1)]
    [InlineData("500", 1)]
    public void Holdout_takes_the_last_points_of_each_curve_and_leaves_one_to_fit(string holdout, int fit)
    {
        string rows = string.Concat(Enumerable.Range(1, 10).Reverse().Select(x => $"{x},{100 - x}\n"));
        Curve curve = Assert.Single(Read("x,y\n" + rows, new() { Holdout = holdout }).Curves);
        Assert.Equal(Enumerable.Range(1, fit).Select(x => (double)x), curve.Fit.X.ToArray());
        Assert.Equal(Enumerable.Range(fit + 1, 10 - fit).Select(x => (double)x), curve.HeldOut.X.ToArray());
    }

    [Theory]
    [InlineData("1 2 3 3", "1", "1 2", "3 3")]
    [InlineData("1 1 2 3", "3", "1 1", "2 3")]
    [InlineData("1 1 1", "1", "1 1 1", "")]
    [InlineData("1", "1", "1", "")]
    public void Holdout_does_not_part_points_that_share_an_x(string x, string holdout, string fit, string heldOut)
    {
        string rows = string.Concat(x.Split(' ').Select((value, i) => $"{value},{i}\n"));
        Curve curve = Assert.Single(Read("x,y\n" + rows, new() { Holdout = holdout }).Curves);
        Assert.Equal((fit, heldOut), (string.Join(' ', curve.Fit.X.ToArray()), string.Join(' ', curve.HeldOut.X.ToArray())));
    }

    [Fact]
    public void Holdout_takes_precedence_over_the_benchmark_column_and_says_so()
    {
        const string text = "Domain,Task,Model,Seen Examples,Loss,Training\nIC,t,m,1,3,0\nIC,t,m,2,2,0\nIC,t,m,3,1,1\n";
        CurveTable table = Read(text, new() { Holdout = "1" });
        Assert.Equal(["IC|t|m: 1→3 2→2 | 3→1"], table.Curves.Select(Show));
        Assert.Equal(["loss.csv: column \"Training\" is not used, for --holdout says what is held out."], table.Notes);
    }

    [Fact]
    public void Holdout_and_a_split_column_contradict_each_other() =>
        Fails("x,y,split\n1,2,fit\n", new() { Holdout = "3" },
            "loss.csv, line 1: column \"split\" says what is held out, and so does --holdout. Leave out --holdout, or remove or rename the column.");

    [Fact]
    public void Choices_that_break_a_constraint_are_named_with_their_value()
    {
        Assert.Equal(
            ["CurveColumns.FitWhen = 'Training=1' and CurveColumns.Holdout = '3'. Violated constraint: one of them says what is held out."],
            Violations(new() { FitWhen = "Training=1", Holdout = "3" }));
        Assert.Equal(
            ["CurveColumns.FitWhen = 'Training'. Violated constraint: Column=value, as in Training=1."], Violations(new() { FitWhen = "Training" }));
        foreach (string[] x in (string[][])[[" "], ["N", ""], ["N", "N"]])
            Assert.Equal([$"CurveColumns.X = '{string.Join(',', x)}'. Violated constraint: names of columns, each once."], Violations(new() { X = [.. x] }));
        Assert.Equal(["CurveColumns.Weight = ''. Violated constraint: the name of a column."], Violations(new() { Weight = "" }));
        Assert.Equal(
            ["CurveColumns.Weight = 'w' and CurveColumns.Sigma = 's'. Violated constraint: one of them says how much a point counts."],
            Violations(new() { Weight = "w", Sigma = "s" }));
        Assert.Equal(["CurveColumns.Curve = 'a|'. Violated constraint: names of columns."], Violations(new() { Curve = ["a", ""] }));
        foreach (string holdout in new[] { "0", "-1", "1.0", "0.0", "1.5", "20%", "x", "", "0,2", "nan" })
            Assert.Equal(
                [$"CurveColumns.Holdout = '{holdout}'. Violated constraint: a number of points >= 1, or a share > 0 and < 1."],
                Violations(new() { Holdout = holdout }));

        static string[] Violations(CurveColumns columns) => [Assert.Throws<ArgumentException>(() => Read("x,y\n1,2\n", columns)).Message];
    }

    // How the text is taken apart

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    public void Separator_is_taken_from_the_header(char separator) =>
        Assert.Equal(["a: 1.5→5 |"], Read("curve,x,\"y, z\"\na,1.5,5\n".Replace(",", separator.ToString(), StringComparison.Ordinal),
            new() { Y = $"y{separator} z" }).Curves.Select(Show));

    [Fact]
    public void Separators_that_are_rarer_in_the_header_are_text() =>
        Assert.Equal(["a,b: 1→5 |"], Read("curve;x;y;note, long\na,b;1;5;ok, fine\n").Curves.Select(Show));

    [Fact]
    public void Comments_and_empty_lines_are_passed_over_and_counted_as_lines()
    {
        Assert.Equal(["loss: 1→2 3→4 |"], Read("# source: none\n\nx,y\n# first\n1,2\n\n3,4\n").Curves.Select(Show));
        Fails("# source: none\n\nx,y\n# first\n1,2\n\n3,four\n",
            "loss.csv, line 7, column \"y\": 'four' is not a number; expected a finite number. Remove the row or pass --skip-invalid.");
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public void Lines_inside_quoted_fields_are_counted(string lineEnd)
    {
        const string text = "curve,\"x\n(tokens)\",y\n\"a\nb\",1,2\n\"a\n\nb\",3,4\n\"a\nb\",5,no\n";
        Fails(text.Replace("\n", lineEnd, StringComparison.Ordinal), new() { X = ["x\n(tokens)"] },
            "loss.csv, line 8, column \"y\": 'no' is not a number; expected a finite number. Remove the row or pass --skip-invalid.");
    }

    [Fact]
    public void Control_characters_in_curve_names_are_replaced() =>
        Assert.Equal(["\uFFFD[31mred\uFFFDx"], Read("curve,x,y\n\"\u001b[31mred\nx\",1,2\n").Curves.Select(curve => curve.Name));

    [Fact]
    public void Control_characters_in_messages_are_replaced_and_long_fields_cut()
    {
        string text = $"x,y\n1,\u001b[31m{new string('z', 500)}\n";
        string message = Assert.Throws<CurveCsvException>(() => Read(text, source: "a\u001b.csv")).Message;
        Assert.DoesNotContain('\u001b', message);
        Assert.InRange(message.Length, 100, 300);
    }

    [Fact]
    public void Quotes_that_do_not_match_are_an_error_where_the_row_starts() =>
        Fails("curve,x,y\na,1,2\n\"b,3,4\nc,5,6\n",
            "loss.csv, line 3: the quotes of the row do not match. Close the quoted field; write \" inside one as \"\".");

    [Fact]
    public void Quote_that_is_never_closed_does_not_take_a_large_file_into_memory() =>
        Fails("curve,x,y\na,1,2\n\"b,3,4\n" + string.Concat(Enumerable.Repeat("c,5,6\n", 1_000_000)),
            "loss.csv, line 3: the quotes of the row do not match. Close the quoted field; write \" inside one as \"\".");

    [Fact]
    public void Number_sign_inside_quotes_starts_no_comment() =>
        Assert.Equal(["#1: 1→2 |", "a\uFFFD#2: 3→4 |"], Read("curve,x,y\n\"#1\",1,2\n\"a\n#2\",3,4\n#3,5,6\n").Curves.Select(Show));

    [Fact]
    public void Quotes_of_the_header_that_do_not_match_are_an_error() =>
        Fails("\"curve,x,y\na,1,2\n",
            "loss.csv, line 1: the quotes of the header do not match. Close the quoted field; write \" inside one as \"\".");

    // Numbers

    [Theory]
    [InlineData("1", 1)]
    [InlineData(" 2.50 ", 2.5)]
    [InlineData("+1e3", 1000)]
    [InlineData("1E-3", 0.001)]
    [InlineData(".5", 0.5)]
    [InlineData("\"7\"", 7)]
    public void Numbers_are_read_to_the_last_bit(string field, double value) =>
        Assert.Equal(value, Read($"x,y\n1,{field}\n").Curves[0].Fit.Y[0]);

    public static TheoryData<string> EveryMissing =>
    [
        "", "  ", "\"\"", "nan", "NaN", "NAN", "-nan", "-NaN", "+nan", "inf", "-Inf", "INF", "Infinity", "-Infinity", "∞", "1e999", "NA", "N/A", "n/a", "<NA>", "null", "NULL", "None", "NaT",
        "#N/A", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "1.#INF",
    ];

    [Theory, MemberData(nameof(EveryMissing))]
    public void Rows_without_a_finite_number_are_left_out_and_counted(string field)
    {
        foreach (string text in (string[])[$"x,y,w\n1,2,1\n2,{field},1\n4,1,1\n", $"y,x,w\n2,1,1\n2,{field},1\n1,4,1\n", $"w,x,y\n1,1,2\n{Quoted(field)},3,5\n1,4,1\n"])
        {
            CurveTable table = Read(text, new() { Weight = "w" });
            Assert.Equal(["loss: 1→2 4→1 |"], table.Curves.Select(Show));
            Assert.Equal((3, 1), (table.Rows, table.RowsSkipped));
            Assert.StartsWith("loss.csv: 1 row without a finite number is left out. The first: loss.csv, line 3, column \"", Assert.Single(table.Notes));
        }

        // A line that starts with # is a comment.
        static string Quoted(string field) => field.StartsWith('#') ? $"\"{field}\"" : field;
    }

    [Fact]
    public void Curve_whose_rows_are_all_left_out_is_there_without_points() =>
        Assert.Equal(["a: 1→2 |", "b:  |", "c:  |"], Read("curve,x,y\na,1,2\nb,1,\nb,2,nan\nc,0,1\n,,\n").Curves.Select(Show));

    [Fact]
    public void Line_of_white_space_is_no_row_and_one_of_separators_is_a_row_without_a_number()
    {
        CurveTable table = Read("x,y,split\n1,2,fit\n   \n,,\n2,1,fit\n");
        Assert.Equal((3, 1), (table.Rows, table.RowsSkipped));
    }

    [Theory]
    [InlineData("1 000", "'1 000'")]
    [InlineData("0x10", "'0x10'")]
    [InlineData("１２", "'１２'")]
    [InlineData("٣", "'٣'")]
    [InlineData("−1", "'−1'")]
    [InlineData("--", "'--'")]
    [InlineData("diverged", "'diverged'")]
    public void Text_that_is_no_number_is_wrong(string field, string shown) =>
        Fails($"x,y\n1,{field}\n",
            $"loss.csv, line 2, column \"y\": {shown} is not a number; expected a finite number. Remove the row or pass --skip-invalid.");

    [Theory]
    [InlineData("1e-400")]
    [InlineData("-0.0000001e-320")]
    public void Number_that_would_become_zero_is_wrong(string field)
    {
        Fails($"x,y\n1,{field}\n", $"loss.csv, line 2, column \"y\": '{field}' is smaller than the smallest number above 0, 5e-324; give the column in another unit. Remove the row or pass --skip-invalid.");
        Assert.Equal(["loss: 1→0 2→0 4→5E-324 |"], Read("x,y\n1,0e-400\n2,0.00\n4,5e-324\n").Curves.Select(Show));
    }

    // Decimal commas

    [Theory]
    [InlineData(';')]
    [InlineData('\t')]
    public void Decimal_commas_are_read_where_nothing_else_can_be_meant(char separator)
    {
        CurveTable table = Read("x;y\n1;2,5\n10;1,234\n2e1;,5\n1e2;-1,5e-1\n".Replace(';', separator));
        Assert.Equal(["loss: 1→2.5 10→1.234 20→0.5 100→-0.15 |"], table.Curves.Select(Show));
        Assert.Equal(["loss.csv: numbers have decimal commas (line 2, column \"y\": '2,5'), which are read as decimal points."], table.Notes);
    }

    [Theory]
    [InlineData("x;y\n1;1,234\n10;2\n", "line 2, column \"y\": '1,234' may have a decimal comma or a separator of thousands, and no other number of the file says which. Write decimal points, and no separators of thousands.")]
    [InlineData("x;y\n1;2,5\n10;1.234\n", "line 2, column \"y\": '2,5' has a comma, and line 3, column \"y\": '1.234' a point. Write all numbers with a decimal point, and without separators of thousands.")]
    [InlineData("x;y\n1.5;2\n1,000;1\n", "line 3, column \"x\": '1,000' has a comma, and line 2, column \"x\": '1.5' a point. Write all numbers with a decimal point, and without separators of thousands.")]
    public void Decimal_commas_that_could_mean_something_else_refuse_the_file(string text, string sentence)
    {
        Fails(text, "loss.csv, " + sentence);
        Fails(text, new() { SkipInvalid = true }, "loss.csv, " + sentence);
    }

    [Theory]
    [InlineData("x,y\n1,\"2,5\"\n", "2,5")]
    [InlineData("x,y\n1,\"1,000\"\n", "1,000")]
    [InlineData("x;y\n1;1,000,000\n", "1,000,000")]
    [InlineData("x;y\n1;1.000,5\n", "1.000,5")]
    public void Commas_that_are_no_decimal_mark_are_wrong(string text, string field) =>
        Fails(text, $"loss.csv, line 2, column \"y\": '{field}' is not a number; decimal commas (in a file that commas separate) and thousands separators are not accepted, "
            + "expected a finite number such as 2.5. Remove the row or pass --skip-invalid.");

    // Wide tables

    [Fact]
    public void Wide_table_has_a_curve_a_column_and_every_cell_is_used_or_reported()
    {
        CurveTable table = Read("step,small,large,split\n1,5,4,fit\n2,,3,fit\n4,3,nan,test\n0,9,9,fit\n2,,3,fit\n", new() { Wide = true });
        Assert.Equal(["large: 1→4 2→3 |", "small: 1→5 | 4→3"], table.Curves.Select(Show));
        Assert.Equal(("step", "y"), (table.Curves[0].XName, table.Curves[0].YName));
        Assert.Equal((10, 1, 5), (table.Rows, table.CopiesDropped, table.RowsSkipped));
        Assert.Equal(
            ["loss.csv: 3 cells without a finite number are left out. The first: loss.csv, line 3, column \"small\": an empty field is not a number; expected a finite number.",
             "loss.csv: 2 cells without an x above 0 are left out. The first: loss.csv, line 5, column \"step\": '0' is not greater than 0; x is fitted on a log scale, expected a finite number > 0.",
             "1 exact copy of a row was dropped; --keep-copies keeps them."],
            table.Notes);
    }

    [Fact]
    public void Wide_table_s_x_is_the_column_that_is_named_or_called_x_or_the_first()
    {
        Assert.Equal(["a: 3→1 |", "b: 3→2 |"], Read("a,b,t\n1,2,3\n", new() { Wide = true, X = ["t"] }).Curves.Select(Show));
        Assert.Equal(["a: 3→1 |", "b: 3→2 |"], Read("a,X,b\n1,3,2\n", new() { Wide = true }).Curves.Select(Show));
        CurveTable pandas = Read(",x,a,Unnamed: 3\n0,3,1,\n", new() { Wide = true });
        Assert.Equal(["a: 3→1 |"], pandas.Curves.Select(Show));
        Assert.Equal(["loss.csv: 2 of its columns have no name and are not used; in a wide table a name is a curve's."], pandas.Notes);
        Assert.Equal("x", Read(",a\n3,1\n", new() { Wide = true }).Curves[0].XName);
    }

    [Fact]
    public void Wide_tables_in_several_files_are_the_same_curves_without_copies()
    {
        CurveTable table = CurveCsv.ReadFiles([Write("a.csv", "x,p,q\n1,4,3\n2,3,2\n"), Write("b.csv", "x,p,q\n2,3,2\n4,2,1\n")], new() { Wide = true });
        Assert.Equal(["p: 1→4 2→3 4→2 |", "q: 1→3 2→2 4→1 |"], table.Curves.Select(Show));
        Assert.Equal((8, 2), (table.Rows, table.CopiesDropped));
    }

    [Theory]
    [InlineData("x,a,a\n1,2,3\n", "loss.csv, line 1: 2 columns are called \"a\". In a wide table each is a curve; rename all but one.")]
    [InlineData("x\n1\n", "loss.csv, line 1: there is no named column beside \"x\". In a wide table each of the others is a curve. Columns are separated by commas, semicolons or tabs.")]
    [InlineData("x,a,note\n1,2,first\n", "loss.csv, line 2, column \"note\": 'first' is not a number; expected a finite number. Remove the column or pass --skip-invalid.")]
    public void Wide_table_with_other_columns_is_an_error(string text, string sentence) => Fails(text, new() { Wide = true }, sentence);

    // Bytes

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void Bytes_are_decoded_by_their_mark_packed_or_not(string name)
    {
        Encoding encoding = Encoding.GetEncoding(name);
        byte[] bytes = [.. encoding.GetPreamble(), .. encoding.GetBytes("curve,x,y\r\nα,1,5\r\n")];
        foreach (byte[] given in (byte[][])[bytes, Packed(bytes)])
        {
            using var stream = new MemoryStream(given);
            Assert.Equal(["α: 1→5 |"], CurveCsv.Read(stream, "loss.csv").Curves.Select(Show));
        }
    }

    [Fact]
    public void Packed_file_names_its_curve_without_both_extensions()
    {
        string path = Path.Combine(_folder, "runs.small.csv.gz");
        File.WriteAllBytes(path, Packed("x,y\n1,2\n"u8.ToArray()));
        Assert.Equal("runs.small", Assert.Single(CurveCsv.ReadFile(path).Curves).Name);
    }

    [Fact]
    public void Packed_file_that_is_cut_off_or_damaged_is_an_error_and_not_a_shorter_file()
    {
        byte[] whole = Packed(Encoding.UTF8.GetBytes("x,y\n" + string.Concat(Enumerable.Range(1, 20000).Select(x => string.Create(CultureInfo.InvariantCulture, $"{x},{1.0 / x}\n")))));
        foreach (int length in (int[])[5, 11, 100, whole.Length / 2, whole.Length - 9, whole.Length - 8, whole.Length - 1])
            Assert.Equal("loss.csv is gzip that is damaged or cut off. Pack it or copy it again.", BytesFault(whole[..length]));
        whole[whole.Length / 2] ^= 0x10;
        Assert.Equal("loss.csv is gzip that is damaged or cut off. Pack it or copy it again.", BytesFault(whole));
    }

    [Fact]
    public void Names_that_are_not_utf8_stay_apart_and_a_note_says_so()
    {
        using var stream = new MemoryStream([.. "curve,x,y\ncaf"u8, 0xE9, .. ",1,2\ncaf"u8, 0xE8, .. ",1,3\n"u8]);
        CurveTable table = CurveCsv.Read(stream, "loss.csv");
        Assert.Equal(["cafè: 1→3 |", "café: 1→2 |"], table.Curves.Select(Show));
        Assert.Equal(["loss.csv: bytes that are not UTF-8 were read as Latin-1; save the file in UTF-8 if names look wrong."], table.Notes);
    }

    [Theory]
    [InlineData("PK\u0003\u0004\0\0", "loss.csv is a zip archive, as Excel workbooks and npz files are. Save its table as CSV.")]
    [InlineData("PAR1\0\0", "loss.csv is a Parquet file. Save its table as CSV, in pandas with to_csv.")]
    [InlineData("x\0,\0y\0\n\0", "loss.csv is binary, or UTF-16 without its byte order mark. Save it as text in UTF-8.")]
    public void What_is_no_text_is_an_error_that_says_what_it_is(string bytes, string sentence) => Assert.Equal(sentence, BytesFault(Encoding.Latin1.GetBytes(bytes)));

    [Fact]
    public void Line_without_an_end_is_not_read_into_memory() =>
        Fails(new string('1', 2_000_000), "loss.csv, line 1: the line has more than 1048576 characters. Give a table with one row a line.");

    [Fact]
    public void Excel_s_line_with_the_separator_is_heeded() =>
        Assert.Equal(["loss: 1→2.5 |"], Read("sep=;\r\nx;y\r\n1;2,5\r\n").Curves.Select(Show));

    [Fact]
    public void Direction_of_text_is_not_turned_by_a_name() =>
        Assert.Equal(["a\uFFFDb"], Read("curve,x,y\na\u202Eb,1,2\n").Curves.Select(curve => curve.Name));

    // Several files, some without a row

    [Fact]
    public void Files_without_a_row_are_an_error_only_if_no_other_has_one()
    {
        string good = Write("a.csv", "x,y\n1,2\n"), empty = Write("b.csv", ""), header = Write("c.csv", "x,y\n"), missing = Write("d.csv", "x,y\n1,nan\n");
        CurveTable table = CurveCsv.ReadFiles([empty, good, header, missing]);
        Assert.Equal(["a: 1→2 |", "d:  |"], table.Curves.Select(Show));
        Assert.Equal(
            [$"{empty} is empty. Give a header such as curve,x,y and one row a point.", $"{header} has a header and no rows. Give one row a point.",
             $"{missing}, line 2, column \"y\": 'nan' is not finite; expected a finite number. No row of the file is right."],
            table.Notes);
        Assert.Equal(table.Notes[1], Assert.Throws<CurveCsvException>(() => CurveCsv.ReadFiles([header, missing])).Message);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-3")]
    public void X_is_greater_than_zero(string x)
    {
        CurveTable table = Read($"x,y\n{x},1\n1,2\n");
        Assert.Equal(["loss: 1→2 |"], table.Curves.Select(Show));
        Assert.Equal(
            [$"loss.csv: 1 row without an x above 0 is left out. The first: loss.csv, line 2, column \"x\": '{x}' is not greater than 0; x is fitted on a log scale, expected a finite number > 0."],
            table.Notes);
    }

    [Fact]
    public void Y_may_have_any_sign() => Assert.Equal(["loss: 1→-2 2→0 |"], Read("x,y\n1,-2\n2,0\n").Curves.Select(Show));

    // Wrong rows

    [Fact]
    public void First_wrong_row_is_reported_and_the_others_are_counted()
    {
        Fails("x,y\n1,2\n2,a\n3,b\n4,c\n", "loss.csv, line 3, column \"y\": 'a' is not a number; expected a finite number. "
            + "Remove the row or pass --skip-invalid. (2 more rows are wrong.)");
        Fails("x,y\n1,2\n2,a\n3,b\n", "loss.csv, line 3, column \"y\": 'a' is not a number; expected a finite number. "
            + "Remove the row or pass --skip-invalid. (1 more row is wrong.)");
    }

    [Fact]
    public void Wrong_rows_are_skipped_and_counted_when_asked()
    {
        CurveTable table = Read("curve,x,y\na,1,2\na,nan,2\na,2\n,3,1\na,4,1\n", new() { SkipInvalid = true });
        Assert.Equal(["a: 1→2 4→1 |"], table.Curves.Select(Show));
        Assert.Equal((5, 3), (table.Rows, table.RowsSkipped));
        Assert.Equal(
            ["loss.csv: 1 row without a finite number is left out. The first: loss.csv, line 3, column \"x\": 'nan' is not finite; expected a finite number.",
             "loss.csv: 2 wrong rows were skipped. The first: loss.csv, line 4: the row has 2 fields and the header 3; expected as many, with quotes around a field that contains ','."],
            table.Notes);
    }

    [Fact]
    public void File_with_nothing_but_wrong_rows_is_an_error_all_the_same() =>
        Fails("x,y\n1,a\n", new() { SkipInvalid = true },
            "loss.csv, line 2, column \"y\": 'a' is not a number; expected a finite number. No row of the file is right.");

    [Theory]
    [InlineData("1,2\n1\n", "1 field")]
    [InlineData("1,2\n1,2,5\n", "3 fields")]
    public void Row_with_another_number_of_fields_than_the_header_is_wrong(string rows, string fields) =>
        Fails("x,y\n" + rows,
            $"loss.csv, line 3: the row has {fields} and the header 2; expected as many, with quotes around a field that contains ','. "
            + "Remove the row or pass --skip-invalid.");

    [Fact]
    public void Curve_without_a_name_is_wrong() =>
        Fails("curve,x,y\n ,1,2\n", "loss.csv, line 2, column \"curve\": an empty field does not name a curve; expected a name. "
            + "Remove the row or pass --skip-invalid.");

    // Wrong files

    [Theory]
    [InlineData("curve,step,y\na,1,2\n", null,
        "there is no column \"x\"; the columns are \"curve\", \"step\", \"y\". Name the right one with --x.")]
    [InlineData("curve,x,loss\na,1,2\n", null,
        "there is no column \"y\"; the columns are \"curve\", \"x\", \"loss\". Name the right one with --y.")]
    [InlineData("run,x,y\na,1,2\n", "curve",
        "there is no column \"model\"; the columns are \"run\", \"x\", \"y\". Name the right one with --curve.")]
    [InlineData("x,y\n1,2\n", "fit-when",
        "there is no column \"part\"; the columns are \"x\", \"y\". Name the right one with --fit-when Column=value.")]
    [InlineData("x,loss,LOSS\n1,2,3\n", "y",
        "2 columns are called \"Loss\". Rename all but one, or name another with --y.")]
    [InlineData("x,x,y\n1,2,3\n", null,
        "2 columns are called \"x\". Rename all but one, or name another with --x.")]
    [InlineData("step,loss\n1,2\n", null,
        "there are no columns \"x\" and \"y\"; the columns are \"step\", \"loss\". Name the right ones with --x and --y.")]
    [InlineData("x,y\n1,2\n", "inputs",
        "there are no columns \"N\", \"D\" and \"w\"; the columns are \"x\", \"y\". Name the right ones with --x and --weight.")]
    [InlineData("x,y\n1,2\n", "sigma",
        "there is no column \"sd\"; the columns are \"x\", \"y\". Name the right one with --sigma.")]
    [InlineData("100,2.5\n200,2.4\n", null,
        "there are no columns \"x\" and \"y\"; the columns are \"100\", \"2.5\". The first line must name the columns, such as curve,x,y.")]
    [InlineData("step,tokns,loss\n1,2,3\n", "near",
        "there is no column \"tokens\"; did you mean \"tokns\"? The columns are \"step\", \"tokns\", \"loss\". Name the right one with --x.")]
    [InlineData("{\"tool\": \"bnsl\"}\n", null, "this looks like JSON or a web page; a table in CSV is expected.")]
    [InlineData("<html>\n", null,
        "there are no columns \"x\" and \"y\"; the columns are \"<html>\". It looks like JSON or a web page; a table in CSV is expected.")]
    [InlineData("x y\n1 2\n", null,
        "there are no columns \"x\" and \"y\"; the columns are \"x y\". Columns are separated by commas, semicolons or tabs.")]
    public void Column_that_is_not_there_once_is_an_error_with_the_option_that_names_it(string text, string? option, string sentence)
    {
        CurveColumns columns = option switch
        {
            "curve" => new() { Curve = ["model"] },
            "fit-when" => new() { FitWhen = "part=1" },
            "y" => new() { Y = "Loss" },
            "inputs" => new() { X = ["N", "D"], Weight = "w" },
            "sigma" => new() { Sigma = "sd" },
            "near" => new() { X = ["tokens"], Y = "loss" },
            _ => new(),
        };
        Fails(text, columns, "loss.csv, line 1: " + sentence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("# nothing\n")]
    public void Empty_file_is_an_error(string text) =>
        Fails(text, "loss.csv is empty. Give a header such as curve,x,y and one row a point.");

    [Fact]
    public void Header_without_rows_is_an_error() =>
        Fails("curve,x,y\n# none\n", "loss.csv has a header and no rows. Give one row a point.");

    [Fact]
    public void Folder_is_an_error() =>
        Assert.Equal($"{_folder} is a folder. Name the CSV files in it.", FileFault(_folder));

    [Theory]
    [InlineData("no.csv")]
    [InlineData("no/no.csv")]
    [InlineData("a-name-that-is-longer-than-a-line-of-a-terminal-is-shown-to-its-end-for-the-end-is-what-tells-files-apart.csv")]
    public void File_that_is_not_there_is_an_error(string name)
    {
        string path = Path.Combine(_folder, name);
        Assert.Equal($"{path}: there is no such file. Check its name and folder.", FileFault(path));
    }

    [Fact]
    public void File_that_may_not_be_read_is_an_error()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "This user may read every file.");
        string path = Write("secret.csv", "x,y\n1,2\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);
        Assert.Equal($"{path} may not be read by this user. Check its permissions.", FileFault(path));
    }

    // Copies

    [Fact]
    public void Exact_copies_of_a_row_are_dropped_and_counted_per_curve()
    {
        const string text = "curve,x,y,seed\na,1,2,0\na,1,2,1\na,1,2,0\nb,1,2,0\na,1,2,0\na,1,2.0,0\n";
        CurveTable table = Read(text);
        Assert.Equal(["a: 1→2 1→2 1→2 |", "b: 1→2 |"], table.Curves.Select(Show));
        Assert.Equal([2, 0], table.Curves.Select(curve => curve.CopiesDropped));
        Assert.Equal((6, 2), (table.Rows, table.CopiesDropped));
        Assert.Equal(["2 exact copies of rows were dropped; --keep-copies keeps them."], table.Notes);

        CurveTable kept = Read(text, new() { KeepCopies = true });
        Assert.Equal(5, kept.Curves[0].Fit.Count);
        Assert.Equal(0, kept.CopiesDropped);
    }

    // Several files

    [Fact]
    public void Curve_may_stand_in_several_files_and_copies_are_found_across_them()
    {
        string a = Write("a.csv", "curve,x,y\nq,1,2\nq,2,1\n"), b = Write("b.csv", "curve,x,y\nq,2,1\nq,3,0.5\np,1,1\n");
        CurveTable table = CurveCsv.ReadFiles([a, b]);
        Assert.Equal(["p: 1→1 |", "q: 1→2 2→1 3→0.5 |"], table.Curves.Select(Show));
        Assert.Equal((5, 1), (table.Rows, table.CopiesDropped));
    }

    [Fact]
    public void Files_with_and_without_a_split_are_read_together() =>
        Assert.Equal(
            ["a: 1→2 |", "b:  | 1→2"],
            CurveCsv.ReadFiles([Write("a.csv", "x,y\n1,2\n"), Write("b.csv", "x,y,split\n1,2,test\n")]).Curves.Select(Show));

    [Fact]
    public void Equal_rows_of_files_that_are_curves_are_no_copies()
    {
        CurveTable table = CurveCsv.ReadFiles([Write("a.csv", "x,y\n1,2\n"), Write("b.csv", "x,y\n1,2\n")]);
        Assert.Equal(["a: 1→2 |", "b: 1→2 |"], table.Curves.Select(Show));
        Assert.Equal(0, table.CopiesDropped);
    }

    [Fact]
    public void Equal_rows_under_another_header_are_no_copies()
    {
        CurveTable table = CurveCsv.ReadFiles([Write("a.csv", "curve,x,y\nq,1,2\n"), Write("b.csv", "curve,y,x\nq,1,2\n")]);
        Assert.Equal(["q: 1→2 2→1 |"], table.Curves.Select(Show));
    }

    [Fact]
    public void Files_of_one_name_in_two_folders_are_one_curve_and_a_note_says_so()
    {
        string first = Write("1/loss.csv", "x,y\n1,2\n"), second = Write("2/loss.csv", "x,y\n2,1\n");
        CurveTable table = CurveCsv.ReadFiles([first, second]);
        Assert.Equal(["loss: 1→2 2→1 |"], table.Curves.Select(Show));
        Assert.Equal([$"{first} and {second} have no column that names the curve; their rows are one curve, 'loss'."], table.Notes);
    }

    [Fact]
    public void A_file_given_twice_is_all_copies()
    {
        string first = Write("a.csv", "x,y,run\n1,8,a\n2,4,a\n1,9,b\n2,5,b\n");
        CurveTable table = CurveCsv.ReadFiles([first, first]);
        Assert.Equal((8, 4), (table.Rows, table.CopiesDropped));
        Assert.Contains(table.Notes, note => note.Contains("--curve run fits each", StringComparison.Ordinal));
    }

    [Fact]
    public void No_file_at_all_is_an_error() => Assert.Throws<ArgumentException>(() => CurveCsv.ReadFiles([]));

    // Whole files

    [Fact]
    public void Example_of_four_digit_addition_has_14_fit_points_and_3_held_out()
    {
        Curve curve = Assert.Single(CurveCsv.ReadFile(Path.Combine(Root(), "examples", "four-digit-addition.csv")).Curves);
        Assert.Equal(("4-digit addition", 14, 3), (curve.Name, curve.Fit.Count, curve.HeldOut.Count));
        Assert.Equal((160, 2.13809046), (curve.Fit.X[0], curve.Fit.Y[0]));
        Assert.Equal((928, 0.55695445), (curve.HeldOut.X[2], curve.HeldOut.Y[2]));
    }

    [Fact]
    public void Released_benchmark_is_92_curves_and_687_exact_copies_in_20282_rows()
    {
        string folder = Path.Combine(Root(), "..", "shared", "data", "revisiting");
        string vision = Path.Combine(folder, "benchmark.vision.csv"), lang = Path.Combine(folder, "benchmark.lang.csv");
        if (!File.Exists(vision) || !File.Exists(lang)) Assert.Skip("The benchmark of arXiv:2209.06640 is not in ../shared/data/revisiting.");

        CurveTable table = CurveCsv.ReadFiles([vision, lang]);
        Assert.Equal((92, 20282, 687, 0), (table.Curves.Length, table.Rows, table.CopiesDropped, table.RowsSkipped));
        Assert.Equal(
            [("BB", 10), ("IC", 72), ("LM", 5), ("NMT", 5)],
            table.Curves.CountBy(curve => curve.Name.Split('|')[0]).Select(pair => (pair.Key, pair.Value)));
        Assert.All(table.Curves, curve => Assert.Equal(curve.Name.StartsWith("LM|", StringComparison.Ordinal), curve.CopiesDropped > 0));
        Assert.Equal((9, 71), (table.Curves.Min(curve => curve.Fit.Count), table.Curves.Max(curve => curve.Fit.Count)));
        Assert.Equal((1, 710), (table.Curves.Min(curve => curve.HeldOut.Count), table.Curves.Max(curve => curve.HeldOut.Count)));

        CurveTable kept = CurveCsv.ReadFiles([vision, lang], new() { KeepCopies = true });
        Assert.Equal(20282, kept.Curves.Sum(curve => curve.Fit.Count + curve.HeldOut.Count));
        Assert.Equal(236, kept.Curves.Max(curve => curve.Fit.Count));
    }

    [Fact]
    public void Million_rows_of_thousand_curves_are_read_whole()
    {
        var text = new StringBuilder("curve,x,y,split\n", 1 << 25);
        for (int i = 0; i < 1_000_000; i++)
            text.Append(CultureInfo.InvariantCulture, $"curve {i % 1000},{i + 1},{1.0 / (i + 1):R},{(i < 900_000 ? "fit" : "heldout")}\n");
        string path = Write("million.csv", text.ToString());

        long start = Stopwatch.GetTimestamp();
        CurveTable table = CurveCsv.ReadFile(path);
        TestContext.Current.SendDiagnosticMessage($"1,000,000 rows in {Stopwatch.GetElapsedTime(start).TotalSeconds:F2} s");

        Assert.Equal((1000, 1_000_000), (table.Curves.Length, table.Rows));
        Assert.All(table.Curves, curve => Assert.Equal((900, 100), (curve.Fit.Count, curve.HeldOut.Count)));
        Points last = Assert.Single(table.Curves, curve => curve.Name == "curve 999").HeldOut;
        Assert.Equal((1e6, 1e-6), (last.X[^1], last.Y[^1]));
    }

    private static CurveTable Read(string text, CurveColumns? columns = null, string source = "loss.csv") =>
        CurveCsv.Read(new StringReader(text), source, columns);

    private static byte[] Packed(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }

    private static string BytesFault(byte[] bytes)
    {
        using var stream = new MemoryStream(bytes);
        return Assert.Throws<CurveCsvException>(() => CurveCsv.Read(stream, "loss.csv")).Message;
    }

    private static void Fails(string text, string message) => Fails(text, new CurveColumns(), message);

    private static void Fails(string text, CurveColumns columns, string message) =>
        Assert.Equal(message, Assert.Throws<CurveCsvException>(() => Read(text, columns)).Message);

    private static string FileFault(string path) => Assert.Throws<CurveCsvException>(() => CurveCsv.ReadFile(path)).Message;

    /// <summary>A curve as its name, its fit points and, behind the bar, its held-out points.</summary>
    private static string Show(Curve curve) => $"{curve.Name}: {Show(curve.Fit)} | {Show(curve.HeldOut)}".Trim();

    private static string Show(Points points) =>
        string.Join(' ', points.X.ToArray().Zip(points.Y.ToArray(), (x, y) => string.Create(CultureInfo.InvariantCulture, $"{x}→{y}")));

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
