package io.quoin.stripe;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;

/**
 * The subvolumes, by the number of the part that each holds.
 *
 * <p>Threading: immutable.
 */
final class Children {
    private final List<Xlator> xlators;

    Children(List<Xlator> xlators) {
        this.xlators = List.copyOf(xlators);
    }

    int count() {
        return xlators.size();
    }

    Xlator get(int part) {
        return xlators.get(part);
    }

    String name(int part) {
        return xlators.get(part).name();
    }

    List<Xlator> all() {
        return xlators;
    }

    /** A call of one child; what it fails with names that. */
    <T> CompletionStage<T> call(int part, IntFunction<CompletionStage<T>> call) {
        return naming(part, call.apply(part));
    }

    private <T> CompletionStage<T> naming(int part, CompletionStage<T> stage) {
        return orElse(
                stage,
                failure -> {
                    BlockException cause = Stages.asBlockException(failure);
                    return new BlockException(
                            cause.error(), name(part) + ": " + cause.getMessage(), cause);
                });
    }

    private static <T> CompletionStage<T> orElse(
            CompletionStage<T> stage, UnaryOperator<Throwable> failed) {
        CompletableFuture<T> result = new CompletableFuture<>();
        CompletionStage<T> unused =
                stage.whenComplete(
                        (value, failure) -> {
                            if (failure == null) {
                                result.complete(value);
                            } else {
                                result.completeExceptionally(failed.apply(failure));
                            }
                        });
        return result;
    }

    /**
     * The same call of each child from {@code first} on, at once. Ends when all have ended, with
     * the failure of the lowest that failed.
     */
    <T> CompletionStage<List<T>> callFrom(int first, IntFunction<CompletionStage<T>> call) {
        List<CompletableFuture<T>> calls = new ArrayList<>();
        for (int part = first; part < count(); part++) {
            calls.add(call(part, call).toCompletableFuture());
        }
        return allOf(calls);
    }

    <T> CompletionStage<List<T>> callAll(IntFunction<CompletionStage<T>> call) {
        return callFrom(0, call);
    }

    private static <T> CompletionStage<List<T>> allOf(List<CompletableFuture<T>> calls) {
        return CompletableFuture.allOf(calls.toArray(CompletableFuture<?>[]::new))
                .handle(
                        (none, failure) -> {
                            List<T> results = new ArrayList<>();
                            calls.forEach(call -> results.add(call.join()));
                            return results;
                        });
    }

    /** The stage's result, or empty where it failed since there is no such file. */
    static <T> CompletionStage<List<T>> unlessMissing(CompletionStage<T> stage) {
        return stage.handle(
                (value, failure) -> {
                    if (failure == null) {
                        return Collections.singletonList(value);
                    }
                    BlockException cause = Stages.asBlockException(failure);
                    if (cause.error() == BlockError.ENOENT) {
                        return Collections.emptyList();
                    }
                    throw cause;
                });
    }
}
