package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ManualOwner;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Timing;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Counts what the owner's thread allocates while requests go round. */
@Timeout(60)
class RingAllocationTest {
    private static final int BATCH = 32;
    private static final int RUNS = 10;
    private static final int BATCHES_WARM = 2_000;
    private static final int BATCHES = 10_000;

    /**
     * What the measurement itself, and a table that grows once, may cost: far below 1 a request.
     */
    private static final long BYTES_MAX = 16_384;

    private final ManualOwner owner = new ManualOwner();
    private final ScriptedDevice device = new ScriptedDevice(1 << 20, Timing.HELD, owner);
    private final DiskRing ring =
            DiskRing.create(
                    device,
                    owner,
                    owner::inOwner,
                    new IoRequestPool(),
                    RingOptions.defaults().withRequestsMax(BATCH));
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(4096));
    private final IoRequest refusedRequest = new IoRequest().flush();
    private final List<IoRequest> idle = new ArrayList<>();
    private final IoCompletion done = this::done;
    private final Runnable room = this::roomCame;
    private long calledBack;
    private long answered;

    private void done(IoRequest request, BlockError error) {
        answered++;
        idle.add(request);
    }

    private void roomCame() {
        calledBack++;
    }

    private void round(int batch) {
        for (int i = 0; i < BATCH; i++) {
            IoRequest request = idle.remove(idle.size() - 1);
            // Single writes, joined writes, reads, and two groups of flushes.
            if (i % 16 >= 14) {
                request.flush();
            } else if (i % 4 == 3) {
                request.read(i * 4096L, 4096, IoFlags.NONE);
                request.memory().add(memory, 0, 4096);
            } else {
                request.write((i % 3 == 0 ? 100 : 0) * 512L + i * 512L, 512, IoFlags.NONE);
                request.memory().add(memory, 0, 512);
            }
            request.push(done);
            if (!ring.offer(request)) {
                throw new AssertionError("refused in batch " + batch);
            }
        }
        if (ring.offer(refusedRequest)) {
            throw new AssertionError("accepted beyond the limit");
        }
        ring.whenRoom(room);
        ring.drain();
        device.endAll();
        owner.runTasks();
    }

    @Test
    void shouldAllocateNothingWhenRequestsGoRound() {
        device.recording(false);
        for (int i = 0; i < BATCH; i++) {
            idle.add(new IoRequest());
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (int i = 0; i < BATCHES_WARM; i++) {
            round(i);
        }
        // The least of some runs, since the JVM itself may allocate in one of them.
        long allocated = Long.MAX_VALUE;
        for (int run = 0; run < RUNS; run++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < BATCHES; i++) {
                round(i);
            }
            allocated = Math.min(allocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(answered).isEqualTo((RUNS * BATCHES + BATCHES_WARM) * (long) BATCH);
        assertThat(calledBack).isPositive();
        assertThat(ring.statistics().coalesced()).isPositive();
        assertThat(ring.statistics().flushesGrouped()).isPositive();
        assertThat(allocated).as("bytes for %d requests", BATCHES * BATCH).isLessThan(BYTES_MAX);
    }
}
