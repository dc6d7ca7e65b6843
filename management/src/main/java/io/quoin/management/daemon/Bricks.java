package io.quoin.management.daemon;

import io.quoin.management.operation.StatusView;
import io.quoin.management.volume.LocalVolume;
import io.quoin.xlator.NameText;
import io.quoin.xlator.graph.VolumeSpec;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The folders at the bottom of a volume's graph.
 *
 * <p>Threading: immutable.
 */
final class Bricks {
    private static final String TYPE = "storage/posix";
    private static final long UNKNOWN = -1;

    private Bricks() {}

    /**
     * @param prefix of their nodes
     */
    static List<StatusView.Brick> of(String prefix, LocalVolume volume) {
        return volume.disks().graph().volfile().volumes().stream()
                .filter(spec -> spec.type().equals(TYPE))
                .map(spec -> brick(prefix + spec.name(), spec, volume.folder()))
                .toList();
    }

    private static StatusView.Brick brick(String name, VolumeSpec spec, Path folder) {
        Path directory =
                folder.resolve(NameText.path(String.valueOf(spec.options().get("directory"))))
                        .normalize();
        try {
            FileStore store = Files.getFileStore(directory);
            return new StatusView.Brick(
                    name, NameText.of(directory), store.getTotalSpace(), store.getUsableSpace());
        } catch (IOException e) {
            return new StatusView.Brick(name, NameText.of(directory), UNKNOWN, UNKNOWN);
        }
    }
}
