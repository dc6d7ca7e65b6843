package io.quoin.xlator;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * A node of the graph: a namespace of files above its subvolumes. Namespace calls are rare and
 * answer by a {@link CompletionStage}; the data path is {@link XlatorFile}.
 *
 * <p>Stages fail with {@link BlockException}: {@link BlockError#ENOENT}, {@link BlockError#EEXIST},
 * {@link BlockError#EBUSY}, {@link BlockError#EINVAL} for bad names and values, {@link
 * BlockError#ENOTSUP} for what a node does not do, and the storage's own errors.
 *
 * <p>Threading: thread-safe. Stages complete on any thread, those of {@link #open} on the loop
 * given to it.
 */
public interface Xlator {
    /** The name given to it in the volfile. */
    String name();

    /** Its type, for example {@code storage/posix}. */
    String type();

    /** The nodes below, in the volfile's order. */
    List<Xlator> subvolumes();

    /** Every file, sorted by name. */
    CompletionStage<List<FileInfo>> list();

    /**
     * Files a page at a time, for a listing too long for one answer. One that is made or removed
     * meanwhile is there or not; every other is there once.
     *
     * @param after the last name of the page before; empty: from the start
     * @param limit how many at most, 1 or more
     */
    default CompletionStage<FilePage> list(String after, int limit) {
        return list().thenApply(
                        all -> {
                            List<FileInfo> rest =
                                    all.stream()
                                            .filter(file -> file.fileName().compareTo(after) > 0)
                                            .toList();
                            boolean isLast = rest.size() <= limit;
                            return new FilePage(isLast ? rest : rest.subList(0, limit), isLast);
                        });
    }

    /** The space of the storage below. */
    CompletionStage<StorageSpace> statfs();

    CompletionStage<FileInfo> stat(String fileName);

    /**
     * Makes a new file, durable when the stage completes; fails with EEXIST rather than replace
     * one.
     */
    CompletionStage<Void> create(String fileName, CreateOptions options);

    /**
     * Opens a file. The loop owns it from then on: its data path is confined to that loop and the
     * stage completes there. A file is open for writing at most once at a time: else EBUSY.
     */
    CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop);

    /**
     * Renames a file, durable when the stage completes; fails with EEXIST rather than replace one.
     */
    CompletionStage<Void> rename(String fileName, String newFileName);

    /**
     * Gives a file the name and the place of another, which is gone with that, in one step and
     * durable when the stage completes: after a crash the name leads to one of the two. ENOENT if
     * either is not there, EBUSY while either is open.
     */
    CompletionStage<Void> replace(String fileName, String byFileName);

    /** Removes a file, durable when the stage completes; EBUSY while it is open. */
    CompletionStage<Void> remove(String fileName);

    /**
     * What a node offers beyond this interface, by its type; empty where neither it nor what it
     * passes through to has that.
     */
    default <T> Optional<T> extension(Class<T> type) {
        return type.isInstance(this) ? Optional.of(type.cast(this)) : Optional.empty();
    }

    /** Lets go of everything the node holds. Every file is closed before. */
    CompletionStage<Void> close();
}
