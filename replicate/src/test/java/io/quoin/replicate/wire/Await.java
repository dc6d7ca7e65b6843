package io.quoin.replicate.wire;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits for a state, with a limit. */
final class Await {
    private static final long LIMIT_SECONDS = 30;
    private static final long POLL_MILLIS = 2;

    private Await() {}

    static void until(String what, BooleanSupplier state) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        try {
            while (!state.getAsBoolean()) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("not in time: " + what);
                }
                Thread.sleep(POLL_MILLIS);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    static <T> T result(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
}
