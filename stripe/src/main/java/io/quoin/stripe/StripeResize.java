package io.quoin.stripe;

import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * The resize of a striped file, in an order that a crash does not break:
 *
 * <ol>
 *   <li>the new size is recorded in part 0, durable;
 *   <li>every part gets its share of the new size, durable;
 *   <li>the record is cleared, durable; until then no change is let through.
 * </ol>
 *
 * <p>Opening the file for writing finishes a resize whose record is there. So a part that was not
 * cut has lost its old end before the file can grow again.
 *
 * <p>A resize that fails is undone the same way if the file was to grow. Where it was to shrink, or
 * that fails too, the file takes no more changes until it has been opened again.
 *
 * <p>Threading: confined(loop).
 */
final class StripeResize {
    private final StripedFile file;
    private final Loop loop;
    private @Nullable CompletableFuture<Void> wanted;
    private boolean running;
    private boolean failed;
    private long newSizeBytes;

    StripeResize(StripedFile file, Loop loop) {
        this.file = file;
        this.loop = loop;
    }

    /** From the call that asks for it until it has ended. */
    boolean isWanted() {
        return wanted != null;
    }

    /** Whether the parts' sizes are not known any more. */
    boolean hasFailed() {
        return failed;
    }

    CompletionStage<Void> want(long sizeBytes) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        wanted = done;
        newSizeBytes = sizeBytes;
        return done;
    }

    /** Starts it if it is wanted and {@code changesInFlight} are none. */
    void startIfWanted(int changesInFlight) {
        CompletableFuture<Void> done = wanted;
        if (done == null || running || changesInFlight > 0) {
            return;
        }
        running = true;
        long oldSizeBytes = file.geometry().sizeBytes();
        CompletionStage<Void> unused =
                carryOut(newSizeBytes)
                        .whenComplete(
                                (none, failure) -> {
                                    if (failure == null) {
                                        end(done, newSizeBytes, null);
                                    } else if (newSizeBytes <= oldSizeBytes) {
                                        failed = true;
                                        end(done, newSizeBytes, failure);
                                    } else {
                                        undo(done, oldSizeBytes, failure);
                                    }
                                });
    }

    private void undo(CompletableFuture<Void> done, long oldSizeBytes, Throwable cause) {
        CompletionStage<Void> unused =
                carryOut(oldSizeBytes)
                        .whenComplete(
                                (none, failure) -> {
                                    failed = failure != null;
                                    end(done, oldSizeBytes, cause);
                                });
    }

    private void end(CompletableFuture<Void> done, long sizeBytes, @Nullable Throwable failure) {
        wanted = null;
        running = false;
        file.resized(sizeBytes);
        if (failure == null) {
            done.complete(null);
        } else {
            BlockException cause = Stages.asBlockException(failure);
            done.completeExceptionally(
                    new BlockException(
                            cause.error(),
                            "cannot resize: file="
                                    + file.fileName()
                                    + ", sizeBytes="
                                    + newSizeBytes
                                    + ": "
                                    + cause.getMessage(),
                            cause));
        }
    }

    private CompletionStage<Void> carryOut(long sizeBytes) {
        ByteBuffer record = ByteBuffer.allocateDirect(PartHeaderLayout.RESIZE_BYTES);
        PartHeaderLayout.putResize(record, sizeBytes);
        ByteBuffer none = ByteBuffer.allocateDirect(PartHeaderLayout.RESIZE_BYTES);
        return write(record)
                .thenCompose(done -> resizeParts(sizeBytes))
                .thenCompose(done -> write(none));
    }

    private CompletionStage<Void> write(ByteBuffer record) {
        return PartIo.write(file.part(0), loop, PartHeaderLayout.RESIZE_OFFSET, record);
    }

    private CompletionStage<Void> resizeParts(long sizeBytes) {
        List<CompletableFuture<Void>> calls = new ArrayList<>();
        for (int i = 0; i < file.map().count(); i++) {
            XlatorFile part = file.part(i);
            long partBytes = PartHeaderLayout.DATA_OFFSET + file.map().shareBytes(i, sizeBytes);
            CompletionStage<Void> call =
                    partBytes < part.geometry().sizeBytes()
                            ? part.shrink(partBytes)
                            : part.resize(partBytes);
            calls.add(call.toCompletableFuture());
        }
        return CompletableFuture.allOf(calls.toArray(CompletableFuture<?>[]::new));
    }
}
