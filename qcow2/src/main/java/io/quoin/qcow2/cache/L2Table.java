package io.quoin.qcow2.cache;

import java.util.ArrayList;
import java.util.List;

/**
 * An L2 table in memory, which of its units differ from the disk, and what has to be durable before
 * they may be written.
 *
 * <pre>
 *  LOADING --read--> CLEAN --setEntry--> DIRTY --staged by the flusher--> CLEAN --evicted, if not pinned--> gone
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class L2Table {
    final int l1Index;
    final long[] entries;
    final long[] dirtyUnits;
    final List<Steps> waiters = new ArrayList<>(2);
    int dirtyCount;
    long hostOffset;
    boolean loading;
    boolean referenced;
    int pins;

    /** Number of the flush that must have succeeded before this table is written. */
    long flushNeeded;

    /** Whether its content must be durable before the L1 entry is written. */
    boolean contentFirst;

    L2Table(int l1Index, long[] entries, int units) {
        this.l1Index = l1Index;
        this.entries = entries;
        this.dirtyUnits = new long[(units + 63) >>> 6];
    }

    public int l1Index() {
        return l1Index;
    }

    /**
     * Its words in host byte order, two for each entry with extended L2; changed only by {@link
     * MappingTables#setEntry}.
     */
    public long[] entries() {
        return entries;
    }

    /** Keeps it in memory while a request that will change it waits. */
    public void pin() {
        pins++;
    }

    public void unpin() {
        pins--;
    }

    boolean isEvictable() {
        return !loading && pins == 0 && dirtyCount == 0;
    }
}
