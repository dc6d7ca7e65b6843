package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cluster.ImageParts;
import io.quoin.qcow2.cluster.OpenImage;
import io.quoin.qcow2.io.Outcome;
import io.quoin.qcow2.layout.SnapshotEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Another snapshot table with one entry less, or another one in its place; docs/adr/0026.
 *
 * <pre>
 *  HOLD     nothing has the snapshot open or stands on it, by its name or its id
 *  MARK     of possible leaks, durably, where something is deleted
 *  PUBLISH  the table
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
final class SnapshotChange {
    private final OpenImage image;
    private final ImageParts parts;
    private final SnapshotTableStore store;
    private final SnapshotHolds holds;

    SnapshotChange(
            OpenImage image, ImageParts parts, SnapshotTableStore store, SnapshotHolds holds) {
        this.image = image;
        this.parts = parts;
        this.store = store;
        this.holds = holds;
    }

    /**
     * The snapshot of that name, else of that id.
     *
     * @throws BlockException ENOENT
     */
    SnapshotEntry find(String idOrName) {
        List<SnapshotEntry> entries = store.table().entries();
        for (SnapshotEntry entry : entries) {
            if (entry.name().equals(idOrName)) {
                return entry;
            }
        }
        for (SnapshotEntry entry : entries) {
            if (entry.id().equals(idOrName)) {
                return entry;
            }
        }
        throw failure(
                BlockError.ENOENT,
                "snapshot: name="
                        + idOrName
                        + ", expected=name or id of one of "
                        + entries.size()
                        + " internal snapshots");
    }

    /** Takes the snapshot out of the table, durably; its references stay counted. */
    CompletionStage<Void> remove(SnapshotEntry entry) {
        return whileHeld(
                entry,
                outcome ->
                        mark(
                                outcome.ifOk(
                                        () ->
                                                replace(
                                                        entry,
                                                        null,
                                                        outcome.ifOk(
                                                                () -> {
                                                                    unmap(entry);
                                                                    outcome.done(BlockError.OK);
                                                                })))));
    }

    /** Gives it another name, durably. */
    CompletionStage<Void> rename(SnapshotEntry entry, String newName) {
        return whileHeld(entry, outcome -> replace(entry, entry.withName(newName), outcome));
    }

    private CompletionStage<Void> whileHeld(
            SnapshotEntry entry, java.util.function.Consumer<Outcome> change) {
        return holds.hold(entry.id())
                .thenCompose(
                        byId ->
                                releasing(
                                        entry.id().equals(entry.name())
                                                ? changed(change)
                                                : holds.hold(entry.name())
                                                        .thenCompose(
                                                                byName ->
                                                                        releasing(
                                                                                changed(change),
                                                                                byName)),
                                        byId));
    }

    private static CompletionStage<Void> releasing(CompletionStage<Void> stage, Runnable hold) {
        return stage.whenComplete((nothing, failure) -> hold.run());
    }

    private CompletionStage<Void> changed(java.util.function.Consumer<Outcome> change) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Outcome outcome =
                error -> {
                    if (error.isOk()) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(
                                failure(error, "snapshot table is not replaced: " + error.text()));
                    }
                };
        // Looking at headers may have ended on another thread.
        image.loop()
                .execute(() -> image.whenChangeable(outcome.ifOk(() -> change.accept(outcome))));
        return done;
    }

    private void mark(Outcome outcome) {
        parts.header().markLeaks(outcome);
    }

    private void replace(SnapshotEntry old, @Nullable SnapshotEntry by, Outcome outcome) {
        List<SnapshotEntry> entries = new ArrayList<>();
        for (SnapshotEntry entry : store.table().entries()) {
            if (entry.tableOffset() != old.tableOffset()) {
                entries.add(entry);
            } else if (by != null) {
                entries.add(by);
            }
        }
        store.replace(entries, outcome);
    }

    /** Nothing refers to its L1 table any more: it is freed with all else. */
    private void unmap(SnapshotEntry entry) {
        int bits = parts.header().header().clusterBits();
        long end = entry.l1TableOffset() + (long) entry.l1Size() * Long.BYTES;
        for (long at = entry.l1TableOffset(); at < end; at += 1L << bits) {
            parts.io().map().remove(at >>> bits);
        }
    }

    private BlockException failure(BlockError error, String what) {
        return new BlockException(error, what + ": file=" + parts.io().file().fileName());
    }
}
