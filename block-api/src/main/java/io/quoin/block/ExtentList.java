package io.quoin.block;

import java.util.Arrays;

/**
 * Consecutive extents from the start of a request's range: lengths in bytes and {@link BlockStatus}
 * bits. Neighbours of equal status are joined. Reused between requests; grows up to its bound and
 * then says that it is full.
 *
 * <p>Threading: confined to the owner of the request that carries it.
 */
public final class ExtentList {
    private static final int INITIAL = 8;

    private final int countMax;
    private long[] lengths = new long[INITIAL];
    private int[] statuses = new int[INITIAL];
    private int count;
    private long lengthBytes;

    public ExtentList(int countMax) {
        Invariant.check(countMax > 0, "extent list without room");
        this.countMax = countMax;
    }

    /**
     * Appends {@code lengthBytes} of {@code status}; {@code false} if it did not fit, in which case
     * nothing changed.
     */
    public boolean add(long extentLengthBytes, int status) {
        Invariant.check(extentLengthBytes > 0, "empty extent");
        if (count > 0 && statuses[count - 1] == status) {
            lengths[count - 1] += extentLengthBytes;
        } else if (count == countMax) {
            return false;
        } else {
            if (count == lengths.length) {
                lengths = Arrays.copyOf(lengths, count * 2);
                statuses = Arrays.copyOf(statuses, count * 2);
            }
            lengths[count] = extentLengthBytes;
            statuses[count] = status;
            count++;
        }
        lengthBytes += extentLengthBytes;
        return true;
    }

    public void clear() {
        count = 0;
        lengthBytes = 0;
    }

    public int count() {
        return count;
    }

    /** Bytes described so far, from the start of the range. */
    public long lengthBytes() {
        return lengthBytes;
    }

    public long extentLengthBytes(int index) {
        return lengths[index];
    }

    /** {@link BlockStatus} bits. */
    public int status(int index) {
        return statuses[index];
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("[");
        for (int i = 0; i < count; i++) {
            text.append(i == 0 ? "" : ", ").append(lengths[i]).append(':').append(statuses[i]);
        }
        return text.append(']').toString();
    }
}
