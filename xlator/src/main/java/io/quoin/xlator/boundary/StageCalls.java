package io.quoin.xlator.boundary;

import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stages of control-path calls: what a call throws fails its stage.
 *
 * <p>Threading: thread-safe.
 */
final class StageCalls {
    private StageCalls() {}

    /** Makes the call; its stage fails with whatever it throws. */
    static <T> CompletionStage<T> of(Supplier<CompletionStage<T>> call) {
        try {
            return call.get();
        } catch (RuntimeException | AssertionError e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /**
     * As {@link #of}; on the loop, {@code afterwards} is run and then the stage completes, however
     * the call ended.
     */
    static <T> CompletionStage<T> onLoop(
            Loop loop, Supplier<CompletionStage<T>> call, Runnable afterwards) {
        CompletableFuture<T> result = new CompletableFuture<>();
        of(call).whenComplete(
                        (value, failure) -> {
                            Runnable end = () -> end(result, value, failure, afterwards);
                            if (loop.inLoop()) {
                                end.run();
                            } else {
                                loop.execute(end);
                            }
                        });
        return result;
    }

    /** Has {@code target} end as {@code stage} does. */
    static <T> void relay(CompletionStage<T> stage, CompletableFuture<T> target) {
        stage.whenComplete(
                (value, failure) -> {
                    if (failure == null) {
                        target.complete(value);
                    } else {
                        target.completeExceptionally(failure);
                    }
                });
    }

    private static <T> void end(
            CompletableFuture<T> result,
            T value,
            @Nullable Throwable failure,
            Runnable afterwards) {
        afterwards.run();
        if (failure == null) {
            result.complete(value);
        } else {
            result.completeExceptionally(failure);
        }
    }
}
