package io.quoin.management.operation;

import io.quoin.management.volume.DiskSets.DiskSet;
import java.util.List;

/**
 * {@code group.rm}.
 *
 * <p>Threading: immutable.
 */
public final class GroupRm implements Operation<GroupRm.Request, DiskSet> {
    /** As clients see it. */
    public static final OperationType<Request, DiskSet> TYPE =
            OperationType.of(
                    "group.rm",
                    Kind.CHANGE,
                    "POST /v1/groups/{name}/remove",
                    "Take disks out of a group, or the group away; the disks stay.",
                    Request.class,
                    DiskSet.class);

    /**
     * Which disks.
     *
     * @param name of the group
     * @param disks their names; none: the group goes
     */
    public record Request(@InVolume String name, @InVolume List<String> disks) {}

    @Override
    public OperationType<Request, DiskSet> type() {
        return TYPE;
    }

    @Override
    public DiskSet run(Request request, ManagedVolume volume) {
        return volume.disks().sets().remove(request.name(), request.disks());
    }
}
