package io.quoin.qcow2.check;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * One bit per host cluster, in pages that are made when first set.
 *
 * <p>Threading: confined to its user.
 */
public final class ClusterBits {
    private static final int PAGE_BITS = 18;
    private static final int PAGE = 1 << PAGE_BITS;

    private @Nullable BitSet[] pages = new BitSet[0];

    public boolean get(long clusterIndex) {
        long page = clusterIndex >>> PAGE_BITS;
        if (page >= pages.length) {
            return false;
        }
        BitSet bits = pages[(int) page];
        return bits != null && bits.get((int) clusterIndex & (PAGE - 1));
    }

    public void set(long clusterIndex) {
        int page = Math.toIntExact(clusterIndex >>> PAGE_BITS);
        if (page >= pages.length) {
            pages =
                    Arrays.copyOf(
                            pages, Math.max(page + 1, Math.min(2 * pages.length, page + 1024)));
        }
        BitSet bits = pages[page];
        if (bits == null) {
            bits = new BitSet(PAGE);
            pages[page] = bits;
        }
        bits.set((int) clusterIndex & (PAGE - 1));
    }
}
