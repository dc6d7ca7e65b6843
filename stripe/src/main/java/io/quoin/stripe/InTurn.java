package io.quoin.stripe;

import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Calls that are made one after another.
 *
 * <p>Threading: thread-safe.
 */
final class InTurn {
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    /** Makes the call once all before have ended, whichever way. */
    synchronized <T> CompletionStage<T> call(Supplier<CompletionStage<T>> call) {
        CompletableFuture<T> stage =
                last.handle((result, failure) -> true)
                        .thenCompose(ended -> call.get())
                        .toCompletableFuture();
        last = stage;
        return stage;
    }

    /** Takes a step for each item, until one fails. */
    static <T> CompletionStage<Void> each(
            Iterable<T> items, Function<T, CompletionStage<Void>> step) {
        CompletableFuture<Void> end = new CompletableFuture<>();
        proceed(items.iterator(), step, end);
        return end;
    }

    /** In a loop as long as steps end at once: there may be many. */
    private static <T> void proceed(
            Iterator<T> items,
            Function<T, CompletionStage<Void>> step,
            CompletableFuture<Void> end) {
        try {
            while (items.hasNext()) {
                CompletableFuture<Void> taken = step.apply(items.next()).toCompletableFuture();
                if (!taken.isDone()) {
                    CompletionStage<Void> unused =
                            taken.whenComplete(
                                    (none, failure) -> {
                                        if (failure == null) {
                                            proceed(items, step, end);
                                        } else {
                                            end.completeExceptionally(failure);
                                        }
                                    });
                    return;
                }
                taken.join();
            }
            end.complete(null);
        } catch (RuntimeException e) {
            end.completeExceptionally(e);
        }
    }
}
