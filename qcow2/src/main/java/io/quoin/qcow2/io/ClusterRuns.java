package io.quoin.qcow2.io;

import java.util.Arrays;

/**
 * A list of runs of host clusters, each packed into a long: first cluster in the high 48 bits,
 * count - 1 in the low 16.
 *
 * <p>Threading: confined(loop).
 */
public final class ClusterRuns {
    private static final int COUNT_BITS = 16;
    private static final int COUNT_MAX = 1 << COUNT_BITS;

    private long[] runs = new long[16];
    private int size;

    /** Appends a cluster, joined to the last run where it follows it. */
    public void add(long clusterIndex) {
        if (size > 0) {
            int last = size - 1;
            if (start(last) + count(last) == clusterIndex && count(last) < COUNT_MAX) {
                runs[last]++;
                return;
            }
        }
        if (size == runs.length) {
            runs = Arrays.copyOf(runs, size * 2);
        }
        runs[size++] = clusterIndex << COUNT_BITS;
    }

    public void add(long clusterIndex, long count) {
        for (long i = 0; i < count; i++) {
            add(clusterIndex + i);
        }
    }

    public void addAll(ClusterRuns other) {
        for (int i = 0; i < other.size; i++) {
            add(other.start(i), other.count(i));
        }
    }

    /** In the order of the file, so that neighbours come together. */
    public void sort() {
        Arrays.sort(runs, 0, size);
    }

    public int size() {
        return size;
    }

    public boolean isEmpty() {
        return size == 0;
    }

    public long start(int index) {
        return runs[index] >>> COUNT_BITS;
    }

    public int count(int index) {
        return (int) (runs[index] & (COUNT_MAX - 1)) + 1;
    }
}
