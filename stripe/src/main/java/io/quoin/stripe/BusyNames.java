package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.HashMap;
import java.util.Map;

/**
 * Names whose files are open, or are being changed: the one excludes the other.
 *
 * <p>Threading: thread-safe.
 */
final class BusyNames {
    private static final int CHANGING = -1;

    /** How many have it open, or {@link #CHANGING}. */
    private final Map<String, Integer> users = new HashMap<>();

    /**
     * For a file that is opened.
     *
     * @throws BlockException EBUSY while the name is changed
     */
    synchronized void open(String fileName) {
        int count = users.getOrDefault(fileName, 0);
        if (count == CHANGING) {
            throw busy(fileName, "being created, renamed or removed");
        }
        users.put(fileName, count + 1);
    }

    synchronized void close(String fileName) {
        users.computeIfPresent(fileName, (name, count) -> count == 1 ? null : count - 1);
    }

    /**
     * For a name that is changed.
     *
     * @throws BlockException EBUSY while its file is open, or another changes it
     */
    synchronized void beginChange(String fileName) {
        Integer count = users.putIfAbsent(fileName, CHANGING);
        if (count != null) {
            throw busy(fileName, count == CHANGING ? "being changed" : "open");
        }
    }

    synchronized void endChange(String fileName) {
        users.remove(fileName, CHANGING);
    }

    private static BlockException busy(String fileName, String state) {
        return new BlockException(
                BlockError.EBUSY, "file is busy: file=" + fileName + ", state=" + state);
    }
}
