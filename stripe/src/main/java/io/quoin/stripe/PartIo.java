package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.xlator.OpenOptions;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads and writes what is not data in an open part.
 *
 * <p>Threading: confined(loop) of the part.
 */
final class PartIo {
    private PartIo() {}

    /** Header and resize record; fewer bytes than those of a file that is shorter. */
    static CompletionStage<ByteBuffer> readStart(XlatorFile part, Loop loop) {
        long lengthBytes = Math.min(PartHeaderLayout.READ_BYTES, part.geometry().sizeBytes());
        ByteBuffer memory = ByteBuffer.allocateDirect((int) lengthBytes);
        if (lengthBytes == 0) {
            return CompletableFuture.completedFuture(memory);
        }
        IoRequest request = loop.requests().acquire().read(0, lengthBytes, IoFlags.NONE);
        return submit(part, loop, request, memory);
    }

    /** As {@link #readStart}, of a file that is opened for it. */
    static CompletionStage<ByteBuffer> readStart(Xlator child, String fileName, Loop loop) {
        return child.open(fileName, OpenOptions.READ_ONLY, loop)
                .thenComposeAsync( // the stage may be done already: then it would go on here
                        file -> Stages.thenClose(file, () -> readStart(file, loop)), loop);
    }

    /** Writes to that offset of the part, durable when the stage completes. */
    static CompletionStage<Void> write(
            XlatorFile part, Loop loop, long offsetBytes, ByteBuffer memory) {
        boolean canFua = part.capabilities().canFua();
        IoRequest request =
                loop.requests()
                        .acquire()
                        .write(offsetBytes, memory.capacity(), canFua ? IoFlags.FUA : IoFlags.NONE);
        CompletionStage<ByteBuffer> written = submit(part, loop, request, memory);
        return canFua
                ? written.thenApply(bytes -> null)
                : written.thenCompose(bytes -> flush(part, loop));
    }

    private static CompletionStage<Void> flush(XlatorFile part, Loop loop) {
        return submit(part, loop, loop.requests().acquire().flush(), ByteBuffer.allocateDirect(0))
                .thenApply(bytes -> null);
    }

    /** The memory is alive until the completion, which holds it. */
    private static CompletionStage<ByteBuffer> submit(
            XlatorFile part, Loop loop, IoRequest request, ByteBuffer memory) {
        CompletableFuture<ByteBuffer> result = new CompletableFuture<>();
        if (memory.capacity() > 0) {
            request.memory().add(new UnsafeBuffer(memory), 0, memory.capacity());
        }
        request.push(
                (done, error) -> {
                    String what = done.toString();
                    loop.requests().release(done);
                    if (error.isOk()) {
                        result.complete(memory);
                    } else {
                        result.completeExceptionally(failure(error, what));
                    }
                });
        part.submit(request);
        return result;
    }

    private static BlockException failure(BlockError error, String what) {
        return new BlockException(error, error.text() + ": request=" + what);
    }
}
