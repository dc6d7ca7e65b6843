package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A request on its way: frames that are pushed and completed, and vectors that are cut. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RequestBenchmark {
    private static final int CLUSTER = 65_536;
    private static final int SEGMENTS = 32;

    /** Layers that look on. */
    @Param({"0", "1", "10"})
    public int layers;

    private final IoRequest request = new IoRequest();
    private final UnsafeBuffer memory =
            new UnsafeBuffer(ByteBuffer.allocateDirect(2 * SEGMENTS * 4096));
    private final IoVector scattered = new IoVector();
    private final IoVector slice = new IoVector();
    private final IoCompletion layer = IoRequest::complete;
    private final IoCompletion submitter = this::answered;
    private long answered;

    @Setup(Level.Trial)
    public void fill() {
        for (int i = 0; i < SEGMENTS; i++) {
            scattered.add(memory, 2 * i * 4096, 4096);
        }
    }

    private void answered(IoRequest done, BlockError error) {
        answered++;
    }

    /** Prepare, push a frame for each layer, complete them all. */
    @Benchmark
    public long frames() {
        IoRequest read = request.read(4096, 4096, IoFlags.NONE);
        read.memory().add(memory, 0, 4096);
        read.push(submitter);
        for (int i = 0; i < layers; i++) {
            read.push(layer, i);
        }
        read.complete(BlockError.OK);
        return answered;
    }

    /** Cuts 128 KiB of 32 segments at a cluster boundary. */
    @Benchmark
    public int slices() {
        slice.clear();
        slice.addSlice(scattered, 2048, CLUSTER - 2048);
        int count = slice.count();
        slice.clear();
        slice.addSlice(scattered, CLUSTER, CLUSTER);
        return count + slice.count();
    }
}
