package io.quoin.replicate.volume;

import io.quoin.block.IoVector;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Copies between the memory of requests and arrays.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class RequestBytes {
    private final IoVector part = new IoVector();
    private final UnsafeBuffer segment = new UnsafeBuffer(0, 0);

    /** A copy of {@code lengthBytes} bytes from {@code position} on. */
    byte[] copyOf(IoVector memory, long position, int lengthBytes) {
        byte[] bytes = new byte[lengthBytes];
        part.clear();
        part.addSlice(memory, position, lengthBytes);
        int done = 0;
        for (int i = 0; i < part.count(); i++) {
            int length = part.segmentLengthBytes(i);
            segment.wrap(part.address(i), length);
            segment.getBytes(0, bytes, done, length);
            done += length;
        }
        return bytes;
    }

    /** Puts bytes into memory from {@code position} on. */
    void put(byte[] bytes, IoVector memory, long position) {
        part.clear();
        part.addSlice(memory, position, bytes.length);
        int done = 0;
        for (int i = 0; i < part.count(); i++) {
            int length = part.segmentLengthBytes(i);
            segment.wrap(part.address(i), length);
            segment.putBytes(0, bytes, done, length);
            done += length;
        }
    }
}
