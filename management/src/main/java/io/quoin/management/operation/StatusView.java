package io.quoin.management.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.quoin.management.volume.DiskView;
import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.graph.NodeStatistics;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What {@code quoin status} shows.
 *
 * <p>Threading: immutable.
 *
 * @param version of the daemon
 * @param pid its process
 * @param uptimeSeconds since it was ready
 * @param data its data folder
 * @param nbd where disks can be attached
 * @param space of the storage that the disks lie on, as the volume sees it; null if that cannot be
 *     told, or of several volumes
 * @param memory for caches and buffers
 * @param bricks the folders at the bottom
 * @param uncaughtFailures exceptions that nothing was prepared for, since the start: errors of the
 *     program; the log has them
 * @param volumes every volume, and why one is not served
 * @param disks every disk, as VOLUME/NAME where it is not one of the default volume
 * @param clients what is attached over NBD, the oldest first
 * @param statistics what the nodes of the graph have counted, from the top down; of several
 *     volumes, below a node {@code service} that is not there
 */
public record StatusView(
        String version,
        long pid,
        long uptimeSeconds,
        String data,
        NbdAddresses nbd,
        @Nullable StorageSpace space,
        MemoryView memory,
        List<Brick> bricks,
        long uncaughtFailures,
        List<VolumeView> volumes,
        List<DiskView> disks,
        List<Client> clients,
        NodeStatistics statistics) {

    /**
     * A connection of a client.
     *
     * @param disk what it has attached, as VOLUME/NAME where it is not one of the default volume;
     *     empty for one that has not said it yet
     * @param peer its address, or {@code unix}
     * @param pid its process, at a unix socket
     * @param uid the user of that process
     * @param since when it came, as in 2026-12-31T23:59:59Z
     * @param inFlight requests that are not answered yet
     * @param requests how many there were
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Client(
            String disk,
            String peer,
            @Nullable Integer pid,
            @Nullable Integer uid,
            String since,
            int inFlight,
            long requests) {}

    /**
     * A folder that holds image files.
     *
     * @param name of its node
     * @param directory its path
     * @param sizeBytes of the file system below
     * @param availableBytes what is left there for us
     */
    public record Brick(String name, String directory, long sizeBytes, long availableBytes) {}
}
