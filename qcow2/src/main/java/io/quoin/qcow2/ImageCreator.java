package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.cache.ImageHealth;
import io.quoin.qcow2.cache.ImageIo;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.agrona.BufferUtil;

/**
 * Makes new images. An image is written under a temporary name, flushed and renamed, so that a
 * crash leaves either nothing or a whole image.
 *
 * <p>Threading: thread-safe.
 */
final class ImageCreator {
    private static final String TEMPORARY_PREFIX = ".";
    private static final String TEMPORARY_SUFFIX = ".new";
    private static final int ALIGNMENT = 4096;

    private final Xlator subvolume;
    private final ImageOpener opener;

    ImageCreator(Xlator subvolume, ImageOpener opener) {
        this.subvolume = subvolume;
        this.opener = opener;
    }

    static boolean isTemporary(String fileName) {
        return fileName.startsWith(TEMPORARY_PREFIX)
                && fileName.endsWith(Qcow2Xlator.SUFFIX + TEMPORARY_SUFFIX);
    }

    CompletionStage<Void> create(String fileName, CreateOptions options, Loop loop) {
        NewImage wanted;
        CompletionStage<Long> size;
        try {
            wanted = NewImage.of(options);
            size = sizeOf(fileName, wanted, loop);
        } catch (BlockException e) {
            return CompletableFuture.failedFuture(e);
        }
        return size.thenCompose(
                sizeBytes ->
                        refuseExisting(fileName)
                                .thenCompose(
                                        nothing ->
                                                make(fileName, wanted.withSize(sizeBytes), loop)));
    }

    private CompletionStage<Void> refuseExisting(String fileName) {
        return subvolume
                .stat(fileName)
                .handle(
                        (info, failure) -> {
                            if (failure == null) {
                                throw new BlockException(
                                        BlockError.EEXIST, "file exists already: name=" + fileName);
                            }
                            if (ChildFiles.errorOf(failure) != BlockError.ENOENT) {
                                return CompletableFuture.<Void>failedFuture(failure);
                            }
                            return CompletableFuture.<Void>completedFuture(null);
                        })
                .thenCompose(Function.identity());
    }

    /**
     * The size asked for, else the backing file's; the whole chain is opened to see that it can be.
     */
    private CompletionStage<Long> sizeOf(String fileName, NewImage wanted, Loop loop) {
        String backing = wanted.backingFile();
        if (backing == null) {
            return CompletableFuture.completedFuture(wanted.sizeBytes());
        }
        CompletableFuture<Long> size = new CompletableFuture<>();
        loop.execute(
                () -> {
                    try {
                        opener.openBacking(
                                        fileName,
                                        backing,
                                        wanted.backingFormat(),
                                        loop,
                                        List.of(fileName))
                                .thenCompose(
                                        file ->
                                                ChildFiles.thenClose(
                                                        file,
                                                        open ->
                                                                CompletableFuture.completedFuture(
                                                                        open.geometry()
                                                                                .sizeBytes())))
                                .whenComplete(
                                        (sizeBytes, failure) -> {
                                            if (failure != null) {
                                                size.completeExceptionally(failure);
                                            } else {
                                                size.complete(
                                                        wanted.sizeBytes() > 0
                                                                ? wanted.sizeBytes()
                                                                : sizeBytes);
                                            }
                                        });
                    } catch (BlockException e) {
                        size.completeExceptionally(e);
                    }
                });
        return size;
    }

    private CompletionStage<Void> make(String fileName, NewImage image, Loop loop) {
        String temporary = TEMPORARY_PREFIX + fileName + TEMPORARY_SUFFIX;
        Qcow2Header header = image.header();
        ByteBuffer firstCluster = header.encode();
        return removeLeftover(temporary)
                .thenCompose(
                        nothing ->
                                subvolume.create(
                                        temporary, CreateOptions.ofSize(image.fileSizeBytes())))
                .thenCompose(
                        nothing ->
                                write(temporary, image, firstCluster, loop)
                                        .thenCompose(v -> subvolume.rename(temporary, fileName))
                                        .handle((v, failure) -> undo(temporary, failure))
                                        .thenCompose(Function.identity()));
    }

    /** Of a creation that crashed. */
    private CompletionStage<Void> removeLeftover(String temporary) {
        return subvolume
                .remove(temporary)
                .handle(
                        (nothing, failure) ->
                                failure == null || ChildFiles.errorOf(failure) == BlockError.ENOENT
                                        ? CompletableFuture.<Void>completedFuture(null)
                                        : CompletableFuture.<Void>failedFuture(failure))
                .thenCompose(Function.identity());
    }

    @SuppressWarnings("NullAway") // handle passes null where the stage did not fail
    private CompletionStage<Void> undo(String temporary, Throwable failure) {
        if (failure == null) {
            return CompletableFuture.completedFuture(null);
        }
        return subvolume
                .remove(temporary)
                .handle((nothing, ignored) -> CompletableFuture.<Void>failedFuture(failure))
                .thenCompose(Function.identity());
    }

    private CompletionStage<Void> write(
            String temporary, NewImage image, ByteBuffer firstCluster, Loop loop) {
        return subvolume
                .open(temporary, OpenMode.READ_WRITE, loop)
                .thenComposeAsync( // on the loop, also where the stage is done already
                        file ->
                                ChildFiles.thenClose(
                                        file,
                                        open -> {
                                            ImageHealth health = new ImageHealth(temporary, true);
                                            return writeMetadata(
                                                    new ImageIo(open, loop, health),
                                                    image,
                                                    firstCluster);
                                        }),
                        loop);
    }

    private static CompletionStage<Void> writeMetadata(
            ImageIo io, NewImage image, ByteBuffer firstCluster) {
        ByteBuffer metadata = BufferUtil.allocateDirectAligned(image.metadataBytes(), ALIGNMENT);
        image.encode(firstCluster, metadata);
        return ChildFiles.stage(
                "write of a new image",
                outcome ->
                        io.write(
                                0,
                                BufferUtil.address(metadata),
                                metadata.capacity(),
                                error -> {
                                    if (error.isOk()) {
                                        io.flush(outcome);
                                    } else {
                                        outcome.done(error);
                                    }
                                }));
    }
}
