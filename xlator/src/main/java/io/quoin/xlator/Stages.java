package io.quoin.xlator;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Stages of the control path: waits for them, on threads that may block, and ends them.
 *
 * <p>Threading: thread-safe.
 */
public final class Stages {
    /** Longer than any call of the control path takes that is going to end. */
    private static final long DEADLINE_MINUTES = 10;

    private Stages() {}

    /**
     * The result of {@code stage}.
     *
     * @throws BlockException as the stage failed with
     */
    public static <T> T await(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get(DEADLINE_MINUTES, TimeUnit.MINUTES);
        } catch (ExecutionException e) {
            throw asBlockException(e);
        } catch (TimeoutException e) {
            throw new BlockException(
                    BlockError.EIO, "no answer within " + DEADLINE_MINUTES + " minutes", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    /**
     * The result of {@code stage}, however long it takes: for work in proportion to an image.
     *
     * @throws BlockException as the stage failed with
     */
    public static <T> T awaitTheEnd(CompletionStage<T> stage) {
        try {
            return stage.toCompletableFuture().get();
        } catch (ExecutionException e) {
            throw asBlockException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
        }
    }

    /**
     * Fails as {@code failure} says, once a file is closed that was opened and cannot be used. On
     * the file's loop.
     */
    public static <T> CompletionStage<T> failAfterClose(XlatorFile file, Throwable failure) {
        return file.close()
                .handle((none, second) -> second)
                .thenCompose(
                        second -> {
                            if (second != null) {
                                failure.addSuppressed(second);
                            }
                            return CompletableFuture.failedFuture(failure);
                        });
    }

    /** Closes a file once {@code call} has ended, whichever way. On the file's loop. */
    public static <T> CompletionStage<T> thenClose(
            XlatorFile file, Supplier<CompletionStage<T>> call) {
        CompletionStage<T> called;
        try {
            called = call.get();
        } catch (RuntimeException | Error e) {
            return failAfterClose(file, e);
        }
        return called.handle(
                        (result, failure) ->
                                failure == null
                                        ? file.close().thenApply(none -> result)
                                        : Stages.<T>failAfterClose(file, failure))
                .thenCompose(Function.identity());
    }

    /** What a stage failed with, without the wrapping of stages. */
    public static BlockException asBlockException(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof BlockException e
                ? e
                : new BlockException(Reason.errorOf(cause), Reason.of(cause), cause);
    }
}
