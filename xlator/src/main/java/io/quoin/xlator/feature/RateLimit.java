package io.quoin.xlator.feature;

/**
 * The buckets of one kind of request: how many, and how many bytes.
 *
 * <p>Threading: confined(loop).
 */
final class RateLimit {
    private final TokenBucket iops;
    private final TokenBucket bps;

    RateLimit(ThrottleLimits.Rates rates, long nowNanos) {
        iops = new TokenBucket(rates.iops(), rates.iopsBurst(), nowNanos);
        bps = new TokenBucket(rates.bps(), rates.bpsBurst(), nowNanos);
    }

    /** 0, or how long until one request of so many bytes may go. */
    long waitNanos(long nowNanos, long bytes) {
        return Math.max(iops.waitNanos(nowNanos, 1), bps.waitNanos(nowNanos, bytes));
    }

    void take(long nowNanos, long bytes) {
        iops.take(nowNanos, 1);
        bps.take(nowNanos, bytes);
    }
}
