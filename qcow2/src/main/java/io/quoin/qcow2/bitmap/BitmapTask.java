package io.quoin.qcow2.bitmap;

import io.quoin.block.BlockError;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.io.Steps;
import org.jspecify.annotations.Nullable;

/**
 * A piece of work on bitmaps that waits for one thing after the other. It ends with the first
 * error.
 *
 * <p>Threading: confined(loop).
 */
abstract class BitmapTask extends Steps {
    private BlockError error = BlockError.OK;
    private boolean waiting;
    private @Nullable Outcome whenEnded;

    /** Starts it; {@code ended} is told how it ended. */
    final void start(Outcome ended) {
        whenEnded = ended;
        resume();
    }

    @Override
    public final void fail(BlockError failure) {
        if (error.isOk()) {
            error = failure;
        }
    }

    /** Says that {@link #answer} will be called; until then {@link #work} is not. */
    protected final void await() {
        waiting = true;
    }

    /** The outcome of what it waited for. */
    protected final void answer(BlockError outcome) {
        waiting = false;
        fail(outcome);
        resume();
    }

    @Override
    protected final boolean step() {
        if (waiting) {
            return false;
        }
        if (error.isOk() && work()) {
            return true;
        }
        Outcome ended = whenEnded;
        if (!waiting && ended != null) {
            whenEnded = null;
            ended.done(error);
        }
        return false;
    }

    /**
     * Goes one step.
     *
     * @return whether there is more to do; with {@link #await} called, after the answer
     */
    protected abstract boolean work();
}
