package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Makes an empty folder a brick: the log first, the label last, so that a folder with a label is
 * whole. What a format that was cut off has left is taken for empty.
 *
 * <p>Threading: confined(loop).
 */
final class BrickFormat {
    private static final Set<String> REMAINS =
            Set.of(BrickLabel.NEW_NAME, LogFiles.NEW_NAME, LogFiles.NAME);

    /** What a brick has that no gateway has used. */
    private static final Set<String> OF_NEW = Set.of(BrickLabel.NAME, LogFiles.NAME, SyncMark.NAME);

    private final Xlator below;
    private final Loop loop;
    private final FileIo io;

    BrickFormat(Xlator below, Loop loop) {
        this.below = below;
        this.loop = loop;
        this.io = new FileIo(loop);
    }

    CompletionStage<Void> format(BrickLabel label, long logBytes) {
        LogLayout.Header header = new LogLayout.Header(0, label.brick(), 0, 1, 0, "");
        RecordCodec codec = new RecordCodec(label.index(), label.layout());
        LogImage image = LogImage.of(header, List.of(codec.closed()), logBytes);
        LogFiles log = new LogFiles(below, loop);
        return below.list()
                .thenComposeAsync(this::empty, loop)
                .thenCompose(none -> create(BrickLabel.NEW_NAME, label.encode()))
                .thenComposeAsync(none -> log.write(image), loop)
                .thenCompose(none -> below.rename(LogFiles.NEW_NAME, LogFiles.NAME))
                .thenCompose(none -> below.rename(BrickLabel.NEW_NAME, BrickLabel.NAME));
    }

    /** Whether there is nothing but what a format that was cut off may have left. */
    static boolean isEmpty(Collection<String> names) {
        return REMAINS.containsAll(names)
                && (!names.contains(LogFiles.NAME) || names.contains(BrickLabel.NEW_NAME));
    }

    private CompletionStage<Void> empty(List<FileInfo> files) {
        Set<String> names = new TreeSet<>();
        files.forEach(file -> names.add(file.fileName()));
        if (!isEmpty(names)) {
            return CompletableFuture.failedFuture(
                    new BlockException(
                            BlockError.EEXIST,
                            "folder of a new brick is not empty: file=" + names.iterator().next()));
        }
        // The label last: without it a log is no remainder.
        return LogFiles.removeIfThere(below, LogFiles.NEW_NAME)
                .thenCompose(none -> LogFiles.removeIfThere(below, LogFiles.NAME))
                .thenCompose(none -> LogFiles.removeIfThere(below, BrickLabel.NEW_NAME));
    }

    /** Takes a format back; cut off, it leaves what the next format takes for its remains. */
    static CompletionStage<Void> undo(Xlator below) {
        return below.list()
                .thenCompose(
                        files -> {
                            for (FileInfo file : files) {
                                if (!OF_NEW.contains(file.fileName())) {
                                    return CompletableFuture.failedFuture(
                                            new BlockException(
                                                    BlockError.EEXIST,
                                                    "brick is in use: file=" + file.fileName()));
                                }
                            }
                            return LogFiles.removeIfThere(below, SyncMark.NAME);
                        })
                .thenCompose(none -> below.rename(BrickLabel.NAME, BrickLabel.NEW_NAME))
                .thenCompose(none -> LogFiles.removeIfThere(below, LogFiles.NAME))
                .thenCompose(none -> below.remove(BrickLabel.NEW_NAME));
    }

    private CompletionStage<Void> create(String fileName, byte[] content) {
        return below.create(fileName, CreateOptions.ofSize(content.length))
                .thenCompose(none -> below.open(fileName, OpenOptions.READ_WRITE, loop))
                .thenComposeAsync(file -> Stages.thenClose(file, () -> write(file, content)), loop);
    }

    private CompletionStage<Void> write(XlatorFile file, byte[] content) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        io.write(
                file,
                0,
                content,
                IoFlags.NONE,
                error -> {
                    if (error.isOk()) {
                        io.flush(file, flushed -> end(file, flushed, done));
                    } else {
                        end(file, error, done);
                    }
                });
        return done;
    }

    private static void end(XlatorFile file, BlockError error, CompletableFuture<Void> done) {
        if (error.isOk()) {
            done.complete(null);
        } else {
            done.completeExceptionally(
                    new BlockException(error, "file cannot be written: file=" + file.fileName()));
        }
    }
}
