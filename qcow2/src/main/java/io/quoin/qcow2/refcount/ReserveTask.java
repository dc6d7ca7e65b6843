package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import java.util.ArrayList;
import java.util.List;

/**
 * Counts clusters before they are used and makes that durable.
 *
 * <pre>
 *  COLLECT   find clusters with count 0: freed ones first, then behind the end; set them to 1 in memory
 *  EXTEND    the file reaches the end of what is reserved, durably, so that a used cluster never lies beyond the end
 *            of the file. Before COUNTS: its zeros would otherwise race with new blocks that lie there
 *  COUNTS    the refcount blocks, durably; then, only with new blocks, their table entries, durably. With lazy
 *            refcounts counts stay in memory until memory is short of clean blocks: the dirty bit is set
 *  PUBLISH   the clusters may be taken
 * </pre>
 *
 * Nothing is given out where the image has as many metadata as it may have when it is opened again.
 *
 * <p>Threading: confined(loop).
 */
final class ReserveTask extends RefcountTask {
    private enum State {
        COLLECT,
        EXTEND,
        COUNTS,
        PUBLISH
    }

    /** Slices that are looked through for freed clusters at most in one go. */
    private static final int SCAN_SLICES_MAX = 256;

    private final ClusterReserve reserve;
    private final boolean lazy;
    private final List<ReservedRun> runs = new ArrayList<>();
    private final List<RefcountBlock> created = new ArrayList<>();
    private State state = State.COLLECT;
    private int wanted;
    private int scanLeft = SCAN_SLICES_MAX;
    private boolean tableFull;

    /**
     * @param lazy whether counts need not be on disk
     */
    ReserveTask(RefcountBlocks blocks, ClusterReserve reserve, boolean lazy, int wanted) {
        super(blocks);
        this.lazy = lazy;
        this.reserve = reserve;
        this.wanted = wanted;
    }

    List<ReservedRun> runs() {
        return runs;
    }

    /** Whether the refcount table has to grow before clusters behind the end can be counted. */
    boolean isTableFull() {
        return tableFull;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            giveBack();
            return false;
        }
        switch (state) {
            case COLLECT -> collect();
            case EXTEND -> {
                state = lazy && !blocks.isShortOfClean() ? State.PUBLISH : State.COUNTS;
                await();
                blocks.io().extend(reserve.end() << blocks.clusterBits(), this::answer);
            }
            case COUNTS -> {
                state = State.PUBLISH;
                await();
                blocks.writeAllDurably(this::answer);
            }
            case PUBLISH -> {
                return false;
            }
        }
        return true;
    }

    private void collect() {
        if (runs.isEmpty() && !blocks.map().hasRoomToGrow()) {
            fail(BlockError.ENOSPC);
        } else if (wanted == 0) {
            state = State.EXTEND;
        } else if (reserve.scanCursor() < reserve.end() && scanLeft > 0) {
            scan();
        } else {
            takeFresh();
        }
    }

    /** Looks through the rest of one slice for clusters that are free again. */
    private void scan() {
        long cluster = reserve.scanCursor();
        int entries = blocks.layout().blockEntries();
        long blockEnd = Math.min(reserve.end(), (cluster / entries + 1) * entries);
        if (!blocks.hasBlock(cluster)) {
            reserve.scanCursor(blocks.isCovered(cluster) ? blockEnd : reserve.end());
            return;
        }
        Slice slice = sliceOf(cluster);
        if (slice == null) {
            return;
        }
        long sliceEnd = Math.min(reserve.end(), blocks.sliceEnd(cluster));
        for (; cluster < sliceEnd && wanted > 0; cluster++) {
            if (blocks.count(slice, cluster) == 0 && !blocks.map().contains(cluster)) {
                take(slice, cluster, false);
            }
        }
        reserve.scanCursor(cluster);
        scanLeft--;
    }

    private void takeFresh() {
        long cluster = reserve.end();
        if (!blocks.isReachable(cluster)) {
            wanted = 0;
            if (runs.isEmpty()) {
                fail(BlockError.ENOSPC);
            }
        } else if (!blocks.isCovered(cluster)) {
            tableFull = true;
            wanted = 0;
        } else if (!blocks.hasBlock(cluster)) {
            // A block that counts itself.
            created.add(blocks.create(cluster, cluster));
            Slice slice = blocks.zeros(cluster);
            if (slice == null) {
                fail(BlockError.ENOMEM);
                return;
            }
            blocks.setCount(slice, cluster, 1);
            reserve.passEnd();
        } else {
            Slice slice = sliceOf(cluster);
            if (slice == null) {
                return;
            }
            long sliceEnd = blocks.sliceEnd(cluster);
            for (; cluster < sliceEnd && wanted > 0; cluster++) {
                if (blocks.count(slice, cluster) == 0 && !blocks.map().contains(cluster)) {
                    take(slice, cluster, reserve.isFresh(cluster));
                }
                reserve.passEnd();
            }
        }
    }

    private void take(Slice slice, long cluster, boolean fresh) {
        blocks.setCount(slice, cluster, 1);
        wanted--;
        if (!runs.isEmpty()) {
            ReservedRun last = runs.get(runs.size() - 1);
            if (last.fresh == fresh && last.start + last.count == cluster) {
                last.count++;
                return;
            }
        }
        runs.add(new ReservedRun(cluster, 1, fresh));
    }

    /**
     * Nothing points to them: they are free again, though used ones from now on. New blocks go too:
     * on a full disk they could not be written by any later task either.
     */
    private void giveBack() {
        for (ReservedRun run : runs) {
            for (long cluster = run.start; cluster < run.start + run.count; cluster++) {
                Slice slice = blocks.find(cluster);
                if (slice != null) {
                    blocks.setCount(slice, cluster, 0);
                }
            }
            reserve.freed(run.start);
        }
        runs.clear();
        created.forEach(blocks::takeBack);
        created.clear();
        if (error() == BlockError.OK) {
            throw new AssertionError("reservation given back without an error");
        }
    }
}
