package io.quoin.qcow2.crash;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Content that says which write it is from and where it belongs: each sector of 512 bytes follows
 * from the number of its write and its place. 0 is zeros, odd numbers compress well, even ones not
 * at all.
 *
 * <p>Threading: immutable.
 */
final class SectorStamp {
    static final int SECTOR_BYTES = 512;

    private SectorStamp() {}

    static byte[] bytes(int stamp, long offset, int length) {
        byte[] bytes = new byte[length];
        for (int at = 0; at < length; at += SECTOR_BYTES) {
            fill(bytes, at, stamp, (offset + at) / SECTOR_BYTES);
        }
        return bytes;
    }

    /** The number in a sector, -1 if it is no whole sector of that place. */
    static int stampOf(byte[] content, int at) {
        int stamp = ByteBuffer.wrap(content).getInt(at);
        byte[] expected = new byte[SECTOR_BYTES];
        fill(expected, 0, stamp, at / SECTOR_BYTES);
        return Arrays.equals(expected, 0, SECTOR_BYTES, content, at, at + SECTOR_BYTES)
                ? stamp
                : -1;
    }

    private static void fill(byte[] bytes, int at, int stamp, long sector) {
        if (stamp == 0) {
            return;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes, at, SECTOR_BYTES);
        SplittableRandom random = new SplittableRandom(stamp * 1_000_003L + sector);
        while (buffer.hasRemaining()) {
            buffer.putInt(stamp).putInt((int) sector);
            if (stamp % 2 == 0) {
                buffer.putLong(random.nextLong());
            }
        }
    }
}
