using System.Globalization;
using System.Text.RegularExpressions;

namespace BnslGpu.Benchmarks;

/// <summary>Instructions of a loop, by what they keep busy.</summary>
/// <param name="All">All that are issued.</param>
/// <param name="Double">Arithmetic in double: fused multiply-adds, products, sums and comparisons.</param>
/// <param name="Float">The same in float.</param>
/// <param name="Special">Reciprocals and roots of the special function unit.</param>
/// <param name="Loads">Loads from device memory.</param>
/// <param name="Stores">Stores to device memory.</param>
/// <param name="LocalLoads">Loads from local memory: of what was spilled.</param>
/// <param name="LocalStores">Stores to local memory.</param>
/// <param name="Branches">Ways that depend on a value, but for those around the slow path of a division.</param>
internal readonly record struct SassCount(double All, double Double, double Float, double Special, double Loads, double Stores, double LocalLoads, double LocalStores, int Branches)
{
    public static SassCount operator +(SassCount a, SassCount b) => new(
        a.All + b.All, a.Double + b.Double, a.Float + b.Float, a.Special + b.Special, a.Loads + b.Loads, a.Stores + b.Stores,
        a.LocalLoads + b.LocalLoads, a.LocalStores + b.LocalStores, a.Branches + b.Branches);

    public static SassCount operator *(double times, SassCount a) => new(
        times * a.All, times * a.Double, times * a.Float, times * a.Special, times * a.Loads, times * a.Stores, times * a.LocalLoads, times * a.LocalStores, a.Branches);
}

/// <summary>A loop of a kernel.</summary>
/// <param name="Own">Instructions of its body that are in no loop inside, each counted once; not those of a division's slow path.</param>
/// <param name="Inside">The loops inside, in the order of their addresses.</param>
internal sealed record SassLoop(SassCount Own, IReadOnlyList<SassLoop> Inside)
{
    /// <summary>Instructions with every loop inside counted once.</summary>
    public SassCount Once => Inside.Aggregate(Own, (sum, loop) => sum + loop.Once);

    /// <summary>Instructions by how often the loops inside run; a list of trips for every level, in the order of the loops there.</summary>
    public SassCount By(IReadOnlyList<Trip> trips) =>
        Inside.Zip(trips).Aggregate(Own, (sum, pair) => sum + (pair.Second.Count * pair.First.By(pair.Second.Inside)));
}

/// <summary>How often a loop inside a loop runs.</summary>
internal sealed record Trip(double Count, params Trip[] Inside);

/// <summary>The loops of a kernel in the machine language of NVIDIA's GPUs, as nvdisasm prints it.</summary>
/// <remarks>
/// Every block of instructions that calls a subroutine of the compiler's is the slow path of a division, which denormal and infinite numbers take; it is
/// left out. What remains of a loop without loops inside is counted exactly if no branch in it depends on a value, which <see cref="SassCount.Branches"/> says.
/// </remarks>
internal static partial class Sass
{
    [GeneratedRegex(@"^\s*/\*[0-9a-f]+\*/\s+(?<predicate>@!?U?P\w+\s+)?(?<code>[A-Z][A-Z0-9_.]*)(?<operands>[^;]*);", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex InstructionLine();

    [GeneratedRegex(@"^(?<label>[.$\w]+):", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LabelLine();

    [GeneratedRegex(@"`\((?<label>[^)]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Target();

    private sealed class Block
    {
        public List<string> Instructions { get; } = [];

        public List<string> Targets { get; } = [];

        public bool FallsThrough { get; set; } = true;

        public bool IsSlowPath { get; set; }

        public List<int> Next { get; } = [];
    }

    /// <summary>The outermost loops, in the order of their addresses.</summary>
    public static IReadOnlyList<SassLoop> Loops(IEnumerable<string> listing)
    {
        List<Block> blocks = Blocks(listing);
        SortedDictionary<int, SortedSet<int>> loops = NaturalLoops(blocks);
        return Nest([.. loops.Values], [.. Enumerable.Range(0, blocks.Count)], blocks);
    }

    private static List<Block> Blocks(IEnumerable<string> listing)
    {
        List<Block> blocks = [new()];
        var labels = new Dictionary<string, int>();
        bool isKernel = false;
        foreach (string line in listing)
        {
            if (LabelLine().Match(line) is { Success: true } label)
            {
                string name = label.Groups["label"].Value;
                if (name.StartsWith('$')) break; // subroutines follow the kernel
                if (name.StartsWith(".text.", StringComparison.Ordinal)) isKernel = true;
                if (blocks[^1].Instructions.Count > 0) blocks.Add(new());
                labels[name] = blocks.Count - 1;
            }

            if (!isKernel || InstructionLine().Match(line) is not { Success: true } match) continue;
            string code = match.Groups["code"].Value, operands = match.Groups["operands"].Value;
            bool isPredicated = match.Groups["predicate"].Success || (code.StartsWith("BRA", StringComparison.Ordinal) && operands.Contains(',', StringComparison.Ordinal));
            Block block = blocks[^1];
            block.Instructions.Add(code);
            string kind = code.Split('.')[0], target = Target().Match(operands).Groups["label"].Value;
            if (kind is "BRX" or "JMX" or "JMP") throw new NotSupportedException($"{code} leads nobody knows where.");
            if (kind == "CALL" && target.StartsWith('$')) block.IsSlowPath = true;
            if (kind is not ("BRA" or "EXIT" or "RET") && !(kind == "CALL" && !target.StartsWith('$'))) continue;
            if (kind is "BRA" or "CALL") block.Targets.Add(target);
            block.FallsThrough = isPredicated;
            blocks.Add(new());
        }

        for (int b = 0; b < blocks.Count; b++)
        {
            blocks[b].Next.AddRange(blocks[b].Targets.Select(target => labels[target]));
            if (blocks[b].FallsThrough && b + 1 < blocks.Count) blocks[b].Next.Add(b + 1);
        }

        return blocks;
    }

    /// <summary>By header: all blocks from which a jump back to it can be reached without it.</summary>
    private static SortedDictionary<int, SortedSet<int>> NaturalLoops(List<Block> blocks)
    {
        var loops = new SortedDictionary<int, SortedSet<int>>();
        var state = new int[blocks.Count]; // 1 on the way here, 2 done
        var jumps = new List<(int From, int To)>();
        Visit(0);
        foreach ((int from, int header) in jumps)
        {
            if (!loops.TryGetValue(header, out SortedSet<int>? body)) loops[header] = body = [header];
            var waiting = new Stack<int>([from]);
            while (waiting.TryPop(out int block))
            {
                if (!body.Add(block)) continue;
                for (int before = 0; before < blocks.Count; before++)
                    if (state[before] > 0 && blocks[before].Next.Contains(block)) waiting.Push(before);
            }
        }

        return loops;

        void Visit(int block)
        {
            state[block] = 1;
            foreach (int next in blocks[block].Next)
            {
                if (state[next] == 0) Visit(next);
                else if (state[next] == 1) jumps.Add((block, next));
            }

            state[block] = 2;
        }
    }

    private static List<SassLoop> Nest(List<SortedSet<int>> loops, SortedSet<int> within, List<Block> blocks)
    {
        List<SortedSet<int>> inside = [.. loops.Where(loop => loop.Count < within.Count && loop.IsSubsetOf(within))];
        return
        [
            .. inside.Where(loop => !inside.Any(other => other.Count > loop.Count && loop.IsSubsetOf(other))).OrderBy(loop => loop.Min).Select(loop =>
            {
                List<SassLoop> own = Nest([.. inside.Where(other => other != loop)], loop, blocks);
                var deeper = new HashSet<int>(inside.Where(other => other.Count < loop.Count && other.IsSubsetOf(loop)).SelectMany(other => other));
                return new SassLoop(loop.Where(block => !deeper.Contains(block)).Aggregate(default(SassCount), (sum, block) => sum + Count(blocks[block], loop, blocks)), own);
            }),
        ];
    }

    private static SassCount Count(Block block, SortedSet<int> loop, List<Block> blocks)
    {
        if (block.IsSlowPath) return default;
        SassCount count = default;
        foreach (string code in block.Instructions)
        {
            string kind = code.Split('.')[0];
            count += new SassCount(
                1,
                kind is "DFMA" or "DADD" or "DMUL" or "DSETP" or "DMNMX" ? 1 : 0,
                kind is "FFMA" or "FADD" or "FMUL" or "FSETP" or "FMNMX" ? 1 : 0,
                kind is "MUFU" ? 1 : 0,
                kind is "LDG" or "LD" ? 1 : 0,
                kind is "STG" or "ST" ? 1 : 0,
                kind is "LDL" ? 1 : 0,
                kind is "STL" ? 1 : 0,
                0);
        }

        // Ways on inside the loop, but for the one back and those into a slow path.
        int ways = block.Next.Count(next => loop.Contains(next) && next != loop.Min && !blocks[next].IsSlowPath);
        return count with { Branches = ways > 1 ? 1 : 0 };
    }

    /// <summary>What ptxas says in so many words: registers, and bytes of stack, spill stores and spill loads.</summary>
    public static (int Registers, int Stack, int Stores, int Loads) Usage(string said)
    {
        Match used = UsedLine().Match(said), spilled = SpillLine().Match(said);
        if (!used.Success || !spilled.Success) throw new InvalidDataException($"ptxas did not say what it used: {said}");
        return (Number(used, "registers"), Number(spilled, "stack"), Number(spilled, "stores"), Number(spilled, "loads"));

        static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"Used (?<registers>\d+) registers", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UsedLine();

    [GeneratedRegex(@"(?<stack>\d+) bytes stack frame, (?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SpillLine();
}
