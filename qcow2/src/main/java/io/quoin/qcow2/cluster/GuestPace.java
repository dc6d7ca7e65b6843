package io.quoin.qcow2.cluster;

import io.quoin.block.BlockError;
import io.quoin.block.IoCompletion;
import io.quoin.block.IoFlags;
import io.quoin.block.IoOp;
import io.quoin.block.IoRequest;
import io.quoin.qcow2.walk.WalkPace;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Has work on tables rest in proportion to what it slows guests down. Without guests it does not
 * rest at all.
 *
 * <p>Guests' reads and writes are timed while there is such work. Those that begin and end in one
 * rest tell how long requests take without it; all together tell how long they take with it. Where
 * the mean of all is too far above the mean of the former, rests become longer, and shorter where
 * it is not. Flushes are not compared: what they wait for are the writes before them.
 *
 * <pre>
 *  work |rest         |work |rest         |
 *     |--|  |--|  |--|  |--|              requests; the second and the third are in a rest
 * </pre>
 *
 * <p>Threading: confined(loop).
 */
public final class GuestPace implements WalkPace {
    /** Work goes on for so long at most before it rests. */
    private static final long PIECE_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

    private static final long REST_NANOS_MIN = TimeUnit.MICROSECONDS.toNanos(200);
    private static final long REST_NANOS_MAX = TimeUnit.MILLISECONDS.toNanos(20);

    /** Guests are there if a request has come within that. */
    private static final long RECENT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Nothing rests any more if none was asked for within that. */
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(1);

    private static final int REQUESTS_PER_DECISION = 32;
    private static final double SLOWER_MAX = 1.15;
    private static final double SLOWER_LITTLE = 1.05;
    private static final double FACTOR_MIN = 0.5;
    private static final double FACTOR_MAX = 32;
    private static final double FACTOR_FIRST = 4;

    /** Weight of a request in the mean. */
    private static final double WEIGHT = 1.0 / REQUESTS_PER_DECISION;

    private final Loop loop;
    private final LongSupplier submitted;
    private final IoCompletion whenEnded = this::ended;
    private boolean timing;
    private long submittedBefore;
    private long seenNanos;
    private long restBegan;
    private long restEnds;
    private double factor = FACTOR_FIRST;
    private double meanNanos;
    private double restMeanNanos;
    private int requests;
    private boolean hasRestMean;

    /**
     * @param submitted requests of guests so far
     */
    GuestPace(Loop loop, LongSupplier submitted) {
        this.loop = loop;
        this.submitted = submitted;
    }

    /** Whether requests are timed. */
    boolean isTiming() {
        return timing;
    }

    /** How many times as long as it works work rests, as it is now. */
    double factor() {
        return factor;
    }

    /** Times a request that is about to start. */
    void time(IoRequest request) {
        boolean isCompared = request.op() == IoOp.READ || request.op() == IoOp.WRITE;
        if (isCompared && !request.has(IoFlags.FUA)) {
            request.push(whenEnded, loop.nanoTime());
        }
    }

    private void ended(IoRequest request, BlockError error) {
        long began = request.token();
        long now = loop.nanoTime();
        if (now - restEnds > IDLE_NANOS) {
            timing = false;
        } else if (error.isOk()) {
            took((double) (now - began), began - restBegan >= 0 && now - restEnds <= 0);
        }
        request.complete(error);
    }

    private void took(double nanos, boolean inRest) {
        meanNanos = meanNanos == 0 ? nanos : meanNanos + (nanos - meanNanos) * WEIGHT;
        if (inRest) {
            restMeanNanos =
                    restMeanNanos == 0 ? nanos : restMeanNanos + (nanos - restMeanNanos) * WEIGHT;
            hasRestMean = true;
        }
        if (++requests == REQUESTS_PER_DECISION) {
            requests = 0;
            decide();
        }
    }

    private void decide() {
        if (!hasRestMean || meanNanos > restMeanNanos * SLOWER_MAX) {
            // Without a request that fits into a rest there is nothing to compare with.
            factor = Math.min(FACTOR_MAX, factor * 1.5);
        } else if (meanNanos < restMeanNanos * SLOWER_LITTLE) {
            factor = Math.max(FACTOR_MIN, factor / 1.25);
        }
        hasRestMean = false;
    }

    @Override
    public long restNanos(boolean tableEnded) {
        long now = loop.nanoTime();
        if (!timing) {
            begin(now);
        }
        long count = submitted.getAsLong();
        if (count != submittedBefore) {
            submittedBefore = count;
            seenNanos = now;
        }
        long workedNanos = Math.max(0, now - restEnds);
        if (!tableEnded && workedNanos < PIECE_NANOS) {
            return 0;
        }
        boolean hasGuests = now - seenNanos < RECENT_NANOS;
        long restNanos = 0;
        if (hasGuests) {
            long wanted = (long) (workedNanos * factor);
            restNanos = Math.min(REST_NANOS_MAX, Math.max(REST_NANOS_MIN, wanted));
        }
        restBegan = now;
        restEnds = now + restNanos;
        return restNanos;
    }

    private void begin(long now) {
        timing = true;
        submittedBefore = submitted.getAsLong();
        seenNanos = now - (submittedBefore == 0 ? RECENT_NANOS : 0);
        restBegan = now;
        restEnds = now;
        factor = FACTOR_FIRST;
        meanNanos = 0;
        restMeanNanos = 0;
        requests = 0;
        hasRestMean = false;
    }
}
