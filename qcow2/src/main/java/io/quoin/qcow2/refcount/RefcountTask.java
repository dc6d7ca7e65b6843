package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.Steps;
import org.jspecify.annotations.Nullable;

/**
 * A piece of work on the refcounts. While it runs no other does.
 *
 * <p>Threading: confined(loop).
 */
abstract class RefcountTask extends Steps {
    protected final RefcountBlocks blocks;
    private BlockError error = BlockError.OK;
    private boolean waiting;
    private @Nullable Runnable whenEnded;

    RefcountTask(RefcountBlocks blocks) {
        this.blocks = blocks;
    }

    /** Starts it; {@code ended} is run once it is over. */
    final void start(Runnable ended) {
        whenEnded = ended;
        resume();
    }

    @Override
    public final void fail(BlockError failure) {
        if (error.isOk()) {
            error = failure;
        }
    }

    final BlockError error() {
        return error;
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

    /** Has the slice that counts {@code clusterIndex} in memory, or waits for it and gives null. */
    protected final @Nullable Slice sliceOf(long clusterIndex) {
        Slice slice = blocks.find(clusterIndex);
        if (slice == null) {
            await();
            blocks.load(clusterIndex, this::answer);
        }
        return slice;
    }

    /**
     * As {@link #sliceOf}, for tasks that change slices without writing them: while too many are
     * changed they are written first, since changed ones stay in memory. Counts may be on disk at
     * any time.
     */
    protected final @Nullable Slice sliceOrRoom(long clusterIndex) {
        if (blocks.find(clusterIndex) == null && blocks.isShortOfClean()) {
            await();
            blocks.writeBlocks(this::answer);
            return null;
        }
        return sliceOf(clusterIndex);
    }

    @Override
    protected final boolean step() {
        if (waiting) {
            return false;
        }
        if (work()) {
            return true;
        }
        Runnable ended = whenEnded;
        if (!waiting && ended != null) {
            whenEnded = null;
            ended.run();
        }
        return false;
    }

    /**
     * Goes one step, {@link #error} telling whether the last wait failed.
     *
     * @return whether there is more to do; with {@link #await} called, after the answer
     */
    protected abstract boolean work();
}
