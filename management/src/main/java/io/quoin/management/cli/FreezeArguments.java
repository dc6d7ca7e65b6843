package io.quoin.management.cli;

import io.quoin.xlator.NameText;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Which guests stand still at the moment of a snapshot.
 *
 * <p>Threading: confined to the main thread.
 */
final class FreezeArguments {
    @Option(
            names = "--freeze",
            paramLabel = "SOCKET",
            description =
                    "have a guest's file systems stand still meanwhile, by its QEMU guest agent;"
                            + " repeat it for several guests")
    private @Nullable List<String> sockets;

    @Option(
            names = "--freeze-command",
            paramLabel = "COMMAND",
            description =
                    "run this in a shell before, as \"virsh domfsfreeze vm1\"; needs a"
                            + " --thaw-command; repeat both for several guests")
    private @Nullable List<String> freezeCommands;

    @Option(
            names = "--thaw-command",
            paramLabel = "COMMAND",
            description = "run this in a shell after it, in any case")
    private @Nullable List<String> thawCommands;

    @Option(
            names = "--freeze-timeout",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description = "how long freezing may take, and thawing (default: ${DEFAULT-VALUE})")
    private long timeoutSeconds;

    /** Whether there are any. */
    boolean isAny() {
        return sockets != null || freezeCommands != null || thawCommands != null;
    }

    /** Absolute, as the service has another working directory. */
    @Nullable List<String> agents() {
        List<String> given = sockets;
        if (given == null) {
            return null;
        }
        List<String> absolute = new ArrayList<>();
        given.forEach(path -> absolute.add(NameText.of(NameText.absolute(NameText.path(path)))));
        return absolute;
    }

    @Nullable List<String> freezeCommands() {
        return freezeCommands;
    }

    @Nullable List<String> thawCommands() {
        return thawCommands;
    }

    long timeoutMillis() {
        return TimeUnit.SECONDS.toMillis(timeoutSeconds);
    }
}
