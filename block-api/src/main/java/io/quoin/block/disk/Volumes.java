package io.quoin.block.disk;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.nio.file.Path;
import java.util.List;
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

    /**
     * Makes a snapshot of each of several open disks, all at one instant, all or none: what the
     * calling thread has asked of them before the call is in the snapshots, answered or not, and
     * nothing that is asked for after a request which is not. For threads that say each for its
     * disk where the instant is, see {@link Volume#cut}.
     *
     * @param disks of one volume, each once
     * @return in the order of the disks; durable
     * @throws BlockException EINVAL for disks of several volumes or of none, else as {@link
     *     Volume#snapshot(List, String)}
     */
    public static List<Snapshot> cut(List<Disk> disks, String name) {
        Volume volume = disks.isEmpty() ? null : disks.get(0).volume();
        for (Disk disk : disks) {
            if (volume == null || !volume.equals(disk.volume())) {
                throw new BlockException(
                        BlockError.EINVAL,
                        "disks that are cut: disk=" + disk.name() + ", expected=all of one volume");
            }
        }
        if (volume == null) {
            throw new BlockException(BlockError.EINVAL, "disks that are cut: count=0");
        }
        try (MarkedCut cut = volume.cut(disks.stream().map(Disk::name).toList(), name)) {
            disks.forEach(cut::mark);
            return cut.await();
        }
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
