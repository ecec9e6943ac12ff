using BnslGpu.Kernels;
using Xunit;

namespace BnslGpu.Tests;

public sealed class CounterRandomTests
{
    // The known answers that come with Random123 (D. E. Shaw Research), file kat_vectors, philox4x32 10.
    [Theory]
    [InlineData(0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void Block_is_Philox4x32_10(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), CounterRandom.Block((c0, c1, c2, c3), (k0, k1)));

    [Fact]
    public void Uniform_takes_two_numbers_from_each_block_and_shifts_them_by_half()
    {
        ulong seed = 0x299f31d0a4093822, stream = 0x0370734413198a2e;
        var random = new CounterRandom(seed, stream, 0x85a308d3);
        for (uint block = 0; block < 5; block++)
        {
            (uint x0, uint x1, uint x2, uint x3) = CounterRandom.Block((block, 0x85a308d3, (uint)stream, (uint)(stream >> 32)), ((uint)seed, (uint)(seed >> 32)));
            Assert.Equal(((((((ulong)x0 << 32) | x1) >> 12) + 0.5) / (1UL << 52)), random.Uniform());
            Assert.Equal(((((((ulong)x2 << 32) | x3) >> 12) + 0.5) / (1UL << 52)), random.Uniform());
        }
    }

    [Fact]
    public void Uniform_has_the_moments_and_the_evenness_of_a_uniform_number()
    {
        const int count = 1_000_000, bins = 256;
        var random = new CounterRandom(1, 2, 3);
        double sum = 0, squares = 0, products = 0, before = 0.5;
        var histogram = new int[bins];
        for (int draw = 0; draw < count; draw++)
        {
            double u = random.Uniform();
            if (u is not (> 0 and < 1)) Assert.Fail($"Draw {draw} is {u:R}.");
            sum += u - 0.5;
            squares += (u - 0.5) * (u - 0.5);
            products += (u - 0.5) * (before - 0.5);
            before = u;
            histogram[(int)(u * bins)]++;
        }

        // Five standard deviations: of u − ½, √(1/12); of its square, √(1/180); of the product of neighbours, 1/12.
        double five = 5 / Math.Sqrt(count);
        Assert.InRange(sum / count, -five * Math.Sqrt(1 / 12.0), five * Math.Sqrt(1 / 12.0));
        Assert.InRange((squares / count) - (1 / 12.0), -five * Math.Sqrt(1 / 180.0), five * Math.Sqrt(1 / 180.0));
        Assert.InRange(products / count, -five / 12, five / 12);

        // χ² of 255 degrees has mean 255 and standard deviation √510.
        double chiSquare = histogram.Sum(n => (n - ((double)count / bins)) * (n - ((double)count / bins)) / ((double)count / bins));
        Assert.InRange(chiSquare, 255 - (5 * Math.Sqrt(510)), 255 + (5 * Math.Sqrt(510)));
    }

    [Fact]
    public void Uniform_of_the_extreme_words_is_strictly_inside()
    {
        Assert.True(0.5 * 2.220446049250313e-16 > 0);
        Assert.True(((ulong.MaxValue >> 12) + 0.5) * 2.220446049250313e-16 < 1);
    }

    [Fact]
    public void Uniform_between_two_numbers_stays_between_them()
    {
        var random = new CounterRandom(4, 5, 6);
        for (int draw = 0; draw < 10_000; draw++) Assert.InRange(random.Uniform(-3.9, 0.25), -3.9, 0.25);
    }

    [Fact]
    public void Items_and_streams_do_not_depend_on_the_order_in_which_they_are_drawn()
    {
        const int items = 50, draws = 7;
        var forward = new double[2, items, draws];
        for (ulong stream = 0; stream < 2; stream++)
        {
            for (uint item = 0; item < items; item++)
            {
                var random = new CounterRandom(9, stream, item);
                for (int draw = 0; draw < draws; draw++) forward[stream, item, draw] = random.Uniform();
            }
        }

        // All at once, backwards, one draw each in turn.
        var interleaved = new CounterRandom[2, items];
        for (int stream = 1; stream >= 0; stream--)
            for (int item = items - 1; item >= 0; item--) interleaved[stream, item] = new(9, (ulong)stream, (uint)item);
        for (int draw = 0; draw < draws; draw++)
            for (int item = items - 1; item >= 0; item--)
                for (int stream = 1; stream >= 0; stream--) Assert.Equal(forward[stream, item, draw], interleaved[stream, item].Uniform());
    }

    [Fact]
    public void Seeds_streams_and_items_share_no_number()
    {
        var seen = new HashSet<double>();
        foreach (ulong seed in (ulong[])[0, 1, 1UL << 32, ulong.MaxValue])
        {
            foreach (ulong stream in (ulong[])[0, 1, 1UL << 32, ulong.MaxValue])
            {
                foreach (uint item in (uint[])[0, 1, uint.MaxValue])
                {
                    var random = new CounterRandom(seed, stream, item);
                    for (int draw = 0; draw < 20; draw++) Assert.True(seen.Add(random.Uniform()), $"seed {seed}, stream {stream}, item {item}, draw {draw}");
                }
            }
        }
    }

    [Fact]
    public void Mix_tells_order_and_words_apart()
    {
        var seen = new HashSet<ulong>();
        for (ulong first = 0; first < 100; first++)
            for (ulong second = 0; second < 100; second++) Assert.True(seen.Add(CounterRandom.Mix(CounterRandom.Mix(0, first), second)), $"{first}, {second}");
    }
}
