package io.quoin.xlator.loop;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * Work that gave way, in the order in which it did. A turn runs what was there when it began, until
 * its slice of time is used up; one task always fits. Between two turns the loop looks at its
 * sockets.
 *
 * <p>Threading: confined(loop).
 */
final class Turns {
    /** What a request that just arrived may have to wait for, besides the task that is running. */
    static final long SLICE_NANOS = 10_000;

    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final LongSupplier nanoTime;
    private final NextTurn nextTurn;
    private boolean isArranged;

    /** Arranges a turn. */
    interface NextTurn {
        /** Runs {@code turn} once, after the sockets were looked at. */
        void arrange(Runnable turn);
    }

    Turns(LongSupplier nanoTime, NextTurn nextTurn) {
        this.nanoTime = nanoTime;
        this.nextTurn = nextTurn;
    }

    void add(Runnable task) {
        waiting.addLast(task);
        arrange();
    }

    private void arrange() {
        if (!isArranged) {
            isArranged = true;
            nextTurn.arrange(this::run);
        }
    }

    private void run() {
        isArranged = false;
        long began = nanoTime.getAsLong();
        int left = waiting.size();
        try {
            do {
                left--;
                waiting.removeFirst().run();
            } while (left > 0 && nanoTime.getAsLong() - began < SLICE_NANOS);
        } finally {
            if (!waiting.isEmpty()) {
                arrange();
            }
        }
    }
}
