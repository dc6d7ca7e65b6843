package io.quoin.xlator.loop;

import io.quoin.block.IoRequestPool;
import java.util.concurrent.Executor;

/**
 * One thread that owns open files, rings and connections, so that none of them needs a lock.
 * Nothing on it may block.
 *
 * <p>Threading: thread-safe, except {@link #requests}.
 */
public interface Loop extends Executor {
    String name();

    /** Whether the caller runs on this loop. */
    boolean inLoop();

    /** Runs {@code task} on the loop later, never inside this call, in the order of the calls. */
    @Override
    void execute(Runnable task);

    /** A clock for intervals, in nanoseconds; virtual in simulations. */
    long nanoTime();

    /** Runs {@code task} on the loop once {@code delayNanos} have gone by. */
    Timer schedule(long delayNanos, Runnable task);

    /**
     * Gives way: runs {@code task} on the loop in a turn to come, after what has arrived meanwhile.
     * Work that is long, or that a client can make long, is done in pieces of some ten microseconds
     * that go through here, so that it doesn't hold up what else the loop owns. Tasks run in the
     * order of the calls.
     *
     * <p>Threading: confined(loop).
     */
    default void giveWay(Runnable task) {
        execute(task);
    }

    /**
     * Throws {@code failure} again, from a task of its own: for a call-out inside a stage, which
     * would keep what comes out of it to itself.
     */
    default void raise(Throwable failure) {
        execute(
                () -> {
                    if (failure instanceof Error e) {
                        throw e;
                    }
                    throw (RuntimeException) failure;
                });
    }

    /**
     * The loop's own requests.
     *
     * <p>Threading: confined(loop).
     */
    IoRequestPool requests();

    /** A task that was scheduled. */
    @FunctionalInterface
    interface Timer {
        /** Stops it from running, unless it already has. */
        void cancel();
    }
}
