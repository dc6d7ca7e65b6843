package io.quoin.brick.posix;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * The one owner of a file descriptor, from the call that opens it on. The kernel gives a number
 * that has been closed to the next file or socket, so a second close, or a call after the first,
 * would meet another file. Here neither can be: the number can be taken out once only, and later
 * callers get one that the kernel refuses with EBADF.
 *
 * <p>No other class opens or closes (a test of the architecture holds that). If the kernel knows
 * nothing of a number that is still owned here, something else in the process has closed it, and
 * may do so with any other: the process ends ({@link Distrust}).
 *
 * <p>Threading: thread-safe; the owner closes it when no call uses it.
 */
final class Descriptor implements AutoCloseable {
    private final AtomicInteger number;

    private Descriptor(int number) {
        this.number = new AtomicInteger(number);
    }

    /**
     * Opens a file as {@code openat(2)} does, never inherited by another program. If that fails
     * there is nothing to close and {@link #errno} says why.
     */
    static Descriptor open(int folderFd, byte[] path, int flags, int mode) {
        return new Descriptor(SystemCalls.openat(folderFd, path, flags, mode));
    }

    /** Opens anew what another descriptor is open on, with its own position, flags and locks. */
    static Descriptor reopen(int fd, int flags) {
        byte[] path = FileNames.encodePath("/proc/self/fd/" + fd);
        return open(SystemCalls.AT_FDCWD, path, flags, 0);
    }

    /** A unix socket for messages. */
    static Descriptor datagramSocket() {
        return new Descriptor(SystemCalls.datagramSocket());
    }

    boolean isOpen() {
        return number.get() >= 0;
    }

    /** Why it is not open: the error number of the open that failed, EBADF once it is closed. */
    int errno() {
        return Math.max(Errno.NONE, -number.get());
    }

    /** The number for a system call; a negative one, which no call takes, while it is not open. */
    int fd() {
        return number.get();
    }

    /** The number is not known to the kernel, or was closed by another: see {@link Distrust}. */
    void distrustIfOpen() {
        int open = number.get();
        if (open >= 0) {
            Distrust.end("file descriptor is closed, but not by its owner: fd=" + open);
        }
    }

    /**
     * Closes it if it is open.
     *
     * @return 0, or the negative error number of what may be lost
     */
    int tryClose() {
        int open = number.getAndUpdate(held -> held >= 0 ? -Errno.EBADF : held);
        if (open < 0) {
            return 0;
        }
        int result = SystemCalls.close(open);
        if (result == -Errno.EBADF) {
            Distrust.end("file descriptor has been closed by another than its owner: fd=" + open);
        }
        return result;
    }

    /** As {@link #tryClose}, for what has been read only, or synced before. */
    @Override
    public void close() {
        tryClose();
    }
}
