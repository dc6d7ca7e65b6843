package io.quoin.management.operation;

import io.quoin.management.volume.DiskSets.DiskSet;
import java.util.List;

/**
 * {@code group.add}.
 *
 * <p>Threading: immutable.
 */
public final class GroupAdd implements Operation<GroupAdd.Request, DiskSet> {
    /** As clients see it. */
    public static final OperationType<Request, DiskSet> TYPE =
            OperationType.of(
                    "group.add",
                    Kind.CHANGE,
                    "POST /v1/groups/{name}/add",
                    "Add disks to a group.",
                    Request.class,
                    DiskSet.class);

    /**
     * Which disks.
     *
     * @param name of the group
     * @param disks their names; those in it already stay
     */
    public record Request(@InVolume String name, @InVolume List<String> disks) {}

    @Override
    public OperationType<Request, DiskSet> type() {
        return TYPE;
    }

    @Override
    public DiskSet run(Request request, ManagedVolume volume) {
        return volume.disks().sets().add(request.name(), request.disks());
    }
}
