package io.quoin.xlator.feature;

/**
 * A token bucket kept as a point in time: how far the units taken so far, at the rate, reach into
 * the future. A unit may be taken as long as that is not further than the burst; something larger
 * than the whole burst may be taken from a full bucket, and then takes its time.
 *
 * <p>Threading: confined(loop).
 */
final class TokenBucket {
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    // with more, its price in nanoseconds would not fit
    private static final long UNITS_MAX = 1L << 33;

    private final long unitsPerSecond;
    private final long burstNanos;
    private long fullNanos;

    /**
     * @param unitsPerSecond the rate; 0 for no limit
     * @param burstUnits what may be taken at once from a full bucket
     */
    TokenBucket(long unitsPerSecond, long burstUnits, long nowNanos) {
        this.unitsPerSecond = unitsPerSecond;
        this.burstNanos = price(burstUnits);
        this.fullNanos = nowNanos;
    }

    /** 0, or how long it takes until so many may be taken. */
    long waitNanos(long nowNanos, long units) {
        if (unitsPerSecond == 0 || units == 0) {
            return 0;
        }
        long owedNanos = Math.max(0, fullNanos - nowNanos);
        long owedNanosMax = Math.max(0, burstNanos - price(units));
        return Math.max(0, owedNanos - owedNanosMax);
    }

    void take(long nowNanos, long units) {
        if (unitsPerSecond != 0) {
            long start = fullNanos - nowNanos > 0 ? fullNanos : nowNanos;
            fullNanos = start + price(units);
        }
    }

    private long price(long units) {
        return unitsPerSecond == 0
                ? 0
                : Math.min(units, UNITS_MAX) * NANOS_PER_SECOND / unitsPerSecond;
    }
}
