package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.ClusterRuns;

/**
 * Takes one reference from each cluster of a list to which nothing durable points any more. A
 * cluster whose count falls to 0 is punched first and becomes free only when the punch has ended,
 * so that a punch never hits its next user. A crash in between leaves a counted cluster that
 * nothing uses: a leak.
 *
 * <p>Threading: confined(loop).
 */
final class FreeTask extends RefcountTask {
    private static final int STEPS_PER_TURN = 64;

    private final ClusterReserve reserve;
    private final ClusterRuns runs;
    private final boolean punch;
    private int run;
    private int inRun;
    private long punchStart;
    private int punchCount;
    private boolean punched;
    private int turns;

    FreeTask(RefcountBlocks blocks, ClusterReserve reserve, ClusterRuns runs, boolean punch) {
        super(blocks);
        this.reserve = reserve;
        this.runs = runs;
        this.punch = punch;
        runs.sort();
    }

    /** All that it was given, done or not. */
    ClusterRuns runs() {
        return runs;
    }

    /** Whether it gave way to other tasks before its end. */
    boolean isUnfinished() {
        return run < runs.size() && blocks.io().health().isWritable();
    }

    void nextTurn() {
        turns = 0;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            // A slice cannot be read: what is left stays counted, which is a leak.
            punchCount = 0;
            run = runs.size();
            return false;
        }
        if (punchCount > 0) {
            return settle();
        }
        if (run == runs.size() || turns == STEPS_PER_TURN || !blocks.io().health().isWritable()) {
            return false;
        }
        long cluster = runs.start(run) + inRun;
        if (!blocks.hasBlock(cluster)) {
            reportUncounted(cluster);
            return false;
        }
        Slice slice = sliceOrRoom(cluster);
        if (slice != null) {
            collect(slice);
        }
        return true;
    }

    /** Goes through clusters of one slice, up to where a run to punch ends. */
    private void collect(Slice slice) {
        while (run < runs.size()) {
            long cluster = runs.start(run) + inRun;
            if (!blocks.counts(slice, cluster)) {
                return;
            }
            long count = blocks.count(slice, cluster);
            if (count == 1) {
                if (punchCount > 0 && cluster != punchStart + punchCount) {
                    return;
                }
                punchStart = punchCount == 0 ? cluster : punchStart;
                punchCount++;
            } else if (punchCount > 0) {
                return;
            } else if (count == 0) {
                reportUncounted(cluster);
            } else {
                blocks.setCount(slice, cluster, count - 1);
            }
            next();
        }
    }

    private void reportUncounted(long cluster) {
        blocks.io()
                .health()
                .corrupt("refcount of a used cluster", cluster << blocks.clusterBits(), 0);
    }

    private void next() {
        inRun++;
        if (inRun == runs.count(run)) {
            inRun = 0;
            run++;
        }
    }

    private boolean settle() {
        long hostOffset = punchStart << blocks.clusterBits();
        long length =
                Math.min(
                        (long) punchCount << blocks.clusterBits(),
                        blocks.io().fileSizeBytes() - hostOffset);
        if (!punched && punch && length > 0) {
            punched = true;
            turns++;
            await();
            // A failed punch costs room, not correctness.
            blocks.io().discard(hostOffset, length, error -> answer(BlockError.OK));
            return true;
        }
        Slice slice = sliceOf(punchStart);
        if (slice == null) {
            return true;
        }
        for (long cluster = punchStart; cluster < punchStart + punchCount; cluster++) {
            blocks.setCount(slice, cluster, 0);
            blocks.map().remove(cluster);
        }
        reserve.freed(punchStart);
        punched = false;
        punchCount = 0;
        return true;
    }
}
