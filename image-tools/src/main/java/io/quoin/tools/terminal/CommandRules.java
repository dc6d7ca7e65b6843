package io.quoin.tools.terminal;

import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/**
 * What all commands have in common: names are bytes, and a failure is one line on stderr and an
 * exit code.
 *
 * <p>Threading: confined to the main thread.
 */
public final class CommandRules {
    /** The exit code of what was understood and failed. */
    public static final int EXIT_FAILED = 1;

    private CommandRules() {}

    /** Sets them for {@code command} and everything below it; returns it. */
    public static CommandLine applyTo(CommandLine command) {
        return command.setParameterExceptionHandler(CommandRules::wrongUsage)
                .setExecutionExceptionHandler(CommandRules::failed)
                .registerConverter(Path.class, CommandRules::path)
                .setExpandAtFiles(false) // a name may begin with @
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true);
    }

    private static Path path(String text) {
        try {
            return NameText.path(text);
        } catch (BlockException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }

    private static int wrongUsage(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("quoin: " + oneLine(failure.getMessage()));
        CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
        String name = command.getCommandSpec().qualifiedName();
        err.println("Try '" + name + " --help' for what it takes and examples.");
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    private static int failed(
            Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        BlockException known = Stages.asBlockException(failure);
        command.getErr().println("quoin: " + oneLine(known.getMessage()));
        command.getErr().flush();
        if (Boolean.getBoolean("quoin.stacktrace")) {
            failure.printStackTrace(command.getErr());
        }
        return EXIT_FAILED;
    }

    private static String oneLine(@Nullable String message) {
        return message == null
                ? "failed without a message"
                : NameText.printable(message.replaceAll("\\s*\\R\\s*", "; "));
    }
}
