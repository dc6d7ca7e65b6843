package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.ImageOptions.Preallocation;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.RefcountLayout;
import java.util.Map;

/**
 * How large a file a new image would need, by the figures of {@code qemu-img measure}: the tables
 * are counted as for a full image, and the data as they come.
 *
 * <p>Threading: immutable.
 */
public final class NewImageSize {
    private static final int BITMAP_ENTRY_BYTES = 24;
    private static final int BITMAP_ENTRY_ALIGNMENT = 8;

    private final ImageOptions options;
    private final Qcow2Geometry geometry;

    private NewImageSize(ImageOptions options) {
        this.options = options;
        geometry = new Qcow2Geometry(options.clusterBits(), options.extendedL2());
    }

    /**
     * For an image made with these options.
     *
     * @throws BlockException naming the option that is wrong
     */
    public static NewImageSize of(Map<String, String> createOptions) {
        return new NewImageSize(ImageOptions.of(createOptions));
    }

    /** What data are stored in units of. */
    public int clusterSizeBytes() {
        return geometry.clusterSizeBytes();
    }

    /** Whether it is not known which data will be stored, so that all count. */
    public boolean countsAllData() {
        return options.backingFile() != null;
    }

    /** Whether it can have bitmaps. */
    public boolean canHaveBitmaps() {
        return options.version() >= 3;
    }

    /** The file of a full image. */
    public long fullyAllocatedBytes(long sizeBytes) {
        long data = virtualBytes(sizeBytes);
        long l1Entries = geometry.l1EntriesFor(data);
        long l1Bytes = geometry.alignUp(l1Entries * L1Entry.SIZE_BYTES);
        if (l1Entries * L1Entry.SIZE_BYTES > HeaderLayout.L1_BYTES_MAX) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "image is too large for its cluster size: size="
                            + sizeBytes
                            + ", cluster_size="
                            + clusterSizeBytes());
        }
        long clusters =
                1
                        + l1Entries // each an L2 table of one cluster
                        + geometry.clustersFor(l1Bytes)
                        + geometry.clustersFor(data);
        return (clusters + refcountClusters(clusters)) << geometry.clusterBits();
    }

    /** The file of an image with {@code dataBytes} of data, in whole clusters. */
    public long requiredBytes(long sizeBytes, long dataBytes) {
        boolean isReserved =
                options.preallocation() == Preallocation.FALLOC
                        || options.preallocation() == Preallocation.FULL;
        long data = isReserved ? virtualBytes(sizeBytes) : dataBytes;
        return fullyAllocatedBytes(sizeBytes) - virtualBytes(sizeBytes) + data;
    }

    /** What a bitmap takes up, without its entry in the directory. */
    public long bitmapBytes(long sizeBytes, long granularityBytes) {
        long bits = ceilDiv(sizeBytes, granularityBytes);
        long clusters = geometry.clustersFor(ceilDiv(bits, (long) Byte.SIZE));
        return (clusters << geometry.clusterBits()) + geometry.alignUp(clusters * Long.BYTES);
    }

    /** An entry of the directory of bitmaps. */
    public static long bitmapEntryBytes(int nameBytes) {
        return ((long) BITMAP_ENTRY_BYTES + nameBytes + BITMAP_ENTRY_ALIGNMENT - 1)
                & -BITMAP_ENTRY_ALIGNMENT;
    }

    /** In whole clusters. */
    public long alignUp(long lengthBytes) {
        return geometry.alignUp(lengthBytes);
    }

    private long virtualBytes(long sizeBytes) {
        return geometry.alignUp(sizeBytes);
    }

    /** Table and blocks that count {@code clusters} and themselves. */
    private long refcountClusters(long clusters) {
        RefcountLayout layout = new RefcountLayout(options.refcountOrder(), options.clusterBits());
        long all = clusters;
        long own = 0;
        while (all != clusters + own || own == 0) {
            all = clusters + own;
            long blocks = ceilDiv(all, (long) layout.blockEntries());
            own = blocks + ceilDiv(blocks, (long) layout.tableEntriesPerCluster());
        }
        return own;
    }

    private static long ceilDiv(long dividend, long divisor) {
        return (dividend + divisor - 1) / divisor;
    }
}
