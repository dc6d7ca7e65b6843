package io.quoin.qcow2.cache;

import io.quoin.block.Invariant;
import java.util.Arrays;

/**
 * Which host clusters hold metadata: header, L1, L2, refcount table and blocks, snapshot tables.
 * Every write of data asks it first, so that a wrong entry cannot destroy the image. A bit for each
 * cluster, in pages that exist only where there is metadata.
 *
 * <p>Threading: confined(loop).
 */
public final class MetadataMap {
    private static final int PAGE_BITS = 12;
    private static final int PAGE_WORDS = 1 << PAGE_BITS >>> 6;
    private static final int PAGES_MAX = 1 << 28;

    private static final long[] NONE = {};

    private long[][] pages = new long[0][];

    /** Whether cluster {@code clusterIndex} holds metadata. */
    public boolean contains(long clusterIndex) {
        long page = clusterIndex >>> PAGE_BITS;
        if (page >= pages.length) {
            return false;
        }
        long[] words = pages[(int) page];
        return words.length != 0 && (words[word(clusterIndex)] >>> clusterIndex & 1) != 0;
    }

    /** Whether any of {@code count} clusters holds metadata. */
    public boolean containsAny(long clusterIndex, long count) {
        for (long i = clusterIndex; i < clusterIndex + count; i++) {
            if (contains(i)) {
                return true;
            }
        }
        return false;
    }

    /** Adds a cluster; {@code false} if it was there already. */
    public boolean add(long clusterIndex) {
        int page = Math.toIntExact(clusterIndex >>> PAGE_BITS);
        Invariant.check(page < PAGES_MAX, "host cluster out of range");
        if (page >= pages.length) {
            int before = pages.length;
            pages = Arrays.copyOf(pages, Math.max(page + 1, before * 2));
            Arrays.fill(pages, before, pages.length, NONE);
        }
        if (pages[page].length == 0) {
            pages[page] = new long[PAGE_WORDS];
        }
        long bit = 1L << clusterIndex;
        boolean isNew = (pages[page][word(clusterIndex)] & bit) == 0;
        pages[page][word(clusterIndex)] |= bit;
        return isNew;
    }

    /** Adds {@code count} clusters; {@code false} if one of them was there already. */
    public boolean addAll(long clusterIndex, long count) {
        boolean allNew = true;
        for (long i = clusterIndex; i < clusterIndex + count; i++) {
            allNew &= add(i);
        }
        return allNew;
    }

    public void remove(long clusterIndex) {
        if (contains(clusterIndex)) {
            pages[(int) (clusterIndex >>> PAGE_BITS)][word(clusterIndex)] &= ~(1L << clusterIndex);
        }
    }

    private static int word(long clusterIndex) {
        return (int) (clusterIndex >>> 6) & (PAGE_WORDS - 1);
    }
}
