package io.quoin.block.ring;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.Capabilities;
import io.quoin.block.Geometry;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.testkit.sim.VirtualLoop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A ring and its disk, of which every request is known: request number n is for block n, so the
 * device knows what it is given, joined or not. The device ends requests in random order, some at
 * once and a few very late, and applies a write at any moment in between.
 */
final class ModelRing implements BlockDevice, IoCompletion {
    private static final int BLOCK = 512;
    private static final long DELAY_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long LONG_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(15);

    /** What was published, and what is told the answer. */
    private record Published(String stamp, Consumer<BlockError> onAnswer) {}

    private final int index;
    private final VirtualLoop loop;
    private final Random random;
    private final DiskRing ring;
    private final UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(BLOCK));
    private final List<Published> published = new ArrayList<>();
    private final BitSet started = new BitSet();
    private final BitSet answered = new BitSet();
    private final List<String> applied = new ArrayList<>();
    private int lastWriteStarted = -1;
    private int lastReadStarted = -1;
    private int submits;
    private int inFlight;
    private boolean isStill;
    private boolean isFenced;

    ModelRing(int index, VirtualLoop loop, Random random) {
        this.index = index;
        this.loop = loop;
        this.random = random;
        RingOptions options = RingOptions.defaults().withRequestsMax(1 + random.nextInt(24));
        this.ring = DiskRing.create(this, loop, loop::inLoop, loop.requests(), options);
    }

    int index() {
        return index;
    }

    VirtualLoop loop() {
        return loop;
    }

    DiskRing ring() {
        return ring;
    }

    /** Requests published so far. */
    int published() {
        return published.size();
    }

    /** Stamps of the writes that the disk holds. */
    List<String> applied() {
        return applied;
    }

    /** Requests that the device has been given. */
    int submits() {
        return submits;
    }

    /** Nothing is to be given to the device while this is on. */
    void still(boolean isOn) {
        isStill = isOn;
    }

    /** From now on what changes data, or flushes, ends in EIO. */
    void fence() {
        isFenced = true;
    }

    /**
     * Publishes a request, from where the caller runs.
     *
     * @param stamp what a write leaves on the disk
     * @return whether there was room
     */
    boolean publish(IoOp op, int flags, String stamp, Consumer<BlockError> onAnswer) {
        int number = published.size();
        IoRequest request =
                op == IoOp.FLUSH
                        ? new IoRequest().flush()
                        : new IoRequest().prepare(op, (long) number * BLOCK, BLOCK, flags);
        if (op.hasMemory()) {
            request.memory().add(memory, 0, BLOCK);
        }
        request.push(this, number);
        if (!ring.offer(request)) {
            return false;
        }
        published.add(new Published(stamp, onAnswer));
        if (loop.inLoop()) {
            switch (random.nextInt(3)) {
                case 0 -> ring.drain();
                case 1 -> ring.drainLater();
                default -> loop.schedule(random.nextInt(500_000), ring::drain);
            }
        }
        return true;
    }

    /**
     * That nothing is under way, and a part of the order is done: what was published before the
     * hold was asked for, at least, and at most what was when it stopped the ring.
     */
    void checkQuiet(int publishedBefore, int publishedAtStop) {
        assertThat(inFlight).as("in flight on disk %d", index).isZero();
        int done = answered.nextClearBit(0);
        assertThat(done).as("done on disk %d", index).isBetween(publishedBefore, publishedAtStop);
        assertThat(answered.cardinality()).as("done in order, disk %d", index).isEqualTo(done);
        assertThat(started.length()).as("begun behind the hold").isLessThanOrEqualTo(done);
    }

    void checkAllAnswered() {
        assertThat(inFlight).isZero();
        assertThat(answered.cardinality()).as("answered on disk %d", index).isEqualTo(published());
    }

    @Override
    public Geometry geometry() {
        return Geometry.ofSize(1L << 40).blockSizes(BLOCK, BLOCK).transferMax(8 * BLOCK);
    }

    @Override
    public Capabilities capabilities() {
        return Capabilities.DISK;
    }

    @Override
    public void submit(IoRequest request) {
        assertThat(loop.inLoop()).isTrue();
        assertThat(isStill).as("disk %d is held", index).isFalse();
        submits++;
        inFlight++;
        if (request.op() != IoOp.FLUSH) {
            start(request);
        }
        boolean isEarly = request.op() == IoOp.WRITE && !isFenced && random.nextBoolean();
        if (isEarly) {
            apply(request);
        }
        int drawn = random.nextInt(100);
        if (drawn < 40) {
            end(request, isEarly);
        } else {
            long late = drawn == 99 ? LONG_DELAY_NANOS : 0;
            long delay = late + (long) (random.nextDouble() * DELAY_NANOS_MAX);
            loop.schedule(delay, () -> end(request, isEarly));
        }
    }

    private void start(IoRequest request) {
        int first = (int) (request.offsetBytes() / BLOCK);
        int end = (int) (request.endBytes() / BLOCK);
        assertThat(started.get(first, end).isEmpty()).as("begun once").isTrue();
        started.set(first, end);
        if (request.op().changesData()) {
            assertThat(first).as("order of writes").isGreaterThan(lastWriteStarted);
            lastWriteStarted = end - 1;
        } else {
            assertThat(first).as("order of reads").isGreaterThan(lastReadStarted);
            lastReadStarted = end - 1;
        }
    }

    private void apply(IoRequest write) {
        for (long block = write.offsetBytes(); block < write.endBytes(); block += BLOCK) {
            applied.add(published.get((int) (block / BLOCK)).stamp());
        }
    }

    private void end(IoRequest request, boolean isApplied) {
        inFlight--;
        boolean isRefused = isFenced && (request.op().changesData() || request.op() == IoOp.FLUSH);
        if (request.op() == IoOp.WRITE && !isRefused && !isApplied) {
            apply(request);
        }
        request.complete(isRefused ? BlockError.EIO : BlockError.OK);
    }

    @Override
    public void onComplete(IoRequest request, BlockError error) {
        int number = (int) request.token();
        assertThat(answered.get(number)).as("answered twice").isFalse();
        answered.set(number);
        published.get(number).onAnswer().accept(error);
    }
}
