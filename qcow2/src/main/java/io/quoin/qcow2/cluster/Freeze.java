package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.io.ClusterRuns;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Finds a moment at which the tables and counts on disk are consistent, and each cluster that is
 * counted and that no table on disk refers to is known. Guests wait for the requests that are under
 * way, as for a request of the whole image, and nothing else.
 *
 * <pre>
 *  RECORD   from now on clusters are noted that are handed out, or get one more reference
 *  BARRIER  the requests that are under way end: what was handed out before RECORD is in an entry in memory
 *  FLUSH    a round of the flusher: that entry is on disk
 *  HOLD     the turns of the flusher, of the counts, which are written, and of the header
 *  MOMENT   the metadata are frozen; counted ahead are: what was noted, is reserved, is being filled, is dropped or
 *           waits to be freed
 * </pre>
 *
 * <p>A count on disk is never below the references on disk, at no time; so whatever is changed in
 * memory at that moment, or noted in vain, makes a count look too high at most.
 *
 * <p>Threading: confined(loop).
 */
final class Freeze extends WholeImageOp {
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long KEPT_BYTES_MAX = 32L << 20;

    private final ImageBitmaps bitmaps;
    private final FreezeListener listener;
    private final ClusterRuns countedAhead = new ClusterRuns();

    Freeze(
            MappedImage image,
            Consumer<IoRequest> changes,
            ImageBitmaps bitmaps,
            FreezeListener listener) {
        super(image, changes);
        this.bitmaps = bitmaps;
        this.listener = listener;
    }

    void begin() {
        if (!image.health.isWritable()) {
            // Nothing is changed any more, or never was.
            freeze();
            return;
        }
        image.refcounts.record(countedAhead);
        takeTurn();
    }

    @Override
    protected void walk() {
        if (lock()) {
            position = end;
        }
    }

    @Override
    protected void left(BlockError outcome) {
        if (outcome.isOk()) {
            image.flusher.flush(this::flushed);
        } else {
            failed(outcome);
        }
    }

    private void flushed(BlockError outcome) {
        if (outcome.isOk()) {
            image.flusher.exclusive(this::hold);
        } else {
            failed(outcome);
        }
    }

    private void hold(Runnable flusherEnded) {
        image.refcounts.settle(
                countsEnded ->
                        image.header.exclusive(
                                headerEnded -> {
                                    boolean frozen = !bitmaps.isUpdating();
                                    if (frozen) {
                                        freeze();
                                    } else {
                                        retry();
                                    }
                                    headerEnded.run();
                                    countsEnded.run();
                                }),
                settled -> {
                    flusherEnded.run();
                    if (!settled.isOk()) {
                        failed(settled);
                    }
                });
    }

    /** The bitmap directory is changed in several steps, of which the header is free in between. */
    private void retry() {
        image.io.loop().schedule(RETRY_NANOS, () -> image.flusher.exclusive(this::hold));
    }

    private void freeze() {
        image.refcounts.record(null);
        image.packer.addCurrent(countedAhead);
        image.flusher.addDropped(countedAhead);
        image.refcounts.addReserved(countedAhead);
        image.refcounts.addFreeing(countedAhead);
        image.refcounts.keepMetadata();
        listener.frozen(image.io.freeze(KEPT_BYTES_MAX), countedAhead);
    }

    private void failed(BlockError error) {
        image.refcounts.record(null);
        listener.failed(error);
    }
}
