package io.quoin.qcow2.refcount;

/**
 * Contiguous host clusters for one use; reused between requests.
 *
 * <p>Threading: confined(loop).
 */
public final class Allocation {
    private long start;
    private int count;
    private boolean fresh;

    public void set(long newStart, int newCount, boolean newFresh) {
        start = newStart;
        count = newCount;
        fresh = newFresh;
    }

    /** The first host cluster. */
    public long start() {
        return start;
    }

    public int count() {
        return count;
    }

    /** Whether the file has zeros there that were never written. */
    public boolean fresh() {
        return fresh;
    }
}
