package io.quoin.block;

import org.jspecify.annotations.Nullable;

/**
 * An operating error on the control path: bad input, a full disk, a corrupt image. Its message is
 * for a person and reads {@code what: name=value, expected=..., actual=...}.
 *
 * <p>Threading: immutable.
 */
public final class BlockException extends RuntimeException {
    private final BlockError error;

    public BlockException(BlockError error, String message) {
        this(error, message, null);
    }

    public BlockException(BlockError error, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.error = error;
    }

    /** Never {@link BlockError#OK}. */
    public BlockError error() {
        return error;
    }
}
