package io.quoin.qcow2.cluster;

import io.quoin.qcow2.cache.MappingFlusher;
import io.quoin.qcow2.compress.ClusterReader;
import io.quoin.qcow2.io.ImageIo;
import io.quoin.qcow2.layout.L2Entry;

/**
 * The rules of host clusters: which may have guest data, and how entries let go of them.
 *
 * <p>Threading: confined(loop).
 */
final class HostClusters {
    private final ImageIo io;
    private final MappingFlusher flusher;
    private final ClusterReader compressed;
    private final boolean external;
    private final int clusterBits;

    HostClusters(ImageIo io, MappingFlusher flusher, ClusterReader compressed, EntryForm form) {
        this.io = io;
        this.flusher = flusher;
        this.compressed = compressed;
        this.external = form.external;
        this.clusterBits = form.clusterBits;
    }

    /**
     * Whether {@code count} host clusters may be written with guest data; if they hold metadata the
     * image is corrupt. An external data file has none.
     */
    boolean isDataArea(long clusterIndex, long count) {
        return external || isUnclaimed(clusterIndex, count);
    }

    /** Whether no metadata are in these clusters of the image's own file; else it is corrupt. */
    boolean isUnclaimed(long clusterIndex, long count) {
        if (io.map().containsAny(clusterIndex, count)) {
            io.health()
                    .corrupt("data cluster overlaps metadata", clusterIndex << clusterBits, count);
            return false;
        }
        return true;
    }

    /** As {@link #isDataArea} for the host clusters that a compressed cluster touches. */
    boolean isCompressedDataArea(long descriptor) {
        long hostOffset = L2Entry.compressedHostOffset(descriptor, clusterBits);
        int lengthBytes = L2Entry.compressedLengthBytes(descriptor, clusterBits);
        long first = hostOffset >>> clusterBits;
        return isDataArea(first, last(hostOffset, lengthBytes) - first + 1);
    }

    /**
     * An entry in memory has ceased to be {@code descriptor}: each host cluster that it touched
     * loses a reference.
     *
     * @param l1Index under which the entry is
     */
    void dropCompressed(int l1Index, long descriptor) {
        compressed.forget(descriptor);
        drop(
                l1Index,
                L2Entry.compressedHostOffset(descriptor, clusterBits),
                L2Entry.compressedLengthBytes(descriptor, clusterBits));
    }

    /** Each host cluster that the range touches loses a reference. */
    void drop(int l1Index, long hostOffset, int lengthBytes) {
        long last = last(hostOffset, lengthBytes);
        for (long cluster = hostOffset >>> clusterBits; cluster <= last; cluster++) {
            flusher.drop(l1Index, cluster);
        }
    }

    private long last(long hostOffset, int lengthBytes) {
        return (hostOffset + lengthBytes - 1) >>> clusterBits;
    }
}
