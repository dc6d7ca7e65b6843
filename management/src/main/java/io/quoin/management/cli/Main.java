package io.quoin.management.cli;

/**
 * The program {@code quoin}.
 *
 * <p>Threading: confined to the main thread.
 */
public final class Main {
    private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        if (args.length > 0 && args[0].equals("serve") && System.getProperty(LOG_LEVEL) == null) {
            System.setProperty(LOG_LEVEL, "info"); // before the first logger is made
        }
        int exitCode = execute(args);
        System.out.flush();
        System.exit(exitCode);
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
