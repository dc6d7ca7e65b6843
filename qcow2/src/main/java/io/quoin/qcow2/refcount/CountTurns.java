package io.quoin.qcow2.refcount;

import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Of what compares counts with references, or changes many of both beside the guests, one runs at a
 * time: the search for excess references, a check, a snapshot that is made or rolled back to. First
 * come, first served. docs/adr/0026 has the table.
 *
 * <p>Threading: confined(loop).
 */
public final class CountTurns {
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private @Nullable Runnable holder;

    /** Runs {@code turn} when it has its turn, maybe at once; {@link #end} has to follow. */
    public void take(Runnable turn) {
        if (holder == null) {
            holder = turn;
            turn.run();
        } else {
            waiting.add(turn);
        }
    }

    /** Takes one back that has not had its turn yet; false if it has. */
    public boolean cancel(Runnable turn) {
        return waiting.remove(turn);
    }

    public void end() {
        Runnable next = waiting.poll();
        holder = next;
        if (next != null) {
            next.run();
        }
    }
}
