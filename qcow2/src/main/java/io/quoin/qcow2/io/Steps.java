package io.quoin.qcow2.io;

import io.quoin.block.BlockError;
import io.quoin.block.Each;
import java.util.List;

/**
 * A state machine whose waits are child requests, which may complete before {@code submit} returns.
 * {@link #resume} called from inside {@link #step} only notes that there is more to do, so that a
 * chain of inline completions is a loop and no recursion.
 *
 * <p>Threading: confined(loop).
 */
public abstract class Steps {
    private boolean running;
    private boolean again;

    /**
     * Goes as far as it can.
     *
     * @return {@code true} to be called again at once, {@code false} if something will call {@link
     *     #resume}, or it has ended
     */
    protected abstract boolean step();

    /** Tells it, before {@link #resume}, that what it waited for has failed. */
    public abstract void fail(BlockError error);

    /** Resumes all of {@code waiters}, also where one throws; an error is told them first. */
    public static void resumeAll(List<Steps> waiters, BlockError error) {
        Each.run(
                waiters,
                waiter -> {
                    if (!error.isOk()) {
                        waiter.fail(error);
                    }
                    waiter.resume();
                });
    }

    /** Goes on. */
    public final void resume() {
        if (running) {
            again = true;
            return;
        }
        running = true;
        try {
            boolean more;
            do {
                again = false;
                more = step();
            } while (more || again);
        } finally {
            running = false;
        }
    }
}
