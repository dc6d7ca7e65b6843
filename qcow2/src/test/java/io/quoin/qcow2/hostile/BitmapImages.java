package io.quoin.qcow2.hostile;

import java.util.function.Consumer;

/** Checklist section 11: the bitmaps extension, the directory and the tables. */
final class BitmapImages {
    private static final long UINT_MAX = 0xffff_ffffL;

    private BitmapImages() {}

    static void addTo(Gallery g) {
        extension(g);
        directory(g);
        entries(g);
        tables(g);
    }

    /** Where the data of the extension are. */
    private static int data(SmallImage image) {
        return image.firstExtension() + 8;
    }

    private static void refused(Gallery g, String name, String says, Consumer<SmallImage> damage) {
        g.refused(name, says, SmallImage::withBitmap, damage);
    }

    private static void add(Gallery g, String name, Consumer<SmallImage> damage) {
        g.readOnly(name, "bitmap directory", SmallImage::withBitmap, damage);
    }

    private static void found(Gallery g, String name, String says, Consumer<SmallImage> damage) {
        g.found(name, says, SmallImage::withBitmap, damage);
    }

    private static void extension(Gallery g) {
        for (int length : new int[] {0, 16, 23, 25, 32}) {
            refused(
                    g,
                    "40: bitmaps extension of " + length + " bytes",
                    "length",
                    image -> image.putInt(image.firstExtension() + 4, length));
        }
        for (long count : new long[] {0, 65536, UINT_MAX}) {
            refused(
                    g,
                    "40: nb_bitmaps " + count,
                    "nb_bitmaps",
                    image -> image.putInt(data(image), count));
        }
        refused(g, "40: bitmaps reserved field", "reserved", i -> i.putInt(data(i) + 4, 1));
        for (long size : new long[] {0, (16 << 20) + 1, 1024 * 65535 + 1, 1L << 40, 1L << 63, -1}) {
            refused(
                    g,
                    "40: bitmap_directory_size " + size,
                    "bitmap_directory_size",
                    image -> image.putLong(data(image) + 8, size));
        }
        for (long offset : new long[] {0, 8, 13 * 4096 + 512, 1 << 30, 1L << 63, -4096}) {
            refused(
                    g,
                    "40: bitmap_directory_offset " + offset,
                    "bitmap_directory_offset",
                    image -> image.putLong(data(image) + 16, offset));
        }
    }

    private static void directory(Gallery g) {
        add(g, "111: more bitmaps said than there are", i -> i.putInt(data(i), 2));
        add(g, "111: 65535 bitmaps said", i -> i.putInt(data(i), 65535));
        add(g, "111: directory that ends inside of an entry", i -> i.putLong(data(i) + 8, 20));
        add(g, "111: directory with bytes left over", i -> i.putLong(data(i) + 8, 40));
        add(g, "111: directory of garbage", i -> i.fill(i.bitmapDirectory(), 64, 0xa5));
        add(g, "111: directory of ones", i -> i.fill(i.bitmapDirectory(), 64, 0xff));
        add(g, "111: directory on the L1", i -> i.putLong(data(i) + 16, i.l1()));
        add(
                g,
                "40: directory of 16 MiB in a hole",
                image ->
                        image.putLong(data(image) + 8, 16 << 20)
                                .putLong(data(image) + 16, 1 << 20)
                                .fileSize(100 << 20));
        add(
                g,
                "110: two bitmaps of one name",
                image -> {
                    image.putInt(data(image), 2).putLong(data(image) + 8, 64);
                    for (int i = 0; i < 32; i += 8) {
                        image.putLong(
                                image.bitmapDirectory() + 32 + i,
                                image.getLong(image.bitmapDirectory() + i));
                    }
                });
    }

    private static void entries(Gallery g) {
        for (long flags : new long[] {8, 0x80000000L, UINT_MAX}) {
            add(
                    g,
                    "109: bitmap flags " + flags,
                    image -> image.putInt(image.bitmapDirectory() + 12, flags));
        }
        found(g, "115: bitmap in use", "", i -> i.putInt(i.bitmapDirectory() + 12, 3));
        for (int type : new int[] {0, 2, 255}) {
            add(g, "109: bitmap type " + type, i -> i.putByte(i.bitmapDirectory() + 16, type));
        }
        for (int bits : new int[] {0, 8, 32, 64, 255}) {
            add(
                    g,
                    "110: granularity_bits " + bits,
                    image -> image.putByte(image.bitmapDirectory() + 17, bits));
        }
        for (int length : new int[] {0, 1024, 65535}) {
            add(
                    g,
                    "110: bitmap name of " + length + " bytes",
                    image -> image.putShort(image.bitmapDirectory() + 18, length));
        }
        add(g, "110: NUL in a bitmap's name", i -> i.putByte(i.bitmapDirectory() + 25, 0));
        add(g, "110: bitmap name no UTF-8", i -> i.putByte(i.bitmapDirectory() + 25, 0xff));
        for (long size : new long[] {8, 0x7fffffffL, 0x80000000L, UINT_MAX}) {
            add(
                    g,
                    "110: bitmap extra data of " + size + " bytes",
                    image -> image.putInt(image.bitmapDirectory() + 20, size));
        }
    }

    private static void tables(Gallery g) {
        found(
                g,
                "112: bitmap table of 0 entries",
                "Leaked cluster 14",
                i -> i.putInt(i.bitmapDirectory() + 8, 0));
        found(g, "112: bitmap table of 2 entries", "", i -> i.putInt(i.bitmapDirectory() + 8, 2));
        for (long entries : new long[] {0x8000001L, 0x20000000L, UINT_MAX}) {
            add(
                    g,
                    "112: bitmap table of " + entries + " entries",
                    image -> image.putInt(image.bitmapDirectory() + 8, entries));
        }
        for (long offset : new long[] {0, 14 * 4096 + 8, 1L << 40, 1L << 63, -4096}) {
            add(
                    g,
                    "112: bitmap table at " + offset,
                    image -> image.putLong(image.bitmapDirectory(), offset));
        }
        for (int bit : new int[] {0, 1, 8, 56, 63}) {
            found(
                    g,
                    "112: bitmap table entry with bit " + bit,
                    "entry in the table of bitmap",
                    image -> image.or(image.bitmapTable(), 1L << bit));
        }
        found(
                g,
                "112: bitmap data unaligned",
                "entry in the table of bitmap",
                i -> i.putLong(i.bitmapTable(), i.bitmapData() + 512));
        found(
                g,
                "112: bitmap data unaligned in a cluster of the guest",
                "entry in the table of bitmap",
                i -> i.putLong(i.bitmapTable(), i.data() + 512));
        found(
                g,
                "112: bitmap data beyond EOF",
                "entry in the table of bitmap",
                i -> i.putLong(i.bitmapTable(), 1L << 40));
        found(
                g,
                "112: bitmap data on the L1",
                "bitmap data overlaps",
                i -> i.putLong(i.bitmapTable(), i.l1()));
        found(
                g,
                "112: bitmap data on the header's own directory",
                "bitmap data overlaps",
                i -> i.putLong(i.bitmapTable(), i.bitmapDirectory()));
        found(
                g,
                "113: bits behind the end of the disk",
                "",
                i -> i.fill(i.bitmapData(), 4096, 0xff));
        g.unreadable(
                "117: bitmaps in a version 2 image", SmallImage::withBitmap, i -> i.putInt(4, 2));
        add(
                g,
                "112: bitmap table of a gibibyte in a hole",
                image ->
                        image.putInt(image.bitmapDirectory() + 8, 0x8000000)
                                .putLong(image.bitmapDirectory(), 1 << 20)
                                .fileSize((1L << 30) + (1 << 20)));
    }
}
