package io.quoin.management.daemon;

import io.quoin.management.schedule.Schedules;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has schedules look at the clock, once a second.
 *
 * <p>Threading: thread-safe; works on a thread of its own.
 */
final class ScheduleTimer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ScheduleTimer.class);
    private static final long END_SECONDS = 10;

    private final Schedules schedules;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread named = new Thread(task, "quoin-schedules");
                        named.setDaemon(true);
                        return named;
                    });

    private ScheduleTimer(Schedules schedules) {
        this.schedules = schedules;
    }

    // The task catches what may fail.
    @SuppressWarnings("FutureReturnValueIgnored")
    static ScheduleTimer start(Schedules schedules) {
        ScheduleTimer timer = new ScheduleTimer(schedules);
        timer.thread.scheduleWithFixedDelay(timer::tick, 1, 1, TimeUnit.SECONDS);
        return timer;
    }

    /** A fault of one second is no reason not to look again in the next. */
    private void tick() {
        try {
            schedules.tick();
        } catch (RuntimeException e) {
            LOG.error("Schedules cannot be looked at", e);
        }
    }

    /** None begins any more. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
