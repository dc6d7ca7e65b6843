package io.quoin.xlator.feature;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.xlator.graph.OptionValues;

/**
 * The limits of a throttle node; a rate of 0 is no limit.
 *
 * <p>Threading: immutable.
 *
 * @param queueMax requests that may wait, of each kind
 */
record ThrottleLimits(Rates total, Rates read, Rates write, int queueMax) {
    private static final long RATE_MAX = 1L << 33;
    private static final long QUEUE_MAX = 1 << 20;

    /**
     * Limits of one kind of request.
     *
     * <p>Threading: immutable.
     */
    record Rates(long iops, long iopsBurst, long bps, long bpsBurst) {}

    /** Whether there is a limit for reads and writes together. */
    boolean isShared() {
        return total.iops() != 0 || total.bps() != 0;
    }

    static ThrottleLimits of(OptionValues values) {
        long queueMax = values.integer(ThrottleType.QUEUE_MAX);
        if (queueMax < 1 || queueMax > QUEUE_MAX) {
            throw wrong(ThrottleType.QUEUE_MAX, "1 to " + QUEUE_MAX, queueMax);
        }
        return new ThrottleLimits(
                rates(values, "total"),
                rates(values, "read"),
                rates(values, "write"),
                (int) queueMax);
    }

    private static Rates rates(OptionValues values, String kind) {
        long iops = limited("iops-" + kind, values.integer("iops-" + kind));
        long bps = limited("bps-" + kind, values.sizeBytes("bps-" + kind));
        return new Rates(
                iops,
                burst("iops-" + kind + "-burst", values.integer("iops-" + kind + "-burst"), iops),
                bps,
                burst("bps-" + kind + "-burst", values.sizeBytes("bps-" + kind + "-burst"), bps));
    }

    /** The default burst is what the rate gives in a tenth of a second. */
    private static long burst(String option, long given, long rate) {
        return limited(option, given) != 0 ? given : Math.max(1, rate / 10);
    }

    private static long limited(String option, long value) {
        if (value > RATE_MAX) {
            throw wrong(option, "at most " + RATE_MAX, value);
        }
        return value;
    }

    private static BlockException wrong(String option, String expected, long actual) {
        return new BlockException(
                BlockError.EINVAL,
                "option has a wrong value: name="
                        + option
                        + ", expected="
                        + expected
                        + ", actual="
                        + actual);
    }
}
