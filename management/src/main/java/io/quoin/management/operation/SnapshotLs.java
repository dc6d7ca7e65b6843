package io.quoin.management.operation;

import io.quoin.management.volume.SnapshotView;
import java.util.List;

/**
 * {@code snapshot.ls}.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotLs implements Operation<SnapshotLs.Request, SnapshotLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "snapshot.ls",
                    Kind.READ,
                    "GET /v1/disks/{name}/snapshots",
                    "List the snapshots of a disk.",
                    Request.class,
                    Result.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     */
    public record Request(@InVolume String name) {}

    /**
     * The snapshots.
     *
     * @param snapshots in the order in which they were made
     */
    public record Result(List<SnapshotView> snapshots) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().snapshots().of(request.name()));
    }
}
