package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/**
 * Passes the end of a stage on to a future that is waited for, also where the stage could not even
 * be begun; and waits.
 *
 * <p>Threading: thread-safe.
 */
final class Relay {
    private Relay() {}

    /** The result, however long it takes. */
    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (ExecutionException e) {
            throw Stages.asBlockException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    // The holder of the target hears of everything.
    @SuppressWarnings("FutureReturnValueIgnored")
    static <T> void into(CompletableFuture<T> target, Supplier<CompletionStage<T>> work) {
        try {
            work.get()
                    .whenComplete(
                            (value, failure) -> {
                                if (failure == null) {
                                    target.complete(value);
                                } else {
                                    target.completeExceptionally(failure);
                                }
                            });
        } catch (RuntimeException | Error e) {
            target.completeExceptionally(e);
        }
    }
}
