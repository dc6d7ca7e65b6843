package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.ChildFiles;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The internal snapshots of one open image.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageSnapshots implements SnapshotControl {
    private final OpenImage image;
    private final ImageParts parts;
    private final String fileName;
    private final SnapshotTableStore store;
    private final SnapshotChange change;
    private final boolean writable;
    private final Runnable countTurn = this::countTurnTaken;
    private @Nullable Runnable stopRunning;
    private @Nullable CompletableFuture<Runnable> waiting;
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
        this.parts = parts;
        this.fileName = parts.io().file().fileName();
        this.store = store;
        this.change = new SnapshotChange(image, parts, store, holds);
        this.writable = writable;
    }

    /** Nothing begins any more; what is pending is voided. Complete when nothing is under way. */
    public CompletionStage<Void> close() {
        CompletableFuture<Void> before = closing;
        CompletableFuture<Void> closed = before == null ? new CompletableFuture<>() : before;
        closing = closed;
        Runnable stop = stopRunning;
        CompletableFuture<Runnable> turn = waiting;
        if (stop != null) {
            stop.run();
        } else if (turn != null && image.countTurns().cancel(countTurn)) {
            waiting = null;
            turn.completeExceptionally(closingRefusal());
        }
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
                entry.vmStateSizeBytes(),
                entry.group(),
                entry.isFrozen());
    }

    @Override
    public CompletionStage<SnapshotInfo> create(String name, UUID uuid, SnapshotProgress progress) {
        return prepare(name, uuid, null, progress)
                .thenCompose(
                        pending ->
                                pending.round()
                                        .thenCompose(nothing -> pending.cut())
                                        .thenCompose(nothing -> pending.settle())
                                        .thenCompose(nothing -> pending.publish(false)));
    }

    @Override
    public CompletionStage<PendingSnapshot> prepare(
            String name, UUID uuid, @Nullable UUID group, SnapshotProgress progress) {
        CompletableFuture<PendingSnapshot> prepared = new CompletableFuture<>();
        CompletionStage<Void> whole =
                inTurn(
                        () -> {
                            requireNotFlattening();
                            requireRoomFor(name);
                            return takeCountTurn()
                                    .thenCompose(
                                            turnEnded ->
                                                    make(
                                                            new SnapshotCreation.Wanted(
                                                                    name, uuid, group, progress),
                                                            turnEnded,
                                                            prepared));
                        });
        CompletionStage<Void> unused =
                whole.whenComplete(
                        (nothing, failure) -> {
                            if (failure != null) {
                                prepared.completeExceptionally(failure);
                            }
                        });
        return prepared;
    }

    /** It would read a backing file that the image is about to leave. */
    private void requireNotFlattening() {
        if (image.isFlattening()) {
            throw refusal(
                    BlockError.EBUSY,
                    "image is being flattened; wait for that to end, or cancel it");
        }
    }

    private void requireRoomFor(String name) {
        SnapshotNames.requireFree(name, store.table());
        if (store.table().entries().size() >= HeaderLayout.SNAPSHOTS_MAX) {
            throw refusal(BlockError.EFBIG, "image has as many snapshots as it may");
        }
    }

    /**
     * What is counted for a pending snapshot would be too high to a check, and to the walk that
     * lowers counts. Gives what ends the turn.
     */
    private CompletionStage<Runnable> takeCountTurn() {
        CompletableFuture<Runnable> granted = new CompletableFuture<>();
        waiting = granted;
        image.countTurns().take(countTurn);
        return granted;
    }

    private void countTurnTaken() {
        CompletableFuture<Runnable> granted = waiting;
        waiting = null;
        if (granted != null) {
            granted.complete(image.countTurns()::end);
        }
    }

    /** Complete when the snapshot is published or voided. */
    private CompletionStage<Void> make(
            SnapshotCreation.Wanted wanted,
            Runnable turnEnded,
            CompletableFuture<PendingSnapshot> prepared) {
        return counting(
                turnEnded,
                done -> {
                    SnapshotCreation creation =
                            new SnapshotCreation(
                                    image,
                                    parts,
                                    store,
                                    wanted,
                                    error -> ended(error, "made", wanted.name(), done));
                    stopRunning = creation::stop;
                    image.whenChangeable(
                            error -> {
                                if (error.isOk()) {
                                    prepared.complete(creation);
                                } else {
                                    creation.refused(error);
                                }
                            });
                });
    }

    /** Begins work that counts, unless the image has been closed while it waited. */
    private CompletionStage<Void> counting(
            Runnable turnEnded, Consumer<CompletableFuture<Void>> work) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        CompletionStage<Void> unused = done.whenComplete((nothing, failure) -> turnEnded.run());
        try {
            requireChangeable();
            work.accept(done);
        } catch (BlockException e) {
            done.completeExceptionally(e);
        }
        return done;
    }

    private void ended(BlockError error, String what, String name, CompletableFuture<Void> done) {
        stopRunning = null;
        if (error.isOk()) {
            done.complete(null);
        } else {
            done.completeExceptionally(
                    refusal(error, "not " + what + ": name=" + name + ": " + error.text()));
        }
    }

    @Override
    public CompletionStage<Void> delete(String idOrName, SnapshotProgress progress) {
        return inTurn(() -> remove(change.find(idOrName)))
                .thenCompose(nothing -> reclaimExpected("deleted: name=" + idOrName, progress));
    }

    @Override
    public CompletionStage<Void> giveBack(SnapshotProgress progress) {
        return inTurn(() -> CompletableFuture.completedFuture(null))
                .thenCompose(nothing -> reclaim("deleted before", progress));
    }

    /** {@link #reclaimExpected} follows, unless it fails. */
    private CompletionStage<Void> remove(SnapshotEntry entry) {
        return expecting(() -> change.remove(entry), true);
    }

    private CompletionStage<Void> rename(SnapshotEntry entry, String newName) {
        return expecting(() -> change.rename(entry, newName), false);
    }

    /**
     * Until the header leads to it, the new table is counted and nothing refers to it.
     *
     * @param isOwed whether a walk has to be asked for behind it, and then no more is expected
     */
    private CompletionStage<Void> expecting(
            Supplier<CompletionStage<Void>> replacing, boolean isOwed) {
        image.reclaim().expect();
        CompletionStage<Void> replaced;
        try {
            replaced = replacing.get();
        } catch (RuntimeException | Error e) {
            image.reclaim().unexpect();
            throw e;
        }
        return replaced.whenCompleteAsync(
                (nothing, failure) -> {
                    if (failure != null || !isOwed) {
                        image.reclaim().unexpect();
                    }
                },
                image.loop());
    }

    @Override
    public CompletionStage<Void> withdraw(UUID group) {
        List<SnapshotEntry> found = new ArrayList<>();
        return inTurn(
                        () -> {
                            store.table().entries().stream()
                                    .filter(entry -> group.equals(entry.group()))
                                    .forEach(found::add);
                            return found.isEmpty()
                                    ? CompletableFuture.completedFuture(null)
                                    : remove(found.get(0));
                        })
                .thenCompose(
                        nothing ->
                                found.isEmpty()
                                        ? CompletableFuture.completedFuture(null)
                                        : reclaimExpected(
                                                "deleted: name=" + found.get(0).name(),
                                                (done, total) -> false));
    }

    /** The walk is owed from before the removal until it has ended. */
    private CompletionStage<Void> reclaimExpected(String what, SnapshotProgress progress) {
        CompletionStage<Void> walk = reclaim(what, progress);
        image.reclaim().unexpect();
        return walk;
    }

    private CompletionStage<Void> reclaim(String what, SnapshotProgress progress) {
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
                                                what
                                                        + ", but the space is not all given back: "
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
                            return rename(entry, newName);
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
            throw closingRefusal();
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

    private BlockException closingRefusal() {
        return refusal(BlockError.ESHUTDOWN, "image is being closed");
    }

    private BlockException refusal(BlockError error, String why) {
        return new BlockException(error, "snapshot: file=" + fileName + ", " + why);
    }

    @Override
    public CompletionStage<Void> rollback(String idOrName, SnapshotProgress progress) {
        return inTurn(
                () -> {
                    requireNotFlattening();
                    SnapshotEntry entry = change.find(idOrName);
                    requireNoBitmaps();
                    return takeCountTurn()
                            .thenCompose(turnEnded -> rollBack(entry, progress, turnEnded));
                });
    }

    /** They would not know what has changed. */
    private void requireNoBitmaps() {
        if (image.currentHeader().bitmaps() != null) {
            throw refusal(
                    BlockError.ENOTSUP,
                    "image has dirty bitmaps, which would miss a rollback; remove them first: quoin"
                            + " image bitmap --remove");
        }
    }

    private CompletionStage<Void> rollBack(
            SnapshotEntry entry, SnapshotProgress progress, Runnable turnEnded) {
        return counting(
                turnEnded,
                done -> {
                    SnapshotRollback rollback =
                            new SnapshotRollback(
                                    image,
                                    parts,
                                    entry,
                                    progress,
                                    error -> ended(error, "rolled back to", entry.name(), done));
                    stopRunning = rollback::stop;
                    rollback.start();
                });
    }
}
