package io.quoin.qcow2.refcount;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;

/**
 * A refcount block in memory and which of its bytes differ from the disk.
 *
 * <p>Threading: confined(loop).
 */
final class RefcountBlock {
    private static final int ALIGNMENT = 4096;

    final ByteBuffer bytes;
    final long address;
    long blockIndex;
    long hostOffset;
    boolean referenced;
    int dirtyFrom;
    int dirtyTo;

    RefcountBlock(int clusterSizeBytes) {
        bytes = BufferUtil.allocateDirectAligned(clusterSizeBytes, ALIGNMENT);
        address = BufferUtil.address(bytes);
    }

    boolean isDirty() {
        return dirtyTo > 0;
    }

    void markDirty(int from, int to) {
        dirtyFrom = isDirty() ? Math.min(dirtyFrom, from) : from;
        dirtyTo = Math.max(dirtyTo, to);
    }

    void markClean() {
        dirtyFrom = 0;
        dirtyTo = 0;
    }
}
