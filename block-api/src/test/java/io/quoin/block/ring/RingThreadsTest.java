package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class RingThreadsTest {
    private static final int PRODUCERS = 4;
    private static final int BLOCK = 512;
    private static final int BLOCKS_EACH = 256;
    private static final int ROUNDS = 8;

    /** A thread that writes its own blocks again and again, as far ahead as the ring lets it. */
    private static final class Producer extends Thread implements IoCompletion {
        private final DiskRing ring;
        private final int number;
        private final UnsafeBuffer memory =
                new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCKS_EACH * BLOCK));
        private final CountDownLatch answered = new CountDownLatch(ROUNDS * (BLOCKS_EACH + 1));
        private final List<BlockError> errors = new ArrayList<>();
        private final Semaphore roundDone = new Semaphore(0);

        Producer(DiskRing ring, int number) {
            super("producer-" + number);
            this.ring = ring;
            this.number = number;
        }

        @Override
        public void run() {
            for (int round = 1; round <= ROUNDS; round++) {
                memory.setMemory(0, memory.capacity(), (byte) (number * ROUNDS + round));
                for (int block = 0; block < BLOCKS_EACH; block++) {
                    int index = block * BLOCK;
                    IoRequest write =
                            new IoRequest()
                                    .write(
                                            (long) number * memory.capacity() + index,
                                            BLOCK,
                                            IoFlags.NONE);
                    write.memory().add(memory, index, BLOCK);
                    offer(write);
                }
                offer(new IoRequest().flush());
                roundDone.acquireUninterruptibly(BLOCKS_EACH + 1);
            }
        }

        private void offer(IoRequest request) {
            request.push(this);
            while (!ring.offer(request)) {
                CompletableFuture<Void> room = new CompletableFuture<>();
                ring.whenRoom(() -> room.complete(null));
                room.join();
            }
        }

        @Override
        public void onComplete(IoRequest request, BlockError error) {
            if (!error.isOk() || !ring.inOwner()) {
                errors.add(error);
            }
            answered.countDown();
            roundDone.release();
        }
    }

    private static void produce(DiskRing ring, ScriptedDevice device) throws Exception {
        List<Producer> producers = new ArrayList<>();
        for (int i = 0; i < PRODUCERS; i++) {
            producers.add(new Producer(ring, i));
        }
        producers.forEach(Thread::start);
        for (Producer producer : producers) {
            assertThat(producer.answered.await(50, TimeUnit.SECONDS)).isTrue();
            producer.join();
            assertThat(producer.errors).isEmpty();
        }
        ring.close().toCompletableFuture().get(10, TimeUnit.SECONDS);
        for (Producer producer : producers) {
            int length = producer.memory.capacity();
            assertThat(device.content(producer.number * length, length))
                    .isEqualTo(Submitter.filled(length, producer.number * ROUNDS + ROUNDS));
        }
        RingStatistics statistics = ring.statistics();
        assertThat(statistics.published()).isEqualTo(PRODUCERS * ROUNDS * (BLOCKS_EACH + 1L));
        assertThat(statistics.depthMax()).isBetween(1, 32);
        assertThat(statistics.batches()).isBetween(1L, statistics.published());
    }

    private static ScriptedDevice device(Timing timing, RingThread thread) {
        ScriptedDevice device = new ScriptedDevice(PRODUCERS * BLOCKS_EACH * BLOCK, timing, thread);
        device.recording(false);
        return device;
    }

    @ParameterizedTest
    @EnumSource(
            value = Timing.class,
            names = {"AT_ONCE", "LATER"})
    void shouldServeManyThreadsWhenAnExecutorIsWoken(Timing timing) throws Exception {
        try (RingThread thread = RingThread.start("loop")) {
            ScriptedDevice device = device(timing, thread);
            DiskRing ring =
                    DiskRing.create(
                            device,
                            thread,
                            thread::inThread,
                            thread.requests(),
                            RingOptions.defaults().withRequestsMax(32));
            produce(ring, device);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"blocking", "sleeping", "yielding", "busy-spin"})
    void shouldServeManyThreadsWhenAThreadWaitsOnTheRing(String waitStrategy) throws Exception {
        try (RingThread thread = RingThread.start("disk")) {
            ScriptedDevice device = device(Timing.LATER, thread);
            DiskRing ring =
                    DiskRing.create(
                            device,
                            thread,
                            thread::inThread,
                            thread.requests(),
                            RingOptions.defaults()
                                    .withRequestsMax(32)
                                    .withDedicatedThread(waitStrategy));
            produce(ring, device);
        }
    }

    @Test
    void shouldRunTasksInOrderWhenWaitingOnARing() throws Exception {
        List<Integer> ran = new ArrayList<>();
        try (RingThread thread = RingThread.start("disk")) {
            ScriptedDevice device = device(Timing.AT_ONCE, thread);
            CompletableFuture<Void> before = CompletableFuture.runAsync(() -> {}, thread);
            before.get(10, TimeUnit.SECONDS);
            DiskRing.create(
                    device,
                    thread,
                    thread::inThread,
                    thread.requests(),
                    RingOptions.defaults().withDedicatedThread("blocking"));
            for (int i = 0; i < 1000; i++) {
                int number = i;
                thread.execute(() -> ran.add(number));
            }
            thread.execute(
                    () -> {
                        throw new IllegalStateException("a task that fails ends nothing");
                    });
            assertThat(CompletableFuture.supplyAsync(thread::inThread, thread).get()).isTrue();
        }
        assertThat(ran).hasSize(1000).isSorted();
    }

    @Test
    void shouldRefuseTasksWhenEnded() {
        RingThread thread = RingThread.start("disk");
        assertThat(thread.name()).isEqualTo("disk");
        assertThat(thread.inThread()).isFalse();
        thread.close();
        thread.close();
        assertThatThrownBy(() -> thread.execute(() -> {}))
                .isInstanceOf(RejectedExecutionException.class);
    }
}
