package io.quoin.qcow2.hostile;

import java.util.function.ToLongFunction;

/** Checklist sections 6 to 8: L1 and L2 entries and subclusters. */
final class MappingImages {
    private MappingImages() {}

    static void addTo(Gallery gallery) {
        l1Entries(gallery);
        l1Targets(gallery);
        l2Entries(gallery);
        l2Targets(gallery);
        subclusters(gallery);
    }

    private static void l1(Gallery g, String name, ToLongFunction<SmallImage> entry) {
        g.unreadable(
                name,
                SmallImage::plain,
                image -> image.putLong(image.l1(), entry.applyAsLong(image)));
    }

    private static void l1Entries(Gallery g) {
        for (int bit : new int[] {0, 1, 8, 56, 60, 62}) {
            l1(
                    g,
                    "65: L1 entry with reserved bit " + bit,
                    i -> i.l2() | 1L << bit | SmallImage.COPIED);
        }
        l1(g, "65: L1 entry of ones", image -> -1L);
        l1(g, "66: L2 table unaligned", image -> (image.l2() + 512L) | SmallImage.COPIED);
        l1(g, "66: no L2 table, with COPIED", image -> SmallImage.COPIED);
        l1(g, "66: L2 table beyond EOF", image -> image.cluster(1000) | SmallImage.COPIED);
        l1(g, "66: L2 table at EOF", image -> image.cluster(16) | SmallImage.COPIED);
        l1(
                g,
                "66: L2 table at the highest offset",
                i -> 0x00ff_ffff_ffff_f000L | SmallImage.COPIED);
        g.unreadable(
                "66: L2 table that runs over EOF",
                SmallImage::plain,
                image ->
                        image.putLong(image.l1(), image.cluster(16) | SmallImage.COPIED)
                                .fileSize(image.cluster(16) + 100));
        g.unreadable("66: L1 of garbage", SmallImage::plain, i -> i.fill(i.l1(), 16, 0xa5));
    }

    private static void l1Targets(Gallery g) {
        target(g, "66: L2 table on the L1", SmallImage::l1);
        target(g, "66: L2 table on the refcount table", SmallImage::refcountTable);
        target(g, "66: L2 table on a refcount block", SmallImage::refcountBlock);
        g.readOnly(
                "66: one L2 table at two places of the L1",
                "overlaps",
                image -> image.putLong(image.l1() + 8, image.getLong(image.l1())));
        g.unreadable(
                "66: L2 table on data",
                SmallImage::plain,
                image -> image.putLong(image.l1(), image.data() | SmallImage.COPIED));
        g.readOnly(
                "66: L2 table on a snapshot's L1",
                "overlaps",
                SmallImage::withSnapshot,
                image -> image.putLong(image.l1(), image.snapshotL1() | SmallImage.COPIED));
        g.found(
                "79: active L2 table with COPIED that a snapshot shares",
                "refcount=1 reference=2",
                SmallImage::withSnapshot,
                image -> image.putLong(image.snapshotL1(), image.l2()));
        g.add(
                "66: L2 table on the snapshot table",
                HostileImage.Verdict.READ_ONLY,
                "overlaps",
                SmallImage::withSnapshot,
                image -> image.putLong(image.l1(), image.snapshotTable() | SmallImage.COPIED));
    }

    private static void target(Gallery g, String name, ToLongFunction<SmallImage> offset) {
        g.readOnly(
                name,
                "overlaps",
                i -> i.putLong(i.l1(), offset.applyAsLong(i) | SmallImage.COPIED));
    }

    private static void l2(Gallery g, String name, ToLongFunction<SmallImage> entry) {
        g.unreadable(
                name,
                SmallImage::plain,
                image -> image.putLong(image.entry(1), entry.applyAsLong(image)));
    }

    private static void l2Entries(Gallery g) {
        for (int bit : new int[] {1, 5, 8, 56, 59, 61}) {
            l2(
                    g,
                    "67: L2 entry with reserved bit " + bit,
                    i -> i.data() | 1L << bit | SmallImage.COPIED);
        }
        l2(g, "68: data unaligned", image -> (image.data() + 512L) | SmallImage.COPIED);
        l2(g, "69: COPIED without data", image -> SmallImage.COPIED);
        l2(g, "71: data beyond EOF", image -> image.cluster(1000) | SmallImage.COPIED);
        l2(g, "71: data at EOF", image -> image.cluster(16) | SmallImage.COPIED);
        l2(g, "71: data at the highest offset", i -> 0x00ff_ffff_ffff_f000L | SmallImage.COPIED);
        l2(g, "67: zero cluster unaligned", image -> (image.data() + 512L) | 1);
        l2(g, "67: zero cluster beyond EOF", image -> image.cluster(1000) | 1L);
        l2(g, "67: plain zero cluster with COPIED", image -> 1L | SmallImage.COPIED);
        g.unreadable(
                "70: zero flag in version 2",
                SmallImage::version2,
                image -> image.or(image.entry(1), 1));
        g.unreadable("67: L2 of garbage", i -> i.fill(i.l2(), 4096, 0xa5));
        g.unreadable(
                "67: L2 of ones", SmallImage::plain, image -> image.fill(image.l2(), 4096, 0xff));
        g.unwritable(
                "72: entries behind the end of the disk",
                SmallImage::plain,
                image -> image.putLong(24, 8192).putLong(image.entry(100), -1));
    }

    private static void l2Targets(Gallery g) {
        owner(g, "62: data on the L1", SmallImage::l1);
        owner(g, "62: data on its own L2", SmallImage::l2);
        owner(g, "62: data on the refcount table", SmallImage::refcountTable);
        owner(g, "62: data on a refcount block", SmallImage::refcountBlock);
        g.unwritable(
                "62: data on the snapshot table",
                SmallImage::withSnapshot,
                i -> i.putLong(i.entry(1), i.snapshotTable() | SmallImage.COPIED));
        g.unwritable(
                "62: data on a snapshot's L1",
                SmallImage::withSnapshot,
                i -> i.putLong(i.entry(1), i.snapshotL1() | SmallImage.COPIED));
        g.found(
                "62: data on a snapshot's L2",
                "overlaps",
                SmallImage::withSnapshot,
                i -> i.putLong(i.entry(1), i.snapshotL2() | SmallImage.COPIED));
        g.unwritable(
                "62: data on the bitmap directory",
                SmallImage::withBitmap,
                i -> i.putLong(i.entry(1), i.bitmapDirectory() | SmallImage.COPIED));
        g.unwritable(
                "62: data on a bitmap table",
                SmallImage::withBitmap,
                i -> i.putLong(i.entry(1), i.bitmapTable() | SmallImage.COPIED));
        g.found(
                "75: COPIED on a cluster with two owners",
                "refcount=1 reference=2",
                SmallImage::plain,
                image -> image.putLong(image.entry(1), image.getLong(image.entry(0))));
        g.found(
                "80: COPIED on a cluster that a snapshot shares",
                "OFLAG_COPIED",
                SmallImage::withSnapshot,
                image -> image.or(image.entry(0), SmallImage.COPIED));
        g.unwritable(
                "62: kept zero cluster on the L1",
                SmallImage::plain,
                i -> i.putLong(i.entry(SmallImage.KEPT_ENTRY), i.l1() | 1L | SmallImage.COPIED));
    }

    private static void owner(Gallery g, String name, ToLongFunction<SmallImage> offset) {
        g.unwritable(
                name,
                SmallImage::plain,
                i -> i.putLong(i.entry(1), offset.applyAsLong(i) | SmallImage.COPIED));
    }

    private static void extended(
            Gallery g, String name, ToLongFunction<SmallImage> entry, long bitmap) {
        g.unreadable(
                name,
                SmallImage::extendedL2,
                i -> i.putLong(i.entry(1), entry.applyAsLong(i)).putLong(i.entry(1) + 8, bitmap));
    }

    private static void subclusters(Gallery g) {
        long copied = SmallImage.COPIED;
        extended(g, "82: one subcluster allocated and zero", i -> i.data() | copied, 1L | 1L << 32);
        extended(g, "82: all subclusters allocated and zero", i -> i.data() | copied, -1);
        extended(g, "83: subcluster allocated without data", i -> 0, 1);
        extended(g, "83: COPIED without data", i -> copied, 0);
        extended(g, "84: zero flag in the descriptor", i -> i.data() | copied | 1, 0xffff_ffffL);
        extended(g, "84: zero flag alone in the descriptor", i -> 1, 0);
        extended(g, "85: compressed cluster with a bitmap", i -> 1L << 62 | i.data(), 1);
        extended(g, "81: data unaligned", i -> (i.data() + 512L) | copied, 0xffff_ffffL);
        extended(g, "81: data beyond EOF", i -> i.cluster(1000) | copied, 0xffff_ffffL);
        extended(g, "81: reserved bits", i -> i.data() | copied | 1L << 60, 0xffff_ffffL);
        g.unwritable(
                "81: data on the L1",
                SmallImage::extendedL2,
                i -> i.putLong(i.entry(1), i.l1() | copied).putLong(i.entry(1) + 8, 0xffff_ffffL));
        g.unreadable(
                "81: extended L2 of garbage",
                SmallImage::extendedL2,
                i -> i.fill(i.l2(), i.cluster(1), 0xa5));
        g.unreadable(
                "81: extended L2 of ones",
                SmallImage::extendedL2,
                image -> image.fill(image.l2(), image.cluster(1), 0xff));
    }
}
