package io.quoin.qcow2.snapshot;

import io.quoin.xlator.XlatorFile;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The internal snapshots of an open image, which QEMU sees as its own. Guests go on meanwhile.
 *
 * <p>Stages fail with a {@code BlockException}: ENOENT without such a snapshot, EEXIST for a name
 * that is taken, EINVAL for a name that cannot be given, EBUSY while something excludes it
 * (docs/adr/0025) or the snapshot is open or stood on, EPERM of an image that is open read-only,
 * ENOTSUP where the image cannot have snapshots, EFBIG for more than the format takes, ENOSPC on a
 * full disk.
 *
 * <p>Threading: confined(loop), the loop that the image was opened on; stages complete there.
 */
public interface SnapshotControl {
    /** The snapshots of {@code file}, if that is an open image. */
    static Optional<SnapshotControl> of(XlatorFile file) {
        return file.extension(SnapshottedFile.class).map(SnapshottedFile::snapshots);
    }

    /** The published ones, in the order of the image's table. */
    List<SnapshotInfo> list();

    /**
     * Makes a snapshot of the disk as it is at a moment between the call and its end, at which no
     * request is under way. Only that moment keeps guests waiting. Complete once the snapshot is
     * durable.
     *
     * @param name 1 to 255 bytes of UTF-8, not all digits, without {@code ..}, {@code /} or a
     *     control character, with no dot at its ends
     */
    default CompletionStage<SnapshotInfo> create(String name, SnapshotProgress progress) {
        return create(name, UUID.randomUUID(), progress);
    }

    /**
     * As {@link #create(String, SnapshotProgress)}, under a UUID that the caller has noted before:
     * so it finds the snapshot again if it does not hear of the end.
     *
     * @param uuid a new one
     */
    CompletionStage<SnapshotInfo> create(String name, UUID uuid, SnapshotProgress progress);

    /**
     * Begins a snapshot whose steps the caller takes. Complete when it has its turn. The caller has
     * to publish or abandon it.
     *
     * @param name as in {@link #create}
     * @param group recorded with it; null: it is made alone
     */
    default CompletionStage<PendingSnapshot> prepare(
            String name, @Nullable UUID group, SnapshotProgress progress) {
        return prepare(name, UUID.randomUUID(), group, progress);
    }

    /**
     * As {@link #prepare(String, UUID, SnapshotProgress)}, under a UUID that the caller has noted
     * before.
     *
     * @param uuid a new one
     */
    CompletionStage<PendingSnapshot> prepare(
            String name, UUID uuid, @Nullable UUID group, SnapshotProgress progress);

    /**
     * Takes the snapshot of a group away again, durably, if there is one; EBUSY while something has
     * it open. Its space is given back after the next open.
     */
    CompletionStage<Void> withdraw(UUID group);

    /**
     * Deletes a snapshot: it is gone, durably, before the first progress is told; then its space is
     * given back. Complete once all is.
     *
     * @param idOrName a name goes before an id
     */
    CompletionStage<Void> delete(String idOrName, SnapshotProgress progress);

    /**
     * Lowers counts that are too high: what a delete that was stopped has left. It begins anew,
     * from the counts as they are. Complete once all is given back, or it was stopped again.
     */
    CompletionStage<Void> giveBack(SnapshotProgress progress);

    /** Gives a snapshot another name. Complete once that is durable. */
    CompletionStage<SnapshotInfo> rename(String idOrName, String newName);

    /**
     * Makes the disk what it was at the snapshot, its size too; what was written since is gone. No
     * request may be under way or come before the stage is complete. Then the file has to be closed
     * and opened again: it takes no change any more (ESTALE), and reads as it did. The space of
     * what is gone is given back after the next open. ENOTSUP of an image with dirty bitmaps.
     */
    CompletionStage<Void> rollback(String idOrName, SnapshotProgress progress);
}
