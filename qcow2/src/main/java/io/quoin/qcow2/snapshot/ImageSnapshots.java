package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The internal snapshots of one open image.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageSnapshots implements SnapshotControl {
    private final OpenImage image;
    private final String fileName;
    private final SnapshotTableStore store;
    private final SnapshotChange change;
    private final boolean writable;
    private int under;
    private @Nullable CompletableFuture<Void> closing;

    /**
     * @param store has the table of the image
     */
    public ImageSnapshots(
            OpenImage image,
            ImageParts parts,
            SnapshotTableStore store,
            SnapshotHolds holds,
            boolean writable) {
        this.image = image;
        this.fileName = parts.io().file().fileName();
        this.store = store;
        this.change = new SnapshotChange(image, parts, store, holds);
        this.writable = writable;
    }

    /** No table is replaced any more. Complete when that which is being replaced has been. */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> before = closing;
        CompletableFuture<Void> closed = before == null ? new CompletableFuture<>() : before;
        closing = closed;
        if (under == 0) {
            closed.complete(null);
        }
        return closed;
    }

    /** As it is on disk. */
    public SnapshotTable table() {
        return store.table();
    }

    @Override
    public List<SnapshotInfo> list() {
        long sizeBytes = store.imageSizeBytes();
        return store.table().entries().stream().map(entry -> info(entry, sizeBytes)).toList();
    }

    /** What an entry of the table says, of an image that is as large as that. */
    public static SnapshotInfo info(SnapshotEntry entry, long imageSizeBytes) {
        return new SnapshotInfo(
                entry.id(),
                entry.name(),
                entry.uuid(),
                Integer.toUnsignedLong(entry.dateSeconds()),
                entry.dateNanos(),
                entry.diskSizeBytes() == -1 ? imageSizeBytes : entry.diskSizeBytes(),
                entry.vmStateSizeBytes());
    }

    @Override
    public CompletionStage<SnapshotInfo> create(String name, SnapshotProgress progress) {
        return notYet("create");
    }

    @Override
    public CompletionStage<Void> delete(String idOrName, SnapshotProgress progress) {
        return inTurn(() -> change.remove(change.find(idOrName)))
                .thenCompose(nothing -> giveBack(idOrName, progress));
    }

    private CompletionStage<Void> giveBack(String name, SnapshotProgress progress) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        boolean[] ended = new boolean[1];
        image.reclaim()
                .run(
                        (now, total) -> {
                            ended[0] |= !progress.advanced(now, total);
                            return !ended[0];
                        },
                        why -> {
                            if (why == null || ended[0]) {
                                done.complete(null);
                            } else {
                                done.completeExceptionally(
                                        refusal(
                                                BlockError.EIO,
                                                "deleted, but its space is not all given back: name="
                                                        + name
                                                        + ", "
                                                        + why));
                            }
                        });
        return done;
    }

    @Override
    public CompletionStage<SnapshotInfo> rename(String idOrName, String newName) {
        return inTurn(
                        () -> {
                            SnapshotEntry entry = change.find(idOrName);
                            SnapshotNames.requireFree(newName, store.table());
                            return change.rename(entry, newName);
                        })
                .thenApply(nothing -> info(change.find(newName), store.imageSizeBytes()));
    }

    /** Replaces the table when it is its turn, unless the image does not allow it. */
    private CompletionStage<Void> inTurn(Supplier<CompletionStage<Void>> body) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        under++;
        image.turns()
                .take(
                        turnEnded -> {
                            CompletionStage<Void> stage;
                            try {
                                requireChangeable();
                                stage = body.get();
                            } catch (BlockException e) {
                                stage = CompletableFuture.failedFuture(e);
                            }
                            CompletionStage<Void> unused =
                                    stage.whenCompleteAsync(
                                            (nothing, failure) -> ended(turnEnded, done, failure),
                                            image.loop());
                        });
        return done;
    }

    @SuppressWarnings("NullAway") // whenComplete passes null where the stage did not fail
    private void ended(Runnable turnEnded, CompletableFuture<Void> done, Throwable failure) {
        if (failure == null) {
            done.complete(null); // the walk is asked for before anything else has its turn
        } else {
            done.completeExceptionally(ChildFiles.causeOf(failure));
        }
        under--;
        CompletableFuture<Void> closed = closing;
        turnEnded.run();
        if (under == 0 && closed != null) {
            closed.complete(null);
        }
    }

    private void requireChangeable() {
        if (closing != null) {
            throw refusal(BlockError.ESHUTDOWN, "image is being closed");
        }
        if (!writable) {
            throw refusal(BlockError.EPERM, "image is open read-only");
        }
        if (!image.health().isWritable()) {
            throw refusal(image.health().refusal(), image.health().reason());
        }
        if (image.currentHeader().hasExternalDataFile()) {
            throw refusal(BlockError.ENOTSUP, "image has an external data file");
        }
    }

    private BlockException refusal(BlockError error, String why) {
        return new BlockException(error, "snapshot: file=" + fileName + ", " + why);
    }

    @Override
    public CompletionStage<Void> rollback(String idOrName, SnapshotProgress progress) {
        return notYet("rollback");
    }

    private static <T> CompletionStage<T> notYet(String what) {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.ENOTSUP, "snapshot: operation=" + what + ", expected=list"));
    }
}
