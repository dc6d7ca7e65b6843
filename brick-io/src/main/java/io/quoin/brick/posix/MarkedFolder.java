package io.quoin.brick.posix;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A brick folder that is opened by the first call for which it is there with its mark. Until then
 * calls fail, and each looks again: one brick that is missing keeps no graph from being built, and
 * is used once its file system is mounted.
 *
 * <p>Threading: thread-safe. Stages complete on any thread, those of {@link #open} on their loop.
 */
final class MarkedFolder implements Xlator {
    private final String name;
    private final Path directory;
    private final String volumeId;
    private final Executor blocking;
    private final Supplier<Xlator> opening;
    private @Nullable Xlator opened;
    private boolean isClosed;

    /**
     * @param opening opens the folder
     */
    MarkedFolder(
            String name,
            Path directory,
            String volumeId,
            Executor blocking,
            Supplier<Xlator> opening) {
        this.name = name;
        this.directory = directory;
        this.volumeId = volumeId;
        this.blocking = blocking;
        this.opening = opening;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return PosixType.TYPE;
    }

    @Override
    public List<Xlator> subvolumes() {
        return List.of();
    }

    /**
     * The folder.
     *
     * @throws BlockException ENOENT if it is not there or lacks the mark, ESHUTDOWN once closed;
     *     else as opening it does
     */
    private synchronized Xlator folder() {
        if (isClosed) {
            throw new BlockException(BlockError.ESHUTDOWN, "node is closed: name=" + name);
        }
        Xlator present = opened;
        if (present == null) {
            BrickMark.require(directory, volumeId);
            present = opening.get();
            opened = present;
        }
        return present;
    }

    private <T> CompletionStage<T> with(Function<Xlator, CompletionStage<T>> call) {
        return CompletableFuture.supplyAsync(this::folder, blocking).thenCompose(call);
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return with(Xlator::list);
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return with(Xlator::statfs);
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return with(folder -> folder.stat(fileName));
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return with(folder -> folder.create(fileName, options));
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        CompletableFuture<XlatorFile> result = new CompletableFuture<>();
        CompletionStage<XlatorFile> unused =
                this.<XlatorFile>with(folder -> folder.open(fileName, options, loop))
                        .whenComplete(
                                (file, failure) ->
                                        loop.execute(
                                                () -> {
                                                    if (failure == null) {
                                                        result.complete(file);
                                                    } else {
                                                        result.completeExceptionally(
                                                                cause(failure));
                                                    }
                                                }));
        return result;
    }

    private static Throwable cause(Throwable failure) {
        Throwable cause = failure.getCause();
        return failure instanceof CompletionException && cause != null ? cause : failure;
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return with(folder -> folder.rename(fileName, newFileName));
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return with(folder -> folder.replace(fileName, byFileName));
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return with(folder -> folder.remove(fileName));
    }

    @Override
    public synchronized CompletionStage<Void> close() {
        isClosed = true;
        Xlator present = opened;
        return present == null ? CompletableFuture.completedFuture(null) : present.close();
    }
}
