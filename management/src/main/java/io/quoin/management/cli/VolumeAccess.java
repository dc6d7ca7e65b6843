package io.quoin.management.cli;

import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DataFolder;
import java.util.Optional;

/**
 * Reaches the volumes of a data folder: through its daemon where one runs, else in this process for
 * the time of the command.
 *
 * <p>Threading: confined to the main thread.
 */
final class VolumeAccess {
    private VolumeAccess() {}

    /**
     * Opens them.
     *
     * @param making whether a volume is made where there is none
     */
    static VolumeClient open(DataOption data, boolean making) {
        DataFolder folder = data.folder();
        Optional<ControlClient> daemon = ControlClient.connect(folder, data.volume());
        return daemon.isPresent()
                ? daemon.get()
                : OfflineVolumes.open(folder, data.volfile(), data.volume(), making);
    }
}
