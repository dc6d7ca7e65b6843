package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.block.IoVector;
import io.quoin.qcow2.cache.Slice;
import org.jspecify.annotations.Nullable;

/**
 * A change of the guest's data, run by run, from its position to a limit: in place where the
 * guest's cluster may be written, else by one {@link AllocatingWrite} after the other.
 *
 * <p>Threading: confined(loop).
 */
abstract class ChangeOp extends GuestOp {
    /** What it has its range locked up to. */
    protected long limit;

    private final AllocatingWrite allocating;
    private boolean fua;

    ChangeOp(MappedImage image) {
        super(image);
        allocating = new AllocatingWrite(image, this, this::allocated);
    }

    @Override
    protected void prepare(IoRequest request) {
        fua = request.has(IoFlags.FUA);
        limit = end;
    }

    @Override
    protected final void walk() {
        if (!lock()) {
            return;
        }
        while (position < limit && error.isOk() && !waiting) {
            if (!image.health.isWritable()) {
                fail(image.health.refusal());
                return;
            }
            MappedRun run = image.run;
            switch (run.find(position, limit)) {
                case LOAD -> {
                    waiting = true;
                    image.tables.load(run.sliceIndex, this);
                    return;
                }
                case REFUSED -> fail(run.error);
                case FOUND -> {
                    if (!change(run)) {
                        return;
                    }
                }
            }
        }
        walked();
    }

    /** It has walked as far as it can in this turn, maybe to its limit. */
    protected void walked() {}

    /** Whether the walk may go on at once. */
    protected abstract boolean change(MappedRun run);

    /** Whether the clusters may be written where they are; else it has failed. */
    protected final boolean isInPlaceAllowed(MappedRun run, long lengthBytes) {
        long first = run.hostOffset >>> image.clusterBits;
        long last = (run.hostOffset + lengthBytes - 1) >>> image.clusterBits;
        if (!image.host.isDataArea(first, last - first + 1)) {
            fail(BlockError.EIO);
            return false;
        }
        return true;
    }

    /**
     * Allocates clusters for the start of the run and writes them; the walk goes on when that has
     * ended.
     *
     * @param data what is written from the position on; null: zeros
     * @param zeroFlags of WRITE_ZEROES, by which the file makes the zeros; -1: they are written
     */
    protected final boolean allocate(
            MappedRun run, long writeEnd, @Nullable IoVector data, long dataAt, int zeroFlags) {
        Slice slice = ownSlice(run.sliceIndex);
        if (slice != null) {
            waiting = true;
            if (!allocating.begin(slice, position, writeEnd, data, dataAt, zeroFlags)) {
                waiting = false;
                fail(BlockError.EIO);
            }
        }
        return false;
    }

    private void allocated(BlockError outcome) {
        if (outcome.isOk()) {
            position = allocating.dataEnd();
        } else {
            fail(outcome);
        }
        resume();
    }

    /** Whether all of the change is durable without a flush. */
    protected boolean isDurable() {
        return false;
    }

    /** Gives itself back to its pool. */
    protected abstract void release();

    @Override
    protected final void finish(IoRequest request, BlockError outcome) {
        boolean flush = fua && outcome.isOk() && !isDurable();
        release();
        if (flush) {
            image.flusher.flush(request);
        } else {
            request.complete(outcome);
        }
    }
}
