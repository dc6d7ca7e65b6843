package io.quoin.brick.posix;

import io.quoin.block.BlockStatus;
import io.quoin.block.ExtentList;

/**
 * BLOCK_STATUS: what SEEK_DATA and SEEK_HOLE say. Blocks that are reserved but were never written
 * count as holes, as they read as zeros.
 *
 * <p>Threading: thread-safe.
 */
final class ExtentScan {
    private static final int HOLE = BlockStatus.HOLE | BlockStatus.ZERO;

    private ExtentScan() {}

    /**
     * Reports from {@code offsetBytes} on until the range ends or {@code extents} is full.
     *
     * @param one whether one extent is enough
     * @return 0 or an error number
     */
    static int scan(int fd, long offsetBytes, long lengthBytes, ExtentList extents, boolean one) {
        long end = offsetBytes + lengthBytes;
        long position = offsetBytes;
        boolean room = true;
        while (position < end && room) {
            long data = SystemCalls.lseek(fd, position, SystemCalls.SEEK_DATA);
            if (data == -Errno.ENXIO) {
                data = end; // no more data up to the end of the file
            } else if (data < 0 && data != -Errno.EINVAL) {
                return (int) -data;
            }
            if (data > position) {
                long next = Math.min(data, end);
                room = extents.add(next - position, HOLE) && !one;
                position = next;
                continue;
            }
            long hole = SystemCalls.lseek(fd, position, SystemCalls.SEEK_HOLE);
            // EINVAL: the file system does not know. Neither it, nor one that contradicts itself
            // because the file changes at this moment, has a hole to report here.
            long next = hole <= position ? end : Math.min(hole, end);
            room = extents.add(next - position, BlockStatus.DATA) && !one;
            position = next;
        }
        return Errno.NONE;
    }
}
