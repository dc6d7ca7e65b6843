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

    private final ExcessReferences excess;
    private int slicesLeft = SLICES_PER_TURN;

    LowerTask(RefcountBlocks blocks, ExcessReferences excess) {
        super(blocks);
        this.excess = excess;
        excess.begin();
    }

    boolean isUnfinished() {
        return !excess.isDone();
    }

    @Override
    protected boolean work() {
        if (!error().isOk() || excess.isDone() || slicesLeft == 0) {
            return false;
        }
        long cluster = excess.cluster();
        if (!blocks.hasBlock(cluster)) {
            excess.lower(0);
            return true;
        }
        Slice slice = sliceOrRoom(cluster);
        if (slice == null) {
            return true;
        }
        long sliceEnd = blocks.sliceEnd(cluster);
        while (!excess.isDone() && excess.cluster() < sliceEnd) {
            long at = excess.cluster();
            // Nothing is taken off of what has become metadata, whatever was found.
            long count = blocks.map().contains(at) ? 0 : blocks.count(slice, at);
            long lowered = excess.lower(count);
            if (lowered != count) {
                blocks.setCount(slice, at, lowered);
            }
        }
        slicesLeft--;
        return true;
    }
}
