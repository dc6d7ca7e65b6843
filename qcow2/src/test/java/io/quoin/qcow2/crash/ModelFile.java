package io.quoin.qcow2.crash;

import io.quoin.block.BlockError;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.crash.SectorModel.Change;
import io.quoin.testkit.FileDriver;
import io.quoin.testkit.crash.DiskRecorder;
import io.quoin.xlator.PassThroughFile;
import io.quoin.xlator.XlatorFile;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * An open disk whose model follows what is submitted and completed, and what flushes cover; and the
 * same again when the recording is replayed.
 *
 * <p>Threading: confined to the test.
 */
final class ModelFile extends PassThroughFile {
    private final SectorModel model;
    private final SectorModel replayed;
    private final DiskRecorder recorder;
    private int number;

    ModelFile(
            XlatorFile below,
            SectorModel model,
            SectorModel replayed,
            DiskRecorder recorder,
            int firstNumber) {
        super(below);
        this.model = model;
        this.replayed = replayed;
        this.recorder = recorder;
        this.number = firstNumber;
    }

    /** Number of the next change. */
    int number() {
        return number;
    }

    private void act(Consumer<SectorModel> action) {
        action.accept(model);
        recorder.mark(() -> action.accept(replayed));
    }

    @Override
    public void submit(IoRequest request) {
        if (request.op().changesData()) {
            Change change =
                    new Change(
                            number++,
                            request.offsetBytes(),
                            request.lengthBytes(),
                            request.op() == IoOp.WRITE ? stampOf(request) : 0);
            act(m -> m.submitted(change));
            request.push((done, error) -> completed(change, done, error));
        } else if (request.op() == IoOp.FLUSH) {
            List<Change> covered = model.covered();
            request.push((done, error) -> flushed(covered, done, error));
        }
        below().submit(request);
    }

    private static int stampOf(IoRequest request) {
        UnsafeBuffer first = FileDriver.direct(Integer.BYTES);
        request.memory().copyTo(0, first.addressOffset(), Integer.BYTES);
        return first.getInt(0, java.nio.ByteOrder.BIG_ENDIAN);
    }

    private void completed(Change change, IoRequest request, BlockError error) {
        boolean forced = request.has(IoFlags.FUA);
        if (error.isOk()) {
            act(m -> m.completed(change, forced));
        }
        request.complete(error);
    }

    private void flushed(List<Change> covered, IoRequest request, BlockError error) {
        if (error.isOk()) {
            act(m -> m.stable(covered));
        }
        request.complete(error);
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        long cutBytes = Math.max(0, below().geometry().sizeBytes() - newSizeBytes);
        Change cut = new Change(number++, newSizeBytes, cutBytes, 0);
        act(m -> m.resizing(newSizeBytes, cut));
        CompletionStage<Void> done =
                cutBytes > 0 ? below().shrink(newSizeBytes) : below().resize(newSizeBytes);
        return done.thenRun(() -> act(m -> m.resized(newSizeBytes, cut)));
    }

    @Override
    public CompletionStage<Void> close() {
        List<Change> covered = model.covered();
        return below().close().thenRun(() -> act(m -> m.stable(covered)));
    }
}
