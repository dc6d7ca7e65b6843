package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The lock of a brick: that of the file {@code .quoin/lock}, which also names the process that
 * holds it. The kernel lets go of it when that process ends, however it ends.
 *
 * <p>Threading: thread-safe.
 */
final class BrickLock {
    private static final String LOCK_NAME = "lock";
    private static final int PID_BYTES = 32;

    private BrickLock() {}

    /**
     * The locked lock file of a brick whose own folder is open; it is made where it is missing.
     *
     * @throws BlockException EBUSY if another process holds it
     */
    static int make(int ownFd, String directory) {
        int lockFd = OwnFile.open(ownFd, LOCK_NAME, directory);
        boolean locked = false;
        try {
            lock(lockFd, directory);
            locked = true;
            return lockFd;
        } finally {
            if (!locked) {
                SystemCalls.close(lockFd);
            }
        }
    }

    /**
     * The locked lock file of a folder that is a brick already; -1 where it is none.
     *
     * @throws BlockException EBUSY if another process holds it
     */
    static int ifBrick(int fd, String directory) {
        int flags = SystemCalls.O_RDONLY | SystemCalls.ABI.openDirectory();
        int ownFd = openNoFollow(fd, FileNames.OWN_FOLDER, flags);
        if (isNone(ownFd)) {
            return -1;
        }
        int lockFd = ownFd;
        if (ownFd >= 0) {
            lockFd = openNoFollow(ownFd, LOCK_NAME, SystemCalls.O_RDWR);
            if (lockFd == -Errno.EROFS) {
                lockFd = openNoFollow(ownFd, LOCK_NAME, SystemCalls.O_RDONLY);
            }
            SystemCalls.close(ownFd);
        }
        if (isNone(lockFd)) {
            return -1;
        }
        if (lockFd < 0) {
            throw Errno.exception("open the brick's lock file", "directory=" + directory, -lockFd);
        }
        boolean locked = false;
        try {
            lock(lockFd, directory);
            locked = true;
            return lockFd;
        } finally {
            if (!locked) {
                SystemCalls.close(lockFd);
            }
        }
    }

    private static int openNoFollow(int folderFd, String name, int flags) {
        int all = flags | SystemCalls.ABI.openNoFollow();
        return SystemCalls.openat(folderFd, FileNames.encodePath(name), all, 0);
    }

    /** A folder whose {@code .quoin} is a link, or no folder, is no brick. */
    private static boolean isNone(int fd) {
        return fd == -Errno.ENOENT || fd == -Errno.ENOTDIR || fd == -Errno.ELOOP;
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
