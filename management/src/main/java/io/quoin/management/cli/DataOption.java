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
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "data folder (default: $QUOIN_DATA, else /var/lib/quoin for root, else"
                            + " $XDG_DATA_HOME/quoin or ~/.local/share/quoin)")
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
                            + " else the default or only one)")
    private @Nullable String volume;

    DataFolder folder() {
        return DataFolder.choose(data);
    }

    @Nullable Path volfile() {
        return volfile;
    }

    /** Null where none is given. */
    @Nullable String volume() {
        String own = ProcessText.environment().getOrDefault("QUOIN_VOLUME", "");
        return volume != null || own.isEmpty() ? volume : own;
    }

    /** A disk as it is called where all volumes meet. */
    String export(String disk) {
        String named = volume();
        return named == null || DiskAddress.of(disk).volume() != null
                ? disk
                : DiskAddress.prefix(named) + disk;
    }
}
