package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import java.util.function.Consumer;

/**
 * The moment of a snapshot. Guests wait for the requests that are under way and for a round of the
 * flusher that is, and for nothing that is read or written for the cut.
 *
 * <pre>
 *  FLUSH   a round of the flusher, so that little is changed at the moment
 *  LOCK    the whole image: what is under way ends
 *  MOMENT  when the flusher begins its next round: the stream packer leaves its cluster, the L1 table is copied, its
 *          entries lose COPIED, references that go away are put off; the round stages what is changed; let go
 *  ROUND   that round ends: the tables on disk are those of the moment, where they were at the moment
 * </pre>
 *
 * <p>If ROUND fails what was staged goes to other places later, so that the cut is lost; the disk
 * is not.
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

    CutOp(MappedImage image, Consumer<IoRequest> changes, CutListener listener) {
        super(image, changes);
        this.listener = listener;
    }

    void begin() {
        image.flusher.flush(
                flushed -> {
                    if (flushed.isOk()) {
                        takeTurn();
                    } else {
                        listener.failed(flushed);
                    }
                });
    }

    @Override
    protected void walk() {
        if (started || !lock()) {
            return;
        }
        started = true;
        waiting = true;
        image.flusher.cut(this::moment, this::roundEnded);
    }

    private void moment() {
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
        image.io.loop().execute(this::letGo);
    }

    private void letGo() {
        position = end;
        waiting = false;
        resume();
    }

    private void roundEnded(BlockError outcome) {
        if (memoryShort) {
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
