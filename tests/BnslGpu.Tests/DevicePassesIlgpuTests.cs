using Xunit;

namespace BnslGpu.Tests;

/// <summary>A search with N in registers, its loops written out by rows, against one with N in device memory, by the CPU path's own source.</summary>
public sealed class DevicePassesIlgpuTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SearchPrecision.Double)]
    [InlineData(SearchPrecision.Mixed)]
    public void Registers_end_on_the_bits_of_memory(SearchPrecision precision)
    {
        using IlgpuDevice registers = IlgpuDevice.Open("ilgpu-cpu")[0], memory = IlgpuDevice.Open("ilgpu-cpu", inMemoryOnly: true)[0];
        double[] x = [.. Enumerable.Range(0, 14).Select(i => 100 * Math.Pow(2, i))];
        Points points = new(x, [.. x.Select((x, i) => 0.1 + (3 * Math.Pow(x, -0.3) * (1 + (0.02 * Math.Sin(9 * i)))))]);
        ParameterRules rules = new() { Ranges = [new("c0", 0, 0.2)], Ties = [["f"]], Priors = [new("c1", 0, 1)] };
        (string Law, int Breaks, string Loss, ParameterRules Rules)[] cases = [("m1", 0, "msle", new()), ("bnsl", 1, "huber", new()), ("bnsl", 2, "msle", rules)];
        foreach ((string law, int breaks, string loss, ParameterRules own) in cases)
        {
            var problem = new Problem(points, ScalingLaw.Get(law, breaks), Loss.Get(loss), rules: own);
            IlgpuCandidates one = Descended(registers, problem, precision), other = Descended(memory, problem, precision);
            Assert.Equal(other.Losses, one.Losses);
            Assert.Equal(other.Parameters, one.Parameters);
        }
    }

    private static IlgpuCandidates Descended(IlgpuDevice device, Problem problem, SearchPrecision precision)
    {
        var run = new IlgpuCandidates([new(problem, 0, 3, [])], 1);
        device.Model(problem.Law, problem.Loss, precision).Descend(run, new(3, 1, 1, SearchPrecision.Double, 30), 1e-8, null, Token);
        return run;
    }
}
