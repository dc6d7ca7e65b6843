package io.quoin.backup;

import io.quoin.block.disk.Disk;
import io.quoin.qcow2.diff.DiffExtent;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A disk that is backed up, which guests go on writing. Methods wait, and throw {@link
 * io.quoin.block.BlockException}.
 *
 * <p>Threading: confined to the thread of the backup.
 */
public interface BackedDisk {
    /** Its name in the volume. */
    String name();

    /** As it is now: for progress. */
    long sizeBytes();

    /** What its image stands on, down to the last file; null: nothing. */
    @Nullable String backing();

    /**
     * A snapshot of the disk.
     *
     * @param name of the snapshot alone
     * @param uuid null of one that another program made
     */
    record Point(String name, @Nullable String uuid) {}

    /**
     * All its snapshots.
     *
     * @throws io.quoin.block.BlockException ENOENT if there is no such disk
     */
    List<Point> snapshots();

    /** Removes one; EBUSY while it is read. */
    void removeSnapshot(String name, BackupEvents events);

    /** Opens one to be read; it cannot be removed before it is closed. */
    Disk openSnapshot(String name);

    /**
     * What may differ between two snapshots, in the order of the disk.
     *
     * @param start 0, or the end of an extent that was told before
     * @param limit how many extents at most; less are told at the end alone
     */
    List<DiffExtent> changes(String older, String newer, long start, int limit);
}
