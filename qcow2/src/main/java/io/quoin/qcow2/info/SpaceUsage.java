package io.quoin.qcow2.info;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the disk and the snapshots of an image take of its file: data, L2 and L1 tables.
 *
 * <p>Threading: immutable.
 *
 * @param disk the disk as it is
 * @param snapshots in the order of the snapshot table
 */
public record SpaceUsage(Root disk, List<Root> snapshots) {
    public SpaceUsage {
        snapshots = List.copyOf(snapshots);
    }

    /**
     * Of the disk or a snapshot.
     *
     * @param name of the snapshot; null of the disk
     * @param exclusiveBytes what nothing else in the image uses
     * @param sharedBytes what another of them uses too
     * @param freedBytes how much fewer clusters the image would have in use without the snapshot:
     *     what is exclusive, and what the table of snapshots loses; 0 of the disk
     */
    public record Root(
            @Nullable String name, long exclusiveBytes, long sharedBytes, long freedBytes) {}
}
