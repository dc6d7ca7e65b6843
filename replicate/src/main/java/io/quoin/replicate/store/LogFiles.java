package io.quoin.replicate.store;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The file of the log, and the one that is to take its place.
 *
 * <p>Threading: confined(loop).
 */
final class LogFiles {
    static final String NAME = "meta.log";
    static final String NEW_NAME = "meta.log.new";

    private static final int PART_BYTES = 1 << 20;

    private final Xlator below;
    private final Loop loop;
    private final FileIo io;

    LogFiles(Xlator below, Loop loop) {
        this.below = below;
        this.loop = loop;
        this.io = new FileIo(loop);
    }

    /**
     * Writes a new log beside the present one, durably. All of its space is written, so that a
     * frame later changes no block of the file system's own.
     */
    CompletionStage<Void> write(LogImage image) {
        CreateOptions options =
                new CreateOptions(image.capacityBytes(), Map.of("preallocation", "full"));
        return removeIfThere(below, NEW_NAME)
                .thenCompose(none -> below.create(NEW_NAME, options))
                .thenCompose(none -> below.open(NEW_NAME, OpenOptions.READ_WRITE, loop))
                .thenComposeAsync(
                        file -> Stages.thenClose(file, () -> writeParts(file, image)), loop);
    }

    private CompletionStage<Void> writeParts(XlatorFile file, LogImage image) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        writePart(file, image.parts(), 0, 0, done);
        return done;
    }

    private void writePart(
            XlatorFile file, List<byte[]> parts, int index, long at, CompletableFuture<Void> done) {
        if (index == parts.size()) {
            io.flush(file, error -> end(error, done));
            return;
        }
        byte[] part = parts.get(index);
        io.write(
                file,
                at,
                part,
                IoFlags.NONE,
                error -> {
                    if (error.isOk()) {
                        writePart(file, parts, index + 1, at + part.length, done);
                    } else {
                        end(error, done);
                    }
                });
    }

    private static void end(BlockError error, CompletableFuture<Void> done) {
        if (error.isOk()) {
            done.complete(null);
        } else {
            done.completeExceptionally(
                    new BlockException(error, "checkpoint cannot be written: file=" + NEW_NAME));
        }
    }

    /** Gives the new log the place of the present one, which is closed. */
    CompletionStage<Void> place() {
        return below.replace(NAME, NEW_NAME);
    }

    CompletionStage<XlatorFile> open() {
        return below.open(NAME, OpenOptions.READ_WRITE, loop);
    }

    /** The whole content of a file; on its loop. */
    static CompletionStage<byte[]> readAll(Xlator below, Loop loop, String fileName) {
        return below.open(fileName, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync(file -> Stages.thenClose(file, () -> readAll(loop, file)), loop);
    }

    private static CompletionStage<byte[]> readAll(Loop loop, XlatorFile file) {
        CompletableFuture<byte[]> done = new CompletableFuture<>();
        byte[] content = new byte[Math.toIntExact(file.geometry().sizeBytes())];
        readPart(new FileIo(loop), file, content, 0, done);
        return done;
    }

    private static void readPart(
            FileIo io, XlatorFile file, byte[] content, int at, CompletableFuture<byte[]> done) {
        if (at == content.length) {
            done.complete(content);
            return;
        }
        int length = Math.min(PART_BYTES, content.length - at);
        io.read(
                file,
                at,
                length,
                (error, bytes) -> {
                    if (error.isOk()) {
                        bytes.get(content, at, length);
                        readPart(io, file, content, at + length, done);
                    } else {
                        done.completeExceptionally(
                                new BlockException(
                                        error, "file cannot be read: file=" + file.fileName()));
                    }
                });
    }

    /** Removes a file; that it is not there is no error. */
    static CompletionStage<Void> removeIfThere(Xlator below, String fileName) {
        return below.remove(fileName)
                .handle((none, failure) -> failure)
                .thenCompose(
                        failure ->
                                failure == null
                                                || Stages.asBlockException(failure).error()
                                                        == BlockError.ENOENT
                                        ? CompletableFuture.completedFuture(null)
                                        : CompletableFuture.failedFuture(failure));
    }
}
