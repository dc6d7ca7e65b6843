package io.quoin.qcow2.refcount;

import io.quoin.qcow2.cache.ClusterRuns;

/**
 * Finds those of the candidates that are counted once, in some refcount blocks at a time. It
 * changes nothing.
 *
 * <p>Threading: confined(loop).
 */
final class LeakScan extends RefcountTask {
    private static final int BLOCKS_PER_TURN = 8;

    private final LeakCandidates candidates;
    private final ClusterRuns leaked = new ClusterRuns();
    private long at;
    private long count;
    private int blocksLeft = BLOCKS_PER_TURN;

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
        if (!error().isOk() || blocksLeft == 0) {
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
        RefcountBlock block = blockOf(cluster);
        if (block == null) {
            return true;
        }
        for (; cluster >= 0 && cluster < blockEnd; cluster = candidates.next(cluster + 1)) {
            if (blocks.count(block, cluster) == 1 && !blocks.map().contains(cluster)) {
                leaked.add(cluster);
                count++;
            }
        }
        at = blockEnd;
        blocksLeft--;
        return true;
    }
}
