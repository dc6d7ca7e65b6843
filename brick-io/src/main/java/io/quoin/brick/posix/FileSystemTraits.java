package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * What the brick's file system can do. It is tried once, on a scratch file in the brick's own
 * folder, so that a file's capabilities are known when it is opened and never change.
 *
 * <p>Threading: immutable.
 *
 * @param type the file system's name, or its magic number in hexadecimal
 * @param canNoWait preadv2 takes RWF_NOWAIT
 * @param canPunchHole fallocate punches holes
 * @param canZeroRange fallocate zeroes ranges and keeps their blocks
 * @param canAllocate fallocate reserves blocks
 * @param inMemory reads never wait for a disk
 * @param direct whether files open with O_DIRECT
 * @param directMemoryAlignment what memory must be aligned to for O_DIRECT
 * @param directOffsetAlignment what offsets and lengths must be aligned to for O_DIRECT
 */
record FileSystemTraits(
        String type,
        boolean canNoWait,
        boolean canPunchHole,
        boolean canZeroRange,
        boolean canAllocate,
        boolean inMemory,
        boolean direct,
        int directMemoryAlignment,
        int directOffsetAlignment) {

    private static final String PROBE_NAME = "probe";
    private static final int PROBE_BYTES = 16384;
    private static final int PROBE_BLOCK = 4096;

    /** Used where the kernel does not say: no disk in use has larger sectors. */
    private static final int ALIGNMENT_UNKNOWN = 4096;

    private static final int ALIGNMENT_MIN = 512;

    private static final Map<Long, String> TYPES =
            Map.ofEntries(
                    Map.entry(0xEF53L, "ext4"),
                    Map.entry(0x5846_5342L, "xfs"),
                    Map.entry(0x9123_683EL, "btrfs"),
                    Map.entry(0x0102_1994L, "tmpfs"),
                    Map.entry(0x8584_58F6L, "ramfs"),
                    Map.entry(0x794C_7630L, "overlayfs"),
                    Map.entry(0x6969L, "nfs"),
                    Map.entry(0x2FC1_2FC1L, "zfs"),
                    Map.entry(0xF2F5_2010L, "f2fs"),
                    Map.entry(0x6573_5546L, "fuse"),
                    Map.entry(0xCA45_1A4EL, "bcachefs"));

    /**
     * Tries everything in the folder {@code ownFolderFd}. The scratch file stays, and what fails
     * for want of room counts as something that the file system can do: a full disk must not keep a
     * brick from being opened.
     */
    static FileSystemTraits probe(int ownFolderFd, String folder) {
        byte[] name = FileNames.encodePath(PROBE_NAME);
        int flags = SystemCalls.O_RDWR | SystemCalls.ABI.openNoFollow();
        try (Descriptor file = OwnFile.open(ownFolderFd, PROBE_NAME, folder);
                Descriptor direct =
                        Descriptor.open(
                                ownFolderFd, name, flags | SystemCalls.ABI.openDirect(), 0)) {
            FileSystemTraits traits = probeFile(file.fd(), direct, folder);
            SystemCalls.ftruncate(file.fd(), 0);
            return traits;
        }
    }

    /**
     * Tries everything with a file that has no name. Where there can be none, as in a folder that
     * may only be read, files are taken to be able to be read and no more.
     */
    static FileSystemTraits probePlain(int folderFd, String folder) {
        byte[] here = FileNames.encodePath(".");
        int flags = SystemCalls.O_RDWR;
        try (Descriptor file =
                        Descriptor.open(
                                folderFd, here, flags | SystemCalls.ABI.openTemporary(), 0600);
                Descriptor direct =
                        Descriptor.reopen(file.fd(), flags | SystemCalls.ABI.openDirect())) {
            return file.isOpen()
                    ? probeFile(file.fd(), direct, folder)
                    : readOnly(folderFd, folder);
        }
    }

    private static FileSystemTraits readOnly(int folderFd, String folder) {
        return new FileSystemTraits(
                type(folderFd, folder),
                true, // a file that cannot says so when it is read
                false,
                false,
                false,
                false,
                false,
                ALIGNMENT_UNKNOWN,
                ALIGNMENT_UNKNOWN);
    }

    private static String type(int fd, String folder) {
        long magic = SystemCalls.fileSystemMagic(fd);
        if (magic < 0) {
            throw Errno.exception("ask for the file system", "directory=" + folder, (int) -magic);
        }
        return TYPES.getOrDefault(magic, "0x" + Long.toHexString(magic));
    }

    private static FileSystemTraits probeFile(int fd, Descriptor direct, String folder) {
        String type = type(fd, folder);
        ByteBuffer memory = BufferUtil.allocateDirectAligned(PROBE_BYTES, PROBE_BLOCK);
        long address = new UnsafeBuffer(memory).addressOffset();
        long written = SystemCalls.pwrite(fd, address, PROBE_BYTES, 0);
        if (written < 0 && Errno.blockError((int) -written) != BlockError.ENOSPC) {
            throw Errno.exception(
                    "write to the brick folder", "directory=" + folder, (int) -written);
        }
        FileStatus status = new FileStatus();
        boolean stated = status.ofOpenFile(fd) == 0;
        return new FileSystemTraits(
                type,
                canNoWait(fd, address),
                canAllocate(fd, SystemCalls.FALLOCATE_PUNCH_HOLE),
                canAllocate(fd, SystemCalls.FALLOCATE_ZERO_RANGE),
                canAllocate(fd, 0),
                type.equals("tmpfs") || type.equals("ramfs"),
                SystemCalls.pread(direct.fd(), address, PROBE_BLOCK, 0) >= 0,
                alignment(stated ? status.directMemoryAlignment() : 0),
                alignment(stated ? status.directOffsetAlignment() : 0));
    }

    private static boolean canNoWait(int fd, long address) {
        int errno = new Transfer().readOne(fd, address, PROBE_BLOCK, 0, SystemCalls.RWF_NOWAIT);
        return !Errno.isUnsupported(errno) && errno != Errno.EINVAL;
    }

    private static boolean canAllocate(int fd, int mode) {
        int allocate = mode | SystemCalls.FALLOCATE_KEEP_SIZE;
        int errno = -SystemCalls.fallocate(fd, allocate, 0, PROBE_BLOCK);
        return errno == Errno.NONE || Errno.blockError(errno) == BlockError.ENOSPC;
    }

    private static int alignment(int stated) {
        return Integer.bitCount(stated) == 1 ? Math.max(stated, ALIGNMENT_MIN) : ALIGNMENT_UNKNOWN;
    }

    /**
     * Whether a write with RWF_DSYNC is durable, with the size of the file and the place of its
     * blocks, and writes back nothing else. Of these file systems that is known.
     */
    boolean syncsRanges() {
        return type.equals("ext4") || type.equals("xfs");
    }

    /** Fails where files cannot be opened with O_DIRECT. */
    void requireDirect(String folder) {
        if (!direct) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "option direct-io cannot be used: the file system has no O_DIRECT: directory="
                            + folder
                            + ", file-system="
                            + type);
        }
    }
}
