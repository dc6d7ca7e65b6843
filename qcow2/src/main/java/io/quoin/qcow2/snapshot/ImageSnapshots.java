package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The internal snapshots of one open image.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageSnapshots implements SnapshotControl {
    private static final long RECLAIM_POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final OpenImage image;
    private final ImageParts parts;
    private final SnapshotTableStore store;
    private final boolean writable;
    private @Nullable SnapshotCreation running;
    private int under;
    private @Nullable CompletableFuture<Void> closing;

    /**
     * @param store has the table of the image
     */
    public ImageSnapshots(
            OpenImage image, ImageParts parts, SnapshotTableStore store, boolean writable) {
        this.image = image;
        this.parts = parts;
        this.store = store;
        this.writable = writable;
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

    static SnapshotInfo info(SnapshotEntry entry, long imageSizeBytes) {
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
        CompletableFuture<SnapshotInfo> done = new CompletableFuture<>();
        under++;
        image.turns().take(turnEnded -> begin(name, progress, done, turnEnded));
        return done;
    }

    /** Nothing begins any more; what is pending is voided. Complete when nothing is under way. */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> before = closing;
        CompletableFuture<Void> closed = before == null ? new CompletableFuture<>() : before;
        closing = closed;
        SnapshotCreation now = running;
        if (now != null) {
            now.stop();
        }
        if (under == 0) {
            closed.complete(null);
        }
        return closed;
    }

    private void begin(
            String name,
            SnapshotProgress progress,
            CompletableFuture<SnapshotInfo> done,
            Runnable turnEnded) {
        if (closing == null && image.reclaim().isRunning()) {
            // Both change counts by what tables say.
            image.loop().schedule(RECLAIM_POLL_NANOS, () -> begin(name, progress, done, turnEnded));
            return;
        }
        try {
            requirePossible();
            SnapshotNames.requireFree(name, store.table());
        } catch (BlockException e) {
            ended(turnEnded, () -> done.completeExceptionally(e));
            return;
        }
        SnapshotCreation creation =
                new SnapshotCreation(
                        image,
                        parts,
                        store,
                        name,
                        progress,
                        error -> created(error, name, done, turnEnded));
        running = creation;
        creation.start();
    }

    private void created(
            BlockError error,
            String name,
            CompletableFuture<SnapshotInfo> done,
            Runnable turnEnded) {
        running = null;
        List<SnapshotInfo> all = list();
        ended(
                turnEnded,
                () -> {
                    if (error.isOk()) {
                        done.complete(all.get(all.size() - 1));
                    } else {
                        done.completeExceptionally(refusal(error, "not made: name=" + name));
                    }
                });
    }

    private void ended(Runnable turnEnded, Runnable tell) {
        under--;
        CompletableFuture<Void> closed = closing;
        turnEnded.run();
        if (under == 0 && closed != null) {
            closed.complete(null);
        }
        tell.run();
    }

    private void requirePossible() {
        Qcow2Header header = image.currentHeader();
        if (closing != null) {
            throw refusal(BlockError.ESHUTDOWN, "image is being closed");
        }
        if (!writable) {
            throw refusal(BlockError.EPERM, "image is open read-only");
        }
        if (!image.health().isWritable()) {
            throw refusal(image.health().refusal(), image.health().reason());
        }
        if (header.hasExternalDataFile()) {
            throw refusal(BlockError.ENOTSUP, "image has an external data file");
        }
        if (store.table().entries().size() >= HeaderLayout.SNAPSHOTS_MAX) {
            throw refusal(BlockError.EFBIG, "image has as many snapshots as it may");
        }
    }

    private BlockException refusal(BlockError error, String why) {
        return new BlockException(
                error,
                "snapshot: file="
                        + parts.io().file().fileName()
                        + ", "
                        + why
                        + ": "
                        + error.text());
    }

    @Override
    public CompletionStage<Void> delete(String idOrName, SnapshotProgress progress) {
        return notYet("delete");
    }

    @Override
    public CompletionStage<SnapshotInfo> rename(String idOrName, String newName) {
        return notYet("rename");
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
