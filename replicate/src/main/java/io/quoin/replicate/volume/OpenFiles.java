package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.OpenMode;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;

/**
 * Which files are open, or being opened: each for writing once, for reading any number of times.
 *
 * <p>Threading: thread-safe.
 */
final class OpenFiles {
    private final Map<UUID, Uses> open = new HashMap<>();

    /** Says that a file is being opened; EBUSY if it may not be. */
    synchronized void acquire(UUID file, String fileName, OpenMode mode) {
        Uses uses = open.computeIfAbsent(file, key -> new Uses());
        if (mode == OpenMode.READ_ONLY) {
            uses.readers++;
        } else if (uses.isWritten) {
            throw new BlockException(
                    BlockError.EBUSY, "file is open for writing already: name=" + fileName);
        } else {
            uses.isWritten = true;
        }
    }

    /** Takes back an {@link #acquire}. */
    synchronized void release(UUID file, OpenMode mode) {
        Uses uses = open.get(file);
        if (uses == null) {
            throw new AssertionError("file was not open: id=" + file);
        }
        if (mode == OpenMode.READ_ONLY) {
            uses.readers--;
        } else {
            uses.isWritten = false;
        }
        if (uses.readers == 0 && !uses.isWritten) {
            open.remove(file);
        }
    }

    /** Fails with EBUSY if the file is open. */
    synchronized void requireClosed(UUID file, String fileName) {
        if (open.containsKey(file)) {
            throw new BlockException(BlockError.EBUSY, "file is open: name=" + fileName);
        }
    }

    private static final class Uses {
        private int readers;
        private boolean isWritten;
    }
}
