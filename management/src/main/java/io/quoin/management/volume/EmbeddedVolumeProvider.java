package io.quoin.management.volume;

import io.quoin.block.disk.Volume;
import io.quoin.block.disk.VolumeProvider;
import java.nio.file.Path;

/**
 * Opens volumes inside of a Java program: the same graph, lock and rings as the daemon's.
 *
 * <p>Threading: thread-safe.
 */
public final class EmbeddedVolumeProvider implements VolumeProvider {
    private static final int LOOPS = 1;

    @Override
    public Volume open(Path dataDirectory) {
        return new EmbeddedVolume(LocalVolume.open(new DataFolder(dataDirectory), null, LOOPS));
    }

    @Override
    public Volume openVolfile(Path volfile) {
        return new EmbeddedVolume(LocalVolume.openVolfile(volfile, LOOPS));
    }
}
