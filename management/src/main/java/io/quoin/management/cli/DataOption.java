package io.quoin.management.cli;

import io.quoin.management.operation.DiskAddress;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.ProcessText;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * {@code --data DIR}, {@code --volfile FILE} and {@code --volume VOLUME}.
 *
 * <p>Threading: confined to the main thread.
 */
final class DataOption {
    /** Names the volume where the command does not. */
    static final String VOLUME_ENVIRONMENT = "QUOIN_VOLUME";

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "data folder (default: $QUOIN_DATA, else data in the file of settings, else"
                            + " /var/lib/quoin for root and its owner, else $XDG_DATA_HOME/quoin or"
                            + " ~/.local/share/quoin)")
    private @Nullable Path data;

    @Option(
            names = "--volfile",
            paramLabel = "FILE",
            description = "graph of the volume (default: DIR/volume.vol, written on first use)")
    private @Nullable Path volfile;

    @Option(
            names = "--volume",
            paramLabel = "VOLUME",
            description =
                    "volume of disks and jobs that are named without one (default: $QUOIN_VOLUME,"
                            + " else volume in the file of settings, else the default or only one)")
    private @Nullable String volume;

    DataFolder folder() {
        DataFolder folder = DataFolder.choose(data, () -> ConfigFile.read().data());
        folder.requireAccess();
        return folder;
    }

    @Nullable Path volfile() {
        return volfile;
    }

    /** Null where none is given. */
    @Nullable String volume() {
        if (volume != null) {
            return volume;
        }
        String own = ProcessText.environment().getOrDefault(VOLUME_ENVIRONMENT, "");
        return own.isEmpty() ? ConfigFile.read().volume() : own;
    }

    /** A disk as it is called where all volumes meet. */
    String export(String disk) {
        String named = volume();
        return named == null || DiskAddress.of(disk).volume() != null
                ? disk
                : DiskAddress.prefix(named) + disk;
    }
}
