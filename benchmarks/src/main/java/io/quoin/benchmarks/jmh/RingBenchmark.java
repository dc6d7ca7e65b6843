package io.quoin.benchmarks.jmh;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.ring.DiskRing;
import io.quoin.block.ring.RingOptions;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Offer and drain of a batch on the owner, and the completions: what the ring adds to a request.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RingBenchmark implements IoCompletion {
    private static final int BATCH = 32;
    private static final int BLOCK = 4096;

    private final IoRequest[] requests = new IoRequest[BATCH];
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BATCH * BLOCK));
    // The benchmark's own thread makes its state, and so becomes the owner.
    private final BenchLoop loop = new BenchLoop();
    private final NullXlator.NullFile device = new NullXlator.NullFile();
    private final DiskRing ring =
            DiskRing.create(device, loop, loop::inLoop, loop.requests(), RingOptions.defaults());
    private long answered;

    @Setup(Level.Trial)
    public void fill() {
        for (int i = 0; i < BATCH; i++) {
            requests[i] = new IoRequest();
        }
    }

    @Override
    public void onComplete(IoRequest request, BlockError error) {
        answered++;
    }

    /** What the same requests cost without a ring. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long submitDirectly() {
        for (int i = 0; i < BATCH; i++) {
            device.submit(write(i, 2L * i * BLOCK));
        }
        return answered;
    }

    /** One request a batch: queue depth 1. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long drainEach() {
        for (int i = 0; i < BATCH; i++) {
            ring.offer(write(i, 2L * i * BLOCK));
            ring.drain();
        }
        return answered;
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long drainScatteredWrites() {
        for (int i = 0; i < BATCH; i++) {
            ring.offer(write(i, 2L * i * BLOCK));
        }
        ring.drain();
        return answered;
    }

    /** All of a batch become one device request. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long drainAdjacentWrites() {
        for (int i = 0; i < BATCH; i++) {
            ring.offer(write(i, (long) i * BLOCK));
        }
        ring.drain();
        return answered;
    }

    /** Every fourth request a flush. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long drainWritesAndFlushes() {
        for (int i = 0; i < BATCH; i++) {
            if (i % 4 == 3) {
                IoRequest flush = requests[i].flush();
                flush.push(this);
                ring.offer(flush);
            } else {
                ring.offer(write(i, 2L * i * BLOCK));
            }
        }
        ring.drain();
        return answered;
    }

    private IoRequest write(int number, long offsetBytes) {
        IoRequest request = requests[number].write(offsetBytes, BLOCK, IoFlags.NONE);
        request.memory().add(memory, number * BLOCK, BLOCK);
        request.push(this);
        return request;
    }
}
