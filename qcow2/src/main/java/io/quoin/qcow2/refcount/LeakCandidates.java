package io.quoin.qcow2.refcount;

import java.util.Arrays;

/**
 * Clusters of an image that may be leaked, a bit for each cluster that was in the file when it was
 * opened. A cluster leaves the set for good when a reference to it is seen, when one goes away, or
 * when its count changes: it is leaked only if none of that happened while all tables were walked.
 *
 * <p>Threading: confined(loop).
 */
final class LeakCandidates {
    /** 16 MiB of bits; 8 TiB in clusters of 64 KiB. */
    static final long CLUSTERS_MAX = 1L << 27;

    private final long[] bits;
    private final long end;

    /** All clusters before {@code end}, but the header's. */
    LeakCandidates(long end) {
        this.end = end;
        this.bits = new long[(int) ((end + 63) >>> 6)];
        Arrays.fill(bits, -1L);
        if (end > 0 && (end & 63) != 0) {
            bits[bits.length - 1] = (1L << end) - 1;
        }
        remove(0);
    }

    void remove(long cluster) {
        if (cluster < end) {
            bits[(int) (cluster >>> 6)] &= ~(1L << cluster);
        }
    }

    void removeAll(long first, long last) {
        for (long cluster = first; cluster <= last; cluster++) {
            remove(cluster);
        }
    }

    /** The first candidate from {@code cluster} on; -1: none. */
    long next(long cluster) {
        if (cluster >= end) {
            return -1;
        }
        int word = (int) (cluster >>> 6);
        long rest = bits[word] & (-1L << cluster);
        while (rest == 0) {
            if (++word == bits.length) {
                return -1;
            }
            rest = bits[word];
        }
        return ((long) word << 6) + Long.numberOfTrailingZeros(rest);
    }
}
