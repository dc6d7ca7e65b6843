package io.quoin.tools.command;

import io.quoin.tools.terminal.Subcommands;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code quoin image}: image files that are not open elsewhere, in a brick or anywhere else. JSON
 * has qemu-img's field names.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "image",
        description = "Make, describe, check and change image files that are not open elsewhere.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  quoin image create vm1.qcow2 10G",
            "  quoin image info vm1.qcow2",
            "  quoin image check --repair leaks vm1.qcow2"
        })
@Subcommands({
    CreateCommand.class,
    InfoCommand.class,
    CheckCommand.class,
    MapCommand.class,
    ConvertCommand.class,
    ResizeCommand.class,
    RebaseCommand.class,
    CommitCommand.class,
    BitmapCommand.class,
    CompareCommand.class,
    MeasureCommand.class
})
public final class ImageCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "command missing");
    }
}
