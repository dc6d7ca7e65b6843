package io.quoin.management.guest;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which guests stand still while disks are cut, and how.
 *
 * <p>Threading: immutable.
 *
 * @param agents unix sockets of QEMU guest agents
 * @param freezeCommands for the shell; each has a thaw command
 * @param thawCommands in the same order
 * @param limitNanos how long freezing may take, and thawing
 */
public record FreezeOptions(
        List<Path> agents,
        List<String> freezeCommands,
        List<String> thawCommands,
        long limitNanos) {
    /** No guest stands still. */
    public static final FreezeOptions NONE = new FreezeOptions(List.of(), List.of(), List.of(), 1);

    /**
     * @throws BlockException EINVAL if a command has no other
     */
    public FreezeOptions {
        agents = List.copyOf(agents);
        freezeCommands = List.copyOf(freezeCommands);
        thawCommands = List.copyOf(thawCommands);
        if (freezeCommands.size() != thawCommands.size()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "commands to freeze and to thaw: counts="
                            + freezeCommands.size()
                            + " and "
                            + thawCommands.size()
                            + ", expected=a thaw command for each freeze command");
        }
    }

    /** Whether no guest is named. */
    public boolean isNone() {
        return agents.isEmpty() && freezeCommands.isEmpty();
    }

    List<Guest> guests() {
        List<Guest> guests = new ArrayList<>();
        agents.forEach(socket -> guests.add(new GuestAgent(socket)));
        for (int i = 0; i < freezeCommands.size(); i++) {
            guests.add(new CommandGuest(freezeCommands.get(i), thawCommands.get(i)));
        }
        return guests;
    }
}
