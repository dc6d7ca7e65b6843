package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.qcow2.diff.DiffExtent;
import io.quoin.qcow2.diff.DiskState;
import io.quoin.qcow2.diff.StateDiff;
import io.quoin.qcow2.file.ClosedImage;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.XlatorFile;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The comparisons of an open file. The tables are read on a thread of their own, whose requests run
 * on the loop.
 *
 * <p>Threading: confined(loop).
 */
final class ImageDiffs implements DiffControl {
    private final String fileName;
    private final ImageIo io;
    private final Qcow2Header header;
    private final DiskState state;
    private final boolean writable;

    /**
     * @param header as it was at the snapshot, where the file is one
     */
    ImageDiffs(String fileName, ImageIo io, Qcow2Header header, boolean writable) {
        this.fileName = fileName;
        this.io = io;
        this.header = header;
        this.state = DiskState.head(header);
        this.writable = writable;
    }

    @Override
    public CompletionStage<Void> since(
            @Nullable XlatorFile older,
            long startBytes,
            long endBytes,
            Predicate<DiffExtent> consumer) {
        DiskState from;
        try {
            from = older == null ? DiskState.empty(0) : ofSameImage(older).still();
            still();
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> run(from, startBytes, endBytes, consumer, done),
                        "qcow2-diff-" + fileName);
        thread.setDaemon(true);
        thread.start();
        return done;
    }

    private ImageDiffs ofSameImage(XlatorFile older) {
        DiffControl other = DiffControl.of(older).orElse(null);
        if (other instanceof ImageDiffs same
                && same.io.file().fileName().equals(io.file().fileName())) {
            return same;
        }
        throw new BlockException(
                BlockError.EINVAL,
                "not two states of one image: file=" + fileName + ", other=" + older.fileName());
    }

    /** The state, which does not change. */
    private DiskState still() {
        if (writable) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "a disk that is open for writing changes while it is compared: file="
                            + fileName
                            + ", expected=a snapshot of it");
        }
        return state;
    }

    private void run(
            DiskState from,
            long startBytes,
            long endBytes,
            Predicate<DiffExtent> consumer,
            CompletableFuture<Void> done) {
        try {
            // The header on disk may be of a file that has grown since this one was opened.
            ClosedImage image = ClosedImage.of(new LoopImageFile(io.file(), io.loop()), header);
            StateDiff.diff(image, from, state, startBytes, endBytes, consumer);
            io.loop().execute(() -> done.complete(null));
        } catch (RuntimeException | Error e) {
            io.loop().execute(() -> done.completeExceptionally(e));
        }
    }
}
