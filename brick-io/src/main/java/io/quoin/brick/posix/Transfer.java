package io.quoin.brick.posix;

import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Moves a request's memory to and from a file in as many calls as it takes: the kernel takes
 * {@value #SEGMENTS_MAX} segments at once, and may move less than it was asked to. Its iovec array
 * is made once, so that a call allocates nothing.
 *
 * <p>Threading: confined to one thread.
 */
final class Transfer {
    /** What {@link #read} returns where the file has ended. */
    static final int END_OF_FILE = -1;

    /** Linux's UIO_MAXIOV. */
    static final int SEGMENTS_MAX = 1024;

    private static final int IOVEC_BYTES = 16;

    /** Linux's MAX_RW_COUNT is 2 GiB less a page. */
    private static final int CALL_BYTES_MAX = 1 << 30;

    private final UnsafeBuffer iovecs =
            new UnsafeBuffer(ByteBuffer.allocateDirect(SEGMENTS_MAX * IOVEC_BYTES));
    private final long iovecsAddress = iovecs.addressOffset();
    private long doneBytes;

    /** How far the last call got, from the start of the memory. */
    long doneBytes() {
        return doneBytes;
    }

    /**
     * Fills {@code memory} from {@code fromBytes} on.
     *
     * @param fileOffset where the start of the memory is in the file
     * @param flags of preadv2
     * @return 0, an error number, or {@link #END_OF_FILE}
     */
    int read(int fd, IoVector memory, long fileOffset, long fromBytes, int flags) {
        long lengthBytes = memory.lengthBytes();
        long done = fromBytes;
        int result = Errno.NONE;
        while (done < lengthBytes) {
            int count = fill(memory, done, CALL_BYTES_MAX);
            long read = SystemCalls.preadv2(fd, iovecsAddress, count, fileOffset + done, flags);
            if (read <= 0) {
                result = read == 0 ? END_OF_FILE : (int) -read;
                break;
            }
            done += read;
        }
        doneBytes = done;
        return result;
    }

    /** One preadv2 into plain memory; 0, an error number, or {@link #END_OF_FILE}. */
    int readOne(int fd, long address, int lengthBytes, long fileOffset, int flags) {
        UnsafeApi.putLong(iovecsAddress, address);
        UnsafeApi.putLong(iovecsAddress + Long.BYTES, (long) lengthBytes);
        long read = SystemCalls.preadv2(fd, iovecsAddress, 1, fileOffset, flags);
        doneBytes = Math.max(0, read);
        return read > 0 ? Errno.NONE : read == 0 ? END_OF_FILE : (int) -read;
    }

    /**
     * Stores {@code memory} from {@code fromBytes} on.
     *
     * @param callBytesMax the most to pass to one pwritev
     * @return 0 or an error number
     */
    int write(int fd, IoVector memory, long fileOffset, long fromBytes, int callBytesMax) {
        long lengthBytes = memory.lengthBytes();
        long done = fromBytes;
        int result = Errno.NONE;
        while (done < lengthBytes) {
            int count = fill(memory, done, callBytesMax);
            long written = SystemCalls.pwritev(fd, iovecsAddress, count, fileOffset + done);
            if (written <= 0) {
                result = written == 0 ? Errno.EIO : (int) -written;
                break;
            }
            done += written;
        }
        doneBytes = done;
        return result;
    }

    /**
     * Stores all of {@code memory} again, durably: pwritev2 with RWF_DSYNC writes back this range
     * only, and what is needed to find it.
     *
     * @return 0 or an error number
     */
    int writeDurably(int fd, IoVector memory, long fileOffset) {
        long lengthBytes = memory.lengthBytes();
        long done = 0;
        int result = Errno.NONE;
        while (done < lengthBytes) {
            int count = fill(memory, done, CALL_BYTES_MAX);
            long written =
                    SystemCalls.pwritev2(
                            fd, iovecsAddress, count, fileOffset + done, SystemCalls.RWF_DSYNC);
            if (written <= 0) {
                result = written == 0 ? Errno.EIO : (int) -written;
                break;
            }
            done += written;
        }
        doneBytes = done;
        return result;
    }

    /** Describes up to {@code bytesMax} bytes of {@code memory} from {@code position} on. */
    private int fill(IoVector memory, long position, int bytesMax) {
        int segments = memory.count();
        int segment = 0;
        long skip = position;
        while (skip >= memory.segmentLengthBytes(segment)) {
            skip -= memory.segmentLengthBytes(segment);
            segment++;
        }
        int count = 0;
        long left = bytesMax;
        long target = iovecsAddress;
        while (segment < segments && count < SEGMENTS_MAX && left > 0) {
            long part = Math.min(memory.segmentLengthBytes(segment) - skip, left);
            UnsafeApi.putLong(target, memory.address(segment) + skip);
            UnsafeApi.putLong(target + Long.BYTES, part);
            target += IOVEC_BYTES;
            left -= part;
            skip = 0;
            segment++;
            count++;
        }
        return count;
    }
}
