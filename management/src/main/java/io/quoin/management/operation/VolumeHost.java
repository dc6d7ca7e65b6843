package io.quoin.management.operation;

import io.quoin.management.volume.DataFolder;
import org.jspecify.annotations.Nullable;

/**
 * What opens volumes in this process: a service, or a command where none runs.
 *
 * <p>Threading: thread-safe; may block.
 */
public interface VolumeHost {
    /**
     * Opens a volume, and serves it where this is a service.
     *
     * @throws io.quoin.block.BlockException if it cannot be opened
     */
    ManagedVolume open(String name, DataFolder folder);

    /** Ends the jobs of an open volume, lets go of its disks and closes it. */
    void close(String name);

    /** Whether volumes are opened when they are first asked for; a service opens them before. */
    boolean opensOnDemand();

    /**
     * What status tells.
     *
     * @param volume null for all
     */
    StatusView status(@Nullable String volume);
}
