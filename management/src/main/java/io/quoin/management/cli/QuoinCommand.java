package io.quoin.management.cli;

import io.quoin.tools.command.ImageCommand;
import io.quoin.tools.terminal.CommandRules;
import io.quoin.tools.terminal.CommandTree;
import io.quoin.tools.terminal.Subcommands;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quoin}: the tree of commands. Exit codes are 0 done, 1 failed, 2 wrong usage; {@code image
 * check} has qemu-img's.
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
    VolumeCommand.class,
    DiskCommand.class,
    SnapshotCommand.class,
    TrashCommand.class,
    GroupCommand.class,
    BackupCommand.class,
    ScheduleCommand.class,
    JobCommand.class,
    ApiCommand.class,
    ConfigCommand.class,
    ImageCommand.class,
    BrickCommand.class,
    CompletionCommand.class,
    ManPagesCommand.class,
    RehearseCommand.class
})
final class QuoinCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    /**
     * The program.
     *
     * @param arguments what it is called with: other commands are left out; none: nothing is
     */
    static CommandLine commandLine(String... arguments) {
        return CommandRules.applyTo(CommandTree.of(QuoinCommand.class, arguments));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }
}
