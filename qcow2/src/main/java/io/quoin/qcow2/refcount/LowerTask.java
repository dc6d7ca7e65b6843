package io.quoin.qcow2.refcount;

import io.quoin.qcow2.cache.Slice;

/**
 * Takes off of counts what is too much, in some slices of refcount blocks at a time. Counts that
 * are too high may become lower on disk at any time, in any order.
 *
 * <p>Threading: confined(loop).
 */
final class LowerTask extends RefcountTask {
    private static final int SLICES_PER_TURN = 128;

    private final TooHigh tooHigh;
    private int slicesLeft = SLICES_PER_TURN;

    LowerTask(RefcountBlocks blocks, TooHigh tooHigh) {
        super(blocks);
        this.tooHigh = tooHigh;
        tooHigh.begin();
    }

    boolean isUnfinished() {
        return !tooHigh.isDone();
    }

    @Override
    protected boolean work() {
        if (!error().isOk() || tooHigh.isDone() || slicesLeft == 0) {
            return false;
        }
        long cluster = tooHigh.cluster();
        if (!blocks.hasBlock(cluster)) {
            tooHigh.lower(0);
            return true;
        }
        Slice slice = sliceOrRoom(cluster);
        if (slice == null) {
            return true;
        }
        long sliceEnd = blocks.sliceEnd(cluster);
        while (!tooHigh.isDone() && tooHigh.cluster() < sliceEnd) {
            long at = tooHigh.cluster();
            // Nothing is taken off of what has become metadata, whatever was found.
            long count = blocks.map().contains(at) ? 0 : blocks.count(slice, at);
            long lowered = tooHigh.lower(count);
            if (lowered != count) {
                blocks.setCount(slice, at, lowered);
            }
        }
        slicesLeft--;
        return true;
    }
}
