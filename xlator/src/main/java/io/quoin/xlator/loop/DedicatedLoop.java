package io.quoin.xlator.loop;

import io.quoin.block.IoRequestPool;
import io.quoin.block.ring.RingThread;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * A {@link Loop} for one disk, on a {@link RingThread} that waits on the disk's ring. It has no
 * sockets, so it is for disks that are used from Java.
 *
 * <p>Its timers are kept by one thread for all such loops, which only passes their tasks on.
 *
 * <p>Threading: thread-safe.
 */
public final class DedicatedLoop implements Loop, AutoCloseable {
    private static final ScheduledExecutorService CLOCK =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread thread = new Thread(task, "quoin-timer");
                        thread.setDaemon(true);
                        return thread;
                    });

    private final RingThread thread;

    /** Starts a loop whose thread has that name. */
    public DedicatedLoop(String name) {
        thread = RingThread.start(name);
    }

    /** The owner to give to the disk's ring. */
    public RingThread thread() {
        return thread;
    }

    @Override
    public String name() {
        return thread.name();
    }

    @Override
    public boolean inLoop() {
        return thread.inThread();
    }

    @Override
    public void execute(Runnable task) {
        thread.execute(task);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        ScheduledFuture<?> future =
                CLOCK.schedule(() -> passOn(task), delayNanos, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    private void passOn(Runnable task) {
        try {
            thread.execute(task);
        } catch (RejectedExecutionException ended) {
            // A timer of a loop that has ended has nothing left to run for.
            return;
        }
    }

    @Override
    public IoRequestPool requests() {
        return thread.requests();
    }

    /** Ends the loop after the tasks that it has; waits for it. */
    @Override
    public void close() {
        thread.close();
    }
}
