package io.quoin.management.operation;

import io.quoin.management.volume.GroupView;
import java.util.List;

/**
 * {@code snapgroup.ls}.
 *
 * <p>Threading: immutable.
 */
public final class SnapgroupLs implements Operation<SnapgroupLs.Request, SnapgroupLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "snapgroup.ls",
                    Kind.READ,
                    "GET /v1/snapshot-groups",
                    "List the groups of snapshots that were made at one instant.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The groups.
     *
     * @param groups the oldest first
     */
    public record Result(List<GroupView> groups) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().groups().list());
    }
}
