package io.quoin.block.ring;

import io.quoin.block.BlockDevice;
import io.quoin.block.BlockError;
import io.quoin.block.Invariant;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoRequest;
import io.quoin.block.IoRequestPool;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Holds each flush back until every write that was published before it has ended, and lets later
 * writes pass.
 *
 * <p>Flushes cut the order of requests into epochs: a flush closes the epoch of the writes before
 * it. The oldest epoch has the oldest flush that waits. Once an epoch and all before it have no
 * write in flight, its flush may go; all that may go at the same time go as one device request, and
 * one is in flight at a time, so that flushes that come meanwhile are grouped too.
 *
 * <p>Threading: confined to the ring's owner.
 */
final class FlushBarrier implements IoCompletion {
    private final BlockDevice device;
    private final IoRequestPool pool;
    private final BiConsumer<IoRequest, BlockError> answer;
    private final Counter grouped;

    private final int mask;
    private final int[] writesInFlight;
    private final @Nullable IoRequest[] flushes;
    private long oldestEpoch;
    private long currentEpoch;
    private boolean isFlushing;
    private boolean isAdvancing;

    /**
     * @param flushesMax flushes that can wait at once
     * @param answer ends a submitter's flush
     */
    FlushBarrier(
            BlockDevice device,
            IoRequestPool pool,
            int flushesMax,
            BiConsumer<IoRequest, BlockError> answer,
            Counter grouped) {
        this.device = device;
        this.pool = pool;
        this.answer = answer;
        this.grouped = grouped;
        int epochs = Integer.highestOneBit(flushesMax) * 2;
        this.mask = epochs - 1;
        this.writesInFlight = new int[epochs];
        this.flushes = new IoRequest[epochs];
    }

    /** A write goes to the device; the epoch that it belongs to. */
    long beginWrite() {
        writesInFlight[(int) currentEpoch & mask]++;
        return currentEpoch;
    }

    /** A write of that epoch has ended; {@link #advance} follows. */
    void endWrite(long epoch) {
        int left = --writesInFlight[(int) epoch & mask];
        Invariant.check(left >= 0, "more writes ended than began");
    }

    /** Closes the epoch by a submitter's flush; {@link #advance} follows. */
    void add(IoRequest flush) {
        flushes[(int) currentEpoch & mask] = flush;
        currentEpoch++;
        Invariant.check(currentEpoch - oldestEpoch <= mask, "more flushes than the ring holds");
    }

    /** Submits what may go. */
    void advance() {
        if (isAdvancing || oldestEpoch == currentEpoch) {
            return;
        }
        isAdvancing = true;
        try {
            while (!isFlushing && isOldestReady()) {
                submitReady();
            }
        } finally {
            isAdvancing = false;
        }
    }

    private boolean isOldestReady() {
        return oldestEpoch < currentEpoch && writesInFlight[(int) oldestEpoch & mask] == 0;
    }

    private void submitReady() {
        IoRequest first = takeOldest();
        IoRequest last = first;
        while (isOldestReady()) {
            IoRequest flush = takeOldest();
            last.next(flush);
            last = flush;
            grouped.add(1);
        }
        isFlushing = true;
        IoRequest flush = pool.acquire().flush();
        flush.attachment(first);
        flush.push(this);
        boolean isSubmitted = false;
        try {
            device.submit(flush);
            isSubmitted = true;
        } finally {
            if (!isSubmitted) {
                // An error of the program: this one may never end, and must not hold up the next.
                isFlushing = false;
            }
        }
    }

    private IoRequest takeOldest() {
        int slot = (int) oldestEpoch & mask;
        IoRequest flush = flushes[slot];
        Invariant.check(flush != null, "an epoch without its flush");
        flushes[slot] = null;
        oldestEpoch++;
        return flush;
    }

    @Override
    public void onComplete(IoRequest deviceFlush, BlockError error) {
        IoRequest flush = (IoRequest) deviceFlush.attachment();
        pool.release(deviceFlush);
        isFlushing = false;
        try {
            Answers.toAll(flush, error, answer);
        } finally {
            advance();
        }
    }
}
