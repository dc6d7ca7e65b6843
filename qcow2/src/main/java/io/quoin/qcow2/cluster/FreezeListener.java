package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.FrozenMetadata;

/**
 * Told once, how {@link OpenImage#freeze} went.
 *
 * <p>Threading: confined(loop).
 */
public interface FreezeListener {
    /**
     * The metadata are frozen.
     *
     * @param countedAhead clusters that may be counted more often than tables refer to them; some
     *     of them many times
     */
    void frozen(FrozenMetadata metadata, ClusterRuns countedAhead);

    void failed(BlockError error);
}
