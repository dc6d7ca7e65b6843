package io.quoin.management.image;

import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.management.volume.Stages;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Requests to an open image, each waited for, on direct memory.
 *
 * <p>Threading: confined to the thread of the tool.
 */
final class ImageRequests {
    private final OpenedImage image;

    ImageRequests(OpenedImage image) {
        this.image = image;
    }

    /** Fills the first bytes of {@code memory}. */
    void read(long guestOffset, ByteBuffer memory, int lengthBytes) {
        await(IoOp.READ, guestOffset, lengthBytes, memory, 0);
    }

    /** Writes {@code lengthBytes} of {@code memory} from {@code from} on. */
    void write(long guestOffset, ByteBuffer memory, int from, int lengthBytes) {
        await(IoOp.WRITE, guestOffset, lengthBytes, memory, from);
    }

    void writeZeroes(long guestOffset, long lengthBytes) {
        await(IoOp.WRITE_ZEROES, guestOffset, lengthBytes, null, 0);
    }

    void flush() {
        await(IoOp.FLUSH, 0, 0, null, 0);
    }

    private void await(
            IoOp op, long offset, long lengthBytes, @Nullable ByteBuffer memory, int from) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        AtomicInteger left = new AtomicInteger(1);
        image.loop().execute(() -> submit(op, offset, lengthBytes, memory, from, left, done));
        Stages.awaitTheEnd(image.watch().over(done));
    }

    /**
     * Writes the same few bytes at {@code count} places, {@code strideBytes} apart, all under way
     * at once.
     */
    void writeMany(long guestOffset, long strideBytes, int count, ByteBuffer memory, int length) {
        CompletableFuture<Void> all = new CompletableFuture<>();
        AtomicInteger left = new AtomicInteger(count);
        image.loop()
                .execute(
                        () -> {
                            for (int i = 0; i < count; i++) {
                                long at = guestOffset + i * strideBytes;
                                submit(IoOp.WRITE, at, length, memory, 0, left, all);
                            }
                        });
        Stages.awaitTheEnd(image.watch().over(all));
    }

    /** Completes {@code done} as the last of those that are {@code left}, or the first to fail. */
    private void submit(
            IoOp op,
            long offset,
            long lengthBytes,
            @Nullable ByteBuffer memory,
            int from,
            AtomicInteger left,
            CompletableFuture<Void> done) {
        IoRequest request =
                image.loop().requests().acquire().prepare(op, offset, lengthBytes, IoFlags.NONE);
        if (memory != null) {
            request.memory().add(BufferUtil.address(memory) + from, (int) lengthBytes);
        }
        request.push(
                (ended, error) -> {
                    BlockException failure =
                            error.isOk() ? null : ImageFailure.of(image, ended, error);
                    image.loop().requests().release(ended);
                    if (failure != null) {
                        done.completeExceptionally(failure);
                    } else if (left.decrementAndGet() == 0) {
                        done.complete(null);
                    }
                });
        image.file().submit(request);
    }
}
