package io.quoin.management.cli;

import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code quoin man-pages}: the manual pages of all commands, for those that package it.
 *
 * <p>Threading: confined to the main thread.
 */
@Command(
        name = "man-pages",
        hidden = true,
        description = "Write the manual pages of all commands into a folder.")
final class ManPagesCommand implements Runnable {
    @Parameters(paramLabel = "DIR", description = "the folder, which is made if it isn't there")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path folder;

    @Override
    public void run() {
        try {
            Files.createDirectories(folder);
            write(QuoinCommand.commandLine());
        } catch (IOException e) {
            throw Reason.failure("cannot write the manual pages", NameText.of(folder), e);
        }
    }

    private void write(CommandLine command) throws IOException {
        if (command.getCommandSpec().usageMessage().hidden()) {
            return;
        }
        Files.writeString(folder.resolve(ManPage.name(command) + ".1"), ManPage.of(command));
        for (CommandLine below : command.getSubcommands().values()) {
            write(below);
        }
    }
}
