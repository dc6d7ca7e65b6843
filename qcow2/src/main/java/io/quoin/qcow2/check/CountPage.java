package io.quoin.qcow2.check;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The counts of {@link #CLUSTERS} host clusters that follow each other, what the clusters are, and
 * what the COPIED flags of the entries say that refer to them.
 *
 * <p>Threading: confined to the check, but for {@link #addShared} and {@link #markShared}.
 */
final class CountPage {
    static final int BITS = 16;
    static final int CLUSTERS = 1 << BITS;

    /** Eight counts of 1, as {@link #eightAt} gives them. */
    static final long EIGHT_ONES = 0x0101_0101_0101_0101L;

    static final long MARKS_BYTES = CLUSTERS / Byte.SIZE;
    static final long BYTES = CLUSTERS + 2 * MARKS_BYTES;
    static final long WIDE_BYTES = (long) CLUSTERS * Integer.BYTES;

    private static final int BYTE_MAX = 255;
    private static final int PER_LONG = Long.BYTES;
    private static final VarHandle LONGS = MethodHandles.arrayElementVarHandle(long[].class);

    /** A byte for each cluster, as long as all counts fit. */
    private long[] narrow = new long[CLUSTERS / PER_LONG];

    private int @Nullable [] wide;
    private long @Nullable [] l2;
    private long @Nullable [] exclusive;
    private final long[] copied = newMarks();
    private volatile long @Nullable [] shared;

    private static long[] newMarks() {
        return new long[CLUSTERS / Long.SIZE];
    }

    int get(int index) {
        int[] counts = wide;
        return counts != null
                ? counts[index]
                : (int) (narrow[index >>> 3] >>> shift(index)) & BYTE_MAX;
    }

    private static int shift(int index) {
        return (index & PER_LONG - 1) * Byte.SIZE;
    }

    /** Counts that pass 255 have to be widened before. */
    void set(int index, int count) {
        int[] counts = wide;
        if (counts != null) {
            counts[index] = count;
        } else {
            long others = narrow[index >>> 3] & ~((long) BYTE_MAX << shift(index));
            narrow[index >>> 3] = others | (long) count << shift(index);
        }
    }

    boolean isWide() {
        return wide != null;
    }

    void widen() {
        int[] counts = new int[CLUSTERS];
        for (int i = 0; i < CLUSTERS; i++) {
            counts[i] = get(i);
        }
        wide = counts;
        narrow = new long[0];
    }

    /** The counts of eight clusters, a byte each; -1 if they may not fit. */
    long eightAt(int index) {
        return wide != null ? -1 : narrow[index >>> 3];
    }

    boolean isL2(int index) {
        return isSet(l2, index);
    }

    boolean isExclusive(int index) {
        return isSet(exclusive, index);
    }

    private static boolean isSet(long @Nullable [] marks, int index) {
        return marks != null && (marks[index >>> 6] >>> index & 1) != 0;
    }

    boolean hasL2Marks() {
        return l2 != null;
    }

    boolean hasExclusiveMarks() {
        return exclusive != null;
    }

    void markL2(int index) {
        long[] marks = l2 == null ? newMarks() : l2;
        marks[index >>> 6] |= 1L << index;
        l2 = marks;
    }

    void markExclusive(int index) {
        long[] marks = exclusive == null ? newMarks() : exclusive;
        marks[index >>> 6] |= 1L << index;
        exclusive = marks;
    }

    void unmark(int index) {
        if (l2 != null) {
            l2[index >>> 6] &= ~(1L << index);
        }
        if (exclusive != null) {
            exclusive[index >>> 6] &= ~(1L << index);
        }
    }

    /**
     * Adds a reference to the data of each cluster from {@code from} to {@code to}, while others do
     * so too.
     *
     * @throws FindingException for metadata, for more than {@code countMax} references, or more
     *     than fit
     */
    void addShared(int from, int to, long countMax) {
        if (wide != null || any(l2, from, to) || any(exclusive, from, to)) {
            throw new FindingException();
        }
        int i = from;
        while (i < to) {
            boolean eight = (i & PER_LONG - 1) == 0 && i + PER_LONG <= to;
            long added = eight ? EIGHT_ONES : 1L << shift(i);
            long before = (long) LONGS.getAndAdd(narrow, i >>> 3, added);
            if (before != 0) {
                requireRoom(before, added, countMax);
            }
            i += eight ? PER_LONG : 1;
        }
    }

    private static void requireRoom(long before, long added, long countMax) {
        for (int bit = 0; bit < Long.SIZE; bit += Byte.SIZE) {
            long count = before >>> bit & BYTE_MAX;
            if ((added >>> bit & BYTE_MAX) != 0 && (count >= countMax || count >= BYTE_MAX - 1)) {
                throw new FindingException();
            }
        }
    }

    private static boolean any(long @Nullable [] marks, int from, int to) {
        if (marks == null) {
            return false;
        }
        for (int i = from; i < to; i = (i | Long.SIZE - 1) + 1) {
            if ((marks[i >>> 6] & mask(i, to)) != 0) {
                return true;
            }
        }
        return false;
    }

    /** The bits from {@code from} on in its word, up to {@code to}. */
    private static long mask(int from, int to) {
        int last = Math.min(to - 1, from | Long.SIZE - 1);
        return -1L << from & -1L >>> (Long.SIZE - 1 - last);
    }

    /** Entries refer to these clusters with or without COPIED; others do so meanwhile. */
    void markShared(int from, int to, boolean isCopied) {
        long[] marks = isCopied ? copied : sharedMarks();
        for (int i = from; i < to; i = (i | Long.SIZE - 1) + 1) {
            LONGS.getAndBitwiseOr(marks, i >>> 6, mask(i, to));
        }
    }

    private long[] sharedMarks() {
        long[] marks = shared;
        if (marks == null) {
            synchronized (this) {
                marks = shared;
                if (marks == null) {
                    marks = newMarks();
                    shared = marks;
                }
            }
        }
        return marks;
    }

    /** Whether each flag that was marked says what {@code one} does: the refcount is 1. */
    boolean isCopiedRight(long[] one) {
        long[] without = shared;
        for (int i = 0; i < copied.length; i++) {
            if ((copied[i] & ~one[i]) != 0 || (without != null && (without[i] & one[i]) != 0)) {
                return false;
            }
        }
        return true;
    }

    /** No counts and marks again; the memory is kept. */
    void clear() {
        for (long[] words : new long[] @Nullable [] {narrow, copied, shared, l2, exclusive}) {
            if (words != null) {
                Arrays.fill(words, 0);
            }
        }
        int[] counts = wide;
        if (counts != null) {
            Arrays.fill(counts, 0);
        }
    }
}
