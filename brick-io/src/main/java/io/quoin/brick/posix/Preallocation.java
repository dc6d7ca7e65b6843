package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * How much of a new file has blocks from the beginning.
 *
 * <p>Threading: immutable; blocks.
 */
enum Preallocation {
    /** Blocks come with the data. */
    OFF,
    /** All blocks are reserved. */
    FALLOC,
    /** Zeros are written, so that later writes find blocks that are in use. */
    FULL;

    static final String OPTION = "preallocation";

    private static final int ZEROS_BYTES = 1 << 20;

    /** EINVAL for anything that is none. */
    static Preallocation of(String text) {
        return switch (text) {
            case "off" -> OFF;
            case "falloc" -> FALLOC;
            case "full" -> FULL;
            default ->
                    throw new BlockException(
                            BlockError.EINVAL,
                            "option has a wrong value: option=preallocation, expected=off, falloc"
                                    + " or full, actual="
                                    + text);
        };
    }

    /** Gives a file its blocks from {@code start} to its end; 0 or the negative error number. */
    int apply(int fd, long start, long end) {
        if (this == OFF || start >= end) {
            return 0;
        }
        int result = SystemCalls.fallocate(fd, 0, start, end - start);
        if (this == FALLOC) {
            return result;
        }
        return result == 0 || Errno.isUnsupported(-result) ? writeZeros(fd, start, end) : result;
    }

    private static int writeZeros(int fd, long start, long end) {
        UnsafeBuffer zeros = new UnsafeBuffer(ByteBuffer.allocateDirect(ZEROS_BYTES));
        for (long at = start; at < end; ) {
            long length = Math.min(ZEROS_BYTES, end - at);
            long written = SystemCalls.pwrite(fd, zeros.addressOffset(), length, at);
            if (written <= 0) {
                return written == 0 ? -Errno.EIO : (int) written;
            }
            at += written;
        }
        return 0;
    }
}
