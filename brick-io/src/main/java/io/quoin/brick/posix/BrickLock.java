package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.agrona.concurrent.UnsafeBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The lock of a brick: that of the file {@code .quoin/lock}, which also names the process that
 * holds it. The kernel lets go of it when that process ends, however it ends.
 *
 * <p>Threading: thread-safe.
 */
final class BrickLock {
    static final String LOCK_NAME = "lock";
    private static final int PID_BYTES = 32;

    private BrickLock() {}

    /**
     * The locked lock file of a brick whose own folder is open; it is made where it is missing.
     *
     * @throws BlockException EBUSY if another process holds it
     */
    static Descriptor make(int ownFd, String directory) {
        return locked(OwnFile.open(ownFd, LOCK_NAME, directory), directory);
    }

    /**
     * The locked lock file of a folder that is a brick already; null where it is none.
     *
     * @throws BlockException EBUSY if another process holds it
     */
    static @Nullable Descriptor ifBrick(int fd, String directory) {
        Descriptor lock = openIfThere(fd);
        if (isNone(lock)) {
            return null;
        }
        if (!lock.isOpen()) {
            throw Errno.exception(
                    "open the brick's lock file", "directory=" + directory, lock.errno());
        }
        return locked(lock, directory);
    }

    private static Descriptor openIfThere(int fd) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory();
        try (Descriptor own = openNoFollow(fd, FileNames.OWN_FOLDER, flags)) {
            if (!own.isOpen()) {
                return own;
            }
            Descriptor lock = openNoFollow(own.fd(), LOCK_NAME, SystemCalls.O_RDWR);
            return lock.errno() == Errno.EROFS
                    ? openNoFollow(own.fd(), LOCK_NAME, SystemCalls.O_RDONLY)
                    : lock;
        }
    }

    private static Descriptor openNoFollow(int folderFd, String name, int flags) {
        int all = flags | SystemCalls.ABI.openNoFollow();
        return Descriptor.open(folderFd, FileNames.encodePath(name), all, 0);
    }

    /** A folder whose {@code .quoin} is a link, or no folder, is no brick. */
    private static boolean isNone(Descriptor lock) {
        int errno = lock.errno();
        return errno == Errno.ENOENT || errno == Errno.ENOTDIR || errno == Errno.ELOOP;
    }

    /** The same, locked; closed where that fails. */
    private static Descriptor locked(Descriptor lock, String directory) {
        boolean locked = false;
        try {
            lock(lock.fd(), directory);
            locked = true;
            return lock;
        } finally {
            if (!locked) {
                lock.close();
            }
        }
    }

    private static void lock(int lockFd, String directory) {
        UnsafeBuffer text = new UnsafeBuffer(ByteBuffer.allocateDirect(PID_BYTES + 1));
        requireLock(lockFd, text, directory);
        int locked = SystemCalls.lockExclusive(lockFd);
        if (locked == -Errno.EAGAIN) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "brick folder is in use: directory="
                            + directory
                            + ", pid="
                            + readPid(lockFd, text));
        }
        if (locked < 0) {
            throw Errno.exception("lock the brick folder", "directory=" + directory, -locked);
        }
        byte[] pid = new byte[PID_BYTES]; // always as long, so that it takes no room on a full disk
        byte[] digits = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(pid, (byte) ' ');
        System.arraycopy(digits, 0, pid, 0, digits.length);
        text.putBytes(0, pid);
        long written = SystemCalls.pwrite(lockFd, text.addressOffset(), pid.length, 0);
        // A full disk must not keep a brick from being opened: files could not even be removed.
        boolean isExcused =
                written == -Errno.EBADF // a read-only file system's
                        || Errno.blockError((int) -written) == BlockError.ENOSPC;
        if (written < 0 && !isExcused) {
            throw Errno.exception(
                    "write the brick's lock file", "directory=" + directory, (int) -written);
        }
    }

    /** Written over is nothing but a lock: the number of a process, or nothing. */
    private static void requireLock(int lockFd, UnsafeBuffer text, String directory) {
        OwnFile.requireSingle(lockFd, LOCK_NAME, directory);
        long length = SystemCalls.pread(lockFd, text.addressOffset(), text.capacity(), 0);
        boolean isLock = length <= PID_BYTES;
        for (int i = 0; i < length; i++) {
            byte b = text.getByte(i);
            isLock &= b == ' ' || b == '\n' || (b >= '0' && b <= '9');
        }
        if (!isLock) {
            throw OwnFile.somethingElse(LOCK_NAME, directory);
        }
    }

    private static String readPid(int lockFd, UnsafeBuffer text) {
        long length = SystemCalls.pread(lockFd, text.addressOffset(), PID_BYTES, 0);
        byte[] pid = new byte[(int) Math.max(0, length)];
        text.getBytes(0, pid);
        String digits = new String(pid, StandardCharsets.US_ASCII).trim();
        return digits.isEmpty() ? "unknown" : digits;
    }
}
