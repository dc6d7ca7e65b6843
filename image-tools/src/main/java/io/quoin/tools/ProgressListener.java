package io.quoin.tools;

/**
 * Hears how far a long operation is.
 *
 * <p>Threading: called on loops, never twice at once.
 */
@FunctionalInterface
public interface ProgressListener {
    /** {@code doneBytes} of {@code totalBytes} are done. */
    void progress(long doneBytes, long totalBytes);

    /** Whether the operation is to end; it fails with ESHUTDOWN then, soon. */
    default boolean isStopped() {
        return false;
    }
}
