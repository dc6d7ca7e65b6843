package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;

/**
 * Counts a contiguous run of clusters behind the end of the file, for a table that must be in one
 * piece.
 *
 * <p>Threading: confined(loop).
 */
final class RunTask extends RefcountTask {
    private enum State {
        COLLECT,
        EXTEND,
        BLOCKS,
        TABLE,
        DONE
    }

    private final ClusterReserve reserve;
    private final int count;
    private State state = State.COLLECT;
    private long start = -1;
    private long checked;
    private boolean tableFull;

    RunTask(RefcountBlocks blocks, ClusterReserve reserve, int count) {
        super(blocks);
        this.reserve = reserve;
        this.count = count;
        this.checked = reserve.end();
    }

    boolean isTableFull() {
        return tableFull;
    }

    long start() {
        return start;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            return false;
        }
        switch (state) {
            case COLLECT -> {
                return collect();
            }
            case EXTEND -> {
                state = State.BLOCKS;
                await();
                blocks.io().extend(reserve.end() << blocks.clusterBits(), this::answer);
            }
            case BLOCKS -> {
                state = blocks.isTableDirty() ? State.TABLE : State.DONE;
                await();
                blocks.writeBlocksDurably(this::answer);
            }
            case TABLE -> {
                state = State.DONE;
                await();
                blocks.writeTableDurably(this::answer);
            }
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    /** Finds the place, then counts everything in one go once it is known to be free. */
    private boolean collect() {
        long first = reserve.end();
        int missing = missingBlocks(first);
        long behind = first + missing + count;
        if (!blocks.isReachable(behind - 1)) {
            fail(BlockError.ENOSPC);
            return false;
        }
        if (!blocks.isCovered(behind - 1)) {
            tableFull = true;
            return false;
        }
        // Others may have moved the end while this one was waiting for its turn.
        for (checked = Math.max(checked, first); checked < behind; checked++) {
            if (blocks.hasBlock(checked)) {
                RefcountBlock block = blockOf(checked);
                if (block == null) {
                    return true;
                }
                if (blocks.count(block, checked) != 0 || blocks.map().contains(checked)) {
                    reserve.passEnd(checked + 1);
                    return true;
                }
            }
        }
        count(first, missing, behind);
        return true;
    }

    /** Blocks that have to be made so that they, and the run behind them, are counted. */
    private int missingBlocks(long first) {
        int missing = 0;
        while (true) {
            int found = 0;
            long lastBlock = blocks.layout().blockIndex(first + missing + count - 1);
            for (long i = blocks.layout().blockIndex(first); i <= lastBlock; i++) {
                if (!blocks.hasBlock(i * blocks.layout().blockEntries())) {
                    found++;
                }
            }
            if (found == missing) {
                return missing;
            }
            missing = found;
        }
    }

    private void count(long first, int missing, long behind) {
        long at = first;
        for (long c = first; c < behind; c++) {
            if (!blocks.hasBlock(c)) {
                blocks.create(c, at++);
            } else if (blocks.find(c) == null) {
                // Evicted by one of those read after it.
                checked = c;
                await();
                blocks.load(c, this::answer);
                return;
            }
        }
        for (long c = first; c < behind; c++) {
            RefcountBlock block = blocks.find(c);
            if (block != null) {
                blocks.setCount(block, c, 1);
            }
        }
        start = first + missing;
        reserve.passEnd(behind);
        state = State.EXTEND;
    }
}
