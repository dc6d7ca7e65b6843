package io.quoin.nbd.transmission;

import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;

/**
 * How a sparse READ is cut into data and holes.
 *
 * <p>Threading: immutable.
 */
final class SparseRead {
    private SparseRead() {}

    /** Whether the byte at {@code position} was reported to read as zero. */
    static boolean isHole(ExtentList extents, int position) {
        int index = indexOf(extents, position);
        return index >= 0 && isZero(extents, index);
    }

    /**
     * Where the run of holes, or of data, that {@code position} is in ends; at most {@code
     * limitBytes}. What was not reported is data.
     */
    static int runEnd(ExtentList extents, int position, int limitBytes) {
        int index = indexOf(extents, position);
        if (index < 0) {
            return limitBytes;
        }
        boolean zero = isZero(extents, index);
        long end = 0;
        for (int i = 0; i < extents.count(); i++) {
            if (i > index && isZero(extents, i) != zero) {
                return (int) Math.min(limitBytes, end);
            }
            end += extents.extentLengthBytes(i);
        }
        return zero ? (int) Math.min(limitBytes, end) : limitBytes;
    }

    private static boolean isZero(ExtentList extents, int index) {
        return (extents.status(index) & BlockStatus.ZERO) != 0;
    }

    private static int indexOf(ExtentList extents, int position) {
        long end = 0;
        for (int i = 0; i < extents.count(); i++) {
            end += extents.extentLengthBytes(i);
            if (position < end) {
                return i;
            }
        }
        return -1;
    }
}
