package io.quoin.management.cli;

import org.jspecify.annotations.Nullable;

/**
 * The program {@code quoin}.
 *
 * <p>Threading: confined to the main thread.
 */
public final class Main {
    private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    /** How long the end of the process waits for a log that nobody reads. */
    private static final long LOG_STALL_MILLIS = 1000;

    private static @Nullable LogPipe log;

    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("serve")) {
            log = LogPipe.replaceStandardError();
            if (System.getProperty(LOG_LEVEL) == null) {
                System.setProperty(LOG_LEVEL, "info"); // before the first logger is made
            }
        }
        int exitCode = execute(args);
        System.out.flush();
        flushLog();
        System.exit(exitCode);
    }

    /** Before the process ends: writes what was logged, unless nobody reads it. */
    static void flushLog() {
        System.err.flush();
        LogPipe present = log;
        if (present != null) {
            present.drain(LOG_STALL_MILLIS);
        }
    }

    private static int execute(String[] args) {
        try {
            return QuoinCommand.commandLine().execute(args);
        } catch (OutOfMemoryError e) {
            System.err.println(
                    "quoin: out of memory, not completed: heap bytes="
                            + Runtime.getRuntime().maxMemory()
                            + ": "
                            + e.getMessage());
            return 1;
        }
    }
}
