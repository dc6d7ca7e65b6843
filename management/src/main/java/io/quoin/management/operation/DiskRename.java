package io.quoin.management.operation;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.management.schedule.ScheduleView;
import io.quoin.management.volume.DiskSets;
import io.quoin.management.volume.DiskView;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code disk.rename}.
 *
 * <p>Threading: immutable.
 */
public final class DiskRename implements Operation<DiskRename.Request, DiskView> {
    /** As clients see it. */
    public static final OperationType<Request, DiskView> TYPE =
            OperationType.of(
                    "disk.rename",
                    Kind.CHANGE,
                    "POST /v1/disks/{name}/rename",
                    "Give a disk that nothing has attached another name.",
                    Request.class,
                    DiskView.class);

    /**
     * Which disk.
     *
     * @param name of the disk
     * @param newName its name from then on, in the same volume
     */
    public record Request(@InVolume String name, String newName) {}

    @Override
    public OperationType<Request, DiskView> type() {
        return TYPE;
    }

    @Override
    public DiskView run(Request request, ManagedVolume volume) {
        requireUnnamed(request.name(), volume);
        volume.disks().rename(request.name(), request.newName());
        return volume.disks().info(request.newName());
    }

    /** Groups and schedules know their disks by name. */
    private static void requireUnnamed(String name, ManagedVolume volume) {
        List<String> users = new ArrayList<>();
        for (DiskSets.DiskSet group : volume.disks().sets().list()) {
            if (group.disks().contains(name)) {
                users.add("group " + group.name());
            }
        }
        for (ScheduleView schedule : volume.schedules().list()) {
            List<String> disks = schedule.spec().disks();
            if (disks != null && disks.contains(name)) {
                users.add("schedule " + schedule.spec().name());
            }
        }
        if (!users.isEmpty()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "disk is named elsewhere: name="
                            + name
                            + ", by="
                            + String.join(", ", users)
                            + "; take it out there first");
        }
    }
}
