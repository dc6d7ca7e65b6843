package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How often each host cluster is referenced, and as what. Counts lie in pages that are made when
 * first needed: a byte and two bits per cluster, an int once a count of the page passes 255. Memory
 * is bounded.
 *
 * <p>Threading: confined to the check, but for {@link #addShared}.
 */
final class ReferenceCounts {
    /** What a reference makes of a cluster. */
    enum Use {
        /** Guest or bitmap data: any number of references. */
        DATA,
        /** An L2 table: any number of references, all as an L2 table. */
        L2,
        /** Any other metadata: a single reference. */
        EXCLUSIVE
    }

    private static final int PAGE_BITS = 16;
    private static final int PAGE = 1 << PAGE_BITS;
    private static final int BYTE_MAX = 255;
    private static final VarHandle NARROW = MethodHandles.arrayElementVarHandle(byte[].class);
    private static final VarHandle PAGES = MethodHandles.arrayElementVarHandle(Page[].class);
    private static final long PAGE_BYTES = PAGE + 2 * PAGE / Byte.SIZE;

    private final long memoryBytesMax;
    private long memoryBytes;
    private volatile @Nullable Page[] pages = new Page[0];

    ReferenceCounts(long memoryBytesMax) {
        this.memoryBytesMax = memoryBytesMax;
    }

    /** Adds a reference; false if it overlaps a use that it may not share the cluster with. */
    boolean add(long clusterIndex, Use use) {
        Page page = pageFor(clusterIndex);
        int index = (int) clusterIndex & (PAGE - 1);
        boolean unused = page.get(index) == 0;
        if (page.wouldOverflow(index)) {
            reserve((long) PAGE * Integer.BYTES);
            page.widen();
        }
        page.set(index, Math.min(page.get(index) + 1, Integer.MAX_VALUE - 1));
        boolean isL2 = isSet(page.l2, index);
        boolean isExclusive = isSet(page.exclusive, index);
        switch (use) {
            case L2 -> page.l2[index >>> 6] |= 1L << index;
            case EXCLUSIVE -> page.exclusive[index >>> 6] |= 1L << index;
            case DATA -> {}
        }
        boolean fits = unused || (!isExclusive && use != Use.EXCLUSIVE && isL2 == (use == Use.L2));
        if (!fits && use == Use.L2) {
            // Data that are a table too: each further reference as a table is one too many.
            page.exclusive[index >>> 6] |= 1L << index;
        }
        return fits;
    }

    /**
     * Adds a reference to data from one of several threads, which do nothing else meanwhile.
     *
     * @throws Irregular for an overlap with metadata, and for more than {@code countMax} references
     *     or more than a narrow page holds
     */
    void addShared(long clusterIndex, long countMax) {
        Page page = pageFor(clusterIndex);
        int index = (int) clusterIndex & (PAGE - 1);
        if (page.wide != null || isSet(page.l2, index) || isSet(page.exclusive, index)) {
            throw new Irregular();
        }
        int before = (byte) NARROW.getAndAdd(page.narrow, index, (byte) 1) & BYTE_MAX;
        if (before >= countMax || before >= BYTE_MAX - 1) {
            throw new Irregular();
        }
    }

    /** Adds {@code times} references to data. */
    void addData(long clusterIndex, int times) {
        Page page = pageFor(clusterIndex);
        int index = (int) clusterIndex & (PAGE - 1);
        long count = Math.min((long) page.get(index) + times, Integer.MAX_VALUE - 1);
        if (page.wide == null && count > BYTE_MAX) {
            reserve((long) PAGE * Integer.BYTES);
            page.widen();
        }
        page.set(index, (int) count);
    }

    /** No references again; the memory is kept. */
    void clear() {
        for (Page page : pages) {
            if (page != null) {
                page.clear();
            }
        }
    }

    /** Takes one reference away, if there is any. */
    void subtract(long clusterIndex) {
        int count = get(clusterIndex);
        if (count > 0) {
            Page page = pageFor(clusterIndex);
            int index = (int) clusterIndex & (PAGE - 1);
            page.set(index, count - 1);
            if (count == 1) {
                page.exclusive[index >>> 6] &= ~(1L << index);
                page.l2[index >>> 6] &= ~(1L << index);
            }
        }
    }

    int get(long clusterIndex) {
        long number = clusterIndex >>> PAGE_BITS;
        Page page = number < pages.length ? pages[(int) number] : null;
        return page == null ? 0 : page.get((int) clusterIndex & (PAGE - 1));
    }

    /**
     * The next cluster at or behind {@code clusterIndex} that may be referenced; whole empty pages
     * are skipped.
     */
    long skipEmpty(long clusterIndex, long limit) {
        long at = clusterIndex;
        while (at < limit) {
            long number = at >>> PAGE_BITS;
            if (number >= pages.length) {
                return limit;
            }
            if (pages[(int) number] != null) {
                return at;
            }
            at = (number + 1) << PAGE_BITS;
        }
        return limit;
    }

    private Page pageFor(long clusterIndex) {
        long number = clusterIndex >>> PAGE_BITS;
        @Nullable Page[] present = pages;
        Page page = number < present.length ? (Page) PAGES.getAcquire(present, (int) number) : null;
        return page == null ? newPage(number) : page;
    }

    private synchronized Page newPage(long number) {
        if (number >= pages.length) {
            long grown = Math.max(number + 1, Math.min(2L * pages.length, number + 1024));
            reserve((grown - pages.length) * Long.BYTES);
            pages = Arrays.copyOf(pages, Math.toIntExact(grown));
        }
        Page page = pages[(int) number];
        if (page == null) {
            reserve(PAGE_BYTES);
            page = new Page();
            PAGES.setRelease(pages, (int) number, page);
        }
        return page;
    }

    private static boolean isSet(long[] bits, int index) {
        return (bits[index >>> 6] >>> index & 1) != 0;
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

    private static final class Page {
        private final long[] l2 = new long[PAGE / Long.SIZE];
        private final long[] exclusive = new long[PAGE / Long.SIZE];
        private byte[] narrow = new byte[PAGE];
        private int @Nullable [] wide;

        int get(int index) {
            return wide != null ? wide[index] : narrow[index] & BYTE_MAX;
        }

        void set(int index, int count) {
            if (wide != null) {
                wide[index] = count;
            } else {
                narrow[index] = (byte) count;
            }
        }

        boolean wouldOverflow(int index) {
            return wide == null && (narrow[index] & BYTE_MAX) == BYTE_MAX;
        }

        void clear() {
            Arrays.fill(l2, 0);
            Arrays.fill(exclusive, 0);
            Arrays.fill(narrow, (byte) 0);
            int[] counts = wide;
            if (counts != null) {
                Arrays.fill(counts, 0);
            }
        }

        void widen() {
            int[] widened = new int[PAGE];
            for (int i = 0; i < PAGE; i++) {
                widened[i] = narrow[i] & BYTE_MAX;
            }
            wide = widened;
            narrow = new byte[0];
        }
    }
}
