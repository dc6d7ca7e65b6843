package io.quoin.management.job;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * How fast a job gets on, over a window of the time that it was running.
 *
 * <p>Threading: confined to its owner's lock.
 */
final class JobRate {
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long SAMPLE_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private record Sample(long nanos, long done) {}

    private final Deque<Sample> samples = new ArrayDeque<>();

    /** Begins anew, as after a pause. */
    void reset(long nowNanos, long done) {
        samples.clear();
        samples.add(new Sample(nowNanos, done));
    }

    void add(long nowNanos, long done) {
        Sample last = samples.peekLast();
        if (last != null && nowNanos - last.nanos < SAMPLE_NANOS) {
            return;
        }
        samples.add(new Sample(nowNanos, done));
        while (nowNanos - samples.getFirst().nanos > WINDOW_NANOS && samples.size() > 2) {
            samples.removeFirst();
        }
    }

    /** 0 while it is not known. */
    long perSecond(long nowNanos, long done) {
        Sample first = samples.peekFirst();
        if (first == null || nowNanos <= first.nanos) {
            return 0;
        }
        return Math.round((done - first.done) * NANOS_PER_SECOND / (nowNanos - first.nanos));
    }

    static @Nullable Long remainingSeconds(long done, long total, long perSecond) {
        return perSecond <= 0 || total < done ? null : (total - done + perSecond - 1) / perSecond;
    }
}
