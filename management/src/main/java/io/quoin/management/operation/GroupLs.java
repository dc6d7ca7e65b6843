package io.quoin.management.operation;

import io.quoin.management.volume.DiskSets.DiskSet;
import java.util.List;

/**
 * {@code group.ls}.
 *
 * <p>Threading: immutable.
 */
public final class GroupLs implements Operation<GroupLs.Request, GroupLs.Result> {
    /** As clients see it. */
    public static final OperationType<Request, Result> TYPE =
            OperationType.of(
                    "group.ls",
                    Kind.READ,
                    "GET /v1/groups",
                    "List the groups of disks that are kept.",
                    Request.class,
                    Result.class);

    /** Nothing to say. */
    public record Request() {}

    /**
     * The groups.
     *
     * @param groups by name
     */
    public record Result(List<DiskSet> groups) {}

    @Override
    public OperationType<Request, Result> type() {
        return TYPE;
    }

    @Override
    public Result run(Request request, ManagedVolume volume) {
        return new Result(volume.disks().sets().list());
    }
}
