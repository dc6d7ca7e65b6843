package io.quoin.qcow2.refcount;

import io.quoin.qcow2.io.ClusterRuns;
import java.util.Arrays;
import org.agrona.collections.Long2LongHashMap;

/**
 * Clusters that are counted more often than anything refers to them, and by how much.
 *
 * <p>The difference stays the same while the image is in use: whatever adds or takes a reference
 * changes the count by as much. So it may be taken off later than it was found.
 *
 * <p>Threading: confined to its user, one at a time.
 */
public final class ExcessReferences {
    private static final long NONE = 0;

    private final Long2LongHashMap differences = new Long2LongHashMap(NONE);
    private final Long2LongHashMap unusedCounts = new Long2LongHashMap(NONE);
    private final ClusterRuns unused = new ClusterRuns();
    private long[] order = {};
    private int next;
    private long lowered;

    /**
     * Adds a cluster.
     *
     * @param count what is counted, unsigned
     * @param references how many there are, fewer than that
     */
    public void add(long cluster, long count, long references) {
        differences.put(cluster, count - references);
        if (references == 0) {
            unusedCounts.put(cluster, count);
        }
    }

    public void remove(long cluster) {
        differences.remove(cluster);
        unusedCounts.remove(cluster);
    }

    public int size() {
        return differences.size();
    }

    /** Clusters whose count is lowered, or is about to be: {@link Refcounts#lower} has ended. */
    public long lowered() {
        return lowered;
    }

    /** In the order of the file. */
    void begin() {
        if (order.length == 0) {
            order = new long[differences.size()];
            int at = 0;
            Long2LongHashMap.KeyIterator keys = differences.keySet().iterator();
            while (keys.hasNext()) {
                order[at++] = keys.nextValue();
            }
            Arrays.sort(order);
        }
    }

    boolean isDone() {
        return next == order.length;
    }

    long cluster() {
        return order[next];
    }

    /**
     * The count that the cluster shall have, 1 if it is to be freed after that; the same as {@code
     * count} if that is not what it has to be for anything to be taken off.
     */
    long lower(long count) {
        long cluster = order[next++];
        if (unusedCounts.containsKey(cluster)) {
            if (count != unusedCounts.get(cluster)) {
                return count;
            }
            unused.add(cluster);
            lowered++;
            return 1;
        }
        long difference = differences.get(cluster);
        if (Long.compareUnsigned(count, difference) <= 0) {
            return count;
        }
        lowered++;
        return count - difference;
    }

    /** What is to be freed. */
    ClusterRuns unused() {
        return unused;
    }
}
