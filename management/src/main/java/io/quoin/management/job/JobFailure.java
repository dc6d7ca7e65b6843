package io.quoin.management.job;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * Why a job ended without a result.
 *
 * <p>Threading: immutable.
 *
 * @param error name of the {@link BlockError}
 * @param message one line for a person
 */
public record JobFailure(String error, String message) {
    static JobFailure of(BlockException failure) {
        return new JobFailure(failure.error().name(), String.valueOf(failure.getMessage()));
    }

    /** The failure, to be thrown by the client that waited for the job. */
    public BlockException toException() {
        return new BlockException(errorNamed(error), message);
    }

    /** The error of that name; EIO for one that this version does not know. */
    public static BlockError errorNamed(String name) {
        for (BlockError error : BlockError.values()) {
            if (error.name().equals(name) && !error.isOk()) {
                return error;
            }
        }
        return BlockError.EIO;
    }
}
