package io.quoin.replicate;

import java.util.concurrent.TimeUnit;

/**
 * Times of a gateway, in nanoseconds.
 *
 * @param tick how often the gateway looks at its timeouts
 * @param answer a brick that owes an answer for longer has lost its session
 * @param drop an in-sync member without a session for longer is dropped
 * @param gather how long an open waits for more in-sync members than one
 * @param suspect how long an open waits for a member that has lost nothing
 * @param clean how often quiet regions are flushed and cleaned
 */
public record Timing(long tick, long answer, long drop, long gather, long suspect, long clean) {
    /** The usual times. */
    public static final Timing DEFAULT =
            new Timing(
                    millis(250),
                    millis(3000),
                    millis(2000),
                    millis(500),
                    millis(10_000),
                    millis(10_000));

    private static long millis(long count) {
        return TimeUnit.MILLISECONDS.toNanos(count);
    }
}
