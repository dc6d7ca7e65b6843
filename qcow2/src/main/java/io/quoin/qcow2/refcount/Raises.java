package io.quoin.qcow2.refcount;

import java.util.Arrays;

/**
 * References that were added to clusters and are not in their counts yet: how many to which, in the
 * order in which they came.
 *
 * <p>Threading: confined(loop).
 */
final class Raises {
    /** Streams are packed one after the other: a cluster's are among the last. */
    private static final int LOOK_BACK = 8;

    private long[] clusters = new long[16];
    private long[] added = new long[16];
    private int size;

    void add(long cluster) {
        int at = find(cluster);
        if (at >= 0) {
            added[at]++;
            return;
        }
        if (size == clusters.length) {
            clusters = Arrays.copyOf(clusters, size * 2);
            added = Arrays.copyOf(added, size * 2);
        }
        clusters[size] = cluster;
        added[size++] = 1;
    }

    /** Takes one of the references to {@code cluster} out again; false: there is none. */
    boolean takeBack(long cluster) {
        int at = find(cluster);
        if (at < 0 || added[at] == 0) {
            return false;
        }
        added[at]--;
        return true;
    }

    private int find(long cluster) {
        for (int i = size - 1; i >= 0 && i >= size - LOOK_BACK; i--) {
            if (clusters[i] == cluster) {
                return i;
            }
        }
        return -1;
    }

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    long cluster(int index) {
        return clusters[index];
    }

    long added(int index) {
        return added[index];
    }
}
