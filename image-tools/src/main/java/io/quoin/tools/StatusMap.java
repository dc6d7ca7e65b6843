package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.BlockStatus;
import io.quoin.qcow2.info.ExtentJoiner;
import io.quoin.qcow2.info.MapExtent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Where the bytes of an open image are, by the block status that it tells; for images whose tables
 * cannot be looked at.
 *
 * <p>Threading: confined to the thread of the tool.
 */
public final class StatusMap {
    private final OpenedImage image;
    private final ExtentCursor cursor;

    private StatusMap(OpenedImage image) {
        this.image = image;
        cursor = new ExtentCursor(image.file(), image.loop(), image.geometry().sizeBytes());
    }

    /**
     * Tells {@code consumer} all extents in order, joined where they are alike.
     *
     * @throws BlockException if the image does not tell its status
     */
    public static void map(OpenedImage image, Consumer<MapExtent> consumer) {
        StatusMap map = new StatusMap(image);
        ExtentJoiner joiner = new ExtentJoiner(consumer);
        List<MapExtent> some = map.next();
        while (!some.isEmpty()) {
            some.forEach(joiner::add);
            some = map.next();
        }
        joiner.end();
    }

    /** What one request tells; empty at the end. */
    private List<MapExtent> next() {
        return image.call(
                file -> {
                    CompletableFuture<List<MapExtent>> told = new CompletableFuture<>();
                    if (cursor.isAtEnd()) {
                        told.complete(List.of());
                    } else {
                        cursor.look(error -> answer(error, told));
                    }
                    return told;
                });
    }

    private void answer(BlockError error, CompletableFuture<List<MapExtent>> told) {
        if (!error.isOk()) {
            told.completeExceptionally(
                    new BlockException(
                            error,
                            "block status cannot be read: image="
                                    + image.location().text()
                                    + ", offset="
                                    + cursor.position()));
            return;
        }
        List<MapExtent> some = new ArrayList<>();
        while (cursor.isKnown() && !cursor.isAtEnd()) {
            long length = cursor.runBytes();
            some.add(extent(cursor.position(), length, cursor.status()));
            cursor.advance(length);
        }
        told.complete(some);
    }

    /** As QEMU reads it: what is neither there nor known to be zeros is another layer's. */
    private static MapExtent extent(long start, long length, int status) {
        boolean isZero = (status & BlockStatus.ZERO) != 0;
        boolean isData = (status & BlockStatus.HOLE) == 0;
        return new MapExtent(start, length, 0, isData || isZero, isZero, isData, false, start);
    }
}
