package io.quoin.management.cli;

import io.quoin.management.volume.DataFolder;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * {@code --data DIR} and {@code --volfile FILE}.
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

    DataFolder folder() {
        return DataFolder.choose(data);
    }

    @Nullable Path volfile() {
        return volfile;
    }
}
