package io.quoin.qcow2.check;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One bit per host cluster, in pages as those of the counts, that are made when first set.
 *
 * <p>Threading: confined to its user.
 */
public final class ClusterBits {
    private static final int PAGE = CountPage.CLUSTERS;
    private static final Page NONE = new Page();

    private @Nullable Page[] pages = new Page[0];

    private static final class Page {
        private final long[] words = new long[PAGE / Long.SIZE];
    }

    public boolean get(long clusterIndex) {
        long page = clusterIndex >>> CountPage.BITS;
        if (page >= pages.length) {
            return false;
        }
        Page bits = pages[(int) page];
        int index = (int) clusterIndex & (PAGE - 1);
        return bits != null && (bits.words[index >>> 6] >>> index & 1) != 0;
    }

    public void set(long clusterIndex) {
        int index = (int) clusterIndex & (PAGE - 1);
        pageFor(clusterIndex)[index >>> 6] |= 1L << index;
    }

    /** Sets {@code clusters}, 8 to 64 and a power of two, from a multiple of that on. */
    void setAll(long clusterIndex, int clusters) {
        int index = (int) clusterIndex & (PAGE - 1);
        pageFor(clusterIndex)[index >>> 6] |= -1L >>> (Long.SIZE - clusters) << index;
    }

    /** The bits of a page of counts, to be read. */
    long[] page(int number) {
        Page bits = number < pages.length ? pages[number] : null;
        return (bits == null ? NONE : bits).words;
    }

    private long[] pageFor(long clusterIndex) {
        int page = Math.toIntExact(clusterIndex >>> CountPage.BITS);
        if (page >= pages.length) {
            int grown = Math.max(page + 1, Math.min(2 * pages.length, page + 1024));
            pages = Arrays.copyOf(pages, grown);
        }
        Page bits = pages[page];
        if (bits == null) {
            bits = new Page();
            pages[page] = bits;
        }
        return bits.words;
    }
}
