package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.io.Outcome;
import java.util.function.Consumer;

/**
 * Has the whole image alone while it walks: requests under way end before, and new ones wait. What
 * it does after that runs beside them.
 *
 * <p>Threading: confined(loop).
 */
abstract class WholeImageOp extends GuestOp {
    private final Consumer<IoRequest> changes;

    /**
     * @param changes starts a change
     */
    WholeImageOp(MappedImage image, Consumer<IoRequest> changes) {
        super(image);
        this.changes = changes;
    }

    /** Takes its turn; {@link #left} follows. */
    final void takeTurn() {
        IoRequest request = image.pool.acquire().flush();
        request.push(
                (done, outcome) -> {
                    image.pool.release(done);
                    left(outcome);
                });
        start(request);
    }

    @Override
    protected final void prepare(IoRequest request) {
        end = 1;
        range.exclusive(true);
        range.range(0, Long.MAX_VALUE);
    }

    @Override
    protected final void finish(IoRequest request, BlockError outcome) {
        request.complete(outcome);
    }

    /** It has walked, and the others go on. */
    protected abstract void left(BlockError outcome);

    /** Zeroes what lies from {@code from} to the end of the last cluster before {@code to}. */
    protected final void zero(long from, long to, Outcome outcome) {
        long clusterEnd = (to + image.clusterSizeBytes - 1) & -(long) image.clusterSizeBytes;
        IoRequest request = image.pool.acquire();
        request.prepare(
                IoOp.WRITE_ZEROES, from, clusterEnd - from, IoFlags.MAY_UNMAP | IoFlags.FUA);
        request.push(
                (done, error) -> {
                    image.pool.release(done);
                    outcome.done(error);
                });
        changes.accept(request);
    }

    /** The end of each resize: the size field, durably, and what is served. */
    protected final void changeSize(long newSizeBytes, Outcome outcome) {
        image.header.setSize(
                newSizeBytes,
                error -> {
                    if (error.isOk()) {
                        image.disk.sizeBytes(newSizeBytes);
                    }
                    outcome.done(error);
                });
    }
}
