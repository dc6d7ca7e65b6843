package io.quoin.management.cli;

import io.quoin.management.daemon.ControlClient;
import io.quoin.management.operation.ManagedVolume;
import io.quoin.management.operation.OperationType;
import io.quoin.management.operation.VolumeClient;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import java.util.Optional;

/**
 * Reaches a volume: through its daemon where one runs, else by opening it in this process for the
 * time of the command.
 *
 * <p>Threading: confined to the main thread.
 */
final class VolumeAccess {
    private VolumeAccess() {}

    /**
     * Opens a volume.
     *
     * @param making whether one is made where there is none
     */
    static VolumeClient open(DataOption data, boolean making) {
        DataFolder folder = data.folder();
        Optional<ControlClient> daemon = ControlClient.connect(folder);
        if (daemon.isPresent()) {
            return daemon.get();
        }
        LocalVolume volume =
                making
                        ? LocalVolume.open(folder, data.volfile(), 1)
                        : LocalVolume.openExisting(folder, data.volfile(), 1);
        return new Unserved(volume, ManagedVolume.unserved(folder, volume.disks()));
    }

    /** The volume without a daemon. */
    private record Unserved(LocalVolume volume, ManagedVolume managed) implements VolumeClient {
        @Override
        public <Q extends Record, R extends Record> R call(OperationType<Q, R> type, Q request) {
            return managed.call(type, request);
        }

        @Override
        public void close() {
            try (volume) {
                managed.close();
            }
        }
    }
}
