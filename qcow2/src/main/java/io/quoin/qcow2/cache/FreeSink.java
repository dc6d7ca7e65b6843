package io.quoin.qcow2.cache;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.Outcome;

/**
 * Takes host clusters to which no entry on disk points any more: their counts may go down.
 *
 * <p>Threading: confined(loop).
 */
@FunctionalInterface
public interface FreeSink {
    /**
     * Each cluster index stands for one reference that is gone; the list is the sink's from now on.
     */
    void unreferenced(ClusterRuns runs);

    /** A reference to a cluster has been taken out of an entry in memory. */
    default void unlinked(long clusterIndex) {}

    /** Whether counts were raised for entries in memory and are not on disk. */
    default boolean hasRaised() {
        return false;
    }

    /** Writes them; the caller flushes. */
    default void writeRaised(Outcome outcome) {
        outcome.done(BlockError.OK);
    }
}
