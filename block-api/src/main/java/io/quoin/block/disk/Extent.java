package io.quoin.block.disk;

import io.quoin.block.BlockStatus;

/**
 * A run of bytes of a disk of one status.
 *
 * <p>Threading: immutable.
 *
 * @param offsetBytes where it begins on the disk
 * @param lengthBytes how long it is, at least 1
 * @param status {@link BlockStatus} bits
 */
public record Extent(long offsetBytes, long lengthBytes, int status) {
    /** Whether every byte reads as zero. */
    public boolean isZero() {
        return (status & BlockStatus.ZERO) != 0;
    }

    /** Whether nothing is allocated for it. */
    public boolean isHole() {
        return (status & BlockStatus.HOLE) != 0;
    }
}
