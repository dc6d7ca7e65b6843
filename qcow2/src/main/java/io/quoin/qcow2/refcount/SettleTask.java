package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import java.util.function.Consumer;

/**
 * Brings the counts on disk up to those in memory, and then lets a caller have a look while no
 * count changes. Nothing is flushed but what an order needs.
 *
 * <pre>
 *  WRITE  changed refcount blocks; if there are new ones, durably, and then the table entries that lead to them
 *  LOOK   until the caller has ended it
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SettleTask extends RefcountTask {
    private enum State {
        WRITE,
        LOOK,
        DONE
    }

    private final Consumer<Runnable> look;
    private State state = State.WRITE;

    SettleTask(RefcountBlocks blocks, Consumer<Runnable> look) {
        super(blocks);
        this.look = look;
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            return false;
        }
        switch (state) {
            case WRITE -> {
                state = State.LOOK;
                await();
                if (blocks.isTableDirty()) {
                    blocks.writeAllDurably(this::answer);
                } else {
                    blocks.writeBlocks(this::answer);
                }
            }
            case LOOK -> {
                state = State.DONE;
                await();
                look.accept(() -> answer(BlockError.OK));
            }
            case DONE -> {
                return false;
            }
        }
        return true;
    }
}
