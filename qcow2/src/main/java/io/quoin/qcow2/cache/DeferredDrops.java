package io.quoin.qcow2.cache;

import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.layout.L1Entry;
import java.util.BitSet;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * References that the disk has given up since the cut of a pending snapshot, under L1 entries whose
 * references the snapshot does not count yet. Until then their counts stand for the snapshot.
 *
 * <p>Threading: confined(loop).
 */
final class DeferredDrops {
    /** How many there may be. */
    static int runsMax = 1 << 20;

    private final BitSet unsettled = new BitSet();
    private final Int2ObjectHashMap<ClusterRuns> dropped = new Int2ObjectHashMap<>();
    private int runs;

    /**
     * @param l1 of the snapshot; what has no table is settled from the start
     */
    DeferredDrops(long[] l1) {
        for (int i = 0; i < l1.length; i++) {
            unsettled.set(i, L1Entry.isAllocated(l1[i]));
        }
    }

    boolean defers(int l1Index) {
        return unsettled.get(l1Index);
    }

    void add(int l1Index, long cluster) {
        ClusterRuns list = dropped.computeIfAbsent(l1Index, i -> new ClusterRuns());
        runs -= list.size();
        list.add(cluster);
        runs += list.size();
    }

    /** Whether they take more memory than they should. */
    boolean isFull() {
        return runs > runsMax;
    }

    /** The entry is settled: gives what was dropped under it. */
    @Nullable ClusterRuns settled(int l1Index) {
        unsettled.clear(l1Index);
        ClusterRuns list = dropped.remove(l1Index);
        runs -= list == null ? 0 : list.size();
        return list;
    }
}
