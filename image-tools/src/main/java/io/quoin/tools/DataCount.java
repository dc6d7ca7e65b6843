package io.quoin.tools;

import io.quoin.block.BlockError;
import java.util.concurrent.CompletableFuture;

/**
 * Counts the bytes of the clusters in which an image does not read as zeros.
 *
 * <p>Threading: confined(loop) of the image.
 */
final class DataCount {
    private final OpenedImage image;
    private final long clusterBytes;
    private final ExtentCursor cursor;
    private final CompletableFuture<Long> done = new CompletableFuture<>();
    private long countedTo;
    private long countedBytes;
    private boolean looking;
    private boolean counting;

    DataCount(OpenedImage image, long clusterBytes) {
        this.image = image;
        this.clusterBytes = clusterBytes;
        cursor = new ExtentCursor(image.file(), image.loop(), image.file().geometry().sizeBytes());
    }

    CompletableFuture<Long> start() {
        count();
        return done;
    }

    private void count() {
        if (counting) {
            return; // the status came at once: the loop below goes on
        }
        counting = true;
        while (!cursor.isAtEnd() && !looking && !done.isDone()) {
            if (cursor.isKnown()) {
                countRun();
            } else {
                look();
            }
        }
        counting = false;
        if (cursor.isAtEnd()) {
            done.complete(countedBytes);
        }
    }

    private void countRun() {
        long run = cursor.runBytes();
        if (!cursor.isZero()) {
            long start = Math.max(countedTo, cursor.position() & -clusterBytes);
            long end = (cursor.position() + run + clusterBytes - 1) & -clusterBytes;
            countedBytes += Math.max(0, end - start);
            countedTo = Math.max(countedTo, end);
        }
        cursor.advance(run);
    }

    private void look() {
        looking = true;
        cursor.look(
                error -> {
                    looking = false;
                    if (error == BlockError.OK) {
                        count();
                    } else {
                        done.completeExceptionally(
                                ImageFailure.of(
                                        image,
                                        "block status",
                                        cursor.position(),
                                        clusterBytes,
                                        error));
                    }
                });
    }
}
