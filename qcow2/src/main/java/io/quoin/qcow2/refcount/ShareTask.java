package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;

/**
 * Counts a snapshot's references, one more for each cluster of a list, all or none. It is the
 * snapshot that fails where that is not possible, and not the image: what was counted is taken
 * back, or leaks if it cannot be.
 *
 * <pre>
 *  RAISE  the counts in memory --EFBIG: wider than the image's counts, EIO--> UNDO
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class ShareTask extends RefcountTask {
    private final long[] clusters;
    private final int size;
    private int next;
    private int undone;
    private BlockError failure = BlockError.OK;

    /**
     * @param clusters sorted, a cluster as often as it is referred to
     */
    ShareTask(RefcountBlocks blocks, long[] clusters, int size) {
        super(blocks);
        this.clusters = clusters;
        this.size = size;
    }

    BlockError failure() {
        return failure.isOk() ? error() : failure;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            return false;
        }
        if (!failure.isOk()) {
            return undo();
        }
        if (next == size) {
            return false;
        }
        long cluster = clusters[next];
        if (!blocks.hasBlock(cluster)) {
            failure = BlockError.EIO;
            return true;
        }
        Slice slice = sliceOrRoom(cluster);
        if (slice == null) {
            return true;
        }
        long count = blocks.count(slice, cluster);
        if (count == 0) {
            failure = BlockError.EIO;
        } else if (count == blocks.layout().countMax()) {
            failure = BlockError.EFBIG;
        } else {
            blocks.setCount(slice, cluster, count + 1);
            next++;
        }
        return true;
    }

    private boolean undo() {
        if (undone == next) {
            return false;
        }
        long cluster = clusters[undone];
        Slice slice = sliceOrRoom(cluster);
        if (slice != null) {
            blocks.setCount(slice, cluster, blocks.count(slice, cluster) - 1);
            undone++;
        }
        return true;
    }
}
