package io.quoin.qcow2.matrix;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * One combination of what a qcow2 image can have.
 *
 * <p>Threading: immutable.
 */
record ImageSpec(
        int version,
        int clusterSize,
        int refcountBits,
        boolean extendedL2,
        Compression compression,
        boolean lazyRefcounts,
        DataFile dataFile,
        Backing backing,
        boolean bitmaps,
        boolean snapshots) {
    /** How clusters that QEMU compresses are packed. */
    enum Compression {
        NONE,
        ZLIB,
        ZSTD
    }

    /** Where the data are. */
    enum DataFile {
        NONE,
        PLAIN,
        RAW
    }

    /** What lies behind; a chain is a qcow2 image over a qcow2 image over a raw file. */
    enum Backing {
        NONE,
        RAW,
        QCOW2,
        CHAIN
    }

    private static final int[] VALUES = {2, 5, 7, 2, 3, 2, 3, 4, 2, 2};
    private static final int[] CLUSTER_SIZES = {512, 4096, 1 << 14, 1 << 16, 1 << 21};
    private static final int CANDIDATES = 60;

    private static ImageSpec of(int[] row) {
        return new ImageSpec(
                3 - row[0],
                CLUSTER_SIZES[row[1]],
                1 << row[2],
                row[3] == 1,
                Compression.values()[row[4]],
                row[5] == 1,
                DataFile.values()[row[6]],
                Backing.values()[row[7]],
                row[8] == 1,
                row[9] == 1);
    }

    /** Whether the format allows it. */
    boolean isValid() {
        if (version == 2
                && (refcountBits != 16
                        || extendedL2
                        || lazyRefcounts
                        || bitmaps
                        || compression == Compression.ZSTD
                        || dataFile != DataFile.NONE)) {
            return false;
        }
        if (dataFile != DataFile.NONE && (compression != Compression.NONE || snapshots)) {
            return false;
        }
        // QEMU packs many compressed clusters into one: a snapshot would exceed a narrow count.
        if (snapshots
                && (refcountBits == 1 || (compression != Compression.NONE && refcountBits < 16))) {
            return false;
        }
        return (!extendedL2 || clusterSize >= 1 << 14)
                && (dataFile != DataFile.RAW || backing == Backing.NONE);
    }

    /**
     * Combinations in which each two values that may go together do so at least once, and then
     * random ones up to {@code count}.
     */
    static List<ImageSpec> pairwise(int count) {
        Random random = new Random(count);
        PairTable pairs = new PairTable(VALUES, row -> of(row).isValid());
        List<ImageSpec> specs = new ArrayList<>();
        while (specs.size() < count || pairs.left() > 0) {
            int[] row = pairs.left() > 0 ? pairs.next(random, CANDIDATES) : pairs.random(random);
            ImageSpec spec = of(row);
            if (!specs.contains(spec)) {
                specs.add(spec);
            }
        }
        return specs;
    }

    /** All that there are. */
    static List<ImageSpec> all() {
        List<ImageSpec> specs = new ArrayList<>();
        int[] row = new int[VALUES.length];
        int at = 0;
        while (at >= 0) {
            ImageSpec spec = of(row);
            if (spec.isValid()) {
                specs.add(spec);
            }
            for (at = row.length - 1; at >= 0 && ++row[at] == VALUES[at]; at--) {
                row[at] = 0;
            }
        }
        return specs;
    }

    /** One drawn at random. */
    static ImageSpec random(Random random) {
        ImageSpec spec;
        do {
            int[] row = new int[VALUES.length];
            for (int i = 0; i < row.length; i++) {
                row[i] = random.nextInt(VALUES[i]);
            }
            spec = of(row);
        } while (!spec.isValid());
        return spec;
    }

    /** A size that is no multiple of the cluster, and has several clusters. */
    int sizeBytes() {
        return switch (clusterSize) {
            case 512 -> 300_032;
            case 4096 -> 1_000_448;
            case 1 << 14 -> 2_000_384;
            case 1 << 16 -> 4_000_256;
            default -> 9_000_448;
        };
    }

    /** The options of {@code qemu-img create}. */
    String options(String dataFileName) {
        StringBuilder text = new StringBuilder();
        text.append("compat=").append(version == 2 ? "0.10" : "1.1");
        text.append(",cluster_size=").append(clusterSize);
        if (version == 3) {
            text.append(",refcount_bits=").append(refcountBits);
            text.append(extendedL2 ? ",extended_l2=on" : "");
            text.append(lazyRefcounts ? ",lazy_refcounts=on" : "");
            text.append(compression == Compression.ZSTD ? ",compression_type=zstd" : "");
        }
        if (dataFile != DataFile.NONE) {
            text.append(",data_file=").append(dataFileName);
            text.append(dataFile == DataFile.RAW ? ",data_file_raw=on" : "");
        }
        return text.toString();
    }

    @Override
    public String toString() {
        return "v"
                + version
                + " cluster="
                + clusterSize
                + " bits="
                + refcountBits
                + (extendedL2 ? " extended" : "")
                + (compression == Compression.NONE ? "" : " " + compression)
                + (lazyRefcounts ? " lazy" : "")
                + (dataFile == DataFile.NONE ? "" : " data=" + dataFile)
                + (backing == Backing.NONE ? "" : " backing=" + backing)
                + (bitmaps ? " bitmaps" : "")
                + (snapshots ? " snapshots" : "");
    }
}
