package io.quoin.qcow2.walk;

import org.agrona.UnsafeApi;

/**
 * Some words of an L2 table, in memory for as long as the call that they are given to.
 *
 * <p>Threading: confined(loop).
 */
public final class TableWords {
    private final int count;
    private long address;
    private int slice;

    TableWords(int count) {
        this.count = count;
    }

    TableWords at(long newAddress, int newSlice) {
        address = newAddress;
        slice = newSlice;
        return this;
    }

    /** Which slice of their table these are. */
    public int slice() {
        return slice;
    }

    public int count() {
        return count;
    }

    public long word(int index) {
        return Long.reverseBytes(UnsafeApi.getLong(address + 8L * index));
    }
}
