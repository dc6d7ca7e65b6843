package io.quoin.qcow2.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.SnapshotEntry;
import io.quoin.qcow2.layout.SnapshotTable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The internal snapshots of one open image.
 *
 * <p>Threading: confined(loop).
 */
public final class ImageSnapshots implements SnapshotControl {
    private final SnapshotTableStore store;

    public ImageSnapshots(SnapshotTableStore store) {
        this.store = store;
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
