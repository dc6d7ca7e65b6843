package io.quoin.qcow2.matrix;

import java.util.BitSet;

/**
 * What a dirty bitmap must say: a bit for each granule of the disk.
 *
 * <p>Threading: confined to the test.
 */
final class BitmapModel {
    final long granularity;
    boolean enabled;
    private final BitSet bits = new BitSet();

    BitmapModel(long granularity, boolean enabled) {
        this.granularity = granularity;
        this.enabled = enabled;
    }

    /** A range of the disk has changed. */
    void changed(long offset, long length) {
        if (enabled) {
            mark(offset, length);
        }
    }

    private void mark(long offset, long length) {
        bits.set((int) (offset / granularity), (int) bitsFor(offset + length));
    }

    private long bitsFor(long sizeBytes) {
        return (sizeBytes + granularity - 1) / granularity;
    }

    void clear() {
        bits.clear();
    }

    void merge(BitmapModel other, long sizeBytes) {
        for (int i = other.bits.nextSetBit(0); i >= 0; i = other.bits.nextSetBit(i + 1)) {
            long start = i * other.granularity;
            mark(start, Math.min(sizeBytes, start + other.granularity) - start);
        }
    }

    void resize(long sizeBytes) {
        bits.clear((int) bitsFor(sizeBytes), Integer.MAX_VALUE);
    }

    /** The bits, of which a table entry of ones also has those behind the end. */
    boolean matches(BitSet found, long sizeBytes) {
        int count = (int) bitsFor(sizeBytes);
        return found.get(0, count).equals(bits);
    }

    @Override
    public String toString() {
        return "granularity=" + granularity + (enabled ? " enabled " : " disabled ") + bits;
    }
}
