package io.quoin.qcow2.refcount;

import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ClusterRuns;

/**
 * Finds those of the candidates that are counted once, in some slices of refcount blocks at a time.
 * It changes nothing.
 *
 * <p>Threading: confined(loop).
 */
final class LeakScan extends RefcountTask {
    private static final int SLICES_PER_TURN = 128;

    private final LeakCandidates candidates;
    private final ClusterRuns leaked = new ClusterRuns();
    private long at;
    private long count;
    private int slicesLeft = SLICES_PER_TURN;

    LeakScan(RefcountBlocks blocks, LeakCandidates candidates, long from) {
        super(blocks);
        this.candidates = candidates;
        this.at = from;
    }

    ClusterRuns leaked() {
        return leaked;
    }

    long count() {
        return count;
    }

    /** Where to go on; -1: that was all. */
    long next() {
        return at;
    }

    @Override
    protected boolean work() {
        if (!error().isOk() || slicesLeft == 0) {
            return false;
        }
        long cluster = candidates.next(at);
        if (cluster < 0) {
            at = -1;
            return false;
        }
        long blockEnd = (blocks.layout().blockIndex(cluster) + 1) * blocks.layout().blockEntries();
        if (!blocks.hasBlock(cluster)) {
            at = blockEnd;
            return true;
        }
        Slice slice = sliceOf(cluster);
        if (slice == null) {
            return true;
        }
        long sliceEnd = blocks.sliceEnd(cluster);
        for (; cluster >= 0 && cluster < sliceEnd; cluster = candidates.next(cluster + 1)) {
            if (blocks.count(slice, cluster) == 1 && !blocks.map().contains(cluster)) {
                leaked.add(cluster);
                count++;
            }
        }
        at = sliceEnd;
        slicesLeft--;
        return true;
    }
}
