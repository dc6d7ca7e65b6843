package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.ExtentList;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.graph.Graph;
import io.quoin.xlator.graph.GraphContext;
import io.quoin.xlator.graph.Volfile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * An image of 64 MiB with clusters of 64 KiB, fully written, on storage/posix, at random places:
 * the look-up of a cluster alone, which asks nothing of the file below, and 4 KiB read and
 * overwritten. {@link PosixBenchmark} has the same without an image.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Qcow2Benchmark implements IoCompletion {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 16_384;
    private static final String NAME = "benchmark.qcow2";

    private final BenchLoop loop = new BenchLoop();
    private final BenchFolder folder = BenchFolder.make();
    private final ExecutorService blocking = Executors.newSingleThreadExecutor();
    private final Graph graph =
            Graph.build(
                    Volfile.parse(
                            "volume brick\n    type storage/posix\n    option directory "
                                    + folder.path()
                                    + "\nend-volume\n"
                                    + "volume image\n    type features/qcow2\n"
                                    + "    subvolumes brick\nend-volume\n",
                            "Qcow2Benchmark"),
                    new GraphContext(loop.group(), blocking, folder.path()));
    private final XlatorFile file = open(graph.top(), loop);
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK));
    private final ExtentList extents = new ExtentList(16);
    private final IoRequest request = new IoRequest();
    private int random = 1;
    private boolean isDone;

    private static XlatorFile open(Xlator image, BenchLoop loop) {
        loop.await(image.create(NAME, CreateOptions.ofSize((long) BLOCK * BLOCKS)));
        return loop.await(image.open(NAME, OpenOptions.READ_WRITE, loop));
    }

    /** Every block by a write of one block, which is the history of a disk's image. */
    @Setup(Level.Trial)
    public void fill() {
        for (int block = 0; block < BLOCKS; block++) {
            run(request.write((long) block * BLOCK, BLOCK, IoFlags.NONE));
        }
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        loop.await(file.close());
        loop.await(graph.close());
        blocking.shutdown();
        folder.remove();
    }

    private long nextOffset() {
        random = random * 1_103_515_245 + 12_345;
        return (long) (random >>> 18) * BLOCK;
    }

    @Benchmark
    public long lookUp() {
        extents.clear();
        request.prepare(IoOp.BLOCK_STATUS, nextOffset(), BLOCK, IoFlags.REQ_ONE).extents(extents);
        submit();
        return extents.lengthBytes();
    }

    @Benchmark
    public boolean read() {
        return run(request.read(nextOffset(), BLOCK, IoFlags.NONE));
    }

    @Benchmark
    public boolean overwrite() {
        return run(request.write(nextOffset(), BLOCK, IoFlags.NONE));
    }

    private boolean run(IoRequest prepared) {
        prepared.memory().add(memory, 0, BLOCK);
        return submit();
    }

    private boolean submit() {
        request.push(this);
        isDone = false;
        file.submit(request);
        while (!isDone) {
            if (!loop.runTasks()) {
                Thread.onSpinWait();
            }
        }
        return true;
    }

    @Override
    public void onComplete(IoRequest done, BlockError error) {
        Invariant.check(error.isOk(), "a benchmark's request failed");
        isDone = true;
    }
}
