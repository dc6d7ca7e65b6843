package io.quoin.qcow2.fuzz;

import io.quoin.qcow2.hostile.SmallImage;
import java.util.List;
import java.util.function.Supplier;

/**
 * A small valid image with changes made by a fuzzer: the first byte selects the image, then follow
 * patches of ten bytes each, two for the place and eight to put there. What the place counts
 * depends on the size of the image, so that all of it is reached.
 */
final class PatchedImage {
    private static final int PATCH_BYTES = 10;
    private static final int PATCHES_MAX = 64;

    private static final List<Supplier<SmallImage>> KINDS =
            List.of(
                    SmallImage::plain,
                    SmallImage::version2,
                    SmallImage::withSnapshot,
                    SmallImage::withBitmap,
                    SmallImage::withCompressed,
                    SmallImage::withZstd,
                    SmallImage::extendedL2,
                    () -> SmallImage.withBacking("base.raw", "raw"));

    private PatchedImage() {}

    static SmallImage of(byte[] data) {
        SmallImage image = KINDS.get(data.length == 0 ? 0 : data[0] & 7).get();
        int scale = Math.max(1, (int) (image.fileSize() >>> 16));
        for (int i = 0; i < PATCHES_MAX && 1 + (i + 1) * PATCH_BYTES <= data.length; i++) {
            int patch = 1 + i * PATCH_BYTES;
            int place = (data[patch] & 0xff) << 8 | (data[patch + 1] & 0xff);
            int at = (int) Math.min((long) place * scale, image.fileSize() - Long.BYTES);
            for (int j = 0; j < Long.BYTES; j++) {
                image.putByte(at + j, data[patch + 2 + j]);
            }
        }
        return image;
    }
}
