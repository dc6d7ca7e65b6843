package io.quoin.xlator.range;

import org.jspecify.annotations.Nullable;

/**
 * One request's range in {@link RangeLocks}: a node of their lists, to be used again and again.
 *
 * <p>Threading: confined(loop).
 */
public final class RangeLock {
    private final Runnable whenGranted;
    long first;
    long last;
    boolean exclusive;
    boolean held;
    @Nullable RangeLock previous;
    @Nullable RangeLock next;
    @Nullable RangeLock nextGranted;

    /**
     * @param whenGranted is run when a range that had to be waited for is had
     */
    public RangeLock(Runnable whenGranted) {
        this.whenGranted = whenGranted;
    }

    /**
     * What it is to lock next: the units from {@code newFirst} to {@code newLast}, both of them.
     */
    public void range(long newFirst, long newLast) {
        first = newFirst;
        last = newLast;
    }

    /** Whether it is to have its range alone, or with others that share it. */
    public void exclusive(boolean alone) {
        exclusive = alone;
    }

    public boolean isExclusive() {
        return exclusive;
    }

    /** Whether it has its range. */
    public boolean isHeld() {
        return held;
    }

    void granted() {
        whenGranted.run();
    }

    boolean overlaps(RangeLock other) {
        return first <= other.last && other.first <= last;
    }
}
