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
     * By disk, in the order in which they were made, as the image files said when the disks were
     * listed last: those of a disk that is open for writing may have changed since. An empty list
     * stands for snapshots that have to be asked for by opening the disk, as they are too many;
     * disks without are not in it.
     */
    CompletionStage<Map<String, List<SnapshotInfo>>> snapshots();
}
