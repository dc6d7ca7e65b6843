package io.quoin.qcow2.cluster;

import io.quoin.block.IoVector;
import java.nio.ByteBuffer;
import org.agrona.BufferUtil;

/**
 * Zeros to write from, used over and over.
 *
 * <p>Threading: immutable.
 */
final class ZeroMemory {
    private static final int BYTES = 64 << 10;
    private static final int ALIGNMENT = 4096;
    private static final ByteBuffer ZEROS = BufferUtil.allocateDirectAligned(BYTES, ALIGNMENT);
    private static final long ADDRESS = BufferUtil.address(ZEROS);

    private ZeroMemory() {}

    static void addTo(IoVector memory, long lengthBytes) {
        long left = lengthBytes;
        while (left > 0) {
            int part = (int) Math.min(left, BYTES);
            memory.add(ADDRESS, part);
            left -= part;
        }
    }
}
