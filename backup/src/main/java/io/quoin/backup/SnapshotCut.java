package io.quoin.backup;

import java.util.List;
import java.util.UUID;

/**
 * Makes snapshots of several disks at one moment. Waits, and throws {@link
 * io.quoin.block.BlockException}.
 *
 * <p>Threading: confined to the thread of the backup.
 */
public interface SnapshotCut {
    /**
     * A snapshot to be.
     *
     * @param disk its disk
     * @param name without the disk's
     * @param uuid that it is given
     */
    record Wanted(String disk, String name, UUID uuid) {}

    /** Makes all, or none; after a crash in it some may be there. */
    void create(List<Wanted> wanted, BackupEvents events);
}
