package io.quoin.qcow2.refcount;

import io.quoin.block.BlockError;
import io.quoin.qcow2.cache.Slice;
import io.quoin.qcow2.io.HeaderStore;
import io.quoin.qcow2.layout.Qcow2Header;
import java.util.List;

/**
 * The last task: clusters reserved and never used are free again, all counts are durable, the file
 * ends behind the last cluster in use, and the image is no longer dirty.
 *
 * <pre>
 *  GIVE_BACK  counts of what is left in the reserve become 0
 *  WRITE      refcount blocks: flush
 *  TABLE      entries of new blocks, durably (only lazy refcounts have left any)
 *  END        what is free at the end of the file is found, some blocks of it at most
 *  SHRINK     the file is cut there
 *  CLEAN      the dirty bit is cleared, if it was set and nothing leaked
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class CloseTask extends RefcountTask {
    private enum State {
        GIVE_BACK,
        WRITE,
        FLUSH,
        TABLE,
        END,
        SHRINK,
        CLEAN,
        DONE
    }

    /** Slices that are looked through for the end of the file. */
    private static final int END_SLICES_MAX = 1024;

    private final ClusterReserve reserve;
    private final HeaderStore header;
    private final boolean keepDirty;
    private final List<ReservedRun> runs;
    private State state = State.GIVE_BACK;
    private int run;
    private int endSlicesLeft = END_SLICES_MAX;
    private long newEnd;

    /**
     * @param keepDirty whether counts may be too high, so that a dirty image has to stay dirty
     */
    CloseTask(
            RefcountBlocks blocks, ClusterReserve reserve, HeaderStore header, boolean keepDirty) {
        super(blocks);
        this.keepDirty = keepDirty;
        this.header = header;
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
                state = blocks.isTableDirty() ? State.TABLE : State.END;
                await();
                blocks.io().flush(this::answer);
            }
            case TABLE -> {
                state = State.END;
                await();
                blocks.writeTableDurably(this::answer);
            }
            case END -> findEnd();
            case SHRINK -> {
                state = State.CLEAN;
                if (newEnd < reserve.end()) {
                    await();
                    // A file that stays longer costs nothing but a few holes.
                    blocks.io()
                            .resize(newEnd << blocks.clusterBits(), error -> answer(BlockError.OK));
                }
            }
            case CLEAN -> {
                state = State.DONE;
                if (header.header().isDirty() && !keepDirty) {
                    await();
                    header.changeIncompatible(Qcow2Header.DIRTY, 0, this::answer);
                }
            }
            case DONE -> {
                return false;
            }
        }
        return true;
    }

    private void findEnd() {
        long cluster = newEnd - 1;
        if (endSlicesLeft == 0 || cluster <= 0 || !blocks.hasBlock(cluster)) {
            state = State.SHRINK;
            return;
        }
        Slice slice = sliceOf(cluster);
        if (slice == null) {
            return;
        }
        endSlicesLeft--;
        long sliceStart = blocks.sliceStart(cluster);
        while (newEnd > Math.max(1, sliceStart) && isFree(slice, newEnd - 1)) {
            newEnd--;
        }
        if (newEnd > sliceStart) {
            state = State.SHRINK;
        }
    }

    private boolean isFree(Slice slice, long cluster) {
        return blocks.count(slice, cluster) == 0 && !blocks.map().contains(cluster);
    }

    private void giveBack() {
        if (run == runs.size()) {
            state = blocks.isDirty() ? State.WRITE : State.CLEAN;
            return;
        }
        ReservedRun last = runs.get(run);
        if (last.count == 0) {
            run++;
            return;
        }
        Slice slice = sliceOf(last.start);
        if (slice == null) {
            return;
        }
        if (last.start + last.count == reserve.end() && last.fresh) {
            newEnd = Math.min(newEnd, last.start);
        }
        long sliceEnd = blocks.sliceEnd(last.start);
        for (; last.count > 0 && last.start < sliceEnd; last.start++, last.count--) {
            blocks.setCount(slice, last.start, 0);
        }
    }
}
