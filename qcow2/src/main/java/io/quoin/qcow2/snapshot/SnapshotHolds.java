package io.quoin.qcow2.snapshot;

import java.util.concurrent.CompletionStage;

/**
 * Keeps snapshots of one image as they are while they are open or stood on.
 *
 * <p>Threading: confined(loop).
 */
@FunctionalInterface
public interface SnapshotHolds {
    /**
     * Holds a snapshot to take it, or its name, away; what it is given ends that.
     *
     * @param idOrName by one of which it may be open or named
     * @return fails with EBUSY if it is
     */
    CompletionStage<Runnable> hold(String idOrName);
}
