using BnslGpu.Benchmarks;

switch (args)
{
    case ["lanes", .. var rest]:
        return LanesBenchmark.Run(rest, Console.Out);
    case ["suite", .. var rest]:
        return SuiteBenchmark.Run(rest, Console.Out);
    case ["laws", .. var rest]:
        return LawsBenchmark.Run(rest, Console.Out);
    case ["minima", .. var rest]:
        return MinimaBenchmark.Run(rest);
    case ["peers", .. var rest]:
        return PeersBenchmark.Run(rest, Console.Out);
    case ["nist", .. var rest]:
        return NistBenchmark.Run(rest, Console.Out);
    case ["chance", .. var rest]:
        return ChanceBenchmark.Run(rest, Console.Out);
#if ILGPU
    case ["ptx", .. var rest]:
        return PtxIlgpuBenchmark.Run(rest, Console.Out);
    case ["parity", .. var rest]:
        return IlgpuParityBenchmark.Run(rest, Console.Out);
#else
    case ["ptx" or "parity", ..]:
        Console.Error.WriteLine($"{args[0]} needs the device engine, without which this was built.");
        return 3;
#endif
    default:
        Console.Error.WriteLine("""
            usage: lanes [--rounds N]
                   suite --data DIR [--minima FILE] [--seed N] [--starts N] [--precision double|mixed]
                   laws --data DIR [--released FILE]
                   minima --data DIR --output FILE [--starts N] [--threads N]
                   peers --data DIR --peers DIR [--python PYTHON] [--starts N] [--scipy-starts N] [--rounds N]
                   nist --data DIR
                   chance --data DIR --minima FILE [--seeds N] [--rows FILE]
                   ptx [--tools DIR] [--only sm_80]
            """);
        return 2;
}
