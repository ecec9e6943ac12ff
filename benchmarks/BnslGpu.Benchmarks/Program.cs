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
    case ["limit", .. var rest]:
        return LimitBenchmark.Run(rest, Console.Out);
    case ["fuzz", .. var rest]:
        return FuzzBenchmark.Run(rest, Console.Out);
    case ["forecast", .. var rest]:
        return ForecastBenchmark.Run(rest, Console.Out);
#if ILGPU
    case ["ptx", .. var rest]:
        return PtxIlgpuBenchmark.Run(rest, Console.Out);
    case ["has", var device]:
        return Has(device);
    case ["parity", .. var rest]:
        return IlgpuParityBenchmark.Run(rest, Console.Out);
    case ["large", .. var rest]:
        return IlgpuLargeBenchmark.Run(rest, Console.Out);
    case ["devices", .. var rest]:
        return IlgpuDevicesBenchmark.Run(rest, Console.Out);
    case ["oclgrind", .. var rest]:
        return IlgpuOclgrindBenchmark.Run(rest, Console.Out);
#else
    case ["has" or "ptx" or "parity" or "large" or "devices" or "oclgrind", ..]:
        Console.WriteLine($"the device engine is not in this build ({BnslGpu.Backends.Engine})");
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
                   has DEVICE
                   parity --data DIR [--device NAME] [--starts N]
                   large [--device NAME] [--screen N] [--search N] [--budget MIB]
                   devices [--device NAME] [--data DIR] [--rounds N] [--starts N] [--search-starts N]
                   oclgrind --driver FILE
                   chance --data DIR --minima FILE [--seeds N] [--rows FILE]
                   limit [--figure FILE] [--draws N]
                   forecast --data DIR --example FILE [--planted N] [--seeds N]
                   fuzz [COUNT] [SEED] [--only N]
                   ptx [--tools DIR] [--only sm_80]
            """);
        return 2;
}

#if ILGPU
// Says what a device is, or why it cannot be used.
static int Has(string device)
{
    try
    {
        using var backend = (IDisposable)BnslGpu.Backends.Get(device);
        Console.WriteLine(((BnslGpu.IBackend)backend).Description);
        return 0;
    }
    catch (Exception unusable)
    {
        Console.WriteLine(unusable.Message.TrimEnd('.'));
        return 3;
    }
}
#endif
