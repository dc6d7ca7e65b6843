package io.quoin.qcow2.hostile;

import io.quoin.qcow2.layout.L1Entry;

/** Images as they were published with attacks on readers of qcow2. */
final class AttackImages {
    private AttackImages() {}

    static void addTo(Gallery g) {
        overflows(g);
        resources(g);
        disclosure(g);
    }

    private static void overflows(Gallery g) {
        g.refused(
                "13: CVE-2014-0143, refcount table whose size overflows",
                "refcount_table_clusters",
                image ->
                        image.putInt(20, 21)
                                .putLong(40, 1 << 22)
                                .putInt(56, 0x1000)
                                .fileSize(1 << 26));
        g.refused(
                "11: CVE-2014-0143, L1 whose size in bytes overflows",
                "l1_size",
                image -> image.putInt(36, 0x20000001L));
        g.refused(
                "15: CVE-2014-0143, snapshots whose table overflows",
                "nb_snapshots",
                image -> image.putInt(60, 0x06666667).putLong(64, image.snapshotTable()));
        g.refused(
                "16: CVE-2014-0144, backing name longer than its buffer",
                "backing_file_size",
                image -> image.putLong(8, 1024).putInt(16, 2048));
        g.refused(
                "34: CVE-2014-0144, extension longer than the header",
                "length",
                image -> image.extension(0xe2792aca, 0x7ffffff8, new byte[0]));
        g.refused(
                "4: CVE-2014-0147, header_length negative",
                "header_length",
                image -> image.putInt(SmallImage.HEADER_LENGTH, 0x80000070L));
        g.found(
                "101: CVE-2014-0145, snapshot L1 longer than the active one",
                "overlaps",
                SmallImage::withSnapshot,
                image -> image.putInt(image.snapshotTable() + 8, 4194304).fileSize(64 << 20));
        g.refused(
                "8: CVE-2014-0146, no L1 for a disk with a snapshot",
                "l1_size",
                SmallImage::withSnapshot,
                image -> image.putInt(36, 0).putLong(40, 0));
        g.readOnly(
                "60: CVE-2014-0147, data at an offset whose cluster number is negative as an int",
                "file size",
                SmallImage::plain,
                image ->
                        image.putLong(image.entry(1), 0x8000_0000L << 12 | SmallImage.COPIED)
                                .fileSize(1L << 45));
        g.refused(
                "1: CVE-2014-0222, version 1 with an L2 size of its own",
                "version",
                image -> image.putInt(4, 1).putByte(32, 12).putByte(33, 63));
        g.refused(
                "1: CVE-2014-0223, version 1 of 2^63 bytes",
                "version",
                image -> image.putInt(4, 1).putLong(24, Long.MAX_VALUE));
        g.refused(
                "6: CVE-2014-0144, clusters of 2^63 bytes",
                "cluster_bits",
                image -> image.putInt(20, 63));
    }

    private static void resources(Gallery g) {
        g.unwritable(
                "51: CVE-2015-5162, a disk of 4 PiB in one cluster",
                SmallImage::plain,
                image ->
                        image.putInt(20, 21)
                                .putLong(24, 1L << 52)
                                .putInt(36, 1 << 13)
                                .putLong(40, 1 << 21)
                                .putLong(48, 1 << 22)
                                .fileSize(8 << 20));
        g.readOnly(
                "51: CVE-2015-5162, every L1 entry on one L2 table",
                "overlaps",
                SmallImage::plain,
                image -> {
                    image.putInt(36, 512).putLong(24, 512L << 21);
                    for (int i = 0; i < 512; i++) {
                        image.putLong(image.l1() + 8 * i, L1Entry.of(image.l2(), false));
                    }
                });
        g.unwritable(
                "51: CVE-2015-5162, every guest cluster on one cluster of data",
                SmallImage::plain,
                image -> {
                    for (int i = 0; i < 512; i++) {
                        image.putLong(image.entry(i), image.data());
                    }
                });
        g.unreadable(
                "148: L2 tables all over a file of 8 TiB",
                SmallImage::plain,
                image -> {
                    image.putInt(36, 512).putLong(24, 512L << 21).fileSize(1L << 43);
                    for (int i = 0; i < 512; i++) {
                        image.putLong(image.l1() + 8 * i, L1Entry.of((long) (i + 1) << 34, true));
                    }
                });
        g.readOnly(
                "148: data at the end of a file of 2^55 bytes in the smallest clusters",
                "file size",
                () ->
                        SmallImage.of(
                                image -> {
                                    image.clusterBits = 9;
                                    image.size = 16384;
                                }),
                image ->
                        image.fileSize(1L << 55)
                                .putLong(image.entry(1), (1L << 55) - 512 | SmallImage.COPIED));
        g.readOnly(
                "148: L2 table at the end of a file of 2^55 bytes in the smallest clusters",
                "file size",
                () ->
                        SmallImage.of(
                                image -> {
                                    image.clusterBits = 9;
                                    image.size = 16384;
                                }),
                image ->
                        image.fileSize(1L << 55)
                                .putLong(image.l1(), (1L << 55) - 512 | SmallImage.COPIED));
    }

    private static void disclosure(Gallery g) {
        g.notServed(
                "47: CVE-2024-32498, data file that is a file of the host",
                "",
                () -> SmallImage.withDataFile("/etc/shadow"),
                image -> {});
        g.notServed(
                "47: CVE-2024-4467, data file that is a json: description",
                "",
                () ->
                        SmallImage.withDataFile(
                                "json:{\"driver\":\"raw\",\"file\":{\"driver\":\"host_device\","
                                        + "\"filename\":\"/dev/sda\"}}"),
                image -> {});
        g.notServed(
                "47: CVE-2015-5163, backing file that is a file of the host",
                "",
                () -> SmallImage.withBacking("/etc/shadow", "raw"),
                image -> {});
    }
}
