package io.quoin.qcow2.snapshot;

/**
 * Told how far long work on a snapshot has come.
 *
 * <p>Threading: confined(loop) of the image; must not block.
 */
@FunctionalInterface
public interface SnapshotProgress {
    /**
     * Some of it is done.
     *
     * @param done units of work of {@code total}
     * @return false: stop soon. What is left is done after the next open of the image
     */
    boolean advanced(long done, long total);
}
