package io.quoin.management.operation;

import io.quoin.management.volume.DiskSets.DiskSet;
import java.util.List;

/**
 * {@code group.create}.
 *
 * <p>Threading: immutable.
 */
public final class GroupCreate implements Operation<GroupCreate.Request, DiskSet> {
    /** As clients see it. */
    public static final OperationType<Request, DiskSet> TYPE =
            OperationType.of(
                    "group.create",
                    Kind.CHANGE,
                    "POST /v1/groups",
                    "Make a group of disks that is kept.",
                    Request.class,
                    DiskSet.class);

    /**
     * Which disks.
     *
     * @param name of the group
     * @param disks their names; may be none
     */
    public record Request(@InVolume String name, @InVolume List<String> disks) {}

    @Override
    public OperationType<Request, DiskSet> type() {
        return TYPE;
    }

    @Override
    public DiskSet run(Request request, ManagedVolume volume) {
        return volume.disks().sets().create(request.name(), request.disks());
    }
}
