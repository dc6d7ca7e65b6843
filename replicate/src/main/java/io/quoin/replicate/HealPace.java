package io.quoin.replicate;

import java.util.concurrent.TimeUnit;

/**
 * Has heals and scrubs rest after each piece in proportion to what they slow guests down; without
 * guests they do not rest.
 *
 * <p>Guests' reads and writes are timed while there is such work. Those that begin and end in a
 * rest tell how long they take without it, the others how long with it. Where the mean of these is
 * too far above the mean of those, rests become longer, and shorter where it is not.
 */
final class HealPace {
    /** A piece rests for no longer, so that heals end. */
    private static final long REST_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

    /** Guests are there if a request has ended within that. */
    private static final long RECENT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final int REQUESTS_PER_DECISION = 32;
    private static final double WEIGHT = 1.0 / REQUESTS_PER_DECISION;
    private static final double SLOWER_MAX = 1.5;
    private static final double SLOWER_LITTLE = 1.2;
    private static final double FACTOR_MIN = 0.125;
    private static final double FACTOR_MAX = 32;

    private double factor = 1;
    private double workMeanNanos;
    private double restMeanNanos;
    private int requests;
    private int pieces;
    private long restBeganNanos;
    private long lastGuestNanos;
    private boolean hasGuests;

    /** A piece of work begins. */
    void began() {
        pieces++;
    }

    /**
     * A piece of work has ended.
     *
     * @param tookNanos from its beginning
     * @return how long to rest before the next one; 0 is not at all
     */
    long ended(long nowNanos, long tookNanos) {
        pieces--;
        if (pieces == 0) {
            restBeganNanos = nowNanos;
        }
        boolean isRecent = hasGuests && nowNanos - lastGuestNanos < RECENT_NANOS;
        return isRecent ? Math.min(REST_NANOS_MAX, (long) (tookNanos * factor)) : 0;
    }

    /** A guest's read or write has ended. */
    void guestEnded(long beganNanos, long nowNanos) {
        hasGuests = true;
        lastGuestNanos = nowNanos;
        double took = nowNanos - beganNanos;
        if (pieces > 0 || beganNanos - restBeganNanos < 0) {
            workMeanNanos = mean(workMeanNanos, took);
        } else {
            restMeanNanos = mean(restMeanNanos, took);
        }
        requests++;
        if (requests >= REQUESTS_PER_DECISION && workMeanNanos > 0 && restMeanNanos > 0) {
            requests = 0;
            if (workMeanNanos > restMeanNanos * SLOWER_MAX) {
                factor = Math.min(FACTOR_MAX, factor * 2);
            } else if (workMeanNanos < restMeanNanos * SLOWER_LITTLE) {
                factor = Math.max(FACTOR_MIN, factor / 2);
            }
        }
    }

    private static double mean(double before, double took) {
        return before == 0 ? took : before + (took - before) * WEIGHT;
    }

    /** How many times as long as a piece takes it rests. */
    double factor() {
        return factor;
    }
}
