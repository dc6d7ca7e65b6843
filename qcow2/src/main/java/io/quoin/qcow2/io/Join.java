package io.quoin.qcow2.io;

import io.quoin.block.BlockError;

/**
 * Waits for several operations and passes on one outcome: the first error, else OK. The creator
 * holds one share itself and gives it up by {@link #started} once it has begun the last operation.
 *
 * <p>Threading: confined(loop).
 */
public final class Join implements Outcome {
    private final Outcome then;
    private int left = 1;
    private BlockError error = BlockError.OK;

    public Join(Outcome then) {
        this.then = then;
    }

    /** Counts one more operation, whose outcome is this. */
    public Outcome one() {
        left++;
        return this;
    }

    /** No more operations will be added. */
    public void started() {
        done(BlockError.OK);
    }

    @Override
    public void done(BlockError outcome) {
        if (error.isOk()) {
            error = outcome;
        }
        left--;
        if (left == 0) {
            then.done(error);
        }
    }
}
