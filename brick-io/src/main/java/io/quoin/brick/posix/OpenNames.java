package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.OpenMode;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which files are open: any number of readers and one writer, or one namespace operation that wants
 * the name for itself. All of them together are one user of the file to other programs.
 *
 * <p>Threading: thread-safe.
 */
final class OpenNames {
    private static final class Users {
        private int readers;
        private boolean writer;
        private boolean exclusive;
        private @Nullable ImageLock lock;

        boolean isIdle() {
            return readers == 0 && !writer && !exclusive;
        }
    }

    private final Map<String, Users> open = new HashMap<>();

    synchronized void acquire(String fileName, OpenMode mode) {
        Users users = open.computeIfAbsent(fileName, name -> new Users());
        if (users.exclusive) {
            throw busy(fileName, "being renamed, removed or copied");
        }
        if (mode == OpenMode.READ_ONLY) {
            users.readers++;
        } else if (users.writer) {
            throw busy(fileName, "open for writing");
        } else {
            users.writer = true;
        }
    }

    /**
     * Locks an acquired file against other programs, until it is released.
     *
     * @throws BlockException EBUSY if one uses it in a way that does not go with this
     */
    synchronized void lock(String fileName, OpenMode mode, int openFd) {
        Users users = users(fileName);
        ImageLock lock = users.lock;
        if (lock == null) {
            lock = ImageLock.reader(fileName, openFd);
            users.lock = lock;
        }
        if (mode == OpenMode.READ_WRITE) {
            lock.addWriter();
        }
    }

    synchronized void release(String fileName, OpenMode mode) {
        Users users = users(fileName);
        if (mode == OpenMode.READ_ONLY) {
            users.readers--;
        } else {
            users.writer = false;
            ImageLock lock = users.lock;
            if (lock != null) {
                lock.dropWriter();
            }
        }
        forget(fileName, users);
    }

    private Users users(String fileName) {
        Users users = open.get(fileName);
        if (users == null) {
            throw new AssertionError("file is not open: " + fileName);
        }
        return users;
    }

    synchronized void acquireExclusive(String fileName) {
        Users users = open.computeIfAbsent(fileName, name -> new Users());
        if (!users.isIdle()) {
            throw busy(fileName, "open");
        }
        users.exclusive = true;
    }

    synchronized void releaseExclusive(String fileName) {
        Users users = users(fileName);
        if (!users.exclusive) {
            throw new AssertionError("name released that is not held: " + fileName);
        }
        users.exclusive = false;
        forget(fileName, users);
    }

    synchronized int count() {
        return open.size();
    }

    private void forget(String fileName, Users users) {
        if (users.isIdle()) {
            open.remove(fileName);
            ImageLock lock = users.lock;
            if (lock != null) {
                lock.close();
            }
        }
    }

    private static BlockException busy(String fileName, String state) {
        return new BlockException(
                BlockError.EBUSY, "file is busy: file=" + fileName + ", state=" + state);
    }
}
