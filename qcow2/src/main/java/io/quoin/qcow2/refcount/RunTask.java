package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import java.util.ArrayList;
import java.util.List;

/**
 * Counts a contiguous run of clusters behind the end of the file, for a table that must be in one
 * piece.
 *
 * <pre>
 *  FIND    a place where nothing is counted, for the blocks that are missing there and the run behind them
 *  COUNT   all of it in memory
 *  EXTEND  the file reaches the end of it, durably
 *  COUNTS  refcount blocks, then the table entries of new ones, each durably
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class RunTask extends RefcountTask {
    private enum State {
        FIND,
        COUNT,
        EXTEND,
        COUNTS,
        DONE
    }

    private final ClusterReserve reserve;
    private final int count;
    private final List<RefcountBlock> created = new ArrayList<>();
    private State state = State.FIND;
    private long first;
    private int missing;
    private long checked;
    private long counted;
    private boolean tableFull;

    RunTask(RefcountBlocks blocks, ClusterReserve reserve, int count) {
        super(blocks);
        this.reserve = reserve;
        this.count = count;
    }

    boolean isTableFull() {
        return tableFull;
    }

    /** The first cluster of the run. */
    long start() {
        return first + missing;
    }

    private long end() {
        return start() + count;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            giveBack();
            return false;
        }
        switch (state) {
            case FIND -> {
                return find();
            }
            case COUNT -> count();
            case EXTEND -> {
                state = State.COUNTS;
                await();
                blocks.io().extend(reserve.end() << blocks.clusterBits(), this::answer);
            }
            case COUNTS -> {
                state = State.DONE;
                await();
                blocks.writeAllDurably(this::answer);
            }
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    private boolean find() {
        first = reserve.end();
        missing = missingBlocks();
        if (!blocks.isReachable(end() - 1)) {
            fail(BlockError.ENOSPC);
            return true;
        }
        if (!blocks.isCovered(end() - 1)) {
            tableFull = true;
            return false;
        }
        for (checked = Math.max(checked, first); checked < end(); checked++) {
            if (blocks.hasBlock(checked)) {
                Slice slice = sliceOf(checked);
                if (slice == null) {
                    return true;
                }
                if (blocks.count(slice, checked) != 0 || blocks.map().contains(checked)) {
                    reserve.passEnd(checked + 1);
                    return true;
                }
            }
        }
        createBlocks();
        reserve.passEnd(end());
        counted = first;
        state = State.COUNT;
        return true;
    }

    /** Blocks that have to be made so that they, and the run behind them, are counted. */
    private int missingBlocks() {
        int found = -1;
        int assumed;
        do {
            assumed = Math.max(0, found);
            found = 0;
            long lastBlock = blocks.layout().blockIndex(first + assumed + count - 1);
            for (long i = blocks.layout().blockIndex(first); i <= lastBlock; i++) {
                if (!blocks.hasBlock(i * blocks.layout().blockEntries())) {
                    found++;
                }
            }
        } while (found != assumed);
        return found;
    }

    private void createBlocks() {
        int entries = blocks.layout().blockEntries();
        long lastBlock = blocks.layout().blockIndex(end() - 1);
        for (long i = blocks.layout().blockIndex(first); i <= lastBlock; i++) {
            if (!blocks.hasBlock(i * entries)) {
                created.add(blocks.create(i * entries, first + created.size()));
            }
        }
    }

    /** Some of the blocks may have to be read again. */
    private void count() {
        while (counted < end()) {
            Slice slice = sliceOf(counted);
            if (slice == null) {
                return;
            }
            blocks.setCount(slice, counted, 1);
            counted++;
        }
        state = State.EXTEND;
    }

    /** Nothing points there. The end stays where it is, for something may have been written. */
    private void giveBack() {
        for (long cluster = first; cluster < counted; cluster++) {
            Slice slice = blocks.find(cluster);
            if (slice != null) {
                blocks.setCount(slice, cluster, 0);
            }
        }
        created.forEach(blocks::takeBack);
        if (counted > first) {
            reserve.freed(first);
        }
    }
}
