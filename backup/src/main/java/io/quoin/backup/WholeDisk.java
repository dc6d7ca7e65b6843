package io.quoin.backup;

import io.quoin.block.disk.Disk;
import io.quoin.block.disk.Extent;

/**
 * Copies what a disk does not read as zeros, by its block status.
 *
 * <p>Threading: immutable.
 */
final class WholeDisk {
    /** So that the extents of it are few enough to be held. */
    private static final long WINDOW_BYTES = 256L << 20;

    private WholeDisk() {}

    static void copy(Disk disk, BlockCopy copy) {
        long size = disk.sizeBytes();
        for (long start = 0; start < size; start += WINDOW_BYTES) {
            for (Extent extent : disk.blockStatus(start, Math.min(WINDOW_BYTES, size - start))) {
                copy.copy(extent.offsetBytes(), extent.lengthBytes(), extent.isZero());
            }
            copy.passed(Math.min(size, start + WINDOW_BYTES), size);
        }
        copy.end();
    }
}
