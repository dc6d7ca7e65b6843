package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.ScriptedDevice;
import io.quoin.block.ScriptedDevice.Timing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cuts of disks on threads of their own, while other threads write from disk to disk. */
@Timeout(120)
class CutThreadsTest {
    private static final int DISKS = 3;
    private static final int WRITERS = 3;
    private static final int CUTS = 200;
    private static final int BLOCK = 512;
    private static final long LIMIT = TimeUnit.SECONDS.toNanos(10);

    private static final String WOKEN = "woken";

    /** A disk, its thread, and what each writer had on it at the last cut. */
    private static final class Part implements AutoCloseable {
        private final int index;
        private final RingThread thread;
        private final ScriptedDevice device;
        private final DiskRing ring;
        private final ScheduledExecutorService clock;
        private final long[] atCut = new long[WRITERS];

        Part(int index, String waitStrategy, ScheduledExecutorService clock) {
            this.index = index;
            this.clock = clock;
            thread = RingThread.start("disk-" + index);
            Timing timing = index == 0 ? Timing.AT_ONCE : Timing.LATER;
            device = new ScriptedDevice(WRITERS * BLOCK, timing, thread);
            device.recording(false);
            RingOptions options = RingOptions.defaults().withRequestsMax(4);
            ring =
                    DiskRing.create(
                            device,
                            thread,
                            thread::inThread,
                            thread.requests(),
                            waitStrategy.equals(WOKEN)
                                    ? options
                                    : options.withDedicatedThread(waitStrategy));
        }

        Cut.Member member() {
            return new Cut.Member(thread.name(), ring, this::schedule, this::look);
        }

        private void schedule(long delayNanos, Runnable task) {
            Runnable onThread = () -> thread.execute(task);
            var unused = clock.schedule(onThread, delayNanos, TimeUnit.NANOSECONDS);
        }

        private CompletionStage<Void> look() {
            for (int writer = 0; writer < WRITERS; writer++) {
                atCut[writer] = device.store().getLong(writer * BLOCK);
            }
            return CompletableFuture.completedFuture(null);
        }

        /** What a writer that had got to {@code number} left here: its last for this disk. */
        private long expected(long number) {
            long last = number - (number - index + DISKS) % DISKS;
            return Math.max(0, last);
        }

        @Override
        public void close() {
            thread.close();
        }
    }

    /** Writes 1, 2, 3 and on to the disks in turn, each once the one before is answered. */
    private static final class Writer extends Thread implements IoCompletion {
        private final int index;
        private final List<Part> parts;
        private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK));
        private final Semaphore answered = new Semaphore(0);
        private volatile boolean isStopped;
        private volatile BlockError failure = BlockError.OK;

        Writer(int index, List<Part> parts) {
            super("writer-" + index);
            this.index = index;
            this.parts = parts;
        }

        @Override
        public void run() {
            IoRequest request = new IoRequest();
            for (long number = 1; !isStopped; number++) {
                memory.putLong(0, number);
                request.write((long) index * BLOCK, BLOCK, IoFlags.NONE);
                request.memory().add(memory, 0, BLOCK);
                request.push(this);
                assertThat(parts.get((int) (number % DISKS)).ring.offer(request)).isTrue();
                answered.acquireUninterruptibly();
            }
        }

        @Override
        public void onComplete(IoRequest request, BlockError error) {
            if (!error.isOk()) {
                failure = error;
            }
            answered.release();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {WOKEN, "blocking", "sleeping"})
    void shouldCutAtOneInstantWhenThreadsWriteFromDiskToDisk(String waitStrategy) throws Exception {
        ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
        List<Part> parts = new ArrayList<>();
        List<Writer> writers = new ArrayList<>();
        try {
            for (int i = 0; i < DISKS; i++) {
                parts.add(new Part(i, waitStrategy, clock));
            }
            for (int i = 0; i < WRITERS; i++) {
                writers.add(new Writer(i, parts));
            }
            writers.forEach(Thread::start);
            for (int i = 0; i < CUTS; i++) {
                Cut.start(parts.stream().map(Part::member).toList(), LIMIT)
                        .toCompletableFuture()
                        .get(30, TimeUnit.SECONDS);
                checkCut(parts);
            }
        } finally {
            writers.forEach(writer -> writer.isStopped = true);
            for (Writer writer : writers) {
                writer.join(TimeUnit.SECONDS.toMillis(30));
            }
            parts.forEach(Part::close);
            clock.shutdownNow();
        }
        assertThat(writers).allMatch(writer -> !writer.isAlive() && writer.failure.isOk());
    }

    private static void checkCut(List<Part> parts) {
        for (int i = 0; i < WRITERS; i++) {
            int writer = i;
            long reached = parts.stream().mapToLong(part -> part.atCut[writer]).max().orElse(0);
            for (Part part : parts) {
                assertThat(part.atCut[writer])
                        .as("writer %d had got to %d, disk %d", writer, reached, part.index)
                        .isEqualTo(part.expected(reached));
            }
        }
    }
}
