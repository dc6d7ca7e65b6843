package io.quoin.xlator.debug;

import org.HdrHistogram.Histogram;

/**
 * Sums of {@link OpCounters}.
 *
 * <p>Threading: confined to its holder.
 */
final class OpTotals {
    private static final double NANOS_PER_MICRO = 1000;

    private final Histogram latencies = OpCounters.newHistogram();
    private long count;
    private long bytes;
    private long errors;

    void add(long moreCount, long moreBytes, long moreErrors, Histogram moreLatencies) {
        count += moreCount;
        bytes += moreBytes;
        errors += moreErrors;
        latencies.add(moreLatencies);
    }

    void add(OpTotals other) {
        add(other.count, other.bytes, other.errors, other.latencies);
    }

    OpStatistics toStatistics() {
        LatencyStatistics latency =
                new LatencyStatistics(
                        latencies.getTotalCount(),
                        micros(latencies.getMinNonZeroValue()),
                        latencies.getMean() / NANOS_PER_MICRO,
                        micros(latencies.getValueAtPercentile(50)),
                        micros(latencies.getValueAtPercentile(90)),
                        micros(latencies.getValueAtPercentile(99)),
                        micros(latencies.getValueAtPercentile(99.9)),
                        micros(latencies.getMaxValue()));
        return new OpStatistics(
                count, bytes, errors, latencies.getTotalCount() == 0 ? null : latency);
    }

    private static double micros(long nanos) {
        return nanos == Long.MAX_VALUE ? 0 : nanos / NANOS_PER_MICRO;
    }
}
