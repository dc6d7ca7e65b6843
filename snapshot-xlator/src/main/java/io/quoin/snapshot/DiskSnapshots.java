package io.quoin.snapshot;

import io.quoin.qcow2.snapshot.SnapshotInfo;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * The snapshots of all disks: an extension of {@code features/snapshot}. What is done with those of
 * one disk is a matter of its open file.
 *
 * <p>Threading: thread-safe. Stages complete on any thread.
 */
public interface DiskSnapshots {
    /**
     * By disk, in the order in which they were made, as the image files say: those of a disk that
     * is open for writing may have changed since. Disks without snapshots are not in it, nor those
     * whose snapshots have to be looked up one by one, since they are too many.
     */
    CompletionStage<Map<String, List<SnapshotInfo>>> snapshots();
}
