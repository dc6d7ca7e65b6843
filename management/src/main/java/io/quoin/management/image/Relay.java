package io.quoin.management.image;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Passes the end of a stage on to a future that somebody waits for, also where the stage could not
 * even be begun.
 *
 * <p>Threading: thread-safe.
 */
final class Relay {
    private Relay() {}

    // Whoever has the target hears of everything.
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
