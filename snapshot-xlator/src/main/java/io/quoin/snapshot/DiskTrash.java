package io.quoin.snapshot;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Xlator;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Removed disks that are kept for a while: an extension of {@code features/snapshot}. One in the
 * trash is no disk: it is not listed or opened, and its name is free for another. It takes the
 * space that it took, and what it stands on stays as it is; nothing can stand on it.
 *
 * <p>Threading: thread-safe. Stages complete on any thread and fail as those of {@link Xlator}.
 */
public interface DiskTrash {
    /**
     * The trash of a graph's disks.
     *
     * @throws BlockException ENOTSUP if its top knows no disks
     */
    static DiskTrash of(Xlator top) {
        return top.extension(DiskTrash.class)
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "volume has no trash: top="
                                                + top.type()
                                                + ", expected="
                                                + SnapshotXlatorType.TYPE));
    }

    /** For how long a disk is kept; zero: removed disks are gone at once. */
    Duration keptFor();

    /**
     * Puts a disk there, in one step: after a crash it is a disk or in the trash. EBUSY while it is
     * in use, or others stand on it.
     *
     * @param now when that is
     */
    CompletionStage<TrashedDisk> trash(String disk, Instant now);

    /** What is there, by disk and then the last removed first. */
    CompletionStage<List<TrashedDisk>> list();

    /**
     * Makes one a disk again, in one step. EEXIST for a name that is taken.
     *
     * @param as its name; null: the one that it had
     * @return its name
     */
    CompletionStage<String> restore(TrashedDisk trashed, @Nullable String as);

    /** Removes one for good. */
    CompletionStage<Void> purge(TrashedDisk trashed);
}
