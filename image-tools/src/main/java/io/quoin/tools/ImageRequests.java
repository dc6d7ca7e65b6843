package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.xlator.Stages;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.agrona.BufferUtil;
import org.jspecify.annotations.Nullable;

/**
 * Requests to an open image, each waited for, on direct memory.
 *
 * <p>Threading: thread-safe, but never used on a loop.
 */
final class ImageRequests {
    private final OpenedImage image;
    private final Failure failure;

    /** What a request that ended in an error is told as; called on the loop. */
    interface Failure {
        BlockException of(OpenedImage image, IoRequest request, BlockError error);
    }

    ImageRequests(OpenedImage image) {
        this(image, ImageFailure::of);
    }

    ImageRequests(OpenedImage image, Failure failure) {
        this.image = image;
        this.failure = failure;
    }

    /** Fills the first bytes of {@code memory}. */
    void read(long guestOffset, ByteBuffer memory, int lengthBytes) {
        await(IoOp.READ, guestOffset, lengthBytes, IoFlags.NONE, memory, 0);
    }

    /** Writes {@code lengthBytes} of {@code memory} from {@code from} on. */
    void write(long guestOffset, ByteBuffer memory, int from, int lengthBytes) {
        await(IoOp.WRITE, guestOffset, lengthBytes, IoFlags.NONE, memory, from);
    }

    void writeZeroes(long guestOffset, long lengthBytes) {
        writeZeroes(guestOffset, lengthBytes, IoFlags.NONE);
    }

    void writeZeroes(long guestOffset, long lengthBytes, int flags) {
        await(IoOp.WRITE_ZEROES, guestOffset, lengthBytes, flags, null, 0);
    }

    void flush() {
        await(IoOp.FLUSH, 0, 0, IoFlags.NONE, null, 0);
    }

    private void await(
            IoOp op,
            long offset,
            long lengthBytes,
            int flags,
            @Nullable ByteBuffer memory,
            int from) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        image.loop().execute(() -> submit(op, offset, lengthBytes, flags, memory, from, done));
        Stages.awaitTheEnd(image.watch().over(done));
    }

    private void submit(
            IoOp op,
            long offset,
            long lengthBytes,
            int flags,
            @Nullable ByteBuffer memory,
            int from,
            CompletableFuture<Void> done) {
        IoRequest request =
                image.loop().requests().acquire().prepare(op, offset, lengthBytes, flags);
        if (memory != null) {
            request.memory().add(BufferUtil.address(memory) + from, (int) lengthBytes);
        }
        request.push(
                (ended, error) -> {
                    BlockException told = error.isOk() ? null : failure.of(image, ended, error);
                    image.loop().requests().release(ended);
                    if (told == null) {
                        done.complete(null);
                    } else {
                        done.completeExceptionally(told);
                    }
                });
        image.file().submit(request);
    }
}
