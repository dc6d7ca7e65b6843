package io.quoin.qcow2.hostile;

import java.util.function.Consumer;

/**
 * Checklist section 10: the snapshot table. The data path does not read it, so that a broken one
 * keeps no guest from its disk; info and check do.
 */
final class SnapshotImages {
    private static final long UINT_MAX = 0xffff_ffffL;

    private SnapshotImages() {}

    private static void add(Gallery g, String name, String says, Consumer<SmallImage> damage) {
        g.readOnly(name, says, SmallImage::withSnapshot, damage);
    }

    /** Only a reader of the snapshot minds, and perhaps a check. */
    private static void found(Gallery g, String name, String says, Consumer<SmallImage> damage) {
        g.found(name, says, SmallImage::withSnapshot, damage);
    }

    static void addTo(Gallery g) {
        l1(g);
        extra(g);
        names(g);
        table(g);
    }

    private static void l1(Gallery g) {
        for (long entries : new long[] {4194305, 0x10000000, 0x20000000, 0x80000000L, UINT_MAX}) {
            add(
                    g,
                    "101: snapshot L1 of " + entries + " entries (CVE-2014-0143, CVE-2014-0145)",
                    "l1_size",
                    image -> image.putInt(image.snapshotTable() + 8, entries));
        }
        add(
                g,
                "101: snapshot L1 unaligned",
                "l1_table_offset",
                i -> i.putLong(i.snapshotTable(), i.snapshotL1() + 8));
        add(
                g,
                "101: snapshot L1 beyond EOF",
                "l1_table_offset",
                i -> i.putLong(i.snapshotTable(), 1 << 30));
        add(
                g,
                "101: snapshot L1 at 2^63",
                "l1_table_offset",
                i -> i.putLong(i.snapshotTable(), 1L << 63));
        add(
                g,
                "101: snapshot L1 that wraps",
                "l1_table_offset",
                i -> i.putLong(i.snapshotTable(), -4096));
        add(
                g,
                "101: snapshot L1 at the header",
                "l1_table_offset",
                i -> i.putLong(i.snapshotTable(), 0));
        found(
                g,
                "101: snapshot L1 of no entries",
                "Leaked cluster 10",
                i -> i.putInt(i.snapshotTable() + 8, 0));
        add(
                g,
                "101: snapshot L1 on the active L1",
                "overlaps",
                i -> i.putLong(i.snapshotTable(), i.l1()));
        add(
                g,
                "101: snapshot L1 on the refcount table",
                "overlaps",
                image -> image.putLong(image.snapshotTable(), image.refcountTable()));
        found(g, "101: snapshot L1 of ones", "L1 entry", i -> i.fill(i.snapshotL1(), 16, 0xff));
        found(
                g,
                "101: snapshot L2 beyond EOF",
                "L1 entry",
                image -> image.putLong(image.snapshotL1(), 1L << 40));
        found(
                g,
                "101: snapshot L2 of garbage",
                "L2 entry",
                i -> i.fill(i.snapshotL2(), 4096, 0xa5));
        found(
                g,
                "77: snapshot L2 with COPIED everywhere",
                "",
                image -> image.or(image.snapshotL2(), SmallImage.COPIED));
    }

    private static void extra(Gallery g) {
        for (long size : new long[] {0, 8, 15, 1025, 4096, 0x7fffffffL, 0x80000000L, UINT_MAX}) {
            add(
                    g,
                    (size < 16 ? "99" : "100") + ": snapshot extra data of " + size + " bytes",
                    "extra data size",
                    image -> image.putInt(image.snapshotTable() + 36, size));
        }
        found(
                g,
                "99: snapshot of a disk of 2^64 - 1 bytes",
                "",
                image -> image.putLong(image.snapshotTable() + 48, -1));
        found(
                g,
                "99: snapshot of a disk larger than its L1",
                "",
                image -> image.putLong(image.snapshotTable() + 48, 1L << 40));
        found(
                g,
                "99: snapshot with a VM state of 2^64 - 1 bytes",
                "",
                image -> image.putLong(image.snapshotTable() + 40, -1));
    }

    private static void names(Gallery g) {
        add(
                g,
                "100: snapshot id beyond EOF",
                "end of the entry",
                i -> i.putShort(i.snapshotTable() + 12, 0xffff));
        add(
                g,
                "100: snapshot name beyond EOF",
                "end of the entry",
                i -> i.putShort(i.snapshotTable() + 14, 0xffff));
        found(g, "103: snapshot without an id", "", i -> i.putShort(i.snapshotTable() + 12, 0));
        found(g, "103: snapshot without a name", "", i -> i.putShort(i.snapshotTable() + 14, 0));
        found(g, "103: NUL in a snapshot's id", "", i -> i.putByte(i.snapshotTable() + 56, 0));
        found(g, "103: NUL in a snapshot's name", "", i -> i.putByte(i.snapshotTable() + 58, 0));
        found(
                g,
                "103: snapshot name that is no UTF-8",
                "",
                i -> i.putByte(i.snapshotTable() + 58, 0xff));
        found(
                g,
                "103: control characters in a snapshot's name",
                "",
                image -> image.putText(image.snapshotTable() + 57, "\u001b[2J"));
        add(
                g,
                "103: two snapshots of one id",
                "overlaps",
                image -> {
                    image.putInt(60, 2);
                    for (int i = 0; i < 64; i += 8) {
                        image.putLong(
                                image.snapshotTable() + 64 + i,
                                image.getLong(image.snapshotTable() + i));
                    }
                });
    }

    private static void table(Gallery g) {
        g.refused(
                "100: 65536 snapshots said to be in two clusters",
                "snapshots_offset",
                SmallImage::withSnapshot,
                i -> i.putInt(60, 65536));
        add(g, "98: two snapshots, the second of zeros", "extra data", i -> i.putInt(60, 2));
        add(
                g,
                "98: snapshot table of garbage",
                "extra data",
                i -> i.fill(i.snapshotTable(), 4096, 0xa5));
        add(
                g,
                "98: snapshot table of ones",
                "extra data",
                i -> i.fill(i.snapshotTable(), 4096, 0xff));
        add(
                g,
                "98: snapshot table of zeros",
                "extra data",
                i -> i.fill(i.snapshotTable(), 4096, 0));
        add(
                g,
                "98: snapshot table on the refcount table",
                "extra data",
                image -> image.putLong(64, image.refcountTable()));
        add(
                g,
                "98: snapshot table on the L1",
                "extra data",
                image -> image.putLong(64, image.l1()));
        add(
                g,
                "98: snapshot table that runs over EOF",
                "end of the entry",
                image -> image.fileSize(image.snapshotTable() + 50));
        add(
                g,
                "100: 65536 snapshots of zeros in a hole",
                "extra data",
                image -> image.putInt(60, 65536).putLong(64, 1 << 20).fileSize(100 << 20));
        g.unreadable(
                "97: snapshot in a version 2 image with no extra data",
                SmallImage::withSnapshot,
                image -> image.putInt(4, 2).fill(72, 40, 0).putInt(image.snapshotTable() + 36, 0));
    }
}
