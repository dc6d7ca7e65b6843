package io.quoin.management.operation;

import io.quoin.management.volume.SnapshotView;
import io.quoin.snapshot.SnapshotName;
import java.util.List;

/**
 * {@code snapshot.info}.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotInfo implements Operation<SnapshotInfo.Request, SnapshotInfo.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "snapshot.info",
                    Kind.READ,
                    "GET /v1/disks/{name}/snapshots/{snapshot}",
                    "Show one snapshot.",
                    Request.class,
                    Result.class);

    /**
     * Which snapshot.
     *
     * @param name of the disk
     * @param snapshot its name or id
     */
    public record Request(@InVolume String name, String snapshot) {}

    /**
     * The snapshot.
     *
     * @param snapshot as it is listed
     * @param children names of the disks that stand on it, directly or through others
     */
    public record Result(SnapshotView snapshot, List<String> children) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        SnapshotView found =
                volume.disks()
                        .snapshots()
                        .info(new SnapshotName(request.name(), request.snapshot()));
        // What another program made may have a name that nothing can stand on.
        boolean canHaveChildren = SnapshotName.isLegal(found.fullName());
        return new Result(
                found, canHaveChildren ? volume.disks().children(found.fullName()) : List.of());
    }
}
