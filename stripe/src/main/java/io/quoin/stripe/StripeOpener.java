package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.FileEvent;
import io.quoin.xlator.FileListener;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Opens a striped file: every part, each of which must be the one that belongs there. A resize that
 * is not finished is finished, or where nothing may be written the file has the size of its end.
 *
 * <p>Threading: confined(loop) of the file.
 */
final class StripeOpener implements FileListener {
    private final String nodeName;
    private final Children children;
    private final String fileName;
    private final OpenOptions options;
    private final Loop loop;
    private final Runnable whenClosed;
    private final @Nullable XlatorFile[] parts;
    private @Nullable StripedFile file;

    StripeOpener(
            String nodeName,
            Children children,
            String fileName,
            OpenOptions options,
            Loop loop,
            Runnable whenClosed) {
        this.nodeName = nodeName;
        this.children = children;
        this.fileName = fileName;
        this.options = options;
        this.loop = loop;
        this.whenClosed = whenClosed;
        this.parts = new XlatorFile[children.count()];
    }

    /** Completes on the loop. */
    CompletionStage<XlatorFile> open() {
        CompletableFuture<XlatorFile> result = new CompletableFuture<>();
        CompletionStage<XlatorFile> unused =
                openPart(0)
                        .thenCompose(first -> children.callFrom(1, this::openPart))
                        .thenComposeAsync(rest -> readStarts(), loop)
                        .thenCompose(this::make)
                        .whenCompleteAsync(
                                (made, failure) -> {
                                    if (failure == null) {
                                        result.complete(made);
                                    } else {
                                        closeAll(result, Stages.asBlockException(failure));
                                    }
                                },
                                loop);
        return result;
    }

    private CompletionStage<Void> openPart(int part) {
        return children.get(part)
                .open(fileName, options.listener(this), loop)
                .handle(
                        (opened, failure) -> {
                            if (failure == null) {
                                parts[part] = opened;
                                return CompletableFuture.<Void>completedFuture(null);
                            }
                            BlockException cause = Stages.asBlockException(failure);
                            return cause.error() == BlockError.ENOENT
                                    ? missing(cause)
                                    : CompletableFuture.<Void>failedFuture(cause);
                        })
                .thenCompose(stage -> stage);
    }

    /** There is no such file, or it is not whole. */
    private CompletionStage<Void> missing(BlockException cause) {
        return children.callAll(other -> Children.unlessMissing(children.get(other).stat(fileName)))
                .thenCompose(
                        found -> {
                            List<String> missing = new ArrayList<>();
                            for (int i = 0; i < found.size(); i++) {
                                if (found.get(i).isEmpty()) {
                                    missing.add(children.name(i));
                                }
                            }
                            return CompletableFuture.failedFuture(
                                    missing.size() == children.count()
                                            ? cause
                                            : new BlockException(
                                                    BlockError.EIO,
                                                    "parts of a striped file are missing: file="
                                                            + fileName
                                                            + ", subvolumes="
                                                            + String.join(", ", missing),
                                                    cause));
                        });
    }

    private XlatorFile part(int part) {
        return Objects.requireNonNull(parts[part], "part that is not open");
    }

    private CompletionStage<List<ByteBuffer>> readStarts() {
        return children.callAll(part -> PartIo.readStart(part(part), loop));
    }

    private CompletionStage<XlatorFile> make(List<ByteBuffer> starts) {
        List<XlatorFile> opened = new ArrayList<>();
        for (int part = 0; part < starts.size(); part++) {
            opened.add(part(part));
        }
        PartHeader header = PartChecks.headerOf(fileName, children, starts);
        PartChecks.checkUnits(fileName, children, opened);
        long unfinished = PartHeaderLayout.getResize(starts.get(0));
        StripedFile striped =
                new StripedFile(
                        nodeName,
                        header,
                        opened,
                        children.all().stream().map(child -> child.name()).toList(),
                        unfinished,
                        options.listener(),
                        loop,
                        whenClosed);
        CompletionStage<Void> ready =
                unfinished == PartHeaderLayout.NO_RESIZE || options.isReadOnly()
                        ? CompletableFuture.completedFuture(null)
                        : striped.resize(unfinished);
        return ready.thenApply(
                none -> {
                    file = striped;
                    return striped;
                });
    }

    /** Of a part; the children tell of it by tasks of their own, on the loop. */
    @Override
    public void onEvent(FileEvent event) {
        StripedFile opened = file;
        if (opened != null) {
            opened.happened(event);
        }
    }

    private void closeAll(CompletableFuture<XlatorFile> result, BlockException failure) {
        List<CompletableFuture<Void>> closes =
                Arrays.stream(parts)
                        .filter(Objects::nonNull)
                        .map(part -> part.close().toCompletableFuture())
                        .toList();
        CompletableFuture<Void> unused =
                CompletableFuture.allOf(closes.toArray(CompletableFuture<?>[]::new))
                        .whenComplete(
                                (none, second) -> {
                                    if (second != null) {
                                        failure.addSuppressed(second);
                                    }
                                    whenClosed.run();
                                    result.completeExceptionally(failure);
                                });
    }
}
