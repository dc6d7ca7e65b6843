package io.quoin.backup;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * Hears how work on backups gets on, on the thread that does it.
 *
 * <p>Threading: confined to that thread.
 */
public interface BackupEvents {
    /** Hears nothing, and lets the work go on to its end. */
    BackupEvents SILENT = new BackupEvents() {};

    /** So many bytes are done. */
    default void progress(long doneBytes, long totalBytes) {}

    /** One line for a person. */
    default void message(String text) {}

    /** Whether the work is to end, soon. */
    default boolean isEnding() {
        return false;
    }

    /**
     * Between pieces of work; may wait, as for a job that is paused.
     *
     * @return false: the work is to end
     */
    default boolean proceed() {
        return !isEnding();
    }

    /**
     * {@link #proceed}, or the end of the work.
     *
     * @throws BlockException ESHUTDOWN
     */
    default void checkpoint() {
        if (!proceed()) {
            throw new BlockException(BlockError.ESHUTDOWN, "backup work was ended");
        }
    }
}
