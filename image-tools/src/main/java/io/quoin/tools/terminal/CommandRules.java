package io.quoin.tools.terminal;

import io.quoin.block.BlockException;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    private static final String COMMAND_MISSING = "command missing";

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
        String name = command.getCommandSpec().qualifiedName();
        if (isJson(List.of(args))) {
            err.println(json("EINVAL", oneLine(failure.getMessage())));
            err.flush();
            return CommandLine.ExitCode.USAGE;
        }
        if (COMMAND_MISSING.equals(failure.getMessage())) {
            err.println("quoin: " + COMMAND_MISSING);
            command.usage(err);
            err.flush();
            return CommandLine.ExitCode.USAGE;
        }
        String word = unknownCommand(failure, command);
        List<String> meant = word == null ? List.of() : CommandWords.meant(command, word);
        if (meant.isEmpty()) {
            err.println("quoin: " + oneLine(failure.getMessage()));
            CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
        } else {
            err.println(
                    "quoin: unknown command: "
                            + oneLine(name + ' ' + word)
                            + "; did you mean: "
                            + String.join(", ", meant)
                            + "?");
        }
        err.println("Try '" + name + " --help' for what it takes and examples.");
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** The first word behind a command that has others below it, none of which that is. */
    private static @Nullable String unknownCommand(
            ParameterException failure, CommandLine command) {
        return failure instanceof CommandLine.UnmatchedArgumentException unmatched
                        && !command.getSubcommands().isEmpty()
                        && !unmatched.getUnmatched().isEmpty()
                ? unmatched.getUnmatched().get(0)
                : null;
    }

    /**
     * Whether a failure is told as JSON too.
     *
     * @param arguments of the program
     */
    public static boolean isJson(List<String> arguments) {
        int separate = arguments.indexOf("--output");
        return arguments.contains("--output=json")
                || (separate >= 0
                        && separate + 1 < arguments.size()
                        && arguments.get(separate + 1).equals("json"));
    }

    /**
     * A failure for a program: {@code error} is the name of the kind, as the HTTP API has it.
     *
     * @param error as in ENOENT
     */
    public static String json(String error, String message) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("error", error);
        fields.put("message", message);
        return OutputOption.jsonLine(fields);
    }

    private static int failed(
            Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        BlockException known = Stages.asBlockException(failure);
        command.getErr()
                .println(
                        isJson(parsed.originalArgs())
                                ? json(known.error().name(), oneLine(known.getMessage()))
                                : "quoin: " + oneLine(known.getMessage()));
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
