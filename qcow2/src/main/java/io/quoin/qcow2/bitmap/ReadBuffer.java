package io.quoin.qcow2.bitmap;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;

/**
 * Memory that bitmaps are read into, one after the other: an image may have 65535 of them, and when
 * memory of its own for each would be given back is not known.
 *
 * <p>Threading: confined(loop).
 */
final class ReadBuffer {
    private static final int ALIGNMENT = 4096;

    private ByteBuffer bytes = ByteBuffer.allocate(0);

    /**
     * Memory of {@code lengthBytes} or more; what was handed out before must not be used any more.
     */
    ByteBuffer ofAtLeast(int lengthBytes) {
        if (bytes.capacity() < lengthBytes) {
            bytes = BufferUtil.allocateDirectAligned(lengthBytes, ALIGNMENT);
        }
        return bytes;
    }
}
