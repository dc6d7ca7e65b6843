package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.replicate.Layout;
import io.quoin.replicate.link.LocalBricks;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.sim.VirtualLoopGroup;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import java.util.Map;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What a write of 4 KiB costs at queue depth 32 over three bricks in memory: everything of the
 * gateway and of the bricks on one thread, no disk, no wire and no thread to wake. A program:
 * arguments are the count of writes and of rounds. Only the last rounds are of compiled code.
 */
public final class WriteCost {
    private static final long SIZE_BYTES = 64 << 20;
    private static final int BLOCK_BYTES = 4096;
    private static final int DEPTH = 32;

    private final VirtualLoopGroup loops = new VirtualLoopGroup(1);
    private final Random random = new Random(1);
    private final FileDriver driver;
    private int left;
    private int underWay;

    private WriteCost() {
        LocalBricks bricks = new LocalBricks(loops, Layout.THREE, true);
        Map<String, String> options = Map.of("layout", Layout.THREE.text());
        Xlator volume = bricks.create(new ReplicateType(), "r", bricks.nodes(), options);
        loops.await(volume.create("a", CreateOptions.ofSize(SIZE_BYTES)));
        XlatorFile file = loops.await(volume.open("a", OpenOptions.READ_WRITE, loops.loop(0)));
        driver = new FileDriver(file, loops.loop(0));
    }

    /** Runs it. */
    public static void main(String[] arguments) {
        int writes = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        WriteCost cost = new WriteCost();
        for (int round = 0; round < rounds; round++) {
            long allocated = allocatedBytes();
            long began = System.nanoTime();
            cost.run(writes);
            long nanos = System.nanoTime() - began;
            System.out.printf(
                    "round %d: %d writes, %.2f us and %d bytes of heap each%n",
                    round,
                    writes,
                    nanos / 1000.0 / writes,
                    (allocatedBytes() - allocated) / writes);
        }
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean)
                        java.lang.management.ManagementFactory.getThreadMXBean())
                .getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    private void run(int writes) {
        left = writes;
        for (int i = 0; i < DEPTH; i++) {
            UnsafeBuffer memory = FileDriver.direct(BLOCK_BYTES);
            IoRequest request = new IoRequest();
            loops.loop(0).run(() -> next(request, memory));
        }
        loops.runUntil(() -> left == 0 && underWay == 0);
    }

    private void next(IoRequest request, UnsafeBuffer memory) {
        if (left == 0) {
            return;
        }
        left--;
        underWay++;
        long offset = (long) random.nextInt((int) (SIZE_BYTES / BLOCK_BYTES)) * BLOCK_BYTES;
        request.write(offset, BLOCK_BYTES, IoFlags.NONE);
        request.memory().add(memory, 0, BLOCK_BYTES);
        request.push((done, error) -> ended(done, error, memory));
        driver.device().submit(request);
    }

    private void ended(IoRequest request, BlockError error, UnsafeBuffer memory) {
        if (!error.isOk()) {
            throw new AssertionError("write failed: error=" + error);
        }
        underWay--;
        loops.loop(0).execute(() -> next(request, memory));
    }
}
