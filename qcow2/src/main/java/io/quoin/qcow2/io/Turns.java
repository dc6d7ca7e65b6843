package io.quoin.qcow2.io;

import java.util.ArrayDeque;
import java.util.function.Consumer;

/**
 * Long work of which one piece is done at a time, in the order in which it came.
 *
 * <p>Threading: confined(loop).
 */
public final class Turns {
    private final ArrayDeque<Consumer<Runnable>> waiting = new ArrayDeque<>();
    private boolean taken;

    /**
     * Calls {@code body} when it is its turn, perhaps before this returns; it runs what it is given
     * to end that.
     */
    public void take(Consumer<Runnable> body) {
        waiting.add(body);
        next();
    }

    /** Whether something has the turn. */
    public boolean isTaken() {
        return taken;
    }

    private void next() {
        if (taken) {
            return;
        }
        Consumer<Runnable> body = waiting.poll();
        if (body != null) {
            taken = true;
            body.accept(this::ended);
        }
    }

    private void ended() {
        taken = false;
        next();
    }
}
