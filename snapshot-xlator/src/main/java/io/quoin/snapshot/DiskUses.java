package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.HashMap;
import java.util.Map;

/**
 * Which disk is used by what in this process. An image that is written has metadata in memory that
 * nothing else may read or change below it, so a disk has either one exclusive user (a writer, a
 * create, a rename, a remove) or any number of readers.
 *
 * <p>Threading: thread-safe.
 */
final class DiskUses {
    private static final int EXCLUSIVE = -1;

    /** Number of readers, or EXCLUSIVE. */
    private final Map<String, Integer> users = new HashMap<>();

    synchronized void acquireExclusive(String disk) {
        if (users.containsKey(disk)) {
            throw busy(disk);
        }
        users.put(disk, EXCLUSIVE);
    }

    synchronized void acquireShared(String disk) {
        int readers = users.getOrDefault(disk, 0);
        if (readers == EXCLUSIVE) {
            throw busy(disk);
        }
        users.put(disk, readers + 1);
    }

    synchronized void releaseExclusive(String disk) {
        users.remove(disk, EXCLUSIVE);
    }

    synchronized void releaseShared(String disk) {
        users.computeIfPresent(disk, (name, readers) -> readers <= 1 ? null : readers - 1);
    }

    private static BlockException busy(String disk) {
        return new BlockException(
                BlockError.EBUSY,
                "disk is in use: name=" + disk + "; close or detach it first, then try again");
    }
}
