package io.quoin.qcow2.info;

import io.quoin.qcow2.file.ClosedImage;
import java.nio.ByteBuffer;

/** How many clusters of an image have a count above 0. */
final class CountedClusters {
    private static final long OFFSET_MASK = 0xffff_ffff_ffff_fe00L;

    private CountedClusters() {}

    static long of(ClosedImage image) {
        int tableBytes = (int) image.refcountTableBytes();
        ByteBuffer table =
                image.read(
                        image.header.refcountTableOffset(),
                        ByteBuffer.allocate(tableBytes),
                        tableBytes);
        int widthBytes = image.header.refcountBits() / Byte.SIZE;
        long counted = 0;
        while (table.hasRemaining()) {
            long block = table.getLong() & OFFSET_MASK;
            if (block != 0) {
                ByteBuffer counts =
                        image.read(
                                block, ByteBuffer.allocate(image.clusterSize), image.clusterSize);
                for (int at = 0; at < image.clusterSize; at += widthBytes) {
                    counted += isZero(counts, at, widthBytes) ? 0 : 1;
                }
            }
        }
        return counted;
    }

    private static boolean isZero(ByteBuffer counts, int at, int widthBytes) {
        for (int i = 0; i < widthBytes; i++) {
            if (counts.get(at + i) != 0) {
                return false;
            }
        }
        return true;
    }
}
