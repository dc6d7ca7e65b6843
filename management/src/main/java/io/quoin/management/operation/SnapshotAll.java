package io.quoin.management.operation;

import io.quoin.management.volume.SnapshotView;
import java.util.List;

/**
 * {@code snapshot.all}.
 *
 * <p>Threading: immutable.
 */
public final class SnapshotAll implements Operation<SnapshotAll.Request, SnapshotAll.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "snapshot.all",
                    Kind.READ,
                    "GET /v1/snapshots",
                    "List the snapshots of all disks.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The snapshots.
     *
     * @param snapshots sorted by disk, then in the order in which they were made
     */
    public record Result(List<SnapshotView> snapshots) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().allSnapshots());
    }
}
