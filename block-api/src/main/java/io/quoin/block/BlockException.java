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

    /** The message begins with it; null: with something else. */
    private final @Nullable String file;

    public BlockException(BlockError error, String message) {
        this(error, message, null);
    }

    public BlockException(BlockError error, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.error = error;
        this.file = null;
    }

    private BlockException(String file, BlockException failure) {
        super(file + ": " + failure.getMessage(), failure);
        this.error = failure.error;
        this.file = file;
    }

    /**
     * This failure with the name of the file that is wrong in front. Once it has one it stays as it
     * is: the place nearest to the file knows best, and no name is told twice.
     */
    public BlockException about(String fileName) {
        return file == null ? new BlockException(fileName, this) : this;
    }

    /** Never {@link BlockError#OK}. */
    public BlockError error() {
        return error;
    }
}
