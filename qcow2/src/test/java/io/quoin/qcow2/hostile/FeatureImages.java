package io.quoin.qcow2.hostile;

import java.nio.charset.StandardCharsets;

/** Checklist sections 2 and 3: feature bits and header extensions. */
final class FeatureImages {
    private static final int FORMAT = 0xe2792aca;
    private static final int NAMES = 0x6803f857;
    private static final int BITMAPS = 0x23852875;
    private static final int CRYPTO = 0x0537be77;
    private static final int DATA_FILE = 0x44415441;
    private static final int UNKNOWN = 0x6b6e7567;

    private FeatureImages() {}

    static void addTo(Gallery gallery) {
        incompatible(gallery);
        autoclear(gallery);
        lengths(gallery);
        repeated(gallery);
        contents(gallery);
    }

    private static void incompatible(Gallery g) {
        for (int bit : new int[] {5, 6, 31, 32, 62, 63}) {
            g.refused(
                    "23: unknown incompatible bit " + bit,
                    "bit " + bit,
                    image -> image.or(SmallImage.INCOMPATIBLE, 1L << bit));
        }
        g.refused(
                "23: all incompatible bits", "bit 63", i -> i.putLong(SmallImage.INCOMPATIBLE, -1));
        g.refused(
                "23: unknown bit with its name",
                "warp drive",
                image -> named(image, 40, "warp drive"));
        g.refused(
                "23: unknown bit whose name has control characters",
                "?",
                image -> named(image, 40, "\u001b[2J\r\n"));
        g.refused(
                "23: unknown bit whose name has no end",
                "x".repeat(46),
                image -> named(image, 40, "x".repeat(46)));
        g.refused(
                "23: unknown bit and a name table cut short",
                "bit 40",
                image ->
                        image.or(SmallImage.INCOMPATIBLE, 1L << 40).extension(NAMES, new byte[47]));
        g.served("24: dirty bit", SmallImage::plain, i -> i.or(SmallImage.INCOMPATIBLE, 1));
        g.readOnly(
                "24: dirty bit and a refcount table beyond EOF",
                "refcount_table_offset",
                SmallImage::plain,
                i -> i.or(SmallImage.INCOMPATIBLE, 1).putLong(48, i.cluster(1000)));
        g.readOnly(
                "24: dirty bit and an L1 on the refcount table",
                "cannot be settled",
                SmallImage::plain,
                i -> i.or(SmallImage.INCOMPATIBLE, 1).putLong(40, i.refcountTable()));
        g.unreadable(
                "24: dirty bit and an L2 of garbage",
                SmallImage::plain,
                i -> i.or(SmallImage.INCOMPATIBLE, 1).fill(i.l2(), 4096, 0xa5));
        g.readOnly("25: corrupt bit", "corrupt", i -> i.or(SmallImage.INCOMPATIBLE, 2));
        g.notServed(
                "26: external data file without a name",
                "data file name",
                SmallImage::plain,
                i -> i.or(SmallImage.INCOMPATIBLE, 4));
        g.notServed(
                "26: external data file that is not there",
                "no such file",
                () -> SmallImage.withDataFile("absent.raw"),
                image -> {});
        g.unreadable(
                "26: external data file and a compressed cluster",
                () -> SmallImage.withDataFile("base.raw"),
                image -> image.putLong(image.entry(0), 1L << 62 | image.data()));
        g.unreadable(
                "26: external data file and offsets that are not the guest's",
                () -> SmallImage.withDataFile("base.raw"),
                image -> image.or(SmallImage.AUTOCLEAR, 2));
        g.notServed(
                "107: external data file and an internal snapshot",
                "nb_snapshots",
                SmallImage::withSnapshot,
                i -> i.or(SmallImage.INCOMPATIBLE, 4).extension(DATA_FILE, text("base.raw")));
    }

    private static SmallImage named(SmallImage image, int bit, String name) {
        byte[] entry = new byte[48];
        entry[1] = (byte) bit;
        byte[] encoded = text(name);
        System.arraycopy(encoded, 0, entry, 2, encoded.length);
        return image.or(SmallImage.INCOMPATIBLE, 1L << bit).extension(NAMES, entry);
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static void autoclear(Gallery g) {
        g.served("28: all compatible bits", image -> image.putLong(SmallImage.COMPATIBLE, -1));
        g.served("29: unknown autoclear bits", i -> i.putLong(SmallImage.AUTOCLEAR, ~3L));
        g.refused(
                "30: bitmaps bit without the extension",
                "bitmaps",
                image -> image.or(SmallImage.AUTOCLEAR, 1));
        g.served(
                "30: stale bitmaps extension of garbage",
                image -> image.extension(BITMAPS, new byte[] {1, 2, 3}));
        g.refused(
                "31: raw data file bit without a data file",
                "autoclear bit 1",
                image -> image.or(SmallImage.AUTOCLEAR, 2));
        g.refused(
                "31: raw data file and a backing file",
                "autoclear bit 1",
                () ->
                        SmallImage.of(
                                image -> {
                                    image.backing = "base.raw";
                                    image.dataFile = "data.raw";
                                }),
                image -> image.or(SmallImage.AUTOCLEAR, 2));
    }

    private static void lengths(Gallery g) {
        for (long length : new long[] {0xffff_ffffL, 0x8000_0000L, 0x7fff_ffffL, 4096, 3977}) {
            g.refused(
                    "34: extension of " + length + " bytes",
                    "length",
                    image -> image.extension(UNKNOWN, length, new byte[0]));
        }
        g.refused(
                "34: extension that ends in the backing name",
                "length",
                () -> SmallImage.withBacking("base.raw", "raw"),
                image -> image.extension(UNKNOWN, 2000, new byte[0]));
        g.served(
                "33: extensions without an end that fill cluster 0",
                image -> image.extension(UNKNOWN, new byte[4096 - 112 - 8]));
        g.served(
                "33: extension header cut by the end of cluster 0",
                i -> i.extension(UNKNOWN, new byte[4096 - 112 - 8 - 8]).putInt(4088, UNKNOWN));
        g.served(
                "35: four hundred unknown extensions",
                image -> {
                    for (int i = 0; i < 400; i++) {
                        image.extension(UNKNOWN + i, new byte[0]);
                    }
                });
    }

    private static void repeated(Gallery g) {
        g.refused("36: two backing formats", "at most once", i -> twice(i, FORMAT, text("raw")));
        g.refused("36: two name tables", "at most once", i -> twice(i, NAMES, new byte[48]));
        g.refused(
                "36: two bitmaps extensions", "at most once", i -> twice(i, BITMAPS, new byte[24]));
        g.refused("36: two crypto extensions", "at most once", i -> twice(i, CRYPTO, new byte[16]));
        g.refused("36: two data file names", "at most once", i -> twice(i, DATA_FILE, text("a")));
    }

    private static SmallImage twice(SmallImage image, int type, byte[] data) {
        return image.extension(type, data).extension(type, data);
    }

    private static void contents(Gallery g) {
        g.refused(
                "37: backing format of 16 bytes",
                "backing format",
                image -> image.extension(FORMAT, text("abcdefghijklmnop")));
        g.refused(
                "43: NUL in the backing format",
                "backing format",
                image -> image.extension(FORMAT, text("raw\0qcow2")));
        g.refused(
                "43: backing format that is no UTF-8",
                "backing format",
                image -> image.extension(FORMAT, text("\u00ff\u00fe")));
        g.refused(
                "43: NUL in the backing name",
                "backing file name",
                () -> SmallImage.withBacking("base.raw\0/etc/passwd", "raw"),
                image -> {});
        g.refused(
                "43: NUL in the data file name",
                "data file name",
                () -> SmallImage.withDataFile("data.raw\0x"),
                image -> {});
        g.served("39: name table of 47 bytes", image -> image.extension(NAMES, new byte[47]));
        g.served("39: name table of no bytes", image -> image.extension(NAMES, new byte[0]));
        g.refused(
                "41: crypto extension without encryption",
                "crypt_method",
                image -> image.extension(CRYPTO, new byte[16]));
        g.refused(
                "41: crypto extension of 15 bytes",
                "crypto",
                image -> image.putInt(32, 2).extension(CRYPTO, new byte[15]));
        g.refused("41: crypto header beyond EOF", "crypto", i -> crypto(i, 1 << 30, 4096));
        g.refused("41: crypto header unaligned", "crypto", i -> crypto(i, i.data() + 1, 512));
        g.refused("41: crypto header of 2^63 bytes", "crypto", i -> crypto(i, i.data(), 1L << 63));
        g.refused(
                "41: crypto header that wraps", "crypto", i -> crypto(i, i.data(), Long.MAX_VALUE));
        g.refused(
                "42: data file name without the bit",
                "data file name",
                image -> image.extension(DATA_FILE, text("base.raw")));
    }

    private static SmallImage crypto(SmallImage image, long offset, long length) {
        byte[] data = java.nio.ByteBuffer.allocate(16).putLong(offset).putLong(length).array();
        return image.putInt(32, 2).extension(CRYPTO, data);
    }
}
