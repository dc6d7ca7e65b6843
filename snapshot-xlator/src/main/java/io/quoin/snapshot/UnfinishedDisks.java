package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.util.concurrent.CompletionStage;

/**
 * Disks in the making, which no list has: an extension of {@code features/snapshot}. One is filled
 * first and gets its name when it is whole. If its process ends before that, the next one that
 * opens the brick removes it.
 *
 * <p>Threading: thread-safe. Stages complete on any thread and fail as those of {@link Xlator}.
 */
public interface UnfinishedDisks {
    /**
     * Those of a graph.
     *
     * @throws BlockException ENOTSUP if its top knows no disks
     */
    static UnfinishedDisks of(Xlator top) {
        return top.extension(UnfinishedDisks.class)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "volume cannot take disks in: top="
                                                + top.type()
                                                + ", expected="
                                                + SnapshotXlatorType.TYPE));
    }

    /**
     * Makes the image that will be {@code disk}; EEXIST if there is one of that name now.
     *
     * @return the name of its file, for the other methods
     */
    CompletionStage<String> make(String disk, CreateOptions options);

    /**
     * Takes a qcow2 file of the machine in, which keeps its own name besides: what is discarded is
     * the name in the volume.
     *
     * @param source as of {@link io.quoin.xlator.FileAdoption#adopt}
     * @return as {@link #make}
     * @throws BlockException ENOTSUP if the volume has no folder of its own for that
     */
    CompletionStage<String> adopt(String disk, Path source);

    /** Opens it for writing; the stage completes on the loop. */
    CompletionStage<XlatorFile> openUnfinished(String fileName, Loop loop);

    /**
     * Gives it its name, durably. It is closed.
     *
     * @throws BlockException EEXIST if a disk has the name by now
     */
    CompletionStage<Void> publish(String fileName, String disk);

    /** Removes it. It is closed. */
    CompletionStage<Void> discard(String fileName);
}
