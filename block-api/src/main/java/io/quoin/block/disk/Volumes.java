package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import java.util.ServiceLoader;

/**
 * Opens volumes in this process.
 *
 * <pre>{@code
 * try (Volume volume = Volumes.open(Path.of("/var/lib/quoin"));
 *         Disk disk = volume.open("vm1")) {
 *     ByteBuffer buffer = ByteBuffer.allocateDirect(4096);
 *     disk.read(0, buffer);
 * }
 * }</pre>
 *
 * <p>Threading: thread-safe.
 */
public final class Volumes {
    private Volumes() {}

    /**
     * Opens the embedded volume of a data directory, as {@code quoin serve --data} does.
     *
     * @throws BlockException EBUSY while another process has it open
     */
    public static Volume open(Path dataDirectory) {
        return provider().open(dataDirectory);
    }

    /**
     * Opens the volume that a volfile describes.
     *
     * @throws BlockException EINVAL for a volfile that cannot be understood
     */
    public static Volume openVolfile(Path volfile) {
        return provider().openVolfile(volfile);
    }

    private static VolumeProvider provider() {
        return ServiceLoader.load(VolumeProvider.class)
                .findFirst()
                .orElseThrow(
                        () ->
                                new BlockException(
                                        BlockError.ENOTSUP,
                                        "no volume provider on the class path:"
                                                + " expected=io.quoin:quoin-management"));
    }
}
