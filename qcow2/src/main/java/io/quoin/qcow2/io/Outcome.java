package io.quoin.qcow2.io;

import io.quoin.block.BlockError;

/**
 * Called once when a metadata operation has ended.
 *
 * <p>Threading: called on the owner loop, possibly before the operation's method returns.
 */
@FunctionalInterface
public interface Outcome {
    void done(BlockError error);
}
