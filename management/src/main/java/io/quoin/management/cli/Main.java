package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.management.volume.ProcessText;
import io.quoin.tools.terminal.CommandRules;
import io.quoin.tools.terminal.ShownText;
import io.quoin.xlator.NameText;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The program {@code quoin}.
 *
 * <p>Threading: confined to the main thread.
 */
public final class Main {
    private static final String LOG_LEVEL = "org.slf4j.simpleLogger.defaultLogLevel";

    /** How long the end of the process waits for a log that is not read. */
    private static final long LOG_STALL_MILLIS = 1000;

    private static @Nullable LogPipe log;

    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        if (isService(args)) {
            log = LogPipe.replaceStandardError();
            if (System.getProperty(LOG_LEVEL) == null) {
                System.setProperty(LOG_LEVEL, "info"); // before the first logger is made
            }
        }
        NativeLibraries.stayInTheTemporaryFolder();
        int exitCode = execute(args);
        System.out.flush();
        flushLog();
        System.exit(exitCode);
    }

    private static boolean isService(String[] args) {
        String command = args.length > 0 ? args[0] : "";
        boolean isFormat = args.length > 1 && args[1].equals("format");
        return command.equals("serve") || (command.equals("brick") && !isFormat);
    }

    /** Before the process ends: writes what was logged, unless it is not read. */
    static void flushLog() {
        System.err.flush();
        LogPipe present = log;
        if (present != null) {
            present.drain(LOG_STALL_MILLIS);
        }
    }

    private static int execute(String[] args) {
        try {
            String[] arguments = ProcessText.arguments(args).toArray(new String[0]);
            CommandLine command =
                    QuoinCommand.commandLine(arguments)
                            .setOut(ShownText.writer(System.out))
                            .setErr(ShownText.writer(System.err));
            int exitCode = command.execute(arguments);
            command.getOut().flush();
            command.getErr().flush();
            return exitCode;
        } catch (BlockException e) {
            System.err.println("quoin: " + NameText.printable(String.valueOf(e.getMessage())));
            return CommandRules.EXIT_FAILED;
        } catch (LinkageError e) {
            System.err.println("quoin: " + NativeLibraries.explain(e));
            return CommandRules.EXIT_FAILED;
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
