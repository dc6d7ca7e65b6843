package io.quoin.qcow2.refcount;

/**
 * Takes off of counts what is too much, in some refcount blocks at a time. Counts that are too high
 * may become lower on disk at any time, in any order.
 *
 * <p>Threading: confined(loop).
 */
final class LowerTask extends RefcountTask {
    private static final int BLOCKS_PER_TURN = 8;

    private final TooHigh tooHigh;
    private int blocksLeft = BLOCKS_PER_TURN;

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
        if (!error().isOk() || tooHigh.isDone() || blocksLeft == 0) {
            return false;
        }
        long cluster = tooHigh.cluster();
        if (!blocks.hasBlock(cluster)) {
            tooHigh.lower(0);
            return true;
        }
        RefcountBlock block = blockOrRoom(cluster);
        if (block == null) {
            return true;
        }
        long blockEnd = (blocks.layout().blockIndex(cluster) + 1) * blocks.layout().blockEntries();
        while (!tooHigh.isDone() && tooHigh.cluster() < blockEnd) {
            long at = tooHigh.cluster();
            // Nothing is taken off of what has become metadata, whatever was found.
            long count = blocks.map().contains(at) ? 0 : blocks.count(block, at);
            long lowered = tooHigh.lower(count);
            if (lowered != count) {
                blocks.setCount(block, at, lowered);
            }
        }
        blocksLeft--;
        return true;
    }
}
