package io.quoin.management.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quoin.management.daemon.Commands;
import io.quoin.management.daemon.ControlClient;
import io.quoin.management.daemon.NbdAddresses;
import io.quoin.management.daemon.VolumeCommands;
import io.quoin.management.volume.CheckEvents;
import io.quoin.management.volume.DataFolder;
import io.quoin.management.volume.LocalVolume;
import io.quoin.xlator.NameText;
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
    static Commands open(DataOption data, boolean making) {
        DataFolder folder = data.folder();
        Optional<ControlClient> daemon = ControlClient.connect(folder);
        if (daemon.isPresent()) {
            return daemon.get();
        }
        return new Offline(
                making
                        ? LocalVolume.open(folder, data.volfile(), 1)
                        : LocalVolume.openExisting(folder, data.volfile(), 1),
                folder);
    }

    /** The volume without a daemon. */
    private static final class Offline implements Commands {
        private final LocalVolume volume;
        private final VolumeCommands commands;

        Offline(LocalVolume volume, DataFolder folder) {
            this.volume = volume;
            NbdAddresses whenServed = new NbdAddresses(NameText.of(folder.nbdSocket()), null);
            commands = new VolumeCommands(volume.disks(), () -> whenServed, volume.disks()::list);
        }

        @Override
        public JsonNode call(String command, ObjectNode arguments, CheckEvents events) {
            return commands.call(command, arguments, events);
        }

        @Override
        public void close() {
            volume.close();
        }
    }
}
