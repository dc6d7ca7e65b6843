package io.quoin.qcow2.open;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Capabilities;
import io.quoin.block.Capability;
import io.quoin.block.Geometry;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.bitmap.BitmapControl;
import io.quoin.qcow2.bitmap.BitmapOperations;
import io.quoin.qcow2.bitmap.BitmappedFile;
import io.quoin.qcow2.bitmap.ImageBitmaps;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.diff.DiffControl;
import io.quoin.qcow2.diff.DiffedFile;
import io.quoin.qcow2.flatten.FlattenControl;
import io.quoin.qcow2.flatten.FlattenedFile;
import io.quoin.qcow2.flatten.ImageFlatten;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.parents.ParentGuard;
import io.quoin.qcow2.served.CheckControl;
import io.quoin.qcow2.served.CheckTurns;
import io.quoin.qcow2.served.CheckedFile;
import io.quoin.qcow2.served.ImageChecks;
import io.quoin.qcow2.snapshot.ImageSnapshots;
import io.quoin.qcow2.snapshot.SnapshotControl;
import io.quoin.qcow2.snapshot.SnapshottedFile;
import io.quoin.xlator.XlatorFile;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An open image.
 *
 * <p>Threading: confined(loop).
 */
final class Qcow2File
        implements XlatorFile,
                BitmappedFile,
                CheckedFile,
                DiffedFile,
                FlattenedFile,
                PreallocatedFile,
                RebasedFile,
                SnapshottedFile {
    private final String fileName;
    private final OpenImage image;
    private final ImageIo io;
    private final Qcow2Header header;
    private final ImageSnapshots snapshots;
    private final ImageBitmaps bitmaps;
    private final BitmapControl bitmapControl;
    private final ImageChecks checks;
    private final DiffControl diffs;
    private final ImageFlatten flatten;
    private final Runnable headerChanged;
    private @Nullable XlatorFile backing;
    private final Capabilities capabilities;
    private Geometry geometry;
    private @Nullable CompletableFuture<Void> resize;

    Qcow2File(
            Opening opening,
            ImageParts parts,
            OpenImage image,
            ImageSnapshots snapshots,
            CheckTurns checkTurns) {
        boolean writable = opening.writable;
        this.fileName = opening.fileName;
        this.image = image;
        this.io = parts.io();
        this.header = opening.header();
        this.snapshots = snapshots;
        this.bitmaps = parts.bitmaps();
        this.bitmapControl = new BitmapOperations(bitmaps, image::whenChangeable);
        this.checks = new ImageChecks(image, checkTurns, fileName);
        this.diffs = new ImageDiffs(fileName, io, header, writable);
        this.flatten =
                new ImageFlatten(image, parts, snapshots::table, writable, this::leaveBacking);
        ParentGuard guard = opening.setup.guard();
        this.headerChanged = () -> guard.headerChanged(fileName);
        this.backing = opening.backing();
        XlatorFile below = backing;
        boolean fastZero =
                header.isRawExternalData()
                        ? io.data().capabilities().canFastZero()
                        : header.version() >= 3 || below == null;
        Capabilities full =
                Capabilities.of(
                                Capability.WRITE,
                                Capability.FUA,
                                Capability.DISCARD,
                                Capability.MULTI_CONN)
                        .with(Capability.FAST_ZERO, fastZero)
                        .with(Capability.WRITE_COMPRESSED, !header.hasExternalDataFile());
        this.capabilities = writable ? full : full.readOnly();
        Geometry own = io.file().geometry().within(io.data().geometry());
        this.geometry =
                (below == null ? own : own.within(below.geometry()))
                        .withSizeBytes(image.sizeBytes());
    }

    @Override
    public String fileName() {
        return fileName;
    }

    @Override
    public Geometry geometry() {
        return geometry;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void submit(IoRequest request) {
        image.submit(request);
    }

    @Override
    public CompletionStage<Void> resize(long newSizeBytes) {
        BlockException refusal = resizeRefusal(newSizeBytes);
        if (refusal == null && newSizeBytes < image.sizeBytes()) {
            refusal =
                    failure(
                            BlockError.ENOTSUP,
                            "image would become smaller, for which there is a call of its own:"
                                    + " actual size="
                                    + image.sizeBytes(),
                            newSizeBytes);
        }
        return refusal == null
                ? resizing(newSizeBytes, outcome -> image.grow(newSizeBytes, outcome))
                : CompletableFuture.failedFuture(refusal);
    }

    @Override
    public CompletionStage<Void> shrink(long newSizeBytes) {
        BlockException refusal = resizeRefusal(newSizeBytes);
        if (refusal == null && newSizeBytes > image.sizeBytes()) {
            refusal =
                    failure(
                            BlockError.EINVAL,
                            "image is smaller: actual size=" + image.sizeBytes(),
                            newSizeBytes);
        } else if (refusal == null && header.version() < 3 && backing != null) {
            refusal =
                    failure(
                            BlockError.ENOTSUP,
                            "version 2 image with a backing file cannot be made smaller",
                            newSizeBytes);
        }
        if (refusal != null) {
            return CompletableFuture.failedFuture(refusal);
        }
        // From now on no request beyond the new end is let through.
        geometry = geometry.withSizeBytes(newSizeBytes);
        return resizing(newSizeBytes, outcome -> image.shrink(newSizeBytes, outcome));
    }

    private CompletionStage<Void> resizing(long newSizeBytes, Consumer<Outcome> operation) {
        if (newSizeBytes == image.sizeBytes()) {
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Void> done = new CompletableFuture<>();
        resize = done;
        image.turns().take(turnEnded -> resizeInTurn(newSizeBytes, operation, done, turnEnded));
        return done;
    }

    private void resizeInTurn(
            long newSizeBytes,
            Consumer<Outcome> operation,
            CompletableFuture<Void> done,
            Runnable turnEnded) {
        Outcome ended =
                error -> {
                    resize = null;
                    geometry = geometry.withSizeBytes(image.sizeBytes());
                    turnEnded.run();
                    if (error.isOk()) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(
                                failure(error, "resize failed: " + error.text(), newSizeBytes));
                    }
                };
        if (header.version() < 3 && !snapshots.table().entries().isEmpty()) {
            // One may have been made while this waited.
            ended.done(BlockError.ENOTSUP);
        } else {
            resizeWithBitmaps(newSizeBytes, operation, ended);
        }
    }

    private void resizeWithBitmaps(
            long newSizeBytes, Consumer<Outcome> operation, Outcome outcome) {
        Outcome ended =
                error -> {
                    bitmaps.resized(image.sizeBytes());
                    outcome.done(error);
                };
        Outcome marked = outcome.ifOk(() -> operation.accept(ended));
        image.whenChangeable(outcome.ifOk(() -> bitmaps.beforeResize(newSizeBytes, marked)));
    }

    private @Nullable BlockException resizeRefusal(long newSizeBytes) {
        if (!capabilities.canWrite()) {
            return failure(BlockError.EPERM, "image is open read-only", newSizeBytes);
        }
        if (!image.health().isWritable()) {
            return failure(image.health().refusal(), image.health().reason(), newSizeBytes);
        }
        if (resize != null) {
            return failure(BlockError.EBUSY, "image is being resized already", newSizeBytes);
        }
        String bitmapRefusal = bitmaps.resizeRefusal(newSizeBytes);
        if (bitmapRefusal != null) {
            return failure(BlockError.ENOTSUP, bitmapRefusal, newSizeBytes);
        }
        if (header.version() < 3 && !snapshots.table().entries().isEmpty()) {
            return failure(
                    BlockError.ENOTSUP,
                    "version 2 image with internal snapshots cannot be resized",
                    newSizeBytes);
        }
        if (newSizeBytes < 0
                || newSizeBytes % geometry.blockSizeMin() != 0
                || !image.canGrowTo(Math.max(1, newSizeBytes))) {
            return failure(
                    BlockError.EINVAL,
                    "size is too large for the cluster size, or no multiple of the block size",
                    newSizeBytes);
        }
        return null;
    }

    private BlockException failure(BlockError error, String what, long newSizeBytes) {
        return new BlockException(error, what + ": file=" + fileName + ", size=" + newSizeBytes);
    }

    @Override
    public Map<String, Object> details() {
        Map<String, Object> details = new LinkedHashMap<>();
        details.put("format", "qcow2");
        details.put("version", header.version());
        details.put("virtual-size", image.sizeBytes());
        details.put("cluster-size", header.clusterSizeBytes());
        details.put("refcount-bits", header.refcountBits());
        details.put("file-size", io.fileSizeBytes());
        details.put("extended-l2", header.hasExtendedL2());
        details.put("internal-snapshots", image.currentHeader().snapshotCount());
        details.put("dirty", image.currentHeader().isDirty());
        if (!snapshots.table().entries().isEmpty()) {
            details.put("snapshots", InternalSnapshots.details(snapshots.table()));
        }
        details.put("corrupt", header.isCorrupt() || image.health().isCorrupt());
        if (io.hasDataFile()) {
            details.put("data-file", io.data().fileName());
            details.put("data-file-raw", header.isRawExternalData());
        }
        if (!bitmaps.details().isEmpty()) {
            details.put("bitmaps", bitmaps.details());
        }
        if (!image.reclaim().details().isEmpty()) {
            details.put("leak-reclaim", image.reclaim().details());
        }
        if (!checks.details().isEmpty()) {
            details.put("check", checks.details());
        }
        XlatorFile below = backing;
        if (below != null) {
            details.put("backing-file", below.fileName());
            details.put("backing-format", String.valueOf(header.backingFormat()));
            details.put("backing", below.details());
        }
        if (!image.health().reason().isEmpty()) {
            details.put("refuses-writes", image.health().reason());
        }
        return details;
    }

    @Override
    public void expectOtherBacking() {
        image.expectOtherBacking();
    }

    @Override
    public void allocateZeros() {
        image.allocateZeros();
    }

    @Override
    public BitmapControl bitmaps() {
        return bitmapControl;
    }

    @Override
    public SnapshotControl snapshots() {
        return snapshots;
    }

    @Override
    public DiffControl diffs() {
        return diffs;
    }

    @Override
    public FlattenControl flatten() {
        return flatten;
    }

    /** The header names no backing file any more, and nothing reads this one. */
    private CompletionStage<Void> leaveBacking() {
        XlatorFile below = backing;
        backing = null;
        headerChanged.run();
        return below == null ? CompletableFuture.completedFuture(null) : below.close();
    }

    @Override
    public CheckControl checks() {
        return checks;
    }

    /** Of all the files that it is made of: a request of a guest may wait for any of them. */
    @Override
    public void abort(BlockError error) {
        io.file().abort(error);
        if (io.hasDataFile()) {
            io.data().abort(error);
        }
        XlatorFile below = backing;
        if (below != null) {
            below.abort(error);
        }
    }

    @Override
    public CompletionStage<Void> close() {
        CompletionStage<Void> snapshotsClosed = snapshots.close();
        CompletionStage<Void> flattenEnded = flatten.close();
        CompletableFuture<Void> running = resize;
        if (running != null) {
            // What it waits for would otherwise be closed beneath it.
            return running.handle((nothing, failure) -> close()).thenCompose(Function.identity());
        }
        return checks.close()
                .thenCompose(nothing -> snapshotsClosed)
                .thenCompose(nothing -> flattenEnded)
                .thenCompose(
                        nothing ->
                                ChildFiles.stage(
                                        "close of "
                                                + fileName
                                                + ": what was not flushed may be lost",
                                        image::close))
                .handle((nothing, failure) -> closeFiles(failure))
                .thenCompose(Function.identity());
    }

    @SuppressWarnings("NullAway") // handle passes null where the stage did not fail
    private CompletionStage<Void> closeFiles(Throwable failure) {
        CompletionStage<Void> all = io.file().close();
        if (io.hasDataFile()) {
            all = andClose(all, io.data());
        }
        XlatorFile below = backing;
        if (below != null) {
            all = andClose(all, below);
        }
        return failure == null
                ? all
                : all.handle((nothing, error) -> CompletableFuture.<Void>failedFuture(failure))
                        .thenCompose(Function.identity());
    }

    /** One more file is closed, whatever became of the others; the first failure is told. */
    private static CompletionStage<Void> andClose(CompletionStage<Void> others, XlatorFile file) {
        return others.handle((nothing, error) -> file.close().thenCompose(v -> others))
                .thenCompose(Function.identity());
    }
}
