package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import java.util.List;

/**
 * The last task: clusters reserved and never used are free again, the file ends behind the last one
 * in use.
 *
 * <p>Threading: confined(loop).
 */
final class CloseTask extends RefcountTask {
    private enum State {
        GIVE_BACK,
        WRITE,
        FLUSH,
        SHRINK,
        DONE
    }

    private final ClusterReserve reserve;
    private final List<ReservedRun> runs;
    private State state = State.GIVE_BACK;
    private int run;
    private long newEnd;

    CloseTask(RefcountBlocks blocks, ClusterReserve reserve) {
        super(blocks);
        this.reserve = reserve;
        this.runs = reserve.drain();
        this.newEnd = reserve.end();
    }

    @Override
    protected boolean work() {
        if (!error().isOk()) {
            return false;
        }
        switch (state) {
            case GIVE_BACK -> giveBack();
            case WRITE -> {
                state = State.FLUSH;
                await();
                blocks.writeBlocks(this::answer);
            }
            case FLUSH -> {
                state = State.SHRINK;
                await();
                blocks.io().flush(this::answer);
            }
            case SHRINK -> {
                state = State.DONE;
                if (newEnd < reserve.end()) {
                    await();
                    // A file that stays longer costs nothing but a few holes.
                    blocks.io()
                            .resize(newEnd << blocks.clusterBits(), error -> answer(BlockError.OK));
                }
            }
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    private void giveBack() {
        if (run == runs.size()) {
            state = blocks.isDirty() ? State.WRITE : State.DONE;
            return;
        }
        ReservedRun last = runs.get(run);
        if (last.count == 0) {
            run++;
            return;
        }
        RefcountBlock block = blockOf(last.start);
        if (block == null) {
            return;
        }
        if (last.start + last.count == reserve.end() && last.fresh) {
            newEnd = Math.min(newEnd, last.start);
        }
        long blockEnd = (block.blockIndex + 1) * blocks.layout().blockEntries();
        for (; last.count > 0 && last.start < blockEnd; last.start++, last.count--) {
            blocks.setCount(block, last.start, 0);
        }
    }
}
