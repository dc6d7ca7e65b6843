package io.quoin.qcow2;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.layout.HeaderLayout;
import io.quoin.qcow2.layout.Qcow2Header;
import io.quoin.xlator.graph.Option;
import io.quoin.xlator.graph.OptionTable;
import io.quoin.xlator.graph.OptionValues;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a new image shall be, by qemu-img's names, each value and each combination checked.
 *
 * <p>Threading: immutable.
 */
record ImageOptions(
        int version,
        int clusterBits,
        int refcountOrder,
        boolean extendedL2,
        int compressionType,
        boolean lazyRefcounts,
        Preallocation preallocation,
        @Nullable String dataFile,
        boolean dataFileRaw,
        @Nullable String backingFile,
        String backingFormat) {
    private static final String CLUSTER_SIZE = "cluster_size";
    private static final String COMPAT = "compat";
    private static final String BACKING_FILE = "backing_file";
    private static final String BACKING_FORMAT = "backing_fmt";
    private static final String REFCOUNT_BITS = "refcount_bits";
    private static final String PREALLOCATION = "preallocation";
    private static final String LAZY_REFCOUNTS = "lazy_refcounts";
    private static final String EXTENDED_L2 = "extended_l2";
    private static final String COMPRESSION_TYPE = "compression_type";
    private static final String DATA_FILE = "data_file";
    private static final String DATA_FILE_RAW = "data_file_raw";
    private static final int REFCOUNT_BITS_MAX = 64;
    private static final int REFCOUNT_ORDER_VERSION_2 = 4;

    static final OptionTable TABLE =
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
                            "The width of a reference count: a power of two from 1 to 64."),
                    Option.choice(
                            PREALLOCATION,
                            List.of("off", "metadata", "falloc", "full"),
                            "off",
                            "What is allocated at once: nothing; all tables, with a sparse file;"
                                    + " space in the file system as well; zeros written."),
                    Option.of(
                            LAZY_REFCOUNTS,
                            Option.Type.BOOLEAN,
                            "off",
                            "Whether refcounts may be written late, and rebuilt after a crash."),
                    Option.of(
                            EXTENDED_L2,
                            Option.Type.BOOLEAN,
                            "off",
                            "Whether clusters have 32 subclusters; from 16K clusters on."),
                    Option.choice(
                            COMPRESSION_TYPE,
                            List.of("zlib", "zstd"),
                            "zlib",
                            "What compressed clusters are compressed with."),
                    Option.of(
                            DATA_FILE,
                            Option.Type.STRING,
                            "",
                            "A file beside the image that has the guest's data; made with it."),
                    Option.of(
                            DATA_FILE_RAW,
                            Option.Type.BOOLEAN,
                            "off",
                            "Whether the data file alone is a raw image at any time."));

    /** How much of a new image is allocated at once. */
    enum Preallocation {
        OFF,
        METADATA,
        FALLOC,
        FULL;

        /** What the file below is made with. */
        Map<String, String> ofFile() {
            return switch (this) {
                case OFF, METADATA -> Map.of();
                case FALLOC -> Map.of(PREALLOCATION, "falloc");
                case FULL -> Map.of(PREALLOCATION, "full");
            };
        }
    }

    /**
     * Reads options.
     *
     * @throws BlockException EINVAL naming the option that is unknown, wrong or does not go with
     *     another
     */
    static ImageOptions of(Map<String, String> given) {
        OptionValues values = new OptionValues(TABLE, given);
        long clusterSize = values.sizeBytes(CLUSTER_SIZE);
        boolean isLegal =
                Long.bitCount(clusterSize) == 1
                        && clusterSize >= 1L << HeaderLayout.CLUSTER_BITS_MIN
                        && clusterSize <= 1L << HeaderLayout.CLUSTER_BITS_MAX;
        require(isLegal, CLUSTER_SIZE, "a power of two from 512 to 2M", clusterSize);
        long refcountBits = values.integer(REFCOUNT_BITS);
        require(
                Long.bitCount(refcountBits) == 1 && refcountBits <= REFCOUNT_BITS_MAX,
                REFCOUNT_BITS,
                "a power of two from 1 to 64",
                refcountBits);
        boolean dataFileRaw = values.bool(DATA_FILE_RAW);
        String preallocation = values.string(PREALLOCATION);
        // A raw data file is right only where no cluster is left to the qcow2 file to describe.
        boolean isForced = dataFileRaw && preallocation.equals("off");
        ImageOptions options =
                new ImageOptions(
                        values.string(COMPAT).matches("0\\.10|v2") ? 2 : 3,
                        Long.numberOfTrailingZeros(clusterSize),
                        Long.numberOfTrailingZeros(refcountBits),
                        values.bool(EXTENDED_L2),
                        values.string(COMPRESSION_TYPE).equals("zstd")
                                ? Qcow2Header.COMPRESSION_ZSTD
                                : Qcow2Header.COMPRESSION_DEFLATE,
                        values.bool(LAZY_REFCOUNTS),
                        isForced
                                ? Preallocation.METADATA
                                : Preallocation.valueOf(
                                        preallocation.toUpperCase(java.util.Locale.ROOT)),
                        orNull(values.string(DATA_FILE)),
                        dataFileRaw,
                        orNull(values.string(BACKING_FILE)),
                        values.string(BACKING_FORMAT));
        options.requireVersion3();
        options.requireFit();
        return options;
    }

    private static @Nullable String orNull(String value) {
        return value.isEmpty() ? null : value;
    }

    private void requireVersion3() {
        if (version >= 3) {
            return;
        }
        String only = "with compat=0.10 only ";
        require(
                refcountOrder == REFCOUNT_ORDER_VERSION_2,
                REFCOUNT_BITS,
                only + "16",
                1 << refcountOrder);
        require(!lazyRefcounts, LAZY_REFCOUNTS, only + "off", "on");
        require(!extendedL2, EXTENDED_L2, only + "off", "on");
        require(
                compressionType == Qcow2Header.COMPRESSION_DEFLATE,
                COMPRESSION_TYPE,
                only + "zlib",
                "zstd");
        require(dataFile == null, DATA_FILE, "none with compat=0.10", String.valueOf(dataFile));
    }

    private void requireFit() {
        require(
                !extendedL2 || clusterBits >= HeaderLayout.EXTENDED_L2_CLUSTER_BITS_MIN,
                EXTENDED_L2,
                "off with clusters below 16K",
                "on with cluster_size=" + (1 << clusterBits));
        require(
                (backingFile == null) == backingFormat.isEmpty(),
                BACKING_FORMAT,
                "the format of the backing file, and only with one: qcow2 or raw",
                backingFormat.isEmpty() ? "none" : backingFormat);
        require(dataFile != null || !dataFileRaw, DATA_FILE_RAW, "off without " + DATA_FILE, "on");
        require(
                backingFile == null || !dataFileRaw,
                DATA_FILE_RAW,
                "off with a backing file: its data would not be in the data file",
                "on");
        require(
                backingFile == null || extendedL2 || preallocation == Preallocation.OFF,
                PREALLOCATION,
                "off with a backing file, unless extended_l2=on: it would be hidden",
                preallocation);
    }

    static void require(boolean holds, String name, String expected, Object actual) {
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
}
