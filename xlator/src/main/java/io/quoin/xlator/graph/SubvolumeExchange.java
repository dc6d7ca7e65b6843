package io.quoin.xlator.graph;

import io.quoin.xlator.Xlator;
import java.util.concurrent.CompletionStage;

/**
 * A node that can go on, for a while, without one of its subvolumes, and with another in its place.
 *
 * <p>Threading: thread-safe.
 */
public interface SubvolumeExchange {
    /**
     * Lets go of a subvolume, as if it had failed. Nothing of it is used once the stage completes.
     *
     * @param number of the subvolume, from 0
     */
    CompletionStage<Void> release(int number);

    /**
     * Uses a subvolume in the place of one that was released.
     *
     * @param number of the subvolume, from 0
     */
    void take(int number, Xlator subvolume);
}
