package io.quoin.nbd;

import java.util.HashMap;
import java.util.Map;

/**
 * How fast one peer's connections are let in: some at once, as of a host whose guests all start,
 * then so many a second; what comes faster waits before it is greeted, and others do not wait for
 * it. The generic cell rate algorithm (ITU-T I.371): each peer has the time at which all of its
 * connections so far would have come evenly.
 *
 * <p>Threading: confined(loop) that accepts.
 */
final class ConnectionPace {
    static final int AT_ONCE = 256;
    static final int EACH_SECOND = 400;

    private static final long INTERVAL_NANOS = 1_000_000_000L / EACH_SECOND;
    private static final long AHEAD_NANOS = AT_ONCE * INTERVAL_NANOS;
    private static final int PEERS_MAX = 1024;

    private final Map<String, Long> dueNanos = new HashMap<>();

    /** A connection has come: for how long it waits, 0 if not at all. */
    long delayNanos(String peer, long nowNanos) {
        if (dueNanos.size() >= PEERS_MAX) {
            dueNanos.values().removeIf(due -> due - nowNanos <= 0);
        }
        long due = dueNanos.getOrDefault(peer, nowNanos);
        long next = (due - nowNanos > 0 ? due : nowNanos) + INTERVAL_NANOS;
        dueNanos.put(peer, next);
        return Math.max(0, next - nowNanos - AHEAD_NANOS);
    }
}
