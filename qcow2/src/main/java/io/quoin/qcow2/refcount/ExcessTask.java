package io.quoin.qcow2.refcount;

import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ClusterRuns;
import io.quoin.qcow2.io.MetadataKind;

/**
 * Lowers counts to the references that a walk has seen, in some slices of refcount blocks at a
 * time. What was seen and the count are compared, and the count lowered, in one turn: nothing comes
 * in between. Counts that are too high may become lower on disk at any time, in any order.
 *
 * <p>Clusters to which nothing refers are counted once then, and left for the caller to free.
 *
 * <p>Threading: confined(loop).
 */
final class ExcessTask extends RefcountTask {
    private static final int SLICES_PER_TURN = 128;
    private static final int UNUSED_PER_TURN = 1 << 16;

    private final SeenReferences seen;
    private final boolean mayChange;
    private final ClusterRuns unused = new ClusterRuns();
    private long at;
    private long unusedCount;
    private long lowered;
    private long singles;
    private int slicesLeft = SLICES_PER_TURN;
    private boolean needsChange;

    /**
     * @param mayChange else it ends at the first cluster that something is to be done about
     */
    ExcessTask(RefcountBlocks blocks, SeenReferences seen, long from, boolean mayChange) {
        super(blocks);
        this.seen = seen;
        this.at = from;
        this.mayChange = mayChange;
    }

    /** Counted once, with no reference. */
    ClusterRuns unused() {
        return unused;
    }

    long unusedCount() {
        return unusedCount;
    }

    /** Clusters that are referred to and were counted too often. */
    long lowered() {
        return lowered;
    }

    /** Clusters whose one entry lacks COPIED. */
    long singles() {
        return singles;
    }

    /** Whether the image has to be changed to go on. */
    boolean needsChange() {
        return needsChange;
    }

    /** Where to go on; -1: that was all. */
    long next() {
        return at;
    }

    @Override
    protected boolean work() {
        if (!error().isOk() || slicesLeft == 0 || needsChange || unusedCount >= UNUSED_PER_TURN) {
            return false;
        }
        long cluster = seen.next(at);
        if (cluster < 0) {
            at = -1;
            return false;
        }
        if (!blocks.hasBlock(cluster)) {
            at = (blocks.layout().blockIndex(cluster) + 1) * blocks.layout().blockEntries();
            return true;
        }
        Slice slice = sliceOrRoom(cluster);
        if (slice == null) {
            return true;
        }
        at = blocks.sliceEnd(cluster);
        for (; cluster >= 0 && cluster < at; cluster = seen.next(cluster + 1)) {
            if (!settle(slice, cluster)) {
                needsChange = true;
                at = cluster;
            }
        }
        slicesLeft--;
        return true;
    }

    /** False if it would have to change something and may not. */
    private boolean settle(Slice slice, long cluster) {
        MetadataKind kind = blocks.map().kindOf(cluster);
        if (blocks.map().contains(cluster) && kind != MetadataKind.L2_TABLE) {
            seen.leave(cluster);
            return true;
        }
        long count = blocks.count(slice, cluster);
        long references = seen.references(cluster);
        boolean excess = Long.compareUnsigned(count, references) > 0;
        boolean single = seen.lacksCopied(cluster) && count != 0;
        if (!mayChange && (excess || single)) {
            return false;
        }
        if (excess) {
            lower(slice, cluster, count, references);
        }
        if (single) {
            seen.single(cluster);
            singles++;
        } else {
            seen.leave(cluster);
        }
        return true;
    }

    private void lower(Slice slice, long cluster, long count, long references) {
        long wanted = Math.max(1, references);
        if (count != wanted) {
            blocks.setCount(slice, cluster, wanted);
        }
        if (references == 0) {
            unused.add(cluster);
            unusedCount++;
        } else {
            lowered++;
        }
    }
}
