package io.quoin.management.volume;

import io.quoin.qcow2.snapshot.SnapshotInfo;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot as it is shown.
 *
 * <p>Threading: immutable.
 *
 * @param disk its disk
 * @param name its name; of one that QEMU made it need not be unique
 * @param id as the image has it, given again once the snapshot is gone
 * @param uuid unique for ever; null if another program made it
 * @param createdAt when, by ISO 8601
 * @param sizeBytes of the disk at that time
 * @param vmStateBytes of a guest's saved state, 0 for none
 * @param group UUID of the group that it was made with; null if it was made alone
 * @param frozen whether all file systems of its guests stood still at that moment
 * @param connections what reads it now, over NBD and in the process
 */
public record SnapshotView(
        String disk,
        String name,
        String id,
        @Nullable String uuid,
        String createdAt,
        long sizeBytes,
        long vmStateBytes,
        @Nullable String group,
        boolean frozen,
        int connections) {
    static SnapshotView of(String disk, SnapshotInfo info, int connections) {
        UUID uuid = info.uuid();
        UUID group = info.group();
        return new SnapshotView(
                disk,
                info.name(),
                info.id(),
                uuid == null ? null : uuid.toString(),
                Instant.ofEpochSecond(info.epochSeconds(), info.epochNanos()).toString(),
                info.sizeBytes(),
                info.vmStateBytes(),
                group == null ? null : group.toString(),
                info.frozen(),
                connections);
    }

    /** {@code DISK@SNAPSHOT}. */
    public String fullName() {
        return disk + '@' + name;
    }
}
