package io.quoin.block.ring;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;

/**
 * What a {@link RingHold} tells its holder: {@link #reached} at most once, then {@link #failed} at
 * most once, and nothing after a release.
 *
 * <p>Threading: called on the ring's owner, where nothing may block.
 */
public interface HoldListener {
    /**
     * The disk is quiet: every request published before the hold has been answered, and none is
     * handed to the device until the hold ends.
     */
    void reached();

    /**
     * The ring is not held, or no more: {@link BlockError#EBUSY} if it is held already or the limit
     * has gone by, {@link BlockError#ESHUTDOWN} if it is closed. When this is called none of the
     * requests that waited has begun.
     */
    void failed(BlockException cause);
}
