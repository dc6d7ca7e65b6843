package io.quoin.replicate.store;

import io.quoin.replicate.Payload;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The checksum of a block as it is stored: its CRC32C, with the bits of that of a block of zeros
 * inverted. So the checksum of zeros is 0, and a hole of the one file fits a hole of the other.
 *
 * <p>Threading: immutable.
 */
final class Checksums {
    static final int BYTES = Integer.BYTES;

    private final int blockBytes;
    private final int ofZeros;

    Checksums(int blockBytes) {
        this.blockBytes = blockBytes;
        this.ofZeros = crc(ByteBuffer.allocate(blockBytes));
    }

    /** Of the block at {@code at} of {@code data}. */
    int of(ByteBuffer data, int at) {
        ByteBuffer block = data.duplicate();
        block.limit(at + blockBytes).position(at);
        return crc(block) ^ ofZeros;
    }

    /** Of the block at {@code at} of {@code data}. */
    int of(Payload data, int at) {
        boolean isWhole = at == 0 && data.lengthBytes() == blockBytes;
        return isWhole ? data.crc() ^ ofZeros : of(data.buffer(), at);
    }

    private static int crc(ByteBuffer block) {
        CRC32C sum = new CRC32C();
        sum.update(block);
        return (int) sum.getValue();
    }
}
