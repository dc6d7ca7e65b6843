package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * A part of the image on its way from the source to the target, with its memory. It is read on the
 * source's loop, looked at there, and written on the target's loop; then the run hears of it on the
 * source's loop again.
 *
 * <pre>
 *   idle --read--> reading [--compare--> reading the backing file] --> writing --> ended --> idle
 *   idle --zero--> writing --> ended --> idle
 * </pre>
 *
 * <p>Threading: handed over between the two loops; never used by both at once.
 */
final class CopySlot implements PartRun.Slot {
    private static final int ALIGNMENT = 4096;
    private static final int RUNS_INITIAL = 16;

    private final CopyRun run;
    private final CopyPlan plan;
    private final Loop sourceLoop;
    private final Loop targetLoop;
    private final ByteBuffer memory;
    private final long address;
    private final @Nullable ByteBuffer backingMemory;
    private final Runnable write = this::write;
    private final Runnable ended = this::ended;

    private long offsetBytes;
    private long sourceBytes;
    private long lengthBytes;

    private long[] runOffsets = new long[RUNS_INITIAL];
    private long[] runLengths = new long[RUNS_INITIAL];
    private boolean[] runZero = new boolean[RUNS_INITIAL];
    private int runs;

    /** Since it began; ending it twice would lend it out twice. */
    private final AtomicBoolean underWay = new AtomicBoolean();

    private int pending;
    private long storedBytes;
    private @Nullable BlockException failure;

    CopySlot(CopyRun run, CopyPlan plan) {
        this.run = run;
        this.plan = plan;
        sourceLoop = plan.source().loop();
        targetLoop = plan.target().loop();
        memory = BufferUtil.allocateDirectAligned(plan.partBytes(), ALIGNMENT);
        address = BufferUtil.address(memory);
        backingMemory =
                plan.backing() == null
                        ? null
                        : BufferUtil.allocateDirectAligned(plan.partBytes(), ALIGNMENT);
    }

    @Override
    public long lengthBytes() {
        return lengthBytes;
    }

    long storedBytes() {
        return storedBytes;
    }

    @Override
    public @Nullable BlockException failure() {
        return failure;
    }

    private void begin(long newOffsetBytes, long newSourceBytes, long newLengthBytes) {
        offsetBytes = newOffsetBytes;
        sourceBytes = newSourceBytes;
        lengthBytes = newLengthBytes;
        runs = 0;
        storedBytes = 0;
        failure = null;
        underWay.set(true);
    }

    /** Makes the range of the target read as zeros. */
    void zero(long newOffsetBytes, long newLengthBytes) {
        begin(newOffsetBytes, newLengthBytes, newLengthBytes);
        addRun(0, newLengthBytes, true);
        targetLoop.execute(write);
    }

    /**
     * Copies a range.
     *
     * @param newSourceBytes what the source has of it; the rest is zeros
     */
    void copy(long newOffsetBytes, long newSourceBytes, long newLengthBytes) {
        begin(newOffsetBytes, newSourceBytes, newLengthBytes);
        BlockMemory.zero(address + sourceBytes, lengthBytes - sourceBytes);
        IoRequest request =
                sourceLoop.requests().acquire().read(offsetBytes, sourceBytes, IoFlags.NONE);
        request.memory().add(address, (int) sourceBytes);
        request.push(this::onRead);
        submitRead(plan.source(), request);
    }

    /** A request that is refused by an exception will not complete. */
    private void submitRead(OpenedImage image, IoRequest request) {
        try {
            image.file().submit(request);
        } catch (RuntimeException | Error e) {
            failure = ImageFailure.unexpected(image, e);
            end();
        }
    }

    private void onRead(IoRequest request, BlockError error) {
        if (!error.isOk()) {
            failure = ImageFailure.of(plan.source(), request, error);
        }
        sourceLoop.requests().release(request);
        if (failure != null) {
            end();
        } else if (plan.backing() != null) {
            readBacking(plan.backing());
        } else {
            plan.split(address, offsetBytes, lengthBytes, this::addRun);
            hand();
        }
    }

    private void readBacking(OpenedImage backing) {
        long base = BufferUtil.address(Objects.requireNonNull(backingMemory));
        long backingBytes =
                Math.max(0, Math.min(lengthBytes, plan.backingSizeBytes() - offsetBytes));
        BlockMemory.zero(base + backingBytes, lengthBytes - backingBytes);
        if (backingBytes == 0) {
            splitByBacking(base);
            return;
        }
        IoRequest request =
                sourceLoop.requests().acquire().read(offsetBytes, backingBytes, IoFlags.NONE);
        request.memory().add(base, (int) backingBytes);
        request.push(
                (done, error) -> {
                    if (!error.isOk()) {
                        failure = ImageFailure.of(backing, done, error);
                    }
                    sourceLoop.requests().release(done);
                    if (failure != null) {
                        end();
                    } else {
                        splitByBacking(base);
                    }
                });
        submitRead(backing, request);
    }

    private void splitByBacking(long base) {
        plan.splitByDifference(address, base, offsetBytes, lengthBytes, this::addRun);
        hand();
    }

    private void hand() {
        if (runs == 0) {
            end();
        } else {
            targetLoop.execute(write);
        }
    }

    private void addRun(long position, long runBytes, boolean isZero) {
        long compressed = plan.compressedBytes() - offsetBytes - position;
        if (!isZero && compressed > 0 && compressed < runBytes) {
            put(position, compressed, false);
            put(position + compressed, runBytes - compressed, false);
        } else {
            put(position, runBytes, isZero);
        }
    }

    private void put(long position, long runBytes, boolean isZero) {
        if (runs == runOffsets.length) {
            runOffsets = Arrays.copyOf(runOffsets, runs * 2);
            runLengths = Arrays.copyOf(runLengths, runs * 2);
            runZero = Arrays.copyOf(runZero, runs * 2);
        }
        runOffsets[runs] = position;
        runLengths[runs] = runBytes;
        runZero[runs] = isZero;
        runs++;
    }

    /** On the target's loop: all of it at once. */
    private void write() {
        pending = 1; // requests may end while others are being submitted
        for (int i = 0; i < runs && failure == null; i++) {
            pending++;
            try {
                writeRun(i);
            } catch (RuntimeException | Error e) {
                // It will not complete; those before it will.
                failure = ImageFailure.unexpected(plan.target(), e);
                pending--;
            }
        }
        countDown();
    }

    private void writeRun(int i) {
        long position = runOffsets[i];
        IoRequest request = targetLoop.requests().acquire();
        if (runZero[i]) {
            request.prepare(
                    IoOp.WRITE_ZEROES, offsetBytes + position, runLengths[i], IoFlags.MAY_UNMAP);
        } else {
            long start = offsetBytes + position;
            request.write(start, runLengths[i], plan.writeFlags(start + runLengths[i]));
            request.memory().add(address + position, (int) runLengths[i]);
            storedBytes += runLengths[i];
        }
        request.push(this::onWritten);
        plan.target().file().submit(request);
    }

    private void onWritten(IoRequest request, BlockError error) {
        if (!error.isOk() && failure == null) {
            failure = ImageFailure.of(plan.target(), request, error);
        }
        targetLoop.requests().release(request);
        countDown();
    }

    private void countDown() {
        pending--;
        if (pending <= 0) {
            end();
        }
    }

    private void end() {
        if (underWay.compareAndSet(true, false)) {
            sourceLoop.execute(ended);
        }
    }

    private void ended() {
        run.slotEnded(this);
    }
}
