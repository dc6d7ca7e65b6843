package io.quoin.brick.posix;

import java.nio.ByteBuffer;
import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Linux's calls, retried when a signal interrupts them. Each returns what the call returns, or the
 * negative error number: errno is read at once, on the thread of the call.
 *
 * <p>Threading: thread-safe.
 */
final class SystemCalls {
    static final Abi ABI = Abi.current();

    static final int AT_FDCWD = -100;
    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;

    /** A place, for what is opened below it: it is not read itself. */
    static final int O_PATH = 0x200000;

    static final int RWF_DSYNC = 2;
    static final int RWF_NOWAIT = 8;

    static final int FALLOCATE_KEEP_SIZE = 1;
    static final int FALLOCATE_PUNCH_HOLE = 2;
    static final int FALLOCATE_ZERO_RANGE = 0x10;

    static final int FADVISE_RANDOM = 1;
    static final int FADVISE_WILLNEED = 3;

    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;

    private static final int LOCK_EXCLUSIVE_NONBLOCKING = 2 | 4;
    private static final int OFD_GETLK = 36;
    private static final int OFD_SETLK = 37;
    private static final short LOCK_SHARED = 0;
    private static final short LOCK_EXCLUSIVE = 1;
    private static final short LOCK_NONE = 2;
    private static final int FLOCK_BYTES = 32;
    private static final int FLOCK_START = 8;
    private static final int FLOCK_LENGTH = 16;
    private static final int RENAME_NOREPLACE = 1;
    private static final long FICLONE = 0x4004_9409L;
    private static final long FICLONERANGE = 0x4020_940DL;
    private static final int CLONE_RANGE_BYTES = 32;
    private static final int STATFS_BYTES = 256;
    private static final int F_SETFD = 2;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int FD_CLOEXEC = 1;
    private static final int SOL_SOCKET = 1;
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int MSG_NOSIGNAL = 0x4000;

    private static final LibC C = LibraryLoader.create(LibC.class).load("c");
    private static final Runtime RUNTIME = Runtime.getRuntime(C);

    private SystemCalls() {}

    private static int failure() {
        return -LastError.getLastError(RUNTIME);
    }

    /** Opens without following a symbolic link at the end of {@code path}. */
    static int openat(int directoryFd, byte[] path, int flags, int mode) {
        int result;
        do {
            int fd = C.openat(directoryFd, path, flags | O_CLOEXEC, mode);
            result = fd >= 0 ? fd : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    /** Never retried: Linux has let go of the descriptor even if it says EINTR. */
    static int close(int fd) {
        int result = C.close(fd) == 0 ? 0 : failure();
        return result == -Errno.EINTR ? 0 : result;
    }

    static int mkdirat(int directoryFd, byte[] path, int mode) {
        return C.mkdirat(directoryFd, path, mode) == 0 ? 0 : failure();
    }

    static int fchmod(int fd, int mode) {
        return C.fchmod(fd, mode) == 0 ? 0 : failure();
    }

    static int fchown(int fd, int owner, int group) {
        return C.fchown(fd, owner, group) == 0 ? 0 : failure();
    }

    static int effectiveUser() {
        return C.geteuid();
    }

    static int unlinkat(int directoryFd, byte[] path) {
        return C.unlinkat(directoryFd, path, 0) == 0 ? 0 : failure();
    }

    /** Renames, over a file that has the new name. */
    static int rename(int oldDirectoryFd, byte[] oldPath, int newDirectoryFd, byte[] newPath) {
        return C.renameat(oldDirectoryFd, oldPath, newDirectoryFd, newPath) == 0 ? 0 : failure();
    }

    /** Renames unless the new name is taken: then EEXIST. */
    static int renameNoReplace(
            int oldDirectoryFd, byte[] oldPath, int newDirectoryFd, byte[] newPath) {
        int result =
                C.renameat2(oldDirectoryFd, oldPath, newDirectoryFd, newPath, RENAME_NOREPLACE) == 0
                        ? 0
                        : failure();
        return result == -Errno.EINVAL || Errno.isUnsupported(-result)
                ? linkAndUnlink(oldDirectoryFd, oldPath, newDirectoryFd, newPath)
                : result;
    }

    /**
     * As {@link #renameNoReplace}, for file systems that know no such flag. A crash in between
     * leaves both names.
     */
    static int linkAndUnlink(
            int oldDirectoryFd, byte[] oldPath, int newDirectoryFd, byte[] newPath) {
        int linked = link(oldDirectoryFd, oldPath, newDirectoryFd, newPath);
        return linked == 0 ? unlinkat(oldDirectoryFd, oldPath) : linked;
    }

    /** Gives a file a second name; EEXIST if that is taken. Symbolic links are not followed. */
    static int link(int oldDirectoryFd, byte[] oldPath, int newDirectoryFd, byte[] newPath) {
        return C.linkat(oldDirectoryFd, oldPath, newDirectoryFd, newPath, 0) == 0 ? 0 : failure();
    }

    /** Asks about {@code path} in a folder, or with an empty one about the descriptor itself. */
    static int statx(int fd, byte[] path, FileStatus target) {
        return C.statx(
                                fd,
                                path,
                                FileStatus.AT_EMPTY_PATH | FileStatus.AT_SYMLINK_NOFOLLOW,
                                FileStatus.MASK,
                                target.address())
                        == 0
                ? 0
                : failure();
    }

    /** The file system's magic number, or the negative error number. */
    static long fileSystemMagic(int fd) {
        UnsafeBuffer statfs = new UnsafeBuffer(ByteBuffer.allocateDirect(STATFS_BYTES));
        if (C.fstatfs(fd, statfs.addressOffset()) != 0) {
            return failure();
        }
        return statfs.getLong(0) & 0xFFFF_FFFFL;
    }

    /** Takes the exclusive lock of an open file, or fails with EAGAIN. */
    static int lockExclusive(int fd) {
        return C.flock(fd, LOCK_EXCLUSIVE_NONBLOCKING) == 0 ? 0 : failure();
    }

    /** Locks one byte, for this open file description, beside others that share it; or EAGAIN. */
    static int lockByteShared(int fd, long offsetBytes) {
        return lockByte(fd, OFD_SETLK, byteLock(LOCK_SHARED, offsetBytes));
    }

    static int unlockByte(int fd, long offsetBytes) {
        return lockByte(fd, OFD_SETLK, byteLock(LOCK_NONE, offsetBytes));
    }

    /** 1 if another open file description has any lock of the byte, else 0. */
    static int isByteLockedElsewhere(int fd, long offsetBytes) {
        UnsafeBuffer lock = byteLock(LOCK_EXCLUSIVE, offsetBytes);
        int result = lockByte(fd, OFD_GETLK, lock);
        return result < 0 ? result : lock.getShort(0) == LOCK_NONE ? 0 : 1;
    }

    private static int lockByte(int fd, int command, UnsafeBuffer lock) {
        return C.fcntl(fd, command, lock.addressOffset()) == 0 ? 0 : failure();
    }

    /** A {@code struct flock}, counted from the start of the file. */
    private static UnsafeBuffer byteLock(short type, long offsetBytes) {
        UnsafeBuffer lock = new UnsafeBuffer(ByteBuffer.allocateDirect(FLOCK_BYTES));
        lock.putShort(0, type);
        lock.putLong(FLOCK_START, offsetBytes);
        lock.putLong(FLOCK_LENGTH, 1);
        return lock;
    }

    static long pread(int fd, long address, long lengthBytes, long offsetBytes) {
        long result;
        do {
            long count = C.pread(fd, address, lengthBytes, offsetBytes);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static long pwrite(int fd, long address, long lengthBytes, long offsetBytes) {
        long result;
        do {
            long count = C.pwrite(fd, address, lengthBytes, offsetBytes);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static long preadv2(int fd, long iovecAddress, int iovecCount, long offsetBytes, int flags) {
        long result;
        do {
            long count = C.preadv2(fd, iovecAddress, iovecCount, offsetBytes, flags);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static long pwritev(int fd, long iovecAddress, int iovecCount, long offsetBytes) {
        long result;
        do {
            long count = C.pwritev(fd, iovecAddress, iovecCount, offsetBytes);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static long pwritev2(int fd, long iovecAddress, int iovecCount, long offsetBytes, int flags) {
        long result;
        do {
            long count = C.pwritev2(fd, iovecAddress, iovecCount, offsetBytes, flags);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static int fallocate(int fd, int mode, long offsetBytes, long lengthBytes) {
        int result;
        do {
            result = C.fallocate(fd, mode, offsetBytes, lengthBytes) == 0 ? 0 : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static int ftruncate(int fd, long sizeBytes) {
        int result;
        do {
            result = C.ftruncate(fd, sizeBytes) == 0 ? 0 : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    /**
     * Retried after a signal only: after any other error a second call would say that all is well.
     */
    static int fdatasync(int fd) {
        int result;
        do {
            result = C.fdatasync(fd) == 0 ? 0 : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    /** As {@link #fdatasync}. */
    static int fsync(int fd) {
        int result;
        do {
            result = C.fsync(fd) == 0 ? 0 : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    static int fadvise(int fd, long offsetBytes, long lengthBytes, int advice) {
        return -C.posix_fadvise(fd, offsetBytes, lengthBytes, advice);
    }

    static int readahead(int fd, long offsetBytes, long lengthBytes) {
        return C.readahead(fd, offsetBytes, lengthBytes) == 0 ? 0 : failure();
    }

    static long lseek(int fd, long offsetBytes, int whence) {
        long position = C.lseek(fd, offsetBytes, whence);
        return position >= 0 ? position : failure();
    }

    /** Makes {@code targetFd} share all blocks of {@code sourceFd}. */
    static int clone(int targetFd, int sourceFd) {
        return C.ioctl(targetFd, FICLONE, sourceFd) == 0 ? 0 : failure();
    }

    /** Makes a range of {@code targetFd} share the blocks of one of {@code sourceFd}. */
    static int cloneRange(
            int targetFd, long targetOffset, int sourceFd, long sourceOffset, long lengthBytes) {
        UnsafeBuffer range = new UnsafeBuffer(ByteBuffer.allocateDirect(CLONE_RANGE_BYTES));
        range.putLong(0, sourceFd);
        range.putLong(8, sourceOffset);
        range.putLong(16, lengthBytes);
        range.putLong(24, targetOffset);
        return C.ioctl(targetFd, FICLONERANGE, range.addressOffset()) == 0 ? 0 : failure();
    }

    /** {@code offsets} holds source and target offset, which the kernel moves on. */
    static long copyFileRange(int sourceFd, int targetFd, UnsafeBuffer offsets, long lengthBytes) {
        long result;
        do {
            long address = offsets.addressOffset();
            long count =
                    C.syscall(
                            ABI.sysCopyFileRange(),
                            sourceFd,
                            address,
                            targetFd,
                            address + Long.BYTES,
                            lengthBytes,
                            0);
            result = count >= 0 ? count : failure();
        } while (result == -Errno.EINTR);
        return result;
    }

    /** A number that the kernel keeps with a socket, as the kind that it is of. */
    static int socketOption(int fd, int name) {
        UnsafeBuffer value = new UnsafeBuffer(ByteBuffer.allocateDirect(2 * Integer.BYTES));
        value.putInt(Integer.BYTES, Integer.BYTES);
        long address = value.addressOffset();
        return C.getsockopt(fd, SOL_SOCKET, name, address, address + Integer.BYTES) == 0
                ? value.getInt(0)
                : failure();
    }

    /** Fills {@code address} with where a socket is bound; how many bytes that takes. */
    static int socketName(int fd, UnsafeBuffer address) {
        UnsafeBuffer length = new UnsafeBuffer(ByteBuffer.allocateDirect(Integer.BYTES));
        length.putInt(0, address.capacity());
        return C.getsockname(fd, address.addressOffset(), length.addressOffset()) == 0
                ? length.getInt(0)
                : failure();
    }

    /** No call waits any more, and no program that this process starts gets it. */
    static int setNonBlockingAndPrivate(int fd) {
        int flags = C.fcntl(fd, F_GETFL, 0);
        return flags >= 0
                        && C.fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0
                        && C.fcntl(fd, F_SETFD, FD_CLOEXEC) == 0
                ? 0
                : failure();
    }

    /** A unix socket for messages, which waits for no receiver. */
    static int datagramSocket() {
        int fd = C.socket(AF_UNIX, SOCK_DGRAM | O_CLOEXEC | O_NONBLOCK, 0);
        return fd >= 0 ? fd : failure();
    }

    static int connect(int fd, byte[] address) {
        return C.connect(fd, address, address.length) == 0 ? 0 : failure();
    }

    static long send(int fd, byte[] message) {
        long count = C.send(fd, message, message.length, MSG_NOSIGNAL);
        return count >= 0 ? count : failure();
    }

    /** Fills {@code entries} with the next records of a folder; 0 at its end. */
    static long getdents64(int fd, UnsafeBuffer entries) {
        long count =
                C.syscall(
                        ABI.sysGetdents64(),
                        fd,
                        entries.addressOffset(),
                        entries.capacity(),
                        0,
                        0,
                        0);
        return count >= 0 ? count : failure();
    }
}
