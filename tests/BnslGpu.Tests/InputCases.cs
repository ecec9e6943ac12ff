using System.IO.Compression;
using System.Text;

namespace BnslGpu.Tests;

/// <summary>A bad or odd input, and what the tool makes of it.</summary>
/// <param name="Group">Heading on the page.</param>
/// <param name="Name">What is odd about it, in words.</param>
/// <param name="Bytes">What the file holds.</param>
/// <param name="ExitCode">How the tool ends.</param>
/// <param name="Says">A part of what it says: a complaint or note, or a curve's line in the table.</param>
public sealed record InputCase(string Group, string Name, byte[] Bytes, int ExitCode, string Says)
{
    public InputCase(string group, string name, string text, int exitCode, string says) : this(group, name, Encoding.UTF8.GetBytes(text), exitCode, says) { }

    /// <summary>The file's name.</summary>
    public string File { get; init; } = "loss.csv";

    /// <summary>What follows the file on the command line.</summary>
    public string[] More { get; init; } = [];

    /// <summary>Before the file: the command.</summary>
    public string Command { get; init; } = "fit";
}

/// <summary>Bad and odd inputs: each is run through the tool, and docs/input.md is made of what it said.</summary>
public static class InputCases
{
    private const string Numbers = "Numbers", Marks = "Separators and decimal marks", Columns = "Columns", Rows = "Rows", Wide = "Wide tables", Files = "Files and bytes", Names = "Names", Curves = "Curves",
        Choices = "Options", Reports = "Reports";

    // y = 8/x.
    private const string Good = "1,8\n2,4\n4,2\n8,1\n";

    public static IReadOnlyList<InputCase> All { get; } =
    [
        new(Numbers, "text where a number belongs", $"x,y\n{Good}16,diverged\n", 1, "loss.csv, line 6, column \"y\": 'diverged' is not a number; expected a finite number. Remove the row or pass --skip-invalid."),
        new(Numbers, "the same, with --skip-invalid", $"x,y\n{Good}16,diverged\n", 0, "1 wrong row was skipped. The first: loss.csv, line 6") { More = ["--skip-invalid"] },
        new(Numbers, "several wrong rows", $"x,y\n{Good}16,a\n32,b\n64,c\n", 1, "line 6, column \"y\": 'a' is not a number; expected a finite number. Remove the row or pass --skip-invalid. (2 more rows are wrong.)"),
        new(Numbers, "nothing but wrong rows", "x,y\n1,a\n2,b\n", 1, "No row of the file is right.") { More = ["--skip-invalid"] },
        new(Numbers, "an empty field", $"x,y\n{Good}16,\n", 0, "1 row without a finite number is left out. The first: loss.csv, line 6, column \"y\": an empty field is not a number"),
        new(Numbers, "every spelling of pandas: NaN, nan, NA, N/A, <NA>, null, None, NaT, #N/A, -nan, 1.#QNAN", $"x,y\n{Good}1,NaN\n1,nan\n1,NA\n1,N/A\n1,<NA>\n1,null\n1,None\n1,NaT\n1,#N/A\n1,-nan\n1,1.#QNAN\n", 0, "11 rows without a finite number are left out."),
        new(Numbers, "infinities: inf, -inf, Infinity, ∞, 1e999", $"x,y\n{Good}16,inf\n32,-inf\n64,Infinity\n128,∞\n256,1e999\n", 0, "5 rows without a finite number are left out. The first: loss.csv, line 6, column \"y\": 'inf' is not finite"),
        new(Numbers, "no row with a number", "x,y\n1,nan\n2,nan\n", 1, "loss.csv, line 2, column \"y\": 'nan' is not finite; expected a finite number. No row of the file is right."),
        new(Numbers, "x = 0, as of a step before training", $"x,y\n0,11\n{Good}", 0, "1 row without an x above 0 is left out. The first: loss.csv, line 2, column \"x\": '0' is not greater than 0; x is fitted on a log scale"),
        new(Numbers, "x below 0", $"x,y\n-3,11\n{Good}", 0, "'-3' is not greater than 0"),
        new(Numbers, "a number too small for a double, which would become 0", $"x,y\n{Good}16,1e-400\n", 1, "'1e-400' is smaller than the smallest number above 0, 5e-324; give the column in another unit."),
        new(Numbers, "digits of other scripts", $"x,y\n{Good}16,１２\n", 1, "'１２' is not a number"),
        new(Numbers, "a hexadecimal number", $"x,y\n{Good}16,0x10\n", 1, "'0x10' is not a number"),
        new(Numbers, "a thin space between thousands", $"x,y\n{Good}1\u2009600,0.1\n", 1, "'1\u2009600' is not a number"),
        new(Numbers, "a percent sign", $"x,y\n{Good}16,50%\n", 1, "'50%' is not a number"),
        new(Numbers, "a weight of 0", "x,y,w\n1,8,1\n2,4,1\n4,2,0\n", 1, "column \"w\": '0' is not greater than 0; expected a finite number > 0.") { More = ["--weight", "w"] },
        new(Numbers, "a standard deviation that is missing", "x,y,sd\n1,8,1\n2,4,1\n4,2,1\n8,1,\n", 0, "1 row without a finite number is left out. The first: loss.csv, line 5, column \"sd\"") { More = ["--sigma", "sd"] },

        new(Marks, "semicolons", $"x,y\n{Good}".Replace(',', ';'), 0, "4 points fitted"),
        new(Marks, "tabs", $"x,y\n{Good}".Replace(',', '\t'), 0, "4 points fitted") { File = "loss.tsv" },
        new(Marks, "spaces", "x y\n1 8\n2 4\n", 1, "there are no columns \"x\" and \"y\"; the columns are \"x y\". Columns are separated by commas, semicolons or tabs."),
        new(Marks, "decimal commas under semicolons", "x;y\n1;8\n2;4\n4;2\n16;0,5\n", 0, "loss.csv: numbers have decimal commas (line 5, column \"y\": '0,5'), which are read as decimal points."),
        new(Marks, "a comma that may be a decimal mark or a separator of thousands", "x;y\n1;8\n2;4\n1,000;2\n", 1, "line 4, column \"x\": '1,000' may have a decimal comma or a separator of thousands, and no other number of the file says which."),
        new(Marks, "decimal commas and decimal points in one file", "x;y\n1;8.5\n2;4,5\n4;2\n", 1, "line 3, column \"y\": '4,5' has a comma, and line 2, column \"y\": '8.5' a point."),
        new(Marks, "thousands and decimals of another country", "x;y\n1;8\n2;4\n1.000,5;2\n", 1, "'1.000,5' is not a number; decimal commas (in a file that commas separate) and thousands separators are not accepted"),
        new(Marks, "a decimal comma in a file that commas separate", "x,y\n1,8\n2,\"4,5\"\n", 1, "'4,5' is not a number; decimal commas (in a file that commas separate) and thousands separators are not accepted"),
        new(Marks, "the same without quotes", "x,y\n1,8\n2,4,5\n", 1, "line 3: the row has 3 fields and the header 2; expected as many, with quotes around a field that contains ','."),
        new(Marks, "Excel's line sep=;", "sep=;\r\nx;y\r\n1;8\r\n2;4\r\n4;2\r\n", 0, "3 points fitted"),
        new(Marks, "quoted commas", "curve,x,y\n\"6 Enc, 6 Dec\",1,8\n\"6 Enc, 6 Dec\",2,4\n\"6 Enc, 6 Dec\",4,2\n", 0, "6 Enc, 6 Dec: 3 points fitted"),
        new(Marks, "a quote that is never closed", "curve,x,y\na,1,8\n\"b,2,4\nc,4,2\n", 1, "loss.csv, line 3: the quotes of the row do not match. Close the quoted field; write \" inside one as \"\"."),
        new(Marks, "the same in the header", "\"curve,x,y\na,1,8\n", 1, "loss.csv, line 1: the quotes of the header do not match."),

        new(Columns, "other names", "step,loss\n1,8\n2,4\n", 1, "there are no columns \"x\" and \"y\"; the columns are \"step\", \"loss\". Name the right ones with --x and --y."),
        new(Columns, "a name that is nearly right", "tokens,val_loss\n1,8\n2,4\n", 1, "there is no column \"token\"; did you mean \"tokens\"? The columns are \"tokens\", \"val_loss\". Name the right one with --x.") { More = ["--x", "token", "--y", "val_loss"] },
        new(Columns, "names in another case and with spaces", " X , Loss \n1,8\n2,4\n4,2\n", 0, "3 points fitted") { More = ["--y", "loss"] },
        new(Columns, "two columns of one name", "x,y,y\n1,8,8\n", 1, "2 columns are called \"y\". Rename all but one, or name another with --y."),
        new(Columns, "no header", "1,8\n2,4\n4,2\n", 1, "The first line must name the columns, such as curve,x,y."),
        new(Columns, "hundreds of columns", string.Join(',', Enumerable.Range(0, 300).Select(k => $"c{k}")) + "\n", 1, "\"c19\", … (300 in all). Name the right ones with --x and --y, or pass --wide if every column but that of x is a curve."),
        new(Columns, "several runs without --curve", "x,y,run\n1,8,a\n2,4,a\n4,2,a\n1,9,b\n2,5,b\n4,3,b\n", 0, "points share their x, and column \"run\" has 2 different texts. If these are several curves, --curve run fits each."),
        new(Columns, "a split that is 1 or 0", "x,y,split\n1,8,1\n2,4,0\n", 1, "'1' says neither what is fitted nor what is held out; expected fit or heldout (--fit-when takes any column and value)."),
        new(Columns, "--fit-when that never holds", "x,y,part\n1,8,train\n2,4,test\n", 1, "No row is a fit point: column \"part\" is never 'fit' (it is 'train', 'test').") { More = ["--fit-when", "part=fit"] },
        new(Columns, "split and --holdout", "x,y,split\n1,8,fit\n2,4,heldout\n", 1, "column \"split\" says what is held out, and so does --holdout.") { More = ["--holdout", "1"] },

        new(Rows, "a row with too few fields", $"x,y,note\n1,8,a\n2,4\n", 1, "line 3: the row has 2 fields and the header 3; expected as many"),
        new(Rows, "rows in any order", "x,y\n8,1\n1,8\n4,2\n2,4\n", 0, "4 points fitted"),
        new(Rows, "exact copies of a row", $"x,y\n{Good}8,1\n8,1\n", 0, "2 exact copies of rows were dropped; --keep-copies keeps them."),
        new(Rows, "replicates: one x with several y", "x,y\n1,8\n1,8.2\n2,4\n2,3.9\n4,2\n4,2.1\n", 0, "6 points fitted"),
        new(Rows, "empty lines, lines of spaces and comments", "# from a log\n\nx,y\n1,8\n   \n# later\n2,4\n4,2\n\n", 0, "3 points fitted"),
        new(Rows, "rows that are empty but for separators", "x,y,split\n1,8,fit\n2,4,fit\n4,2,fit\n,,\n,,\n", 0, "2 rows without a finite number are left out."),
        new(Rows, "line ends CR LF", $"x,y\n{Good}".Replace("\n", "\r\n", StringComparison.Ordinal), 0, "4 points fitted"),
        new(Rows, "line ends CR", $"x,y\n{Good}".Replace('\n', '\r'), 0, "4 points fitted"),
        new(Rows, "no line end at the end", "x,y\n1,8\n2,4\n4,2", 0, "3 points fitted"),
        new(Rows, "a row without a curve's name", "curve,x,y\na,1,8\n,2,4\n", 1, "an empty field does not name a curve; expected a name."),

        new(Wide, "a column a curve, of different lengths", "step,small,large\n1,8,6\n2,4,3\n4,2,\n", 0, "1 cell without a finite number is left out. The first: loss.csv, line 4, column \"large\"") { More = ["--wide"] },
        new(Wide, "the index that pandas writes", ",step,small\n0,1,8\n1,2,4\n2,4,2\n", 0, "1 of its columns has no name and is not used; in a wide table a name is a curve's.") { More = ["--wide", "--x", "step"] },
        new(Wide, "a column of text", "step,small,note\n1,8,start\n2,4,\n", 1, "column \"note\": 'start' is not a number; expected a finite number. Remove the column or pass --skip-invalid.") { More = ["--wide"] },
        new(Wide, "two curves of one name", "step,a,a\n1,8,8\n", 1, "2 columns are called \"a\". In a wide table each is a curve; rename all but one.") { More = ["--wide"] },
        new(Wide, "a byte order mark where the header should be", "\r\ufeff\na 0;x\n", 1, "there is no column \"x\"") { More = ["--wide"] },
        new(Wide, "without --wide", "step,small,large\n1,8,6\n2,4,3\n", 1, "Name the right ones with --x and --y, or pass --wide if every column but that of x is a curve."),
        new(Wide, "x alone", "step\n1\n", 1, "there is no named column beside \"step\". In a wide table each of the others is a curve.") { More = ["--wide"] },
        new(Wide, "--wide with --y", "step,a\n1,8\n", 2, "--wide is given. Violated constraint: one column of x, and every other is a curve; 'a' is another thing.") { More = ["--wide", "--y", "a"] },

        new(Files, "no such file", "", 1, "no.csv: there is no such file. Check its name and folder.") { File = "" , More = ["no.csv"] },
        new(Files, "a folder", "", 1, "is a folder. Name the CSV files in it.") { File = "." },
        new(Files, "an empty file", "", 1, "loss.csv is empty. Give a header such as curve,x,y and one row a point."),
        new(Files, "a header alone", "curve,x,y\n", 1, "loss.csv has a header and no rows. Give one row a point."),
        new(Files, "comments alone", "# nothing yet\n", 1, "loss.csv is empty."),
        new(Files, "gzip", Packed($"x,y\n{Good}"), 0, "loss: 4 points fitted") { File = "loss.csv.gz" },
        new(Files, "gzip that is cut off", Packed($"x,y\n{Good}")[..^10], 1, "loss.csv.gz is gzip that is damaged or cut off. Pack it or copy it again.") { File = "loss.csv.gz" },
        new(Files, "a byte order mark", $"\uFEFFx,y\n{Good}", 0, "4 points fitted"),
        new(Files, "UTF-16, as Windows calls Unicode", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes($"x,y\r\n{Good}")], 0, "4 points fitted"),
        new(Files, "UTF-16 without its mark", Encoding.Unicode.GetBytes($"x,y\n{Good}"), 1, "loss.csv is binary, or UTF-16 without its byte order mark. Save it as text in UTF-8."),
        new(Files, "Latin-1", [.. "curve,x,y\ncaf"u8, 0xE9, .. ",1,8\ncaf"u8, 0xE9, .. ",2,4\ncaf"u8, 0xE9, .. ",4,2\n"u8], 0, "bytes that are not UTF-8 were read as Latin-1; save the file in UTF-8 if names look wrong."),
        new(Files, "an Excel workbook", "PK\u0003\u0004\u0014\0\u0006\0", 1, "is a zip archive, as Excel workbooks and npz files are. Save its table as CSV.") { File = "loss.xlsx" },
        new(Files, "Parquet", "PAR1\u0015\u0004", 1, "is a Parquet file. Save its table as CSV, in pandas with to_csv.") { File = "loss.parquet" },
        new(Files, "any other binary file", [0x7F, .. "ELF"u8, 2, 1, 1, 0, 0], 1, "is binary, or UTF-16 without its byte order mark."),
        new(Files, "JSON", "{\"x\": [1, 2], \"y\": [8, 4]}\n", 1, "this looks like JSON or a web page; a table in CSV is expected."),
        new(Files, "a web page", "<html><body>404</body></html>\n", 1, "It looks like JSON or a web page; a table in CSV is expected."),
        new(Files, "a line without an end", new string('1', 1_100_000), 1, "line 1: the line has more than 1048576 characters. Give a table with one row a line."),

        new(Names, "a path as a curve's name", Named("../../etc/passwd"), 0, "../../etc/passwd: 3 points fitted"),
        new(Names, "a terminal's escape", Named("\u001b[31mred"), 0, "\uFFFD[31mred: 3 points fitted"),
        new(Names, "a right-to-left override", Named("gpt\u202Egpj.exe"), 0, "gpt\uFFFDgpj.exe: 3 points fitted"),
        new(Names, "HTML", Named("<script>alert(1)</script>"), 0, "<script>alert(1)</script>: 3 points fitted"),
        new(Names, "a spreadsheet's formula, in the CSV report", Named("=cmd|' /C calc'!A0"), 0, "'=cmd|' /C calc'!A0,bnsl,0,true") { More = ["--format", "csv"] },
        new(Names, "a name of 5000 letters", Named(new string('n', 5000)), 0, "nnnn…nnnn"),
        new(Names, "a name that starts with #, in quotes", Named("#1"), 0, "#1: 3 points fitted"),
        new(Names, "a file whose name starts with a dash", $"x,y\n{Good}", 2, "'-loss.csv' is not an option of bnsl fit") { File = "", More = ["-loss.csv"] },

        new(Curves, "one point", "x,y\n1,8\n", 1, "All points have the same x; a law in x needs at least two."),
        new(Curves, "two points", "x,y\n1,8\n2,4\n", 0, "3 parameters and 2 points: the data do not determine this fit."),
        new(Curves, "all y equal", "x,y\n1,3\n2,3\n4,3\n8,3\n", 0, "The Jacobian is ill-conditioned (singular): some combination of the parameters is not determined."),
        new(Curves, "all x equal", "x,y\n3,8\n3,7\n3,6\n", 1, "All points have the same x; a law in x needs at least two."),
        new(Curves, "y = 0 under a loss of log y", "x,y\n1,8\n2,4\n4,0\n", 1, "y = 0 at x = 4; the loss msle needs y > 0. The laws bnsl-rising and bnsl-falling under loss mse take any y."),
        new(Curves, "y below 0", "x,y\n1,8\n2,4\n4,-1\n", 1, "y = -1 at x = 4; the loss msle needs y > 0."),
        new(Curves, "one curve without a point among others", $"curve,x,y\na,1,8\na,2,4\na,4,2\nb,1,nan\n", 0, "b: 0 points to fit, 0 held out. There are no points to fit."),
        new(Curves, "x from 1e-300 to 1e300", "x,y\n1e-300,8\n1e-100,6\n1e100,3\n1e300,2\n", 0, "4 points fitted"),
        new(Curves, "y from 1e-300 to 1e300", "x,y\n1,1e300\n2,1e100\n4,1e-100\n8,1e-300\n", 0, "4 points fitted"),
        new(Curves, "more held out than there is", $"x,y\n{Good}", 1, "1 point to fit, 3 held out") { More = ["--holdout", "10"] },

        new(Choices, "--holdout of a percentage", $"x,y\n{Good}", 2, "--holdout = '20%'. Violated constraint: a number of points >= 1, or a share > 0 and < 1.") { More = ["--holdout", "20%"] },
        new(Choices, "--fix of a word", $"x,y\n{Good}", 2, "--fix is 'a=none'; expected values like a=0 or a=0,c0=0.5.") { More = ["--fix", "a=none"] },
        new(Choices, "--bound that is empty", $"x,y\n{Good}", 2, "--bound is 'c0=:'; expected ranges like f=0.05:10 or d=:1e6.") { More = ["--bound", "c0=:"] },
        new(Choices, "--only that matches nothing", $"x,y\n{Good}", 1, "--only big matches none of the 1 curves: 'loss'.") { More = ["--only", "big"] },
        new(Choices, "an option that is nearly right", $"x,y\n{Good}", 2, "'--skip-invald' is not an option of bnsl fit; did you mean '--skip-invalid'?") { More = ["--skip-invald"] },

        new(Reports, "a CSV where a report belongs", $"x,y\n{Good}", 1, "line 1: this is not JSON, so it is not a bnsl report. Save one with bnsl fit and the format json.") { Command = "predict", More = ["--x", "16"] },
        new(Reports, "JSON that is no report", "{\"tool\": \"other\"}", 1, "report.json is not a bnsl report: its property 'tool' is not 'bnsl'.") { Command = "predict", File = "report.json", More = ["--x", "16"] },
        new(Reports, "a report that is cut off", "{\"tool\": \"bnsl\",\n \"curves\": [{\"cur", 1, "report.json, line 2: this is not JSON, so it is not a bnsl report.") { Command = "predict", File = "report.json", More = ["--x", "16"] },
        new(Reports, "a report with a word where a number belongs", """{"tool": "bnsl", "curves": [{"curve": "a", "chosen": 0, "fits": [{"law": "m1", "breaks": 0, "loss": "msle", "parameters": {"a": "high"}}]}]}""", 1, "report.json, curves[0].fits[0].parameters.a is \"high\"; expected a number, \"NaN\", \"Infinity\" or \"-Infinity\".") { Command = "predict", File = "report.json", More = ["--x", "16"] },
        new(Reports, "a report with a law that is not known", """{"tool": "bnsl", "curves": [{"curve": "a", "chosen": 0, "fits": [{"law": "m9", "breaks": 0, "loss": "msle", "parameters": {}}]}]}""", 1, "report.json, curves[0].fits[0].law: There is no law 'm9' with 0 breaks.") { Command = "predict", File = "report.json", More = ["--x", "16"] },
        new(Reports, "a folder", "", 1, "is a folder. Name the report in it.") { Command = "predict", File = ".", More = ["--x", "16"] },
        new(Reports, "a scale that is a word", "{\"tool\": \"bnsl\", \"curves\": []}", 2, "--x is 'ten'; expected numbers like 1e6,1e7") { Command = "predict", File = "report.json", More = ["--x", "ten"] },
        new(Reports, "no curve", "{\"tool\": \"bnsl\", \"curves\": []}", 1, "has no curve") { Command = "predict", File = "report.json", More = ["--x", "16"] },
    ];

    private static string Named(string name) => $"curve,x,y\n\"{name}\",1,8\n\"{name}\",2,4\n\"{name}\",4,2\n";

    private static byte[] Packed(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return packed.ToArray();
    }
}
