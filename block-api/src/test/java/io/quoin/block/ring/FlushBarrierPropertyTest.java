package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import io.quoin.block.ManualOwner;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random requests against a device that ends them in random order and, after a random flush, loses
 * its power: every write that was published before an answered flush must have survived.
 */
@Timeout(120)
class FlushBarrierPropertyTest {
    private static final int BLOCKS = 64;
    private static final int BLOCK = 512;
    private static final int STEPS = 2_000;

    static List<Long> seeds() {
        Random random = new Random();
        String fixed = System.getProperty("quoin.seed");
        if (fixed != null) {
            return List.of(Long.parseLong(fixed));
        }
        List<Long> seeds = new ArrayList<>(List.of(1L, 2L, 3L));
        for (int i = 0; i < 20; i++) {
            seeds.add(random.nextLong());
        }
        return seeds;
    }

    /** A disk with a volatile cache, whose flush makes durable what had ended when it came. */
    private static final class CachingDevice implements BlockDevice {
        private final Random random;
        private final int[] cached = new int[BLOCKS];
        private final int[] durable = new int[BLOCKS];
        private final List<IoRequest> inFlight = new ArrayList<>();
        private final List<int[]> atFlush = new ArrayList<>();
        private int flushesInFlight;
        private int flushesInFlightMax;

        CachingDevice(Random random) {
            this.random = random;
        }

        @Override
        public Geometry geometry() {
            return Geometry.ofSize(BLOCKS * BLOCK).blockSizes(BLOCK, BLOCK).transferMax(8 * BLOCK);
        }

        @Override
        public Capabilities capabilities() {
            return Capabilities.DISK;
        }

        @Override
        public void submit(IoRequest request) {
            inFlight.add(request);
            atFlush.add(request.op() == IoOp.FLUSH ? cached.clone() : new int[0]);
            if (request.op() == IoOp.FLUSH) {
                flushesInFlightMax = Math.max(flushesInFlightMax, ++flushesInFlight);
            }
            if (random.nextInt(4) == 0) {
                endOne();
            }
        }

        void endOne() {
            int index = random.nextInt(inFlight.size());
            IoRequest request = inFlight.remove(index);
            int[] flushed = atFlush.remove(index);
            int first = (int) request.offsetBytes() / BLOCK;
            int count = (int) request.lengthBytes() / BLOCK;
            switch (request.op()) {
                case WRITE -> {
                    for (int i = 0; i < count; i++) {
                        cached[first + i] = intAt(request, i);
                    }
                }
                case FLUSH -> {
                    flushesInFlight--;
                    // What became durable by itself stays; versions only grow.
                    for (int i = 0; i < BLOCKS; i++) {
                        durable[i] = Math.max(durable[i], flushed[i]);
                    }
                }
                default -> {}
            }
            request.complete(BlockError.OK);
        }

        private static int intAt(IoRequest request, int block) {
            ByteBuffer copy = ByteBuffer.allocateDirect(Integer.BYTES);
            UnsafeBuffer target = new UnsafeBuffer(copy);
            request.memory().copyTo((long) block * BLOCK, target.addressOffset(), Integer.BYTES);
            return target.getInt(0);
        }
    }

    /** Everything of one run, so that a failure names its seed only. */
    private static final class Run implements IoCompletion {
        private final Random random;
        private final ManualOwner owner = new ManualOwner();
        private final CachingDevice device;
        private final DiskRing ring;
        private final BitSet answered = new BitSet();
        private final List<int[]> versionsBefore = new ArrayList<>();
        private final int[] version = new int[BLOCKS];
        private final BitSet busy = new BitSet();
        private int published;
        private int nextVersion = 1;

        Run(long seed) {
            random = new Random(seed);
            device = new CachingDevice(random);
            RingOptions options = RingOptions.defaults().withRequestsMax(1 + random.nextInt(64));
            ring = DiskRing.create(device, owner, owner::inOwner, new IoRequestPool(), options);
        }

        void step() {
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3 -> write();
                case 4, 5 -> publish(new IoRequest().flush());
                case 6 -> publish(readOf(random.nextInt(BLOCKS)));
                case 7, 8 -> {
                    if (!device.inFlight.isEmpty()) {
                        device.endOne();
                    }
                }
                default -> {
                    ring.drain();
                    owner.runTasks();
                }
            }
        }

        /** Only blocks that no write in flight touches: writes that overlap have no order. */
        private void write() {
            int first = random.nextInt(BLOCKS);
            int count = 1 + random.nextInt(Math.min(4, BLOCKS - first));
            for (int i = first; i < first + count; i++) {
                if (busy.get(i)) {
                    return;
                }
            }
            UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(count * BLOCK));
            IoRequest write =
                    new IoRequest().write((long) first * BLOCK, (long) count * BLOCK, IoFlags.NONE);
            write.memory().add(memory, 0, count * BLOCK);
            write.attachment(memory);
            int[] before = version.clone();
            for (int i = 0; i < count; i++) {
                version[first + i] = nextVersion;
                memory.putInt(i * BLOCK, nextVersion++);
            }
            if (publish(write)) {
                busy.set(first, first + count);
            } else {
                System.arraycopy(before, 0, version, 0, BLOCKS);
            }
        }

        private IoRequest readOf(int block) {
            IoRequest read = new IoRequest().read((long) block * BLOCK, BLOCK, IoFlags.NONE);
            UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK));
            read.memory().add(memory, 0, BLOCK);
            read.attachment(memory);
            return read;
        }

        private boolean publish(IoRequest request) {
            request.push(this, published);
            if (!ring.offer(request)) {
                return false;
            }
            versionsBefore.add(version.clone());
            published++;
            return true;
        }

        @Override
        public void onComplete(IoRequest request, BlockError error) {
            int number = (int) request.token();
            assertThat(error).isEqualTo(BlockError.OK);
            assertThat(answered.get(number)).as("answered twice").isFalse();
            answered.set(number);
            if (request.op() == IoOp.WRITE) {
                int first = (int) request.offsetBytes() / BLOCK;
                busy.clear(first, first + (int) request.lengthBytes() / BLOCK);
            } else if (request.op() == IoOp.FLUSH) {
                int[] before = versionsBefore.get(number);
                for (int i = 0; i < BLOCKS; i++) {
                    assertThat(device.durable[i])
                            .as("block %d after flush number %d", i, number)
                            .isGreaterThanOrEqualTo(before[i]);
                }
            }
        }

        void finish() {
            ring.drain();
            for (int i = 0; i < STEPS * 2 && !device.inFlight.isEmpty(); i++) {
                device.endOne();
            }
            owner.runTasks();
            assertThat(device.inFlight).isEmpty();
            assertThat(answered.cardinality()).isEqualTo(published);
            assertThat(device.cached).isEqualTo(version);
            assertThat(device.flushesInFlightMax).isLessThanOrEqualTo(1);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void shouldKeepWhatWasPublishedBeforeAFlushWhenThePowerFails(long seed) {
        System.out.println("seed " + seed + " (-Dquoin.seed=" + seed + ")");
        Run run = new Run(seed);
        for (int i = 0; i < STEPS; i++) {
            run.step();
        }
        run.finish();
    }
}
