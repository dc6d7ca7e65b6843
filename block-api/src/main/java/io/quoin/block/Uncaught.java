package io.quoin.block;

import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where exceptions end that nothing above was prepared for: errors of the program, each logged with
 * its stack and counted for the status. The file that one belongs to is fenced where it is known;
 * the thread goes on for the others.
 *
 * <p>Threading: thread-safe.
 */
public final class Uncaught {
    private static final Logger LOG = LoggerFactory.getLogger(Uncaught.class);
    private static final AtomicLong COUNT = new AtomicLong();

    private Uncaught() {}

    /** Logs and counts {@code cause}, which came out of what {@code where} ran. */
    public static void report(String where, Throwable cause) {
        COUNT.incrementAndGet();
        LOG.error("unexpected failure, an error of the program: where={}", where, cause);
    }

    /** Has what ends a thread reported here too, instead of printed. */
    public static void watchThreads() {
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, cause) -> report("thread " + thread.getName(), cause));
    }

    /** How many there were since the process started. */
    public static long count() {
        return COUNT.get();
    }
}
