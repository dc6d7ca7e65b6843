package io.quoin.qcow2.hostile;

import io.quoin.qcow2.hostile.HostileImage.Verdict;

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
        g.unwritable(
                "61: refcount table of garbage",
                SmallImage::plain,
                image -> image.fill(image.refcountTable(), 4096, 0xa5));
        g.unwritable(
                "61: refcount table of ones",
                SmallImage::plain,
                image -> image.fill(image.refcountTable(), 4096, 0xff));
    }

    private static void entry(
            Gallery g, String name, java.util.function.ToLongFunction<SmallImage> value) {
        g.unwritable(
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
                Verdict.READ_ONLY,
                "overlaps",
                SmallImage::withSnapshot,
                image -> image.putLong(image.refcountTable(), image.snapshotTable()));
        g.unwritable(
                "61: refcount block on data",
                SmallImage::plain,
                image -> image.putLong(image.refcountTable(), image.data()));
        g.found(
                "58: refcount block that does not count itself",
                "cluster 2 refcount=0 reference=1",
                SmallImage::plain,
                image -> image.refcount(2, 0));
    }

    private static void counts(Gallery g) {
        String[] owners = {"header", "refcount table", "refcount block", "L1", "L2", "data"};
        for (int i = 0; i < owners.length; i++) {
            int cluster = i;
            // The old L1, when the image grows, would go below 0.
            g.add(
                    "55: count 0 of the " + owners[i],
                    i == 3 ? Verdict.UNWRITABLE : Verdict.FOUND,
                    "cluster " + cluster + " refcount=0",
                    SmallImage::plain,
                    image -> image.refcount(cluster, 0));
            g.found(
                    "56: count 65535 of the " + owners[i],
                    "cluster " + cluster + " refcount=65535",
                    SmallImage::plain,
                    image -> image.refcount(cluster, 65535));
        }
        g.unwritable(
                "63: all counts 0",
                SmallImage::plain,
                image -> image.fill(image.refcountBlock(), 4096, 0));
        g.found(
                "57: all counts at their maximum",
                "refcount=65535",
                SmallImage::plain,
                image -> image.fill(image.refcountBlock(), 4096, 0xff));
        for (int order = 0; order <= 6; order++) {
            int width = order;
            // Of the wrong width some read as 0, or as more than there can be.
            Verdict[] verdicts = {
                Verdict.UNWRITABLE,
                Verdict.UNWRITABLE,
                Verdict.UNWRITABLE,
                Verdict.FOUND,
                Verdict.SERVED,
                Verdict.FOUND,
                Verdict.UNWRITABLE
            };
            g.add(
                    "53: counts of 16 bits said to have " + (1 << order),
                    verdicts[order],
                    "",
                    SmallImage::plain,
                    image -> image.putInt(96, width));
        }
        g.found(
                "59: file that needs a longer refcount table than there is",
                "",
                SmallImage::plain,
                image -> image.fileSize(1L << 35));
        g.readOnly(
                "60: file of 2^56 bytes",
                "file size",
                SmallImage::plain,
                image -> image.fileSize(1L << 56));
    }
}
