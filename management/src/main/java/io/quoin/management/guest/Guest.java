package io.quoin.management.guest;

import io.quoin.block.BlockException;

/**
 * What can have the file systems of one guest stand still. {@link #thaw} follows each {@link
 * #freeze}, whether that failed or not.
 *
 * <p>Threading: confined to one thread at a time; blocks, until the deadlines at most.
 */
interface Guest {
    /** Names it, in messages. */
    String text();

    /**
     * Has them stand still.
     *
     * @param deadlineNanos by {@link System#nanoTime}
     * @return how many file systems stand still
     * @throws BlockException if that is not known
     */
    int freeze(long deadlineNanos);

    /**
     * Has them go on; tries again until they do.
     *
     * @param deadlineNanos by {@link System#nanoTime}
     * @return how many stood still until now
     * @throws BlockException if they may stand still for longer
     */
    int thaw(long deadlineNanos);
}
