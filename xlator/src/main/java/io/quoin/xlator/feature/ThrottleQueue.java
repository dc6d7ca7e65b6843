package io.quoin.xlator.feature;

import io.quoin.block.BlockError;
import io.quoin.block.IoRequest;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayDeque;
import org.agrona.collections.LongArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * Requests of a throttled file that wait for their turn, in order.
 *
 * <p>Threading: confined(loop).
 */
final class ThrottleQueue {
    private static final long MISSING = Long.MIN_VALUE;

    private final ThrottledFile file;
    private final Runnable drain = this::drain;
    private final ArrayDeque<IoRequest> waiting = new ArrayDeque<>();
    private final LongArrayQueue arrivals = new LongArrayQueue(MISSING);
    // set as long as anything waits
    private Loop.@Nullable Timer timer;

    ThrottleQueue(ThrottledFile file) {
        this.file = file;
    }

    void submit(IoRequest request) {
        long now = file.loop().nanoTime();
        long waitNanos = waiting.isEmpty() ? file.waitNanos(now, request) : 0;
        if (waiting.isEmpty() && waitNanos == 0) {
            file.take(now, request);
            file.pass(request);
        } else if (waiting.size() >= file.queueMax()) {
            ThrottledFile.refuse(request);
        } else {
            waiting.addLast(request);
            arrivals.addLong(now);
            if (timer == null) {
                timer = file.loop().schedule(waitNanos, drain);
            }
        }
    }

    void limitsChanged() {
        Loop.Timer pending = timer;
        if (pending != null) {
            pending.cancel();
            drain();
        }
    }

    /** Ends all that wait, each in a task of its own. */
    void abort(BlockError error) {
        Loop.Timer pending = timer;
        if (pending != null) {
            pending.cancel();
            timer = null;
        }
        for (IoRequest head = waiting.poll(); head != null; head = waiting.poll()) {
            IoRequest request = head;
            file.loop().execute(() -> request.complete(error));
        }
        arrivals.clear();
    }

    /**
     * Lets through what may go. A completion that comes at once may submit more, which joins the
     * queue behind those that wait.
     */
    private void drain() {
        boolean isThrown = true;
        try {
            passDue();
            isThrown = false;
        } finally {
            if (isThrown) {
                // It is the failure of one request alone.
                timer = file.loop().schedule(0, drain);
            }
        }
    }

    private void passDue() {
        for (IoRequest head = waiting.peekFirst(); head != null; head = waiting.peekFirst()) {
            long now = file.loop().nanoTime();
            long waitNanos = file.waitNanos(now, head);
            if (waitNanos > 0) {
                timer = file.loop().schedule(waitNanos, drain);
                return;
            }
            waiting.removeFirst();
            file.waited(now - arrivals.pollLong());
            file.take(now, head);
            file.pass(head);
        }
        timer = null;
    }
}
