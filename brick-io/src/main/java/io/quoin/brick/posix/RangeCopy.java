package io.quoin.brick.posix;

import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Copies ranges between files of a brick, by the cheapest way there is: shared blocks (FICLONE,
 * FICLONERANGE), else in the kernel (copy_file_range), else through memory. Holes stay holes.
 *
 * <p>Threading: thread-safe; blocks.
 */
final class RangeCopy {
    private static final int BUFFER_BYTES = 1 << 20;

    /** One call is bounded, so that a copy can be interrupted by a signal now and then. */
    private static final long CALL_BYTES_MAX = 1L << 30;

    private RangeCopy() {}

    /**
     * Makes an empty file a copy of another.
     *
     * @return 0 or the negative error number
     */
    static int copyFile(int sourceFd, int targetFd, long sizeBytes) {
        int cloned = SystemCalls.clone(targetFd, sourceFd);
        if (cloned == 0) {
            return 0;
        }
        int result = SystemCalls.ftruncate(targetFd, sizeBytes);
        return result < 0 ? result : copyRange(sourceFd, 0, targetFd, 0, sizeBytes);
    }

    /**
     * Copies a range into a range that reads as zeros.
     *
     * @return 0 or the negative error number
     */
    static int copyRange(
            int sourceFd, long sourceOffset, int targetFd, long targetOffset, long lengthBytes) {
        if (lengthBytes == 0
                || SystemCalls.cloneRange(
                                targetFd, targetOffset, sourceFd, sourceOffset, lengthBytes)
                        == 0) {
            return 0;
        }
        long end = sourceOffset + lengthBytes;
        long position = sourceOffset;
        long shift = targetOffset - sourceOffset;
        while (position < end) {
            long data = SystemCalls.lseek(sourceFd, position, SystemCalls.SEEK_DATA);
            if (data == -Errno.ENXIO || data >= end) {
                return 0;
            }
            // Where the file system does not know its holes everything is data.
            long start = data < 0 ? position : data;
            long hole = SystemCalls.lseek(sourceFd, start, SystemCalls.SEEK_HOLE);
            long stop = hole <= start ? end : Math.min(hole, end);
            int result = copyData(sourceFd, start, targetFd, start + shift, stop - start);
            if (result < 0) {
                return result;
            }
            position = stop;
        }
        return 0;
    }

    /** By copy_file_range, and through memory from where that cannot go on. */
    private static int copyData(
            int sourceFd, long sourceOffset, int targetFd, long targetOffset, long lengthBytes) {
        long done = copyInKernel(sourceFd, sourceOffset, targetFd, targetOffset, lengthBytes);
        if (done < 0) {
            return (int) done;
        }
        return copyThroughMemory(
                sourceFd, sourceOffset + done, targetFd, targetOffset + done, lengthBytes - done);
    }

    /** The bytes copied until it was done or the kernel would not, or the negative error number. */
    static long copyInKernel(
            int sourceFd, long sourceOffset, int targetFd, long targetOffset, long lengthBytes) {
        UnsafeBuffer offsets = new UnsafeBuffer(ByteBuffer.allocateDirect(2 * Long.BYTES));
        long done = 0;
        while (done < lengthBytes) {
            offsets.putLong(0, sourceOffset + done);
            offsets.putLong(Long.BYTES, targetOffset + done);
            long part = Math.min(CALL_BYTES_MAX, lengthBytes - done);
            long copied = SystemCalls.copyFileRange(sourceFd, targetFd, offsets, part);
            if (copied == 0 || isRefusal(copied)) {
                break;
            }
            if (copied < 0) {
                return copied;
            }
            done += copied;
        }
        return done;
    }

    private static boolean isRefusal(long result) {
        return result == -Errno.EXDEV
                || result == -Errno.EINVAL
                || result == -Errno.ENOSYS
                || result == -Errno.EOPNOTSUPP;
    }

    static int copyThroughMemory(
            int sourceFd, long sourceOffset, int targetFd, long targetOffset, long lengthBytes) {
        UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(BUFFER_BYTES));
        long address = buffer.addressOffset();
        long done = 0;
        while (done < lengthBytes) {
            long part = Math.min(BUFFER_BYTES, lengthBytes - done);
            long read = SystemCalls.pread(sourceFd, address, part, sourceOffset + done);
            if (read <= 0) {
                return read == 0 ? -Errno.EIO : (int) read; // it shrank meanwhile
            }
            long written = 0;
            while (written < read) {
                long count =
                        SystemCalls.pwrite(
                                targetFd,
                                address + written,
                                read - written,
                                targetOffset + done + written);
                if (count <= 0) {
                    return count == 0 ? -Errno.EIO : (int) count;
                }
                written += count;
            }
            done += read;
        }
        return 0;
    }
}
