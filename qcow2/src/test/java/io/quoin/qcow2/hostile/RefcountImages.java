package io.quoin.qcow2.hostile;

/** Checklist section 5: the refcount structure. */
final class RefcountImages {
    private RefcountImages() {}

    static void addTo(Gallery gallery) {
        tableEntries(gallery);
        blocks(gallery);
        counts(gallery);
    }

    private static void tableEntries(Gallery g) {
        entry(g, "54: refcount table entry with reserved bit 0", i -> i.refcountBlock() | 1L);
        entry(g, "54: refcount table entry with all reserved bits", i -> i.refcountBlock() | 511L);
        entry(g, "54: refcount block unaligned", i -> i.refcountBlock() + 512L);
        entry(g, "61: no refcount block at all", i -> 0L);
        entry(g, "61: refcount block beyond EOF", i -> (long) i.cluster(1000));
        entry(g, "61: refcount block at EOF", i -> (long) i.cluster(16));
        entry(g, "61: refcount block at 2^63", i -> Long.MIN_VALUE);
        entry(g, "61: refcount block at 2^63 - 4096", i -> Long.MAX_VALUE - 4095);
        entry(g, "61: refcount block at 2^64 - 4096", i -> -4096L);
        entry(g, "60: refcount block at 2^56", i -> 1L << 56);
        g.cleanEnd(
                "61: refcount table of garbage",
                SmallImage::plain,
                image -> image.fill(image.refcountTable(), 4096, 0xa5));
        g.cleanEnd(
                "61: refcount table of ones",
                SmallImage::plain,
                image -> image.fill(image.refcountTable(), 4096, 0xff));
    }

    private static void entry(
            Gallery g, String name, java.util.function.ToLongFunction<SmallImage> value) {
        g.cleanEnd(
                name,
                SmallImage::plain,
                image -> image.putLong(image.refcountTable(), value.applyAsLong(image)));
    }

    private static void blocks(Gallery g) {
        g.readOnly(
                "61: refcount block on the L1",
                "overlaps",
                image -> image.putLong(image.refcountTable(), image.l1()));
        g.readOnly(
                "61: refcount block on an L2 table",
                "overlaps",
                image -> image.putLong(image.refcountTable(), image.l2()));
        g.readOnly(
                "61: refcount block on the refcount table",
                "overlaps",
                image -> image.putLong(image.refcountTable(), image.refcountTable()));
        g.readOnly(
                "61: two refcount blocks in one place",
                "overlaps",
                image -> image.putLong(image.refcountTable() + 8, image.refcountBlock()));
        g.add(
                "61: refcount block on the snapshot table",
                HostileImage.Verdict.READ_ONLY,
                "overlaps",
                SmallImage::withSnapshot,
                image -> image.putLong(image.refcountTable(), image.snapshotTable()));
        g.cleanEnd(
                "61: refcount block on data",
                SmallImage::plain,
                image -> image.putLong(image.refcountTable(), image.data()));
        g.cleanEnd(
                "58: refcount block that does not count itself",
                SmallImage::plain,
                image -> image.refcount(2, 0));
    }

    private static void counts(Gallery g) {
        String[] owners = {"header", "refcount table", "refcount block", "L1", "L2", "data"};
        for (int i = 0; i < owners.length; i++) {
            int cluster = i;
            g.cleanEnd(
                    "55: count 0 of the " + owners[i],
                    SmallImage::plain,
                    image -> image.refcount(cluster, 0));
            g.cleanEnd(
                    "56: count 65535 of the " + owners[i],
                    SmallImage::plain,
                    image -> image.refcount(cluster, 65535));
        }
        g.cleanEnd(
                "63: all counts 0",
                SmallImage::plain,
                image -> image.fill(image.refcountBlock(), 4096, 0));
        g.cleanEnd(
                "57: all counts at their maximum",
                SmallImage::plain,
                image -> image.fill(image.refcountBlock(), 4096, 0xff));
        for (int order = 0; order <= 6; order++) {
            int width = order;
            g.cleanEnd(
                    "53: counts of 16 bits said to have " + (1 << order),
                    SmallImage::plain,
                    image -> image.putInt(96, width));
        }
        g.cleanEnd(
                "59: file that needs a longer refcount table than there is",
                SmallImage::plain,
                image -> image.fileSize(1L << 35));
        g.cleanEnd("60: file of 2^56 bytes", SmallImage::plain, image -> image.fileSize(1L << 56));
    }
}
