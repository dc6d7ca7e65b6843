package io.quoin.brick.posix;

import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What {@code statx(2)} says of a file. The structure is the same on every processor:
 *
 * <pre>
 *  offset  field
 *      16  u32 stx_nlink
 *      20  u32 stx_uid
 *      24  u32 stx_gid
 *      28  u16 stx_mode
 *      32  u64 stx_ino
 *      40  u64 stx_size
 *      48  u64 stx_blocks            of 512 bytes
 *      96  s64 stx_ctime.tv_sec
 *     104  u32 stx_ctime.tv_nsec
 *     152  u32 stx_dio_mem_align     0 where the kernel does not say
 *     156  u32 stx_dio_offset_align
 * </pre>
 *
 * <p>Threading: confined to its creator.
 */
final class FileStatus {
    static final int AT_SYMLINK_NOFOLLOW = 0x100;
    static final int AT_EMPTY_PATH = 0x1000;

    /** STATX_BASIC_STATS and STATX_DIOALIGN. */
    static final int MASK = 0x07FF | 0x2000;

    private static final int LENGTH_BYTES = 256;
    private static final int LINKS = 16;
    private static final int OWNER = 20;
    private static final int GROUP = 24;
    private static final int MODE = 28;
    private static final int INODE = 32;
    private static final int SIZE = 40;
    private static final int BLOCKS = 48;
    private static final int CHANGE_SECONDS = 96;
    private static final int CHANGE_NANOS = 104;
    private static final int DIRECT_MEMORY_ALIGNMENT = 152;
    private static final int DIRECT_OFFSET_ALIGNMENT = 156;

    private static final int TYPE_MASK = 0xF000;
    private static final int TYPE_REGULAR = 0x8000;
    private static final int TYPE_LINK = 0xA000;
    private static final int BLOCK_BYTES = 512;
    private static final byte[] EMPTY_PATH = {0};

    private final UnsafeBuffer statx = new UnsafeBuffer(ByteBuffer.allocateDirect(LENGTH_BYTES));

    /** Asks about an open file; 0 or the negative error number. */
    int ofOpenFile(int fd) {
        return SystemCalls.statx(fd, EMPTY_PATH, this);
    }

    /** Asks about a name in a folder; 0 or the negative error number. */
    int ofName(int directoryFd, byte[] path) {
        return SystemCalls.statx(directoryFd, path, this);
    }

    long address() {
        return statx.addressOffset();
    }

    boolean isRegular() {
        return type() == TYPE_REGULAR;
    }

    boolean isSymbolicLink() {
        return type() == TYPE_LINK;
    }

    /** How many names it has. */
    int links() {
        return statx.getInt(LINKS);
    }

    int owner() {
        return statx.getInt(OWNER);
    }

    int group() {
        return statx.getInt(GROUP);
    }

    long sizeBytes() {
        return statx.getLong(SIZE);
    }

    long allocatedBytes() {
        return statx.getLong(BLOCKS) * BLOCK_BYTES;
    }

    long inode() {
        return statx.getLong(INODE);
    }

    /** Seconds since 1970 of the last change of content, size, name or owner. */
    long changeSeconds() {
        return statx.getLong(CHANGE_SECONDS);
    }

    int changeNanos() {
        return statx.getInt(CHANGE_NANOS);
    }

    int directMemoryAlignment() {
        return statx.getInt(DIRECT_MEMORY_ALIGNMENT);
    }

    int directOffsetAlignment() {
        return statx.getInt(DIRECT_OFFSET_ALIGNMENT);
    }

    private int type() {
        return statx.getShort(MODE) & TYPE_MASK;
    }
}
