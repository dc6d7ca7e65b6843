package io.quoin.xlator.debug;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.SingleWriterRecorder;

/**
 * What one operation of one open file has counted: written by the file's loop, read by any thread.
 * The writer neither waits nor allocates; latencies pass through a recorder whose two histograms
 * the reader swaps.
 *
 * <p>Threading: {@link #record} is confined(loop); {@link #addTo} is thread-safe.
 */
final class OpCounters {
    private static final long LATENCY_NANOS_MAX = TimeUnit.HOURS.toNanos(1);
    private static final long LATENCY_NANOS_UNIT = 64;
    private static final int DIGITS = 2;

    private final AtomicLong count = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong errors = new AtomicLong();
    private final SingleWriterRecorder recorder =
            new SingleWriterRecorder(LATENCY_NANOS_UNIT, LATENCY_NANOS_MAX, DIGITS);

    // of the readers, under this object's lock
    private final Histogram latencies = newHistogram();
    private Histogram interval = recorder.getIntervalHistogram();

    static Histogram newHistogram() {
        return new Histogram(LATENCY_NANOS_UNIT, LATENCY_NANOS_MAX, DIGITS);
    }

    /**
     * @param latencyNanos negative where it was not measured
     */
    void record(long lengthBytes, boolean isOk, long latencyNanos) {
        add(count, 1);
        if (isOk) {
            add(bytes, lengthBytes);
        } else {
            add(errors, 1);
        }
        if (latencyNanos >= 0) {
            recorder.recordValue(Math.min(latencyNanos, LATENCY_NANOS_MAX));
        }
    }

    /** One writer: no atomic addition is needed, only that readers see whole values. */
    private static void add(AtomicLong counter, long amount) {
        counter.setOpaque(counter.getPlain() + amount);
    }

    synchronized void addTo(OpTotals totals) {
        interval = recorder.getIntervalHistogram(interval);
        latencies.add(interval);
        totals.add(count.getOpaque(), bytes.getOpaque(), errors.getOpaque(), latencies);
    }
}
