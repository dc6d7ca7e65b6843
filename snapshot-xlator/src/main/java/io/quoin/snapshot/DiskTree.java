package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Xlator;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Disks that stand on others: an extension of {@code features/snapshot}. A disk that others stand
 * on is a template: it is read-only, and keeps its name, until none does. One that others stand on
 * a snapshot of ({@code DISK@SNAPSHOT}) keeps its name, and goes on being written.
 *
 * <p>Threading: thread-safe. Stages complete on any thread and fail as those of {@link Xlator}.
 */
public interface DiskTree {
    /**
     * The tree of a graph's disks.
     *
     * @throws BlockException ENOTSUP if its top knows no disks
     */
    static DiskTree of(Xlator top) {
        return top.extension(DiskTree.class)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "volume cannot clone disks: top="
                                                + top.type()
                                                + ", expected="
                                                + SnapshotXlatorType.TYPE));
    }

    /**
     * Makes a disk that reads as {@code template} does now and takes up the space of its metadata
     * alone, however large the template. Its image names the template's as backing file, by a
     * relative name and with the format, so that qemu-img opens it as it is, unless the template is
     * a snapshot: that only Quoin finds. Fails with EBUSY while the template is open for writing.
     *
     * @param template a disk, or a snapshot of one
     * @param sizeBytes what the guest sees; 0: as much as of the template
     */
    CompletionStage<Void> clone(String template, String clone, long sizeBytes);

    /**
     * The disks that stand on {@code disk}, or a snapshot of one, directly or through others, the
     * closest first. What stands on a snapshot of a disk stands on the disk too. One in the trash
     * has {@code (in the trash)} behind its name.
     */
    CompletionStage<List<String>> children(String disk);
}
