package io.quoin.management.operation;

import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;

/**
 * {@code snapshot.rename}.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotRename implements Operation<SnapshotRename.Request, SnapshotView> {
    /** As clients see it. */
    public static final OperationType<Request, SnapshotView> TYPE =
            OperationType.of(
                    "snapshot.rename",
                    Kind.CHANGE,
                    "POST /v1/disks/{name}/snapshots/{snapshot}/rename",
                    "Give a snapshot another name.",
                    Request.class,
                    SnapshotView.class);

    /**
     * Which snapshot.
     *
     * @param name of the disk
     * @param snapshot its name or id
     * @param newName its name from then on
     */
    public record Request(@InVolume String name, String snapshot, String newName) {}

    @Override
    public OperationType<Request, SnapshotView> type() {
        return TYPE;
    }

    @Override
    public SnapshotView run(Request request, ManagedVolume volume) {
        SnapshotName from = new SnapshotName(request.name(), request.snapshot());
        BackupSnapshots.requireFree(request.name(), volume.disks().snapshots().info(from).name());
        BackupSnapshots.requireUnreserved(request.newName());
        SnapshotView renamed =
                volume.disks()
                        .snapshots()
                        .rename(
                                new SnapshotName(request.name(), request.snapshot()),
                                request.newName());
        volume.disks().refreshNames();
        return renamed;
    }
}
