package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import java.util.function.Consumer;

/**
 * The moment of a snapshot. Guests wait for the requests that are under way and for a round of the
 * flusher that is, and for nothing that is read or written for the cut.
 *
 * <pre>
 *  LOCK    the whole image: what is under way ends
 *  MOMENT  when the flusher begins its next round: the stream packer leaves its cluster, the L1 table is copied, its
 *          entries lose COPIED, references that go away are put off; the round stages what is changed; let go
 *  ROUND   that round ends: the tables on disk are those of the moment, where they were at the moment
 * </pre>
 *
 * <p>Cancelled before MOMENT, it lets go at once, and there is none. If ROUND fails what was staged
 * goes to other places later, so that the cut is lost; the disk is not.
 *
 * <p>Threading: confined(loop).
 */
final class CutOp extends WholeImageOp {
    private final CutListener listener;
    private long[] l1 = {};
    private long sizeBytes;
    private boolean started;
    private boolean made;
    private boolean memoryShort;
    private boolean cancelled;
    private boolean ended;

    CutOp(MappedImage image, Consumer<IoRequest> changes, CutListener listener) {
        super(image, changes);
        this.listener = listener;
    }

    /** Guests go on at once, without a moment, unless that has been. */
    void cancel() {
        if (made || memoryShort || ended || cancelled) {
            return;
        }
        cancelled = true;
        if (started) {
            letGo();
        }
    }

    @Override
    protected void walk() {
        if (started || !lock()) {
            return;
        }
        started = true;
        if (cancelled) {
            position = end;
            // Not from inside its own turn.
            image.io.loop().execute(() -> listener.failed(BlockError.EBUSY));
            return;
        }
        waiting = true;
        image.flusher.cut(this::moment, this::roundEnded);
    }

    private void moment() {
        if (cancelled) {
            return;
        }
        image.packer.leave();
        sizeBytes = image.disk.sizeBytes();
        try {
            l1 = image.tables.cut();
            made = true;
            image.flusher.defer(l1);
        } catch (OutOfMemoryError e) {
            memoryShort = true;
        }
        // Not from inside the flusher, which has not staged yet.
        image.io.loop().execute(this::momentHasBeen);
    }

    private void momentHasBeen() {
        letGo();
        if (made && !ended) {
            listener.moment();
        }
    }

    private void letGo() {
        position = end;
        waiting = false;
        resume();
    }

    private void roundEnded(BlockError outcome) {
        ended = true;
        if (cancelled) {
            listener.failed(BlockError.EBUSY);
        } else if (memoryShort) {
            lost(BlockError.ENOMEM);
        } else if (outcome.isOk()) {
            listener.cut(l1, sizeBytes);
        } else if (made) {
            lost(outcome);
        } else {
            fail(outcome);
            image.io.loop().execute(this::letGo);
            listener.failed(outcome);
        }
    }

    private void lost(BlockError error) {
        if (made) {
            listener.lost(l1, error);
        } else {
            listener.failed(error);
        }
    }

    @Override
    protected void left(BlockError outcome) {
        // The listener is told when the round has ended.
    }
}
