package io.quoin.qcow2.cache;

import java.util.Arrays;

/**
 * Which slices of L2 tables are known to have nothing but zeros, in memory and on disk: those of
 * tables that were made since the image was opened, until they are changed. A bit each.
 *
 * <p>Threading: confined(loop).
 */
final class ZeroSlices {
    private static final int PAGE_BITS = 12;
    private static final int PAGE_WORDS = 1 << (PAGE_BITS - 6);

    private static final long[] NO_PAGE = {};

    private long[][] pages = {};

    boolean contains(int slice) {
        int page = slice >>> PAGE_BITS;
        long[] words = page < pages.length ? pages[page] : NO_PAGE;
        return words.length > 0 && (words[wordOf(slice)] >>> slice & 1) != 0;
    }

    void addAll(int first, int count) {
        for (int slice = first; slice < first + count; slice++) {
            page(slice >>> PAGE_BITS)[wordOf(slice)] |= 1L << slice;
        }
    }

    void remove(int slice) {
        if (contains(slice)) {
            page(slice >>> PAGE_BITS)[wordOf(slice)] &= ~(1L << slice);
        }
    }

    private static int wordOf(int slice) {
        return slice >>> 6 & (PAGE_WORDS - 1);
    }

    private long[] page(int page) {
        if (page >= pages.length) {
            int before = pages.length;
            pages = Arrays.copyOf(pages, Math.max(page + 1, before * 2));
            Arrays.fill(pages, before, pages.length, NO_PAGE);
        }
        long[] words = pages[page];
        if (words.length == 0) {
            words = new long[PAGE_WORDS];
            pages[page] = words;
        }
        return words;
    }
}
