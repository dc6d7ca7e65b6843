package io.quoin.management.cli;

import io.quoin.block.BlockException;
import io.quoin.management.cli.image.ImageCommand;
import io.quoin.management.volume.Stages;
import io.quoin.xlator.NameText;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code quoin}: parses, runs, and turns failures into one line and an exit code: 0 done, 1 failed,
 * 2 wrong usage; {@code image check} has qemu-img's.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "quoin",
        description = "Virtual disk image block storage for KVM hosts.",
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin serve --disk vm1=10G      serve a new or existing disk of 10 GiB",
            "  quoin status --wait 30          wait until the service answers, then show it",
            "  quoin disk qemu-args vm1        what to give to QEMU",
            "",
            "Exit codes: 0 done, 1 failed, 2 wrong usage."
        })
@Subcommands({
    ServeCommand.class,
    StatusCommand.class,
    DiskCommand.class,
    JobCommand.class,
    ApiCommand.class,
    ImageCommand.class,
    QuoinCommand.CompletionCommand.class,
    RehearseCommand.class
})
final class QuoinCommand implements Runnable {
    static final int EXIT_FAILED = 1;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /**
     * The program.
     *
     * @param arguments what it is called with: other commands are left out; none: nothing is
     */
    static CommandLine commandLine(String... arguments) {
        CommandLine command = CommandTree.of(QuoinCommand.class, arguments);
        CommandLine image = command.getSubcommands().get("image");
        if (image != null) {
            // A size to take off, as in -5G, is no option.
            Objects.requireNonNull(image.getSubcommands().get("resize"))
                    .setUnmatchedOptionsArePositionalParams(true);
        }
        return command.setParameterExceptionHandler(QuoinCommand::wrongUsage)
                .setExecutionExceptionHandler(QuoinCommand::failed)
                .registerConverter(Path.class, QuoinCommand::path)
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

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
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

    private static String oneLine(@org.jspecify.annotations.Nullable String message) {
        return message == null
                ? "failed without a message"
                : NameText.printable(message.replaceAll("\\s*\\R\\s*", "; "));
    }

    /** {@code quoin completion}: a script for bash and zsh. */
    @Command(
            name = "completion",
            description = "Print the completion script for bash and zsh.",
            mixinStandardHelpOptions = true,
            footer = {"", "Example:", "  source <(quoin completion)"})
    static final class CompletionCommand implements Runnable {
        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it
        private CommandSpec spec;

        @Override
        public void run() {
            PrintWriter out = spec.commandLine().getOut();
            out.print(AutoComplete.bash("quoin", commandLine()));
            out.flush();
        }
    }
}
