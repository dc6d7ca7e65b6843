package io.quoin.tools;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.util.concurrent.CompletableFuture;

/**
 * Ends waits for what loops do when a task of one has ended in an exception, which is a fault of
 * Quoin's: requests may be left that nothing will complete any more.
 *
 * <p>Threading: thread-safe.
 */
final class LoopWatch {
    private final CompletableFuture<Throwable> broken = new CompletableFuture<>();

    /** A task has ended so. */
    void failed(Throwable cause) {
        broken.complete(cause);
    }

    /** The same result, or the failure of a task if that comes first. */
    <T> CompletableFuture<T> over(CompletableFuture<T> future) {
        return CompletableFuture.anyOf(future, broken)
                .thenCompose(
                        first ->
                                future.isDone()
                                        ? future
                                        : CompletableFuture.failedFuture(
                                                failure((Throwable) first)));
    }

    private static BlockException failure(Throwable cause) {
        return new BlockException(BlockError.EIO, Reason.of(cause), cause);
    }
}
