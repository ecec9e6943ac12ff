using System.Reflection;
using Xunit;

namespace BnslGpu.Tests;

/// <summary>What kernels/Ilgpu.targets decided, as the assemblies tell it.</summary>
public sealed class DeviceEngineTests
{
    [Fact]
    public void A_build_says_whether_it_has_the_device_engine()
    {
        string? said = typeof(IBackend).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "Ilgpu").Value;
        bool isThere = File.Exists(Path.Combine(AppContext.BaseDirectory, "ILGPU.dll"));
#if ILGPU
        Assert.Matches("^[0-9.]+, from the (package|folder)$", said);
        Assert.True(isThere);
#else
        Assert.StartsWith("left out: ", said, StringComparison.Ordinal);
        Assert.False(isThere);
#endif
    }
}
