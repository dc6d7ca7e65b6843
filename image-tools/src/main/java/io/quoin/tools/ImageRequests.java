package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.file.ImageFile;
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

    /**
     * Fills {@code memory} with pieces of {@code pieceBytes}, those from index {@code from} up to
     * {@code to}, by requests that are in flight together. Fails as the first of them that did,
     * once all have ended.
     */
    void readEach(long[] guestOffsets, int from, int to, int pieceBytes, ByteBuffer memory) {
        RequestSet set = new RequestSet();
        image.loop()
                .execute(
                        () -> {
                            int first = from;
                            while (first < to) {
                                int end = ImageFile.endOfRun(guestOffsets, first, to, pieceBytes);
                                submit(
                                        IoOp.READ,
                                        guestOffsets[first],
                                        (long) (end - first) * pieceBytes,
                                        IoFlags.NONE,
                                        memory,
                                        (first - from) * pieceBytes,
                                        set.begin());
                                first = end;
                            }
                            set.end(null);
                        });
        Stages.awaitTheEnd(image.watch().over(set.done));
    }

    /**
     * Requests that a caller waits for together.
     *
     * <p>Threading: confined(loop), but for {@code done}.
     */
    private static final class RequestSet {
        private final CompletableFuture<Void> done = new CompletableFuture<>();

        /** Those in flight, and one more until all are begun. */
        private int left = 1;

        private @Nullable BlockException failure;

        Ended begin() {
            left++;
            return this::end;
        }

        private void end(@Nullable BlockException told) {
            failure = failure == null ? told : failure;
            if (--left > 0) {
                return;
            }
            if (failure == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(failure);
            }
        }
    }

    /** Hears of the end of a request, on the loop. */
    private interface Ended {
        void with(@Nullable BlockException failure);
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
        RequestSet one = new RequestSet();
        image.loop().execute(() -> submit(op, offset, lengthBytes, flags, memory, from, one::end));
        Stages.awaitTheEnd(image.watch().over(one.done));
    }

    private void submit(
            IoOp op,
            long offset,
            long lengthBytes,
            int flags,
            @Nullable ByteBuffer memory,
            int from,
            Ended whenEnded) {
        IoRequest request =
                image.loop().requests().acquire().prepare(op, offset, lengthBytes, flags);
        if (memory != null) {
            request.memory().add(BufferUtil.address(memory) + from, (int) lengthBytes);
        }
        request.push(
                (ended, error) -> {
                    BlockException told = error.isOk() ? null : failure.of(image, ended, error);
                    image.loop().requests().release(ended);
                    whenEnded.with(told);
                });
        image.file().submit(request);
    }
}
