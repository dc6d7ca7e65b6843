package io.quoin.replicate.link;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickLink;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.FileInfo;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * A node that has no files of its own, only a link to a brick: {@code extension(BrickLink.class)}.
 * Its files are parts of a volume's; calls for them are refused with ENOTSUP.
 *
 * <p>Threading: thread-safe.
 */
final class BrickNode implements Xlator {
    private final String name;
    private final String type;
    private final List<Xlator> subvolumes;
    private final BrickLink link;
    private final Supplier<CompletionStage<Void>> close;

    /**
     * @param close ends the link and lets go of what it has
     */
    BrickNode(
            String name,
            String type,
            List<Xlator> subvolumes,
            BrickLink link,
            Supplier<CompletionStage<Void>> close) {
        this.name = name;
        this.type = type;
        this.subvolumes = List.copyOf(subvolumes);
        this.link = link;
        this.close = close;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String type() {
        return type;
    }

    @Override
    public List<Xlator> subvolumes() {
        return subvolumes;
    }

    @Override
    public CompletionStage<StorageSpace> statfs() {
        return link.space()
                .thenApply(space -> new StorageSpace(space.totalBytes(), space.freeBytes()));
    }

    @Override
    public <T> Optional<T> extension(Class<T> wanted) {
        return wanted == BrickLink.class
                ? Optional.of(wanted.cast(link))
                : Xlator.super.extension(wanted);
    }

    @Override
    public CompletionStage<Void> close() {
        return close.get();
    }

    @Override
    public CompletionStage<List<FileInfo>> list() {
        return refused();
    }

    @Override
    public CompletionStage<FileInfo> stat(String fileName) {
        return refused();
    }

    @Override
    public CompletionStage<Void> create(String fileName, CreateOptions options) {
        return refused();
    }

    @Override
    public CompletionStage<XlatorFile> open(String fileName, OpenOptions options, Loop loop) {
        return refused();
    }

    @Override
    public CompletionStage<Void> rename(String fileName, String newFileName) {
        return refused();
    }

    @Override
    public CompletionStage<Void> replace(String fileName, String byFileName) {
        return refused();
    }

    @Override
    public CompletionStage<Void> remove(String fileName) {
        return refused();
    }

    private <T> CompletionStage<T> refused() {
        return CompletableFuture.failedFuture(
                new BlockException(
                        BlockError.ENOTSUP,
                        "a brick has no files of its own: node="
                                + name
                                + ", type="
                                + type
                                + ", expected=cluster/replicate above it"));
    }
}
