package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.FeatureNames;
import io.quoin.qcow2.layout.HeaderBuilder;
import io.quoin.qcow2.layout.HeaderExtension;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.L1Entry;
import io.quoin.qcow2.layout.OpaqueBytes;
import io.quoin.qcow2.layout.Qcow2Geometry;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.qcow2.layout.RefcountLayout;
import io.quoin.xlator.CreateOptions;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a new image shall be, and where its first clusters go:
 *
 * <pre>
 *  | header | refcount table ... | refcount blocks ... | L1 table (a hole: zeros) ... | end of the file
 * </pre>
 *
 * <p>Threading: immutable.
 */
record NewImage(
        long sizeBytes,
        int version,
        int clusterBits,
        @Nullable String backingFile,
        String backingFormat) {
    private static final int SECTOR_BYTES = 512;
    private static final int REFCOUNT_ORDER = 4;
    private static final String CLUSTER_SIZE = "cluster_size";
    private static final String COMPAT = "compat";
    private static final String BACKING_FILE = "backing_file";
    private static final String BACKING_FORMAT = "backing_fmt";
    private static final String REFCOUNT_BITS = "refcount_bits";
    private static final String PREALLOCATION = "preallocation";
    private static final String LAZY_REFCOUNTS = "lazy_refcounts";
    private static final String EXTENDED_L2 = "extended_l2";

    private static final OptionTable OPTIONS =
            OptionTable.of(
                    Option.of(
                            CLUSTER_SIZE,
                            Option.Type.SIZE,
                            "64K",
                            "The unit of allocation: a power of two from 512 to 2M."),
                    Option.choice(
                            COMPAT,
                            List.of("1.1", "0.10", "v3", "v2"),
                            "1.1",
                            "The version of the format: 1.1 (v3) or 0.10 (v2)."),
                    Option.of(
                            BACKING_FILE,
                            Option.Type.STRING,
                            "",
                            "What the image reads as where it has no data of its own."),
                    Option.choice(
                            BACKING_FORMAT,
                            List.of("", "qcow2", "raw"),
                            "",
                            "The format of the backing file; never guessed."),
                    Option.of(
                            REFCOUNT_BITS,
                            Option.Type.INTEGER,
                            "16",
                            "The width of a reference count: 16."),
                    Option.choice(
                            PREALLOCATION,
                            List.of("off", "metadata", "falloc", "full"),
                            "off",
                            "Off: space is taken when it is written."),
                    Option.of(LAZY_REFCOUNTS, Option.Type.BOOLEAN, "off", "Off."),
                    Option.of(EXTENDED_L2, Option.Type.BOOLEAN, "off", "Off."));

    /**
     * @throws BlockException naming the option that is unknown, wrong or not supported
     */
    static NewImage of(CreateOptions options) {
        OptionValues values = new OptionValues(OPTIONS, options.options());
        long clusterSize = values.sizeBytes(CLUSTER_SIZE);
        boolean isLegal =
                Long.bitCount(clusterSize) == 1
                        && clusterSize >= 1L << HeaderLayout.CLUSTER_BITS_MIN
                        && clusterSize <= 1L << HeaderLayout.CLUSTER_BITS_MAX;
        require(isLegal, CLUSTER_SIZE, "a power of two from 512 to 2M", clusterSize);
        requireDefault(values, REFCOUNT_BITS, "16");
        requireDefault(values, PREALLOCATION, "off");
        requireOff(values, LAZY_REFCOUNTS);
        requireOff(values, EXTENDED_L2);
        require(options.sizeBytes() >= 0, "size", "0 or more", options.sizeBytes());
        String backingFile = values.string(BACKING_FILE);
        String backingFormat = values.string(BACKING_FORMAT);
        require(
                backingFile.isEmpty() == backingFormat.isEmpty(),
                BACKING_FORMAT,
                "the format of the backing file, and only with one: qcow2 or raw",
                backingFormat.isEmpty() ? "none" : backingFormat);
        String compat = values.string(COMPAT);
        NewImage image =
                new NewImage(
                        options.sizeBytes(),
                        compat.equals("0.10") || compat.equals("v2") ? 2 : 3,
                        Long.numberOfTrailingZeros(clusterSize),
                        backingFile.isEmpty() ? null : backingFile,
                        backingFormat);
        return image.withSize(options.sizeBytes());
    }

    /** The same with another size, rounded up to a sector as by qemu-img. */
    NewImage withSize(long newSizeBytes) {
        require(
                newSizeBytes <= Long.MAX_VALUE - SECTOR_BYTES
                        && geometry().l1EntriesFor(newSizeBytes) * L1Entry.SIZE_BYTES
                                <= HeaderLayout.L1_BYTES_MAX,
                "size",
                "at most "
                        + (HeaderLayout.L1_BYTES_MAX / L1Entry.SIZE_BYTES)
                                * geometry().l2CoverBytes()
                        + " bytes with clusters of "
                        + geometry().clusterSizeBytes(),
                newSizeBytes);
        long rounded = (newSizeBytes + SECTOR_BYTES - 1) & -SECTOR_BYTES;
        return new NewImage(rounded, version, clusterBits, backingFile, backingFormat);
    }

    private static void requireDefault(OptionValues values, String name, String only) {
        if (!values.string(name).equals(only)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "not supported: option="
                            + name
                            + ", expected="
                            + only
                            + ", actual="
                            + values.string(name));
        }
    }

    private static void requireOff(OptionValues values, String name) {
        if (values.bool(name)) {
            throw new BlockException(
                    BlockError.ENOTSUP,
                    "not supported: option=" + name + ", expected=off, actual=on");
        }
    }

    private static void require(boolean holds, String name, String expected, Object actual) {
        if (!holds) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "option has a wrong value: name="
                            + name
                            + ", expected="
                            + expected
                            + ", actual="
                            + actual);
        }
    }

    private Qcow2Geometry geometry() {
        return new Qcow2Geometry(clusterBits, false);
    }

    private int l1Entries() {
        return (int) Math.max(1, geometry().l1EntriesFor(sizeBytes));
    }

    private long l1Clusters() {
        return geometry().clustersFor((long) l1Entries() * L1Entry.SIZE_BYTES);
    }

    private RefcountLayout refcounts() {
        return new RefcountLayout(REFCOUNT_ORDER, clusterBits);
    }

    /** Blocks that count all first clusters, themselves included. */
    private int blocks() {
        long blocks = 1;
        while (blocks * refcounts().blockEntries() < fixedClusters(blocks)) {
            blocks++;
        }
        return (int) blocks;
    }

    private long tableClusters(long blocks) {
        int perCluster = refcounts().tableEntriesPerCluster();
        return (blocks + perCluster - 1) / perCluster;
    }

    private long fixedClusters(long blocks) {
        return 1 + tableClusters(blocks) + blocks + l1Clusters();
    }

    /** What is written; the L1 table behind it stays a hole. */
    int metadataBytes() {
        long clusters = 1 + tableClusters(blocks()) + blocks();
        return Math.toIntExact(clusters << clusterBits);
    }

    long fileSizeBytes() {
        return fixedClusters(blocks()) << clusterBits;
    }

    Qcow2Header header() {
        HeaderBuilder header =
                Qcow2Header.builder()
                        .version(version)
                        .clusterBits(clusterBits)
                        .sizeBytes(sizeBytes)
                        .l1(l1Entries(), metadataBytes())
                        .refcountTable(1L << clusterBits, (int) tableClusters(blocks()))
                        .backingFile(backingFile);
        if (backingFile != null) {
            byte[] format = backingFormat.getBytes(StandardCharsets.US_ASCII);
            header.extension(
                    new HeaderExtension(
                            HeaderExtension.BACKING_FORMAT, OpaqueBytes.copyOf(format)));
        }
        boolean hasRoom = clusterBits > HeaderLayout.CLUSTER_BITS_MIN + 1;
        if (version >= 3 && hasRoom) {
            header.extension(FeatureNames.extension());
        }
        return header.build();
    }

    /** Puts the header, the refcount table and the refcount blocks. */
    void encode(ByteBuffer firstCluster, ByteBuffer target) {
        RefcountLayout layout = refcounts();
        int blocks = blocks();
        target.put(firstCluster.duplicate()).clear();
        int blocksStart = (1 + (int) tableClusters(blocks)) << clusterBits;
        for (int i = 0; i < blocks; i++) {
            target.putLong((1 << clusterBits) + 8 * i, blocksStart + ((long) i << clusterBits));
        }
        long clusters = fixedClusters(blocks);
        for (int i = 0; i < blocks; i++) {
            ByteBuffer block = target.slice(blocksStart + (i << clusterBits), 1 << clusterBits);
            long first = (long) i * layout.blockEntries();
            for (int c = 0; c < layout.blockEntries() && first + c < clusters; c++) {
                layout.set(block, c, 1);
            }
        }
    }
}
