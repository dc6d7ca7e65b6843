package io.quoin.replicate.wire;

import java.util.concurrent.TimeUnit;

/**
 * When a connection counts as lost, and when the next one is tried. Time is counted in ticks, so
 * that a process that was stopped for a while does not take its own absence for the other side's.
 *
 * <p>Threading: immutable.
 *
 * @param tickNanos between two pings
 * @param missedMax ticks without anything received, after which the connection ends
 * @param helloMax ticks until the hello must have been received
 * @param stalledMax ticks without progress, after which the connection ends, while the other side
 *     takes nothing of what was sent, or the brick answers nothing of what stopped the reading
 * @param lingerMax ticks that the other side has for closing the connection behind a last message
 * @param callMax ticks that an answer to a call may take
 * @param backoffMinNanos after the first failure to connect; twice as long after each further one
 * @param backoffMaxNanos the most
 */
public record WireTiming(
        long tickNanos,
        int missedMax,
        int helloMax,
        int stalledMax,
        int lingerMax,
        int callMax,
        long backoffMinNanos,
        long backoffMaxNanos) {
    /** What is used. */
    public static WireTiming byDefault() {
        return new WireTiming(
                TimeUnit.SECONDS.toNanos(1),
                4,
                5,
                10,
                2,
                60,
                TimeUnit.MILLISECONDS.toNanos(100),
                TimeUnit.SECONDS.toNanos(5));
    }
}
