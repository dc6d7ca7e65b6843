package io.quoin.qcow2.served;

import java.util.ArrayDeque;

/**
 * One check of an open image at a time: each may take a good part of the heap. First come, first
 * served.
 *
 * <p>Threading: thread-safe.
 */
public final class CheckTurns {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private boolean taken;

    /** Runs {@code turn} when it is its turn, on any thread; {@link #end} has to follow. */
    void take(Runnable turn) {
        synchronized (waiting) {
            if (taken) {
                waiting.add(turn);
                return;
            }
            taken = true;
        }
        turn.run();
    }

    /** Takes one back that has not had its turn yet; false if it has. */
    boolean cancel(Runnable turn) {
        synchronized (waiting) {
            return waiting.remove(turn);
        }
    }

    void end() {
        Runnable next;
        synchronized (waiting) {
            next = waiting.poll();
            taken = next != null;
        }
        if (next != null) {
            next.run();
        }
    }
}
