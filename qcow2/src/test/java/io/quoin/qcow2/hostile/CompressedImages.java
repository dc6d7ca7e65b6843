package io.quoin.qcow2.hostile;

import io.quoin.qcow2.layout.L2Entry;
import java.util.function.Supplier;

/** Checklist section 9: compressed clusters. */
final class CompressedImages {
    private CompressedImages() {}

    static void addTo(Gallery gallery) {
        descriptors(gallery);
        streams(gallery, "deflate", SmallImage::withCompressed);
        streams(gallery, "zstd", SmallImage::withZstd);
        bombs(gallery);
    }

    private static int at(SmallImage image) {
        return image.entry(SmallImage.COMPRESSED_ENTRY);
    }

    private static void descriptor(Gallery g, String name, long entry) {
        g.unreadable(
                name,
                SmallImage::withCompressed,
                i -> i.putLong(at(i), L2Entry.COMPRESSED | entry));
    }

    private static void descriptors(Gallery g) {
        descriptor(g, "93: compressed data beyond EOF", 1 << 20);
        descriptor(g, "93: compressed data at the end of the offset field", (1L << 58) - 1);
        descriptor(g, "93: compressed data at 0", 0);
        g.found(
                "93: compressed data with all sectors",
                "cluster 9 refcount=0",
                SmallImage::withCompressed,
                i -> i.putLong(at(i), L2Entry.COMPRESSED | 0xfL << 58 | 8 << 12));
        descriptor(g, "93: compressed descriptor of ones", (1L << 62) - 1);
        descriptor(g, "60: compressed data at 2^56", 1L << 56);
        descriptor(g, "93: compressed data that starts in the last byte", (16 << 12) - 1);
        g.unreadable(
                "93: compressed data cut by EOF",
                SmallImage::withCompressed,
                image -> image.fileSize(image.compressedData() + 4));
        g.found(
                "76: COPIED on a compressed cluster",
                "COPIED is set on a compressed cluster",
                SmallImage::withCompressed,
                image -> image.or(at(image), SmallImage.COPIED));
        g.unreadable(
                "91: compressed data on the header",
                SmallImage::withCompressed,
                i -> point(i, 0, 512));
        g.unreadable(
                "91: compressed data on the L1",
                SmallImage::withCompressed,
                i -> point(i, i.l1(), 512));
        g.unreadable(
                "91: compressed data on their own L2",
                SmallImage::withCompressed,
                i -> point(i, i.l2(), 4096));
        g.unreadable(
                "91: compressed data over two clusters of others",
                SmallImage::withCompressed,
                image -> point(image, image.data() + 4000, 600));
        g.unwritable(
                "92: every guest cluster on one compressed stream",
                SmallImage::withCompressed,
                image -> {
                    for (int i = 0; i < 512; i++) {
                        image.putLong(image.entry(i), image.getLong(at(image)));
                    }
                });
    }

    private static SmallImage point(SmallImage image, int host, int length) {
        return image.putLong(at(image), L2Entry.compressed(host, length, image.clusterBits));
    }

    private static void streams(Gallery g, String type, Supplier<SmallImage> valid) {
        g.unreadable("93: " + type + " of zeros", valid, i -> i.fill(i.compressedData(), 4096, 0));
        g.unreadable(
                "93: " + type + " of ones", valid, i -> i.fill(i.compressedData(), 4096, 0xff));
        g.unreadable(
                "93: " + type + " of garbage", valid, i -> i.fill(i.compressedData(), 4096, 0xa5));
        g.unreadable(
                "93: " + type + " with its first byte wrong",
                valid,
                image -> image.putByte(image.compressedData(), 0x7));
        g.unreadable(
                "93: " + type + " cut in the middle",
                valid,
                image -> image.fill(image.compressedData() + 8, 4000, 0));
    }

    private static void put(SmallImage image, byte[] stream) {
        for (int i = 0; i < Math.min(stream.length, 4096); i++) {
            image.putByte(image.compressedData() + i, stream[i]);
        }
        point(image, image.compressedData(), Math.min(4096, stream.length));
    }

    private static void bombs(Gallery g) {
        g.served(
                "94: deflate of a mebibyte where a cluster is due",
                SmallImage::withCompressed,
                image -> put(image, SmallImage.deflate(new byte[1 << 20])));
        g.unreadable(
                "89: deflate of half a cluster",
                SmallImage::withCompressed,
                image -> put(image, SmallImage.deflate(new byte[2048])));
        g.unreadable(
                "89: deflate of nothing",
                SmallImage::withCompressed,
                image -> put(image, SmallImage.deflate(new byte[0])));
        g.unreadable(
                "94: zstd frame that says 2^62 bytes",
                SmallImage::withZstd,
                image ->
                        put(
                                image,
                                bytes(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x40, 3)));
        g.unreadable(
                "94: zstd frame with a window of 2 TiB",
                SmallImage::withZstd,
                image -> put(image, bytes(0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 3, 0, 2, 8)));
        g.served(
                "94: zstd run of 2 MiB where a cluster is due",
                SmallImage::withZstd,
                image -> put(image, bytes(0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, 3, 0, 0x10, 8)));
        g.unreadable(
                "90: zstd skippable frames without an end",
                SmallImage::withZstd,
                image -> {
                    for (int at = 0; at + 8 <= 4096; at += 8) {
                        image.putInt(image.compressedData() + at, 0x502a4d18L);
                        image.putInt(image.compressedData() + at + 4, 0);
                    }
                    point(image, image.compressedData(), 4096);
                });
        g.unreadable(
                "90: zstd empty frames without an end",
                SmallImage::withZstd,
                image -> {
                    byte[] empty = bytes(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0);
                    byte[] many = new byte[4096];
                    for (int i = 0; i < many.length; i++) {
                        many[i] = empty[i % empty.length];
                    }
                    put(image, many);
                });
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
