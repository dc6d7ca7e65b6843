package io.quoin.block.disk;

import java.nio.file.Path;

/**
 * Opens volumes for {@link Volumes}, which finds it as a service ({@link java.util.ServiceLoader}):
 * the block interface knows of no storage.
 *
 * <p>Threading: thread-safe.
 */
public interface VolumeProvider {
    /** Opens the embedded volume of a data directory; makes it there if the directory is empty. */
    Volume open(Path dataDirectory);

    /** Opens the volume that a volfile describes. */
    Volume openVolfile(Path volfile);
}
