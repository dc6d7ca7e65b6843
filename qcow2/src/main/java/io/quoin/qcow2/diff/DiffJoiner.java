package io.quoin.qcow2.diff;

import java.util.function.Predicate;

/**
 * Joins neighbours that are alike into one extent, holding one at a time.
 *
 * <p>Threading: confined to its user.
 */
final class DiffJoiner {
    private final Predicate<DiffExtent> consumer;
    private final long endBytes;
    private long start;
    private long length;
    private boolean zero;
    private boolean full;

    /**
     * @param consumer takes the joined extents, in order, and says whether it wants more
     * @param endBytes what lies behind it is cut off
     */
    DiffJoiner(Predicate<DiffExtent> consumer, long endBytes) {
        this.consumer = consumer;
        this.endBytes = endBytes;
    }

    /** Takes an extent that begins at or behind the end of the one before. */
    void add(long newStart, long newLength, boolean newZero) {
        long cut = Math.min(newLength, endBytes - newStart);
        if (cut <= 0 || full) {
            return;
        }
        if (length > 0 && start + length == newStart && zero == newZero) {
            length += cut;
            return;
        }
        end();
        start = newStart;
        length = cut;
        zero = newZero;
    }

    boolean wantsMore() {
        return !full;
    }

    /** Tells the last one. */
    void end() {
        if (length > 0 && !full) {
            full = !consumer.test(new DiffExtent(start, length, zero));
        }
        length = 0;
    }
}
