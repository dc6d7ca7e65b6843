package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How often each host cluster is referenced, and as what. Counts lie in pages that are made when
 * first needed: a byte and a bit per cluster, more bits where there is metadata, an int once a
 * count of the page passes 255. Memory is bounded.
 *
 * <p>Threading: confined to the check, but for {@link #addShared} and {@link #markShared}.
 */
final class ReferenceCounts {
    /** What a reference makes of a cluster. */
    enum Use {
        /** Guest data: any number of references. */
        DATA,
        /** An L2 table: any number of references, all as an L2 table. */
        L2,
        /** Any other metadata: a single reference. */
        EXCLUSIVE
    }

    private static final int PAGE = CountPage.CLUSTERS;
    private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(CountPage[].class);

    /** Takes the part of a range that lies in one page. */
    private interface Part {
        void take(CountPage page, int from, int to);
    }

    private final long memoryBytesMax;
    private long memoryBytes;
    private volatile @Nullable CountPage[] pages = new CountPage[0];

    ReferenceCounts(long memoryBytesMax) {
        this.memoryBytesMax = memoryBytesMax;
    }

    /** Adds a reference; false if it overlaps a use that it may not share the cluster with. */
    boolean add(long clusterIndex, Use use) {
        CountPage page = pageFor(clusterIndex);
        int index = (int) clusterIndex & (PAGE - 1);
        boolean unused = page.get(index) == 0;
        boolean isL2 = page.isL2(index);
        boolean fits =
                unused
                        || (!page.isExclusive(index)
                                && use != Use.EXCLUSIVE
                                && isL2 == (use == Use.L2));
        addData(clusterIndex, 1);
        if (use == Use.L2) {
            reserve(page.hasL2Marks() ? 0 : CountPage.MARKS_BYTES);
            page.markL2(index);
        }
        // Data that are a table too: each further reference as a table is one too many.
        if (use == Use.EXCLUSIVE || (use == Use.L2 && !fits)) {
            reserve(page.hasExclusiveMarks() ? 0 : CountPage.MARKS_BYTES);
            page.markExclusive(index);
        }
        return fits;
    }

    /** Adds {@code times} references to data. */
    void addData(long clusterIndex, int times) {
        CountPage page = pageFor(clusterIndex);
        int index = (int) clusterIndex & (PAGE - 1);
        long count = Math.min((long) page.get(index) + times, Integer.MAX_VALUE - 1);
        if (count > 0xff && !page.isWide()) {
            reserve(CountPage.WIDE_BYTES);
            page.widen();
        }
        page.set(index, (int) count);
    }

    /**
     * Adds a reference to the data of each of {@code clusters} from one of several threads, which
     * do nothing else meanwhile.
     *
     * @throws FindingException for an overlap with metadata, and for more than {@code countMax}
     *     references or more than a narrow page holds
     */
    void addShared(long clusterIndex, long clusters, long countMax) {
        inPages(clusterIndex, clusters, (page, from, to) -> page.addShared(from, to, countMax));
    }

    /** Entries refer to these clusters with COPIED, or without it; from any thread. */
    void markShared(long clusterIndex, long clusters, boolean copied) {
        inPages(clusterIndex, clusters, (page, from, to) -> page.markShared(from, to, copied));
    }

    private void inPages(long clusterIndex, long clusters, Part part) {
        long end = clusterIndex + clusters;
        long at = clusterIndex;
        while (at < end) {
            int from = (int) at & (PAGE - 1);
            int to = (int) Math.min(PAGE, from + (end - at));
            part.take(pageFor(at), from, to);
            at += to - from;
        }
    }

    /** Whether all flags that were marked are set exactly where the refcount is 1. */
    boolean isCopiedRight(ClusterBits countIsOne) {
        @Nullable CountPage[] present = pages;
        for (int i = 0; i < present.length; i++) {
            CountPage page = present[i];
            if (page != null && !page.isCopiedRight(countIsOne.page(i))) {
                return false;
            }
        }
        return true;
    }

    /** No references again; the memory is kept. */
    void clear() {
        for (CountPage page : pages) {
            if (page != null) {
                page.clear();
            }
        }
    }

    /** Takes one reference away, if there is any. */
    void subtract(long clusterIndex) {
        int count = get(clusterIndex);
        if (count > 0) {
            CountPage page = pageFor(clusterIndex);
            int index = (int) clusterIndex & (PAGE - 1);
            page.set(index, count - 1);
            if (count == 1) {
                page.unmark(index);
            }
        }
    }

    int get(long clusterIndex) {
        CountPage page = pageAt(clusterIndex);
        return page == null ? 0 : page.get((int) clusterIndex & (PAGE - 1));
    }

    /** The counts of eight clusters from a multiple of 8 on, a byte each; -1: they may not fit. */
    long eightAt(long clusterIndex) {
        CountPage page = pageAt(clusterIndex);
        return page == null ? 0 : page.eightAt((int) clusterIndex & (PAGE - 1));
    }

    private @Nullable CountPage pageAt(long clusterIndex) {
        long number = clusterIndex >>> CountPage.BITS;
        @Nullable CountPage[] present = pages;
        return number < present.length ? present[(int) number] : null;
    }

    /**
     * The next cluster at or behind {@code clusterIndex} that may be referenced; whole empty pages
     * are skipped.
     */
    long skipEmpty(long clusterIndex, long limit) {
        long at = clusterIndex;
        while (at < limit) {
            long number = at >>> CountPage.BITS;
            if (number >= pages.length) {
                return limit;
            }
            if (pages[(int) number] != null) {
                return at;
            }
            at = (number + 1) << CountPage.BITS;
        }
        return limit;
    }

    private CountPage pageFor(long clusterIndex) {
        long number = clusterIndex >>> CountPage.BITS;
        @Nullable CountPage[] present = pages;
        CountPage page =
                number < present.length
                        ? (CountPage) PAGES.getAcquire(present, (int) number)
                        : null;
        return page == null ? newPage(number) : page;
    }

    private synchronized CountPage newPage(long number) {
        if (number >= pages.length) {
            long grown = Math.max(number + 1, Math.min(2L * pages.length, number + 1024));
            reserve((grown - pages.length) * Long.BYTES);
            pages = Arrays.copyOf(pages, Math.toIntExact(grown));
        }
        CountPage page = pages[(int) number];
        if (page == null) {
            reserve(CountPage.BYTES);
            page = new CountPage();
            PAGES.setRelease(pages, (int) number, page);
        }
        return page;
    }

    private void reserve(long bytes) {
        memoryBytes += bytes;
        if (memoryBytes > memoryBytesMax) {
            throw new BlockException(
                    BlockError.ENOMEM,
                    "qcow2 check: memory for reference counts: bytes="
                            + memoryBytes
                            + ", expected=at most "
                            + memoryBytesMax);
        }
    }
}
