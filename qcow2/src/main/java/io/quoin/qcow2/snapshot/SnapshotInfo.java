package io.quoin.qcow2.snapshot;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A published internal snapshot.
 *
 * <p>Threading: immutable.
 *
 * @param id as the format has it: unique while the snapshot is there, given again afterwards
 * @param name unique in the image
 * @param uuid unique for ever; null of a snapshot that another program made
 * @param epochSeconds when it was made
 * @param epochNanos of that second
 * @param sizeBytes of the disk at that time
 * @param vmStateBytes of a guest's saved state, 0 for none
 * @param group those that were made with it have it too; null: it was made alone
 * @param frozen whether the file systems of its guests stood still
 */
public record SnapshotInfo(
        String id,
        String name,
        @Nullable UUID uuid,
        long epochSeconds,
        int epochNanos,
        long sizeBytes,
        long vmStateBytes,
        @Nullable UUID group,
        boolean frozen) {}
