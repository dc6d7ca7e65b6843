package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.management.volume.ProcessText;
import io.quoin.tools.terminal.CommandRules;
import io.quoin.tools.terminal.CommandWords;
import io.quoin.tools.terminal.ShownText;
import io.quoin.xlator.NameText;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * The program {@code quoin}.
 *
 * <p>Threading: confined to the main thread.
 */
public final class Main {
    /** How long the end of the process waits for a log that is not read. */
    private static final long LOG_STALL_MILLIS = 1000;

    private static @Nullable LogPipe log;

    private Main() {}

    /** Runs one command and exits with its code. */
    public static void main(String[] args) {
        if (isService(inOrder(List.of(args)))) {
            log = LogPipe.replaceStandardError();
        }
        NativeLibraries.stayInTheTemporaryFolder();
        int exitCode = execute(args);
        // Also on a full disk nothing may pass for done whose result is lost.
        if (System.out.checkError() && exitCode == 0) {
            System.err.println("quoin: the result cannot be written: file=standard output");
            exitCode = CommandRules.EXIT_FAILED;
        }
        flushLog();
        System.exit(exitCode);
    }

    private static List<String> inOrder(List<String> arguments) {
        return CommandWords.inFront(
                QuoinCommand.class, arguments, Set.of("--data", "--volume", "--output"));
    }

    private static boolean isService(List<String> arguments) {
        String command = arguments.isEmpty() ? "" : arguments.get(0);
        boolean isFormat = arguments.size() > 1 && arguments.get(1).equals("format");
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

    /** The arguments, and those of {@code serve} that the file of settings has. */
    private static String[] withSettings(List<String> given) {
        boolean isServe = !given.isEmpty() && given.get(0).equals(ConfigFile.SERVE);
        boolean isHelp = given.contains("--help") || given.contains("-h");
        return isServe && !isHelp
                ? ServeSettings.apply(given, ConfigFile.read())
                : given.toArray(new String[0]);
    }

    private static int execute(String[] args) {
        try {
            String[] arguments = withSettings(inOrder(ProcessText.arguments(args)));
            if (isService(List.of(arguments))) {
                LogOption.apply(List.of(arguments));
            }
            CommandLine command =
                    QuoinCommand.commandLine(arguments)
                            .setOut(ShownText.writer(System.out))
                            .setErr(ShownText.writer(System.err));
            int exitCode = command.execute(arguments);
            command.getOut().flush();
            command.getErr().flush();
            return exitCode;
        } catch (BlockException e) {
            String message = NameText.printable(String.valueOf(e.getMessage()));
            System.err.println(
                    CommandRules.isJson(List.of(args))
                            ? CommandRules.json(e.error().name(), message)
                            : "quoin: " + message);
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
