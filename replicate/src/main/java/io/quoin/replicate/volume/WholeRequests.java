package io.quoin.replicate.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.IoFlags;
import io.quoin.block.IoRequest;
import io.quoin.xlator.XlatorFile;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads and writes arrays in a file.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class WholeRequests {
    private WholeRequests() {}

    /** The bytes of a range, which lies within the file. */
    static CompletionStage<byte[]> read(XlatorFile file, long offsetBytes, int lengthBytes) {
        UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(lengthBytes));
        IoRequest request = new IoRequest().read(offsetBytes, lengthBytes, IoFlags.NONE);
        request.memory().add(memory, 0, lengthBytes);
        return submit(file, request, memory)
                .thenApply(
                        none -> {
                            byte[] data = new byte[lengthBytes];
                            memory.getBytes(0, data);
                            return data;
                        });
    }

    /** Writes, durable when the stage completes. */
    static CompletionStage<Void> write(XlatorFile file, long offsetBytes, byte[] data) {
        UnsafeBuffer memory = new UnsafeBuffer(ByteBuffer.allocateDirect(data.length));
        memory.putBytes(0, data);
        IoRequest request = new IoRequest().write(offsetBytes, data.length, IoFlags.FUA);
        request.memory().add(memory, 0, data.length);
        return submit(file, request, memory);
    }

    private static CompletionStage<Void> submit(
            XlatorFile file, IoRequest request, UnsafeBuffer memory) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        request.push(
                (completed, error) -> {
                    try {
                        end(done, file, completed, error);
                    } finally {
                        // The request has only its address: it must not be collected before.
                        Reference.reachabilityFence(memory);
                    }
                });
        file.submit(request);
        return done;
    }

    private static void end(
            CompletableFuture<Void> done, XlatorFile file, IoRequest request, BlockError error) {
        if (error.isOk()) {
            done.complete(null);
        } else {
            done.completeExceptionally(failure(file, request, error));
        }
    }

    private static BlockException failure(XlatorFile file, IoRequest request, BlockError error) {
        return new BlockException(
                error,
                "request failed: file="
                        + file.fileName()
                        + ", request="
                        + request
                        + ", reason="
                        + error.text());
    }
}
