package io.quoin.xlator.debug;

import io.quoin.block.BlockError;

/**
 * An operation that has ended, as a trace node saw it.
 *
 * <p>Threading: immutable.
 *
 * @param number of the operation, counted from 0 since the node was made
 * @param operation as {@link Fop#text} has it
 * @param fileName empty for {@code list}
 * @param flags names, or {@code -}
 * @param error OK, or how it failed
 */
public record TraceEntry(
        long number,
        String operation,
        String fileName,
        long offsetBytes,
        long lengthBytes,
        String flags,
        BlockError error,
        long latencyNanos) {

    @Override
    public String toString() {
        return number
                + " "
                + operation
                + " "
                + fileName
                + " "
                + offsetBytes
                + "+"
                + lengthBytes
                + " "
                + flags
                + " "
                + error
                + " "
                + latencyNanos / 1000
                + "us";
    }
}
