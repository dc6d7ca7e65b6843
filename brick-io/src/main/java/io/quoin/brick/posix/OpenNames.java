package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.OpenMode;
import java.util.HashMap;
import java.util.Map;

/**
 * Who has which file open: any number of readers and one writer, or one namespace operation that
 * wants the name for itself.
 *
 * <p>Threading: thread-safe.
 */
final class OpenNames {
    private static final class Users {
        private int readers;
        private boolean writer;
        private boolean exclusive;

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

    synchronized void release(String fileName, OpenMode mode) {
        Users users = open.get(fileName);
        if (users == null) {
            throw new AssertionError("file released that is not open: " + fileName);
        }
        if (mode == OpenMode.READ_ONLY) {
            users.readers--;
        } else {
            users.writer = false;
        }
        forget(fileName, users);
    }

    synchronized void acquireExclusive(String fileName) {
        Users users = open.computeIfAbsent(fileName, name -> new Users());
        if (!users.isIdle()) {
            throw busy(fileName, "open");
        }
        users.exclusive = true;
    }

    synchronized void releaseExclusive(String fileName) {
        Users users = open.get(fileName);
        if (users == null || !users.exclusive) {
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
        }
    }

    private static BlockException busy(String fileName, String state) {
        return new BlockException(
                BlockError.EBUSY, "file is busy: file=" + fileName + ", state=" + state);
    }
}
