using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using BnslGpu.Kernels;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.Frontend.Intrinsic;
using ILGPU.IR.Values;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace BnslGpu;

/// <summary>A device that has not the memory which was asked of it.</summary>
internal sealed class DeviceMemoryException(string message, Exception? inner) : Exception(message, inner);

/// <summary>A kernel that the device's compiler refuses: a law that uses what devices do not have.</summary>
internal sealed class DeviceCompileException(string message, Exception inner) : Exception(message, inner);

/// <summary>One accelerator: its kernels, each loaded once, its memory, and its launches.</summary>
internal sealed class IlgpuDevice : IDisposable
{
    /// <summary>What a launch should last. Windows resets a driver that is silent for two seconds; a user who cancels waits for one launch.</summary>
    internal const double LaunchMilliseconds = 50;

    private readonly Context _context;
    private readonly Accelerator _accelerator;
    private readonly ConcurrentDictionary<(ScalingLaw Law, Loss Loss, SearchPrecision Precision), IlgpuModel> _models = new();
    private Action<Index1D, KeepLaunch, ArrayView<F64>, ArrayView<F64>, ArrayView<int>, ArrayView<int>>? _keep;

    private IlgpuDevice(string name, Context context, Accelerator accelerator)
    {
        (Name, _context, _accelerator) = (name, context, accelerator);
        Memory = accelerator is CPUAccelerator ? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes : accelerator.MemorySize;
        MemoryBudget = (accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : Memory) / 2;
        Description = $"{name}: {accelerator.Name.Trim()}, {Memory / (1 << 20)} MiB, double{(IsGpu ? "" : ", for testing")}";
    }

    /// <summary>What --device calls it.</summary>
    public string Name { get; }

    /// <summary>Name and size of the hardware.</summary>
    public string Description { get; }

    /// <summary>Bytes of memory.</summary>
    private long Memory { get; }

    /// <summary>Bytes that a chunk may take; halved when memory runs out.</summary>
    public long MemoryBudget { get; set; }

    /// <summary>Seconds that compiling and loading kernels has taken.</summary>
    public double LoadSeconds { get; private set; }

    /// <summary>Launches so far, and seconds in them; the first of every kernel includes its compilation.</summary>
    public (long Launches, double Seconds) Launched { get; private set; }

    /// <summary>Seconds that taking memory and copying to and from it has taken so far.</summary>
    public double CopySeconds { get; private set; }

    /// <summary>Bytes of device memory held, and the most so far.</summary>
    public (long Now, long Most) Held { get; private set; }

    /// <summary>For tests: told before every allocation ("allocate", bytes), every launch ("launch", 0) and the end ("dispose", 0); may throw, and true loses a launch.</summary>
    internal Func<string, long, bool>? Fault { get; set; }

    /// <summary>For tests: points of every launch, instead of as many as make it last.</summary>
    internal int? PointsOfLaunch { get; set; }

    /// <summary>For tests: lists a problem that what is screened is kept in, instead of so many that they are scanned at once; with one, no more is kept than asked for.</summary>
    internal int? ListsOfScreen { get; set; }

    /// <summary>For tests: whether neighbouring threads' numbers lie together, as they do for a GPU.</summary>
    internal bool? IsInterleaved { get; set; }

    /// <summary>For tests: whether sums are kept in device memory even where registers would do.</summary>
    internal bool InMemoryOnly { get; init; }

    /// <summary>For checkers that lose track of a buffer which the driver fills (oclgrind): whether poison is copied from the host.</summary>
    internal bool PoisonsByCopy { get; init; }

    /// <summary>Candidates that are stepped at a time: enough to fill every multiprocessor a few times over, and no more than half the budget holds.</summary>
    public int Slots(long slotBytes)
    {
        long threads = IsGpu
            ? Math.Max(_accelerator.NumMultiprocessors * 2048L, 8192)
            : Math.Max(_accelerator.NumMultiprocessors * 128L, 512);
        return (int)Math.Clamp(Math.Min(threads, MemoryBudget / 2 / slotBytes), 1, int.MaxValue / slotBytes);
    }

    /// <summary>Threads of a group: those of a GPU share an instruction; on a CPU one core takes a group after the other, and small ones end together.</summary>
    public int GroupSize => Math.Min(IsGpu ? 64 : 16, _accelerator.MaxNumThreadsPerGroup);

    /// <summary>The kernels of a law, a loss and a precision.</summary>
    /// <param name="law">The law.</param>
    /// <param name="loss">The loss.</param>
    /// <param name="precision">Double, or the float part of mixed.</param>
    public IlgpuModel Model(ScalingLaw law, Loss loss, SearchPrecision precision) => _models.GetOrAdd((law, loss, precision), key =>
    {
        var closer = new Closer(this, key.Precision);
        return key.Law.Close<Closer, IlgpuModel>(key.Loss, ref closer);
    });

    /// <summary>Compiles and loads a kernel.</summary>
    /// <exception cref="DeviceCompileException">It cannot be compiled.</exception>
    public TKernel Load<TKernel>(Func<Accelerator, TKernel> load)
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            return load(_accelerator);
        }
        catch (Exception refused) when (refused is not OutOfMemoryException)
        {
            // Methods that ILGPU was in the middle of would spoil every kernel after this one.
            _context.ClearCache(ClearCacheMode.Default);
            throw new DeviceCompileException(refused.GetBaseException().Message, refused);
        }
        finally
        {
            LoadSeconds += Stopwatch.GetElapsedTime(begun).TotalSeconds;
        }
    }

    /// <summary>Launches something and waits for it.</summary>
    /// <returns>How long it took.</returns>
    public TimeSpan Launch(Action launch)
    {
        if (Fault?.Invoke("launch", 0) == true) return TimeSpan.Zero;
        long begun = Stopwatch.GetTimestamp();
        launch();
        _accelerator.Synchronize();
        TimeSpan took = Stopwatch.GetElapsedTime(begun);
        Launched = (Launched.Launches + 1, Launched.Seconds + took.TotalSeconds);
        return took;
    }

    /// <summary>Points of the next launch, by how long this one took.</summary>
    public static int Retime(int points, TimeSpan took) =>
        (int)Math.Clamp(points * Math.Clamp(LaunchMilliseconds / Math.Max(took.TotalMilliseconds, 1e-3), 0.25, 2), 64, 1 << 24);

    public void Keep(int lists, KeepLaunch launch, ArrayView<F64> losses, ArrayView<F64> best, ArrayView<int> starts, ArrayView<int> written)
    {
        _keep ??= Load(accelerator => accelerator.LoadImplicitlyGroupedStreamKernel<Index1D, KeepLaunch, ArrayView<F64>, ArrayView<F64>, ArrayView<int>, ArrayView<int>>(KeepKernel.Keep, GroupSize));
        _keep(lists, launch, losses, best, starts, written);
    }

    /// <summary>Takes memory.</summary>
    /// <exception cref="DeviceMemoryException">There is not so much.</exception>
    public MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(long count)
        where T : unmanaged
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            Fault?.Invoke("allocate", count * Marshal.SizeOf<T>());
            MemoryBuffer1D<T, Stride1D.Dense> buffer = _accelerator.Allocate1D<T>(Math.Max(count, 1));
            Held = (Held.Now + buffer.LengthInBytes, Math.Max(Held.Most, Held.Now + buffer.LengthInBytes));
            return buffer;
        }
        catch (Exception full) when (full is AcceleratorException or OutOfMemoryException)
        {
            throw new DeviceMemoryException($"{Name} has not {count * Marshal.SizeOf<T>()} bytes of memory left.", full);
        }
        finally
        {
            CopySeconds += Stopwatch.GetElapsedTime(begun).TotalSeconds;
        }
    }

    /// <summary>Gives memory back.</summary>
    public void Free(MemoryBuffer buffer)
    {
        Held = (Held.Now - buffer.LengthInBytes, Held.Most);
        buffer.Dispose();
    }

    public void Download<T>(ArrayView<T> from, T[] to)
        where T : unmanaged
    {
        long begun = Stopwatch.GetTimestamp();
        if (to.Length > 0) from.SubView(0, to.Length).CopyToCPU(to);
        CopySeconds += Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    public void Upload<T>(T[] from, ArrayView<T> to)
        where T : unmanaged
    {
        long begun = Stopwatch.GetTimestamp();
        if (from.Length > 0) to.SubView(0, from.Length).CopyFromCPU(from);
        CopySeconds += Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    /// <summary>Fills what a kernel is to write with what no kernel writes: all bits set.</summary>
    public void Poison<T>(ArrayView<T> view)
        where T : unmanaged
    {
        if (!PoisonsByCopy)
        {
            view.MemSet(_accelerator.DefaultStream, 0xFF);
            return;
        }

        var bits = new T[view.Length];
        MemoryMarshal.AsBytes(bits.AsSpan()).Fill(0xFF);
        Upload(bits, view);
    }

    /// <summary>Looks for what no kernel wrote.</summary>
    /// <exception cref="InvalidOperationException">There is some.</exception>
    public static void CheckWritten<T>(T[] numbers)
        where T : unmanaged
    {
        int missing = Marshal.SizeOf<T>() == sizeof(double)
            ? MemoryMarshal.Cast<T, ulong>(numbers).Count(ulong.MaxValue)
            : MemoryMarshal.Cast<T, uint>(numbers).Count(uint.MaxValue);
        if (missing > 0) throw Unwritten(missing);
    }

    public static InvalidOperationException Unwritten(long count) => new($"The device left {count} results unwritten.");

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Fault?.Invoke("dispose", 0);
        }
        finally
        {
            Close(_accelerator, _context);
        }
    }

    /// <summary>Starts a second at which candidates of a problem descend, drawing and copying included; the first, slow launch apart.</summary>
    public double Rate(Problem problem, SearchOptions options, int starts)
    {
        IlgpuModel model = Model(problem.Law, problem.Loss, SearchPrecision.Double);
        model.Descend(new([new(problem, 0, 16, [])], options.Seed), options, SimdBackend.DoubleTolerance, null, CancellationToken.None);
        long begun = Stopwatch.GetTimestamp();
        model.Descend(new([new(problem, 0, starts, [])], options.Seed), options, SimdBackend.DoubleTolerance, null, CancellationToken.None);
        return starts / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    /// <summary>Whether it is a graphics processor: others are for testing.</summary>
    public bool IsGpu => _accelerator is CudaAccelerator || (_accelerator is CLAccelerator opencl && opencl.DeviceType != CLDeviceType.CL_DEVICE_TYPE_CPU);

    /// <summary>Opens devices by name: cuda, cuda:1, opencl, opencl:0 or ilgpu-cpu; without a number, all of that kind.</summary>
    /// <param name="name">The name.</param>
    /// <param name="refused">Told of each that is there and cannot be opened, and why.</param>
    /// <param name="inMemoryOnly">See <see cref="InMemoryOnly"/>.</param>
    /// <param name="poisonsByCopy">See <see cref="PoisonsByCopy"/>.</param>
    /// <returns>Those that could be opened; none where there is none.</returns>
    /// <exception cref="Exception">There are some and none could be opened: why the first could not.</exception>
    public static List<IlgpuDevice> Open(string name, Action<string, Exception>? refused = null, bool inMemoryOnly = false, bool poisonsByCopy = false)
    {
        PrepareCompiler();
        string kind = name.Split(':')[0];
        int which = name.Contains(':', StringComparison.Ordinal) ? int.Parse(name.AsSpan(kind.Length + 1), System.Globalization.CultureInfo.InvariantCulture) : -1;
        var opened = new List<IlgpuDevice>();
        Exception? first = null;
        Func<Context, Accelerator>[] found = Found(kind);
        for (int index = 0; index < found.Length; index++)
        {
            if (which >= 0 && index != which) continue;

            // A context of its own: devices are then used from threads that know nothing of each other.
            string own = kind == "ilgpu-cpu" ? kind : $"{kind}:{index}";
            Context context = NewContext();
            Accelerator? accelerator = null;
            try
            {
                accelerator = found[index](context);
                opened.Add(new(own, context, accelerator) { InMemoryOnly = inMemoryOnly, PoisonsByCopy = poisonsByCopy });
            }
            catch (Exception failure)
            {
                // One of several may be in another's hands, or broken.
                Close(accelerator, context);
                first ??= failure;
                refused?.Invoke(own, failure);
            }
        }

        if (opened.Count == 0 && first is not null) ExceptionDispatchInfo.Throw(first);
        return opened;
    }

    /// <summary>Looks at the devices of a kind: what each is and how fast, or why it cannot be used.</summary>
    public static IEnumerable<DeviceStatus> Look(string kind, Problem problem, SearchOptions options)
    {
        List<DeviceStatus> found = [];
        try
        {
            foreach (IlgpuDevice device in Open(kind, (name, failure) => found.Add(new(name, "", 0, $"it could not be opened ({failure.GetType().Name}: {failure.Message})"))))
            {
                using (device)
                {
                    string what = device.Description[(device.Name.Length + 2)..];
                    try
                    {
                        found.Add(new(device.Name, what, device.Rate(problem, options, device.IsGpu ? 1 << 16 : 256), null));
                    }
                    catch (Exception failure)
                    {
                        found.Add(new(device.Name, what, 0, $"it failed a small search ({failure.GetType().Name}: {failure.Message})"));
                    }
                }
            }

            if (found.Count == 0) found.Add(new(kind, "", 0, kind == "opencl" ? "no OpenCL driver with a device of double precision was found." : "no such device, or no driver for it, was found."));
        }
        catch (Exception failure)
        {
            if (found.Count == 0) found.Add(new(kind, "", 0, $"its driver could not be used ({failure.GetType().Name}: {failure.Message})"));
        }

        return found;
    }

    /// <summary>A context of no device.</summary>
    /// <remarks>
    /// At O2 the compiler knows which memory a pointer is into; at O1 it emits generic pointers, which not every OpenCL driver takes. Parity of every
    /// kernel with the CPU is tested at this level.
    /// </remarks>
    internal static Context NewContext() => Context.Create(builder => builder.Optimize(OptimizationLevel.O2));

    /// <summary>What opens each device of a kind, in the order of their numbers; tests put others there.</summary>
    internal static Func<string, Func<Context, Accelerator>[]> Found { get; set; } = kind =>
        [.. Devices(kind).Select(device => (Func<Context, Accelerator>)(context =>
        {
            if (device is CLDevice opencl) AdmitWithoutGenericAddresses(opencl);
            return device.CreateAccelerator(context);
        }))];

    /// <summary>The devices of one kind.</summary>
    /// <remarks>
    /// Not by way of a context: under WSL its builder sets a resolver of native libraries for CUDA, an assembly takes only one, and
    /// <see cref="FindLibraries"/> has set it.
    /// </remarks>
    private static ImmutableArray<Device> Devices(string kind) => kind switch
    {
        "cuda" => CudaDevice.GetDevices(device => device.Architecture.HasValue && device.InstructionSet is { } known && PTXCodeGenerator.SupportedInstructionSets.Contains(known)),
        "opencl" => CLDevice.GetDevices(device => device.Capabilities.Float64),
        _ => [new CPUDevice(4, 4, Math.Max(Environment.ProcessorCount / 4, 1))],
    };

    /// <summary>ILGPU refuses OpenCL devices that do not announce a generic address space, which these kernels do not use.</summary>
    private static void AdmitWithoutGenericAddresses(CLDevice device)
    {
        if (!device.Capabilities.GenericAddressSpace)
            typeof(CLCapabilityContext).GetProperty(nameof(CLCapabilityContext.GenericAddressSpace))?.SetValue(device.Capabilities, true);
    }

    /// <summary>Closes what is open; a driver that fails may fail again.</summary>
    internal static void Close(params IDisposable?[] open)
    {
        foreach (IDisposable? one in open)
        {
            try
            {
                one?.Dispose();
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                // Nobody waits for anything of it.
            }
        }
    }

    /// <summary>Names under which native libraries are looked for before those that ILGPU knows: where no libOpenCL.so or libcuda.so is installed, only a versioned one is.</summary>
    private static string[] LibrariesOf(string library) => library switch
    {
        "OpenCL" => ["libOpenCL.so.1"],
        "cuda" => ["/usr/lib/wsl/lib/libcuda.so.1", "libcuda.so.1"],
        _ => [],
    };

    /// <summary>Teaches .NET where drivers lie; a program that has taught it something else for ILGPU knows better.</summary>
    internal static void FindLibraries()
    {
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, (library, _, _) =>
            {
                foreach (string name in LibrariesOf(library))
                    if (NativeLibrary.TryLoad(name, out nint handle)) return handle;
                return 0;
            });
        }
        catch (InvalidOperationException)
        {
            // There is one already.
        }
    }

    private static readonly Lock Preparing = new();
    private static bool _isPrepared;

    /// <summary>Teaches ILGPU what its compiler does not know: a fused multiply-add, numbers as bits and back, and arithmetic modulo a power of two.</summary>
    internal static void PrepareCompiler()
    {
        lock (Preparing)
        {
            if (_isPrepared) return;
            Fuse(typeof(Math), typeof(double));
            Fuse(typeof(MathF), typeof(float));
            Replace(nameof(BitConverter.DoubleToUInt64Bits), typeof(double), nameof(Interop.FloatAsInt));
            Replace(nameof(BitConverter.SingleToUInt32Bits), typeof(float), nameof(Interop.FloatAsInt));
            Replace(nameof(BitConverter.UInt64BitsToDouble), typeof(ulong), nameof(Interop.IntAsFloat));
            Replace(nameof(BitConverter.UInt32BitsToSingle), typeof(uint), nameof(Interop.IntAsFloat));
            Wrap(nameof(CounterRandom.Product), typeof(ulong), BinaryArithmeticKind.Mul);
            Wrap(nameof(CounterRandom.Sum), typeof(ulong), BinaryArithmeticKind.Add);
            Wrap(nameof(CounterRandom.Sum), typeof(uint), BinaryArithmeticKind.Add);

            FindLibraries();
            _isPrepared = true;
        }

        static void Replace(string from, Type argument, string to)
        {
            MethodInfo target = typeof(Interop).GetMethod(to, [argument])!;
            RemappedIntrinsics.AddRemapping(typeof(BitConverter).GetMethod(from, [argument])!, (ref InvocationContext call) => call.Method = target);
        }

        static void Fuse(Type math, Type number) => Build(
            math.GetMethod(nameof(Math.FusedMultiplyAdd), [number, number, number])!,
            (ref InvocationContext call) => call.Builder.CreateArithmetic(call.Location, call[0], call[1], call[2], TernaryArithmeticKind.MultiplyAdd));

        static void Wrap(string name, Type number, BinaryArithmeticKind kind) => Build(
            typeof(CounterRandom).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic, [number, number])!,
            (ref InvocationContext call) => call.Builder.CreateArithmetic(call.Location, call[0], call[1], kind, ArithmeticFlags.Unsigned));

        // The compiler has the operation and no method for it: it is built here, and the call becomes one that returns it.
        static void Build(MethodInfo method, Operation operation)
        {
            MethodInfo identity = typeof(IlgpuDevice).GetMethod(nameof(Same), BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(method.ReturnType);
            RemappedIntrinsics.AddRemapping(method, (ref InvocationContext call) =>
            {
                ValueReference result = operation(ref call);
                call.Arguments.Clear();
                call.Arguments.Add(result);
                call.Method = identity;
            });
        }
    }

    private delegate ValueReference Operation(ref InvocationContext call);

    private static T Same<T>(T number) => number;

    /// <summary>Picks the kind of number, and where its sums are kept.</summary>
    private readonly struct Closer(IlgpuDevice device, SearchPrecision precision) : IModelVisitor<IlgpuModel>
    {
        public IlgpuModel Visit<TLaw, TLoss>()
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => precision == SearchPrecision.Double ? Of<F64, TLaw, TLoss>() : Of<F32, TLaw, TLoss>();

        private IlgpuModel Of<T, TLaw, TLoss>()
            where T : unmanaged, IScalar<T>
            where TLaw : struct, IScalingLaw
            where TLoss : struct, ILoss => (IlgpuModel)Activator.CreateInstance(
                typeof(IlgpuModel<,,,>).MakeGenericType(typeof(T), typeof(TLaw), typeof(TLoss), Passes<T, TLaw>(device.InMemoryOnly)), device)!;
    }

    /// <summary>Parameters of a law whose sums are kept in registers. N of 16 rows is 136 numbers, of which double spills a third: still a quarter of the traffic.</summary>
    /// <remarks>With more it would be so as well, but a kernel then takes longer to compile, a quarter of a minute and more, than most searches: see benchmarks/results/ptx.md.</remarks>
    internal const int MostInRegisters = 15;

    /// <summary>How the points of a law are gone through.</summary>
    internal static Type Passes<T, TLaw>(bool inMemoryOnly = false)
        where TLaw : struct, IScalingLaw
    {
        if (inMemoryOnly || TLaw.ParameterCount > MostInRegisters) return typeof(InMemory<>).MakeGenericType(typeof(T));
        Type triangle = typeof(NoRows<>).MakeGenericType(typeof(T));
        for (int row = 0; row <= TLaw.ParameterCount; row++) triangle = typeof(Rows<,,>).MakeGenericType(typeof(T), triangle, Size(row));
        return typeof(InRegisters<,,,>).MakeGenericType(typeof(T), triangle, Size(TLaw.ParameterCount), Size(TLaw.WorkCount));

        static Type Size(int count)
        {
            Type size = typeof(None);
            for (int k = 0; k < count; k++) size = typeof(Next<>).MakeGenericType(size);
            return size;
        }
    }
}

/// <summary>Device memory that is given back together.</summary>
internal sealed class IlgpuMemory(IlgpuDevice device) : IDisposable
{
    private readonly List<MemoryBuffer> _buffers = [];

    public ArrayView<T> Allocate<T>(long count)
        where T : unmanaged
    {
        MemoryBuffer1D<T, Stride1D.Dense> buffer = device.Allocate<T>(count);
        _buffers.Add(buffer);
        return buffer.View.BaseView;
    }

    public ArrayView<T> Upload<T>(T[] numbers)
        where T : unmanaged
    {
        ArrayView<T> view = Allocate<T>(numbers.Length);
        device.Upload(numbers, view);
        return view;
    }

    public void Dispose()
    {
        foreach (MemoryBuffer buffer in _buffers) device.Free(buffer);
    }
}
