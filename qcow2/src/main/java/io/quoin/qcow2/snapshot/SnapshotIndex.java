package io.quoin.qcow2.snapshot;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/**
 * The snapshots of all images of a volume: an extension of {@code features/qcow2}.
 *
 * <p>Threading: thread-safe.
 */
public interface SnapshotIndex {
    /**
     * By image file, in the order of its table, as the files said when they were listed last: an
     * image that is open for writing may say something else. An empty list stands for snapshots
     * that have to be asked for by opening the image, as their table is longer than 64 KiB or
     * broken; images without snapshots are not in it.
     */
    CompletionStage<Map<String, List<SnapshotInfo>>> snapshots();

    /**
     * Whether a file has the whole name {@code IMAGE.qcow2@SNAPSHOT}: then that file is opened by
     * it, and the snapshot is not.
     */
    CompletionStage<Boolean> isHidden(String name);
}
