package io.quoin.brick.posix;

import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes of a file that is open with O_DIRECT. What is aligned goes straight between
 * memory and disk; anything else goes through a bounce buffer, and a write that covers a block only
 * in part reads it first. {@link FileQueue} sees to it that nothing else changes such a block
 * meanwhile.
 *
 * <p>A write into the last block of a file whose size is not aligned writes the whole block and
 * cuts the file off again.
 *
 * <p>Threading: confined to one thread.
 */
final class DirectTransfer {
    /** The bounce buffer. */
    static final int WINDOW_BYTES = 1 << 20;

    private static final int PAGE_BYTES = 4096;

    private final FileSystemTraits traits;
    private final Transfer transfer;
    private final ByteBuffer bounce;
    private final long bounceAddress;
    private final long blockBytes;

    DirectTransfer(FileSystemTraits traits, Transfer transfer) {
        this.traits = traits;
        this.transfer = transfer;
        bounce = BufferUtil.allocateDirectAligned(WINDOW_BYTES, PAGE_BYTES);
        bounceAddress = new UnsafeBuffer(bounce).addressOffset();
        blockBytes = traits.directOffsetAlignment();
    }

    /** Fills {@code memory}; 0, an error number or {@link Transfer#END_OF_FILE}. */
    int read(int fd, IoVector memory, long fileOffset) {
        long done = 0;
        if (isAligned(memory, fileOffset)) {
            int result = transfer.read(fd, memory, fileOffset, 0, 0);
            done = transfer.doneBytes();
            // A short transfer may leave what is left unaligned.
            if (result != Errno.EINVAL || done == 0) {
                return result;
            }
        }
        long end = fileOffset + memory.lengthBytes();
        while (fileOffset + done < end) {
            long from = fileOffset + done;
            long windowStart = alignDown(from);
            long windowEnd = Math.min(alignUp(end), windowStart + WINDOW_BYTES);
            long filled = fill(fd, windowStart, windowEnd - windowStart);
            if (filled < 0) {
                return (int) -filled;
            }
            long part = Math.min(end, windowStart + filled) - from;
            if (part <= 0) {
                return Transfer.END_OF_FILE;
            }
            memory.copyFrom(done, bounceAddress + (from - windowStart), part);
            done += part;
        }
        return Errno.NONE;
    }

    /**
     * Stores {@code memory}, or zeros where it is null.
     *
     * @param sizeBytes the size of the file, at least the end of the range
     * @return 0 or an error number
     */
    int write(
            int fd, @Nullable IoVector memory, long fileOffset, long lengthBytes, long sizeBytes) {
        long done = 0;
        if (memory != null && isAligned(memory, fileOffset)) {
            int result = transfer.write(fd, memory, fileOffset, 0, 1 << 30);
            done = transfer.doneBytes();
            if (result != Errno.EINVAL || done == 0) {
                return result;
            }
        }
        long end = fileOffset + lengthBytes;
        while (fileOffset + done < end) {
            long from = fileOffset + done;
            long windowStart = alignDown(from);
            long windowEnd = Math.min(alignUp(end), windowStart + WINDOW_BYTES);
            long part = Math.min(end, windowEnd) - from;
            int result = completeEdges(fd, windowStart, windowEnd, from, from + part);
            if (result == Errno.NONE) {
                copyIn(memory, done, bounceAddress + (from - windowStart), part);
                result = store(fd, windowStart, windowEnd - windowStart);
            }
            if (result == Errno.NONE && windowEnd > sizeBytes) {
                result = -SystemCalls.ftruncate(fd, sizeBytes);
            }
            if (result != Errno.NONE) {
                return result;
            }
            done += part;
        }
        return Errno.NONE;
    }

    private static void copyIn(
            @Nullable IoVector memory, long position, long address, long lengthBytes) {
        if (memory == null) {
            UnsafeApi.setMemory(address, lengthBytes, (byte) 0);
        } else {
            memory.copyTo(position, address, lengthBytes);
        }
    }

    /** Reads the first and last block of the window where the range covers them in part. */
    private int completeEdges(int fd, long windowStart, long windowEnd, long from, long to) {
        int result = Errno.NONE;
        if (from > windowStart) {
            result = readBlock(fd, windowStart, windowStart);
        }
        long lastBlock = windowEnd - blockBytes;
        if (result == Errno.NONE
                && to < windowEnd
                && (from == windowStart || lastBlock != windowStart)) {
            result = readBlock(fd, windowStart, lastBlock);
        }
        return result;
    }

    private int readBlock(int fd, long windowStart, long block) {
        long address = bounceAddress + (block - windowStart);
        long read = SystemCalls.pread(fd, address, blockBytes, block);
        if (read < 0) {
            return (int) -read;
        }
        if (read < blockBytes) {
            UnsafeApi.setMemory(address + read, blockBytes - read, (byte) 0);
        }
        return Errno.NONE;
    }

    /** Reads a window into the bounce buffer, up to the end of the file. */
    private long fill(int fd, long windowStart, long windowBytes) {
        long filled = 0;
        while (filled < windowBytes) {
            long read =
                    SystemCalls.pread(
                            fd, bounceAddress + filled, windowBytes - filled, windowStart + filled);
            if (read < 0) {
                return read;
            }
            filled += read;
            if (read == 0 || (filled & (blockBytes - 1)) != 0) {
                break;
            }
        }
        return filled;
    }

    private int store(int fd, long windowStart, long windowBytes) {
        long stored = 0;
        while (stored < windowBytes) {
            long written =
                    SystemCalls.pwrite(
                            fd, bounceAddress + stored, windowBytes - stored, windowStart + stored);
            if (written <= 0) {
                return written == 0 ? Errno.EIO : (int) -written;
            }
            stored += written;
        }
        return Errno.NONE;
    }

    private boolean isAligned(IoVector memory, long fileOffset) {
        if (((fileOffset | memory.lengthBytes()) & (blockBytes - 1)) != 0) {
            return false;
        }
        long mask = traits.directMemoryAlignment() - 1L;
        long lengthMask = blockBytes - 1;
        for (int i = 0; i < memory.count(); i++) {
            if ((memory.address(i) & mask) != 0
                    || (memory.segmentLengthBytes(i) & lengthMask) != 0) {
                return false;
            }
        }
        return true;
    }

    private long alignDown(long offset) {
        return offset & -blockBytes;
    }

    private long alignUp(long offset) {
        return (offset + blockBytes - 1) & -blockBytes;
    }
}
