package io.quoin.qcow2;

import io.quoin.qcow2.ImageOptions.Preallocation;
import io.quoin.qcow2.layout.FeatureNames;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.L2Entry;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.qcow2.layout.SubclusterBitmap;
import io.quoin.xlator.NameText;
import java.nio.ByteBuffer;

/**
 * A new image of a known size, and where its first clusters go:
 *
 * <pre>
 *  | header | refcount table | refcount blocks | L1 table | end of the file                           preallocation=off
 *  | header | refcount table | refcount blocks | L1 table | L2 tables | data, or end of the file      else
 * </pre>
 *
 * Each cluster can be put by itself, so that an image of any size is written piece by piece. Every
 * cluster of the file has the count 1.
 *
 * <p>Threading: immutable.
 */
final class NewImage {
    private static final int SECTOR_BYTES = 512;

    private final ImageOptions options;
    private final long sizeBytes;
    private final Qcow2Geometry geometry;
    private final RefcountLayout refcounts;
    private final boolean isPreallocated;
    private final int l1Entries;
    private final long blocksStart;
    private final long l1Start;
    private final long l2Start;
    private final long dataStart;
    private final long end;
    private final ByteBuffer firstCluster;

    /**
     * Lays the image out; the size is rounded up to a sector as by qemu-img.
     *
     * @throws io.quoin.block.BlockException EINVAL for a size that needs larger tables than are
     *     allowed, and a header that does not fit into a cluster
     */
    NewImage(ImageOptions options, long wantedSizeBytes) {
        this.options = options;
        geometry = new Qcow2Geometry(options.clusterBits(), options.extendedL2());
        refcounts = new RefcountLayout(options.refcountOrder(), options.clusterBits());
        isPreallocated = options.preallocation() != Preallocation.OFF;
        requireL1Fits(wantedSizeBytes);
        sizeBytes = (wantedSizeBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
        long l2Tables = geometry.l1EntriesFor(sizeBytes);
        l1Entries = (int) Math.max(1, l2Tables);
        long l1Clusters = geometry.clustersFor((long) l1Entries * L1Entry.SIZE_BYTES);
        boolean hasOwnData = isPreallocated && options.dataFile() == null;
        long counted =
                1
                        + l1Clusters
                        + (isPreallocated ? l2Tables : 0)
                        + (hasOwnData ? geometry.clustersFor(sizeBytes) : 0);
        long blocks = blocksFor(counted);
        blocksStart = 1 + tableClustersFor(blocks);
        l1Start = blocksStart + blocks;
        l2Start = l1Start + l1Clusters;
        dataStart = l2Start + (isPreallocated ? l2Tables : 0);
        end = dataStart + (hasOwnData ? geometry.clustersFor(sizeBytes) : 0);
        firstCluster = header().encode();
    }

    private void requireL1Fits(long wantedSizeBytes) {
        long l1EntriesMax = HeaderLayout.L1_BYTES_MAX / L1Entry.SIZE_BYTES;
        ImageOptions.require(wantedSizeBytes >= 0, "size", "0 or more", wantedSizeBytes);
        ImageOptions.require(
                wantedSizeBytes <= Long.MAX_VALUE - SECTOR_BYTES
                        && geometry.l1EntriesFor(wantedSizeBytes) <= l1EntriesMax,
                "size",
                "at most "
                        + l1EntriesMax * geometry.l2CoverBytes()
                        + " bytes with clusters of "
                        + geometry.clusterSizeBytes(),
                wantedSizeBytes);
    }

    /** Refcount blocks for {@code counted} clusters, the blocks themselves and their table. */
    private long blocksFor(long counted) {
        long blocks = 0;
        long needed = 1;
        while (blocks < needed) {
            blocks = needed;
            long clusters = counted + tableClustersFor(blocks) + blocks;
            needed = (clusters + refcounts.blockEntries() - 1) / refcounts.blockEntries();
        }
        ImageOptions.require(
                blocks <= RefcountLayout.TABLE_BYTES_MAX / RefcountLayout.TABLE_ENTRY_BYTES,
                "preallocation",
                "off for an image whose refcount table would be larger than 8 MiB",
                options.preallocation());
        return blocks;
    }

    private long tableClustersFor(long blocks) {
        int perCluster = refcounts.tableEntriesPerCluster();
        return (blocks + perCluster - 1) / perCluster;
    }

    private Qcow2Header header() {
        HeaderBuilder header =
                Qcow2Header.builder()
                        .version(options.version())
                        .clusterBits(options.clusterBits())
                        .refcountOrder(options.refcountOrder())
                        .sizeBytes(sizeBytes)
                        .l1(l1Entries, hostOffset(l1Start))
                        .refcountTable(hostOffset(1), (int) (blocksStart - 1))
                        .backingFile(options.backingFile());
        if (options.version() >= 3) {
            header.features(
                            incompatibleFeatures(),
                            options.lazyRefcounts() ? Qcow2Header.LAZY_REFCOUNTS : 0,
                            options.dataFileRaw() ? Qcow2Header.RAW_EXTERNAL_DATA : 0)
                    .compressionType(options.compressionType());
        }
        if (options.backingFile() != null) {
            header.extension(Qcow2Header.backingFormatExtension(options.backingFormat()));
        }
        if (options.dataFile() != null) {
            byte[] name = NameText.bytes(options.dataFile());
            header.extension(
                    new HeaderExtension(HeaderExtension.DATA_FILE, OpaqueBytes.copyOf(name)));
        }
        boolean hasRoom = options.clusterBits() > HeaderLayout.CLUSTER_BITS_MIN + 1;
        if (options.version() >= 3 && hasRoom) {
            header.extension(FeatureNames.extension());
        }
        return header.build();
    }

    private long incompatibleFeatures() {
        return (options.dataFile() == null ? 0 : Qcow2Header.EXTERNAL_DATA_FILE)
                | (options.compressionType() == Qcow2Header.COMPRESSION_DEFLATE
                        ? 0
                        : Qcow2Header.COMPRESSION_TYPE)
                | (options.extendedL2() ? Qcow2Header.EXTENDED_L2 : 0);
    }

    ImageOptions options() {
        return options;
    }

    /** The virtual size. */
    long sizeBytes() {
        return sizeBytes;
    }

    int clusterSizeBytes() {
        return geometry.clusterSizeBytes();
    }

    /** What is written; what follows up to the end of the file reads as zeros. */
    long metadataBytes() {
        return hostOffset(isPreallocated ? dataStart : l1Start);
    }

    long fileSizeBytes() {
        return hostOffset(end);
    }

    private long hostOffset(long clusterIndex) {
        return clusterIndex << options.clusterBits();
    }

    /** Fills {@code target}, which is zeros, with the cluster of metadata {@code clusterIndex}. */
    void encode(long clusterIndex, ByteBuffer target) {
        if (clusterIndex == 0) {
            target.duplicate().put(firstCluster.duplicate());
        } else if (clusterIndex < blocksStart) {
            long blocks = l1Start - blocksStart;
            long first = (clusterIndex - 1) * refcounts.tableEntriesPerCluster();
            for (int i = 0; i < refcounts.tableEntriesPerCluster() && first + i < blocks; i++) {
                target.putLong(
                        i * RefcountLayout.TABLE_ENTRY_BYTES, hostOffset(blocksStart + first + i));
            }
        } else if (clusterIndex < l1Start) {
            long first = (clusterIndex - blocksStart) * refcounts.blockEntries();
            for (int i = 0; i < refcounts.blockEntries() && first + i < end; i++) {
                refcounts.set(target, i, 1);
            }
        } else if (clusterIndex < l2Start) {
            int perCluster = clusterSizeBytes() / L1Entry.SIZE_BYTES;
            long first = (clusterIndex - l1Start) * perCluster;
            for (int i = 0; i < perCluster && first + i < dataStart - l2Start; i++) {
                target.putLong(
                        i * L1Entry.SIZE_BYTES, L1Entry.of(hostOffset(l2Start + first + i), true));
            }
        } else {
            encodeL2Table((clusterIndex - l2Start) * geometry.l2Entries(), target);
        }
    }

    private void encodeL2Table(long first, ByteBuffer target) {
        long guestClusters = geometry.clustersFor(sizeBytes);
        // With a data file guest and host offset are the same.
        long start = options.dataFile() == null ? dataStart : 0;
        int entryBytes = geometry.l2EntryBytes();
        for (int i = 0; i < geometry.l2Entries() && first + i < guestClusters; i++) {
            target.putLong(i * entryBytes, L2Entry.of(hostOffset(start + first + i), true));
            if (options.extendedL2() && options.dataFileRaw()) {
                // Else a subcluster is allocated by its first write, as by QEMU: until then the
                // backing file is read.
                target.putLong(
                        i * entryBytes + L2Entry.SIZE_BYTES,
                        SubclusterBitmap.mask(0, SubclusterBitmap.SUBCLUSTERS));
            }
        }
    }
}
