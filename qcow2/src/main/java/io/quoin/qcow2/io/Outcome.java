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

    /** What runs {@code next} if it is OK, and else passes the error on to this one. */
    default Outcome ifOk(Runnable next) {
        return error -> {
            if (error.isOk()) {
                next.run();
            } else {
                done(error);
            }
        };
    }
}
