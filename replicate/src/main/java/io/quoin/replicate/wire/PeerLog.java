package io.quoin.replicate.wire;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;

/**
 * The log of what peers bring about: some lines in a while, and how many were left out.
 *
 * <p>Threading: confined to one loop.
 */
final class PeerLog {
    private static final int LINES = 20;
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final Logger log;
    private final LongSupplier nanoTime;
    private long windowNanos;
    private int lines;
    private long leftOut;

    PeerLog(Logger log, LongSupplier nanoTime) {
        this.log = log;
        this.nanoTime = nanoTime;
        this.windowNanos = nanoTime.getAsLong();
    }

    void info(String event, Object peer, String reason) {
        long now = nanoTime.getAsLong();
        if (now - windowNanos > WINDOW_NANOS) {
            windowNanos = now;
            lines = 0;
        }
        lines++;
        if (lines > LINES) {
            leftOut++;
        } else if (leftOut == 0) {
            log.info("{}: peer={}, {}", event, peer, reason);
        } else {
            log.info("{}: peer={}, {}, left out before={}", event, peer, reason, leftOut);
            leftOut = 0;
        }
    }
}
