package io.quoin.qcow2.hostile;

/** Checklist section 1: the fixed part of the header. */
final class HeaderImages {
    private static final long UINT_MAX = 0xffff_ffffL;

    private HeaderImages() {}

    static void addTo(Gallery gallery) {
        identity(gallery);
        lengths(gallery);
        sizes(gallery);
        l1(gallery);
        refcountTable(gallery);
        snapshotsAndNames(gallery);
        enumerations(gallery);
        cutFiles(gallery);
    }

    private static void identity(Gallery g) {
        g.refused("1: magic of zeros", "magic", image -> image.putInt(0, 0));
        g.refused("1: magic with one bit wrong", "magic", image -> image.putInt(0, 0x514649faL));
        g.refused("1: magic of a LUKS volume", "magic", image -> image.putText(0, "LUKS"));
        g.refused("1: magic with the bytes turned", "magic", i -> i.putInt(0, 0xfb494651L));
        for (long version : new long[] {0, 1, 4, 0x80000003L, UINT_MAX}) {
            g.refused("1: version " + version, "version", image -> image.putInt(4, version));
        }
        g.served(
                "2: version 2 with feature bits in what is an extension",
                SmallImage::version2,
                image -> image.putLong(72, 0).putLong(80, -1));
        g.refused(
                "2: version 2 with the header of version 3",
                "length",
                image -> image.putInt(4, 2).putLong(72, -1));
    }

    private static void lengths(Gallery g) {
        for (long length : new long[] {0, 72, 103, 105, 108}) {
            g.refused(
                    "3: header_length " + length,
                    "header_length",
                    image -> image.putInt(SmallImage.HEADER_LENGTH, length));
        }
        for (long length : new long[] {4104, 1 << 20, 0x80000000L, 0xfffffff8L}) {
            g.refused(
                    "4: header_length " + length,
                    "header_length",
                    image -> image.putInt(SmallImage.HEADER_LENGTH, length));
        }
        g.served(
                "5: header_length 128 with fields of a later version",
                image -> image.putInt(SmallImage.HEADER_LENGTH, 128).putLong(112, -1));
        g.served(
                "4: header_length of a whole cluster",
                image -> image.putInt(SmallImage.HEADER_LENGTH, 4096));
        for (long bits : new long[] {0, 8, 22, 31, 32, 44, 63, 64, UINT_MAX}) {
            g.refused("6: cluster_bits " + bits, "cluster_bits", image -> image.putInt(20, bits));
        }
        g.refused(
                "7: extended L2 with clusters of 4 KiB",
                "cluster_bits",
                image -> image.or(SmallImage.INCOMPATIBLE, 1 << 4));
        g.refused(
                "7: extended L2 with clusters of 512 bytes",
                "cluster_bits",
                image -> image.or(SmallImage.INCOMPATIBLE, 1 << 4).putInt(20, 9));
    }

    private static void sizes(Gallery g) {
        g.refused(
                "8: size one byte more than L1 covers",
                "l1_size",
                i -> i.putLong(24, (4 << 20) + 1));
        g.refused("8: l1_size 0", "l1_size", image -> image.putInt(36, 0));
        g.refused("8: l1_size one less than needed", "l1_size", image -> image.putInt(36, 1));
        g.refused("9: size 2^63 - 1", "l1_size", image -> image.putLong(24, Long.MAX_VALUE));
        g.refused("9: size 2^63", "size", image -> image.putLong(24, Long.MIN_VALUE));
        g.refused("9: size 2^64 - 1", "size", image -> image.putLong(24, -1));
        g.refused("9: size 2^64 - 512", "size", image -> image.putLong(24, -512));
        g.refused(
                "9: size 2^63 in the largest clusters",
                "size",
                image -> image.putLong(24, Long.MIN_VALUE).putInt(20, 21).fileSize(1 << 26));
        g.served("10: size no multiple of the cluster", i -> i.putLong(24, (3 << 20) + 512));
        g.served("10: size 0", image -> image.putLong(24, 0));
        g.found(
                "10: size 0 without an L1",
                "Leaked cluster 3",
                SmallImage::plain,
                image -> image.putLong(24, 0).putInt(36, 0));
        g.served("10: size of 1 byte", SmallImage::plain, image -> image.putLong(24, 1));
        g.served("10: size no multiple of 512", SmallImage::plain, i -> i.putLong(24, 4095));
    }

    private static void l1(Gallery g) {
        for (long entries : new long[] {4194305, 0x7fffffffL, 0x80000000L, UINT_MAX}) {
            g.refused("11: l1_size " + entries, "l1_size", image -> image.putInt(36, entries));
        }
        g.refused("11: L1 unaligned", "l1_table_offset", i -> i.putLong(40, i.l1() + 512));
        g.refused("11: L1 one byte off", "l1_table_offset", i -> i.putLong(40, i.l1() + 1));
        g.refused(
                "11: L1 offset 2^63 - 4096",
                "l1_table_offset",
                i -> i.putLong(40, -4096 >>> 1 & ~4095L));
        g.refused("11: L1 offset negative", "l1_table_offset", i -> i.putLong(40, -4096));
        g.refused("12: L1 at the header", "l1_table_offset", image -> image.putLong(40, 0));
        g.refused("12: L1 beyond EOF", "l1_table_offset", i -> i.putLong(40, i.cluster(64)));
        g.refused("12: L1 at EOF", "l1_table_offset", i -> i.putLong(40, i.cluster(16)));
        g.refused(
                "12: L1 that runs over EOF",
                "l1_table_offset",
                image -> image.putInt(36, 1024).putLong(40, image.cluster(15)));
        g.readOnly(
                "12: L1 on the refcount table", "overlaps", i -> i.putLong(40, i.refcountTable()));
        g.readOnly("12: L1 on a refcount block", "overlaps", i -> i.putLong(40, i.refcountBlock()));
        g.found(
                "11: L1 of 32 MiB in a hole",
                "Leaked cluster 3",
                SmallImage::plain,
                image ->
                        image.putInt(36, 4194304)
                                .putLong(40, image.cluster(16))
                                .fileSize(40 << 20));
        g.found(
                "8: L1 of 32 MiB for 8 EiB in the largest clusters",
                "no refcount block",
                SmallImage::plain,
                image ->
                        image.putInt(20, 21)
                                .putInt(36, 4194304)
                                .putLong(24, 1L << 60)
                                .putLong(40, 4 << 21)
                                .putLong(48, 2 << 21)
                                .fileSize(64 << 20));
    }

    private static void refcountTable(Gallery g) {
        g.refused("13: refcount table of 0 clusters", "clusters", image -> image.putInt(56, 0));
        for (long clusters : new long[] {2049, 0x100000, 0x7fffffffL, 0x80000001L, UINT_MAX}) {
            g.refused(
                    "13: refcount_table_clusters " + clusters,
                    "refcount_table_clusters",
                    image -> image.putInt(56, clusters));
        }
        g.refused(
                "13: refcount table unaligned", "refcount_table_offset", i -> i.putLong(48, 4608));
        g.refused(
                "13: refcount table at the header", "refcount_table_offset", i -> i.putLong(48, 0));
        g.refused(
                "13: refcount table offset that wraps",
                "refcount_table_offset",
                image -> image.putLong(48, Long.MAX_VALUE - 4095));
        g.refused(
                "13: refcount table offset negative",
                "refcount_table_offset",
                image -> image.putLong(48, -8192));
        g.readOnly(
                "14: refcount table beyond EOF",
                "refcount_table_offset",
                image -> image.putLong(48, image.cluster(1000)));
        g.readOnly(
                "14: refcount table that runs over EOF",
                "refcount_table_offset",
                image -> image.putInt(56, 16));
        g.readOnly(
                "13: refcount table over other tables", "overlaps", image -> image.putInt(56, 8));
        g.unwritable(
                "13: refcount table of 8 MiB in a hole",
                SmallImage::plain,
                i -> i.putInt(56, 2048).putLong(48, i.cluster(16)).fileSize(16 << 20));
    }

    private static void snapshotsAndNames(Gallery g) {
        for (long count : new long[] {65537, 0x7fffffffL, UINT_MAX}) {
            g.refused(
                    "15: nb_snapshots " + count,
                    "nb_snapshots",
                    SmallImage::withSnapshot,
                    image -> image.putInt(60, count));
        }
        g.refused(
                "15: snapshot table unaligned",
                "snapshots_offset",
                SmallImage::withSnapshot,
                image -> image.putLong(64, image.snapshotTable() + 8));
        g.refused(
                "15: snapshot table at the header",
                "snapshots_offset",
                SmallImage::withSnapshot,
                image -> image.putLong(64, 0));
        g.refused(
                "15: snapshot table beyond EOF",
                "snapshots_offset",
                SmallImage::withSnapshot,
                image -> image.putLong(64, image.cluster(16)));
        g.refused(
                "15: snapshot table offset negative",
                "snapshots_offset",
                SmallImage::withSnapshot,
                image -> image.putLong(64, Long.MIN_VALUE));
        g.refused(
                "16: backing name behind cluster 0",
                "backing_file_offset",
                i -> i.putLong(8, 4097));
        g.refused("16: backing name at 2^63", "backing_file_offset", i -> i.putLong(8, 1L << 63));
        g.refused("16: backing name at 2^32", "backing_file_offset", i -> i.putLong(8, 1L << 32));
        for (long size : new long[] {1024, 4096, 0x7fffffffL, UINT_MAX}) {
            g.refused(
                    "16: backing_file_size " + size,
                    "backing_file_size",
                    image -> image.putLong(8, 2048).putInt(16, size));
        }
        g.refused(
                "16: backing name that runs over the end of cluster 0",
                "backing_file_size",
                image -> image.putLong(8, 4000).putInt(16, 200));
        g.refused(
                "17: backing name over the magic",
                "backing_file_offset",
                i -> i.putLong(8, 1).putInt(16, 4));
        g.refused(
                "17: backing name over header fields",
                "backing_file_offset",
                i -> i.putLong(8, 64).putInt(16, 8));
        g.refused(
                "17: backing name inside of an extension",
                "",
                i -> i.extension(0x12345678, new byte[64]).putLong(8, 128).putInt(16, 8));
    }

    private static void enumerations(Gallery g) {
        g.notServed(
                "18: crypt_method 1, AES", "crypt_method", SmallImage::plain, i -> i.putInt(32, 1));
        g.notServed(
                "18: crypt_method 2, LUKS",
                "crypt_method",
                SmallImage::plain,
                i -> i.putInt(32, 2));
        g.refused("18: crypt_method 3", "crypt_method", image -> image.putInt(32, 3));
        g.refused("18: crypt_method 2^32 - 1", "crypt_method", image -> image.putInt(32, UINT_MAX));
        for (long order : new long[] {7, 31, 64, 0x80000000L, UINT_MAX}) {
            g.refused("19: refcount_order " + order, "refcount_order", i -> i.putInt(96, order));
        }
        g.refused("20: zstd without its bit", "compression_type", image -> image.putByte(104, 1));
        g.refused(
                "20: the bit with deflate",
                "compression_type",
                image -> image.or(SmallImage.INCOMPATIBLE, 1 << 3));
        for (int type : new int[] {2, 127, 255}) {
            g.refused(
                    "20: compression_type " + type,
                    "compression_type",
                    image -> image.or(SmallImage.INCOMPATIBLE, 1 << 3).putByte(104, type));
        }
    }

    private static void cutFiles(Gallery g) {
        for (int size : new int[] {0, 1, 4, 23, 24, 71, 72, 103, 111}) {
            g.refused("21: file of " + size + " bytes", "", image -> image.fileSize(size));
        }
        g.refused("21: file cut behind the header", "", image -> image.fileSize(112));
        g.refused("21: file cut inside of cluster 0", "", image -> image.fileSize(2048));
        g.refused("21: version 2 cut at 71 bytes", "", SmallImage::version2, i -> i.fileSize(71));
        g.refused(
                "21: version 2 cut behind the header",
                "",
                SmallImage::version2,
                i -> i.fileSize(72));
        g.refused("21: file cut before the L1", "l1_table_offset", i -> i.fileSize(i.l1()));
        g.unreadable("21: file cut before the L2", image -> image.fileSize(image.l2()));
        g.unreadable("21: file cut inside of the L2", image -> image.fileSize(image.l2() + 100));
        g.unreadable("21: file cut before the data", image -> image.fileSize(image.data()));
        g.unreadable(
                "21: file cut inside of data", SmallImage::plain, i -> i.fileSize(i.data() + 100));
    }
}
