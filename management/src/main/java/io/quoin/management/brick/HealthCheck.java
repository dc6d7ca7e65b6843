package io.quoin.management.brick;

import io.quoin.block.BlockError;
import io.quoin.block.Reason;
import io.quoin.xlator.loop.Loop;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Finds out that a brick's storage answers with errors, or not at all any more: tries it again and
 * again, on a thread of its own, while the brick's loop watches how long that takes. A full disk is
 * no failure.
 *
 * <p>Threading: thread-safe. What is found is told on either thread, once.
 */
final class HealthCheck implements AutoCloseable {
    /**
     * How often the loop looks within the time that a check may take. Looks are counted, so that a
     * process that was stopped for a while does not take that for its storage's slowness.
     */
    private static final int LOOKS = 10;

    private static final long NONE = 0;

    /** What finds out whether the storage works. */
    interface Probe {
        /**
         * Tries it.
         *
         * @throws IOException if it does not work; may also never return
         */
        void run(long number) throws IOException;
    }

    private final Probe probe;
    private final Loop loop;
    private final Duration timeout;
    private final Consumer<String> whenFailed;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread made = new Thread(task, "quoin-health");
                        made.setDaemon(true);
                        return made;
                    });
    private final AtomicBoolean isTold = new AtomicBoolean();
    private volatile long running = NONE;
    private volatile boolean isClosed;
    private long count;
    private long seen;
    private int looks;

    /**
     * @param loop the brick's
     * @param whenFailed is told why
     */
    HealthCheck(Probe probe, Loop loop, Duration timeout, Consumer<String> whenFailed) {
        this.probe = probe;
        this.loop = loop;
        this.timeout = timeout;
        this.whenFailed = whenFailed;
    }

    /** The first check is now. */
    void start(Duration interval) {
        ScheduledFuture<?> unused =
                thread.scheduleWithFixedDelay(
                        this::check, 0, interval.toNanos(), TimeUnit.NANOSECONDS);
        loop.execute(this::look);
    }

    private void check() {
        running = ++count;
        try {
            probe.run(count);
        } catch (IOException e) {
            if (Reason.errorOf(e) != BlockError.ENOSPC) {
                tell("reason=" + Reason.of(e));
            }
        } finally {
            running = NONE;
        }
    }

    private void look() {
        if (isClosed) {
            return;
        }
        long now = running;
        looks = now != NONE && now == seen ? looks + 1 : 0;
        seen = now;
        if (looks > LOOKS) {
            tell("reason=no answer within " + timeout.toMillis() + " ms");
            return;
        }
        loop.schedule(timeout.toNanos() / LOOKS, this::look);
    }

    private void tell(String reason) {
        if (!isClosed && isTold.compareAndSet(false, true)) {
            whenFailed.accept(reason);
        }
    }

    @Override
    public void close() {
        isClosed = true;
        thread.shutdown();
    }
}
