package io.quoin.replicate.volume;

import io.quoin.block.IoVector;
import io.quoin.replicate.Payload;
import io.quoin.replicate.PayloadPool;
import java.nio.ByteBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Copies between the memory of requests and payloads.
 *
 * <p>Threading: confined(loop), the file's.
 */
final class RequestBytes {
    private final IoVector part = new IoVector();
    private final UnsafeBuffer segment = new UnsafeBuffer(0, 0);
    private final UnsafeBuffer copy = new UnsafeBuffer(0, 0);
    private final PayloadPool pool = PayloadPool.SHARED;

    /** A copy of {@code lengthBytes} bytes from {@code position} on. */
    Payload copyOf(IoVector memory, long position, int lengthBytes) {
        ByteBuffer bytes = pool.acquire(lengthBytes);
        copy.wrap(bytes);
        part.clear();
        part.addSlice(memory, position, lengthBytes);
        int done = 0;
        for (int i = 0; i < part.count(); i++) {
            int length = part.segmentLengthBytes(i);
            segment.wrap(part.address(i), length);
            copy.putBytes(done, segment, 0, length);
            done += length;
        }
        return Payload.of(bytes, pool);
    }

    /** Puts bytes into memory from {@code position} on. */
    void put(Payload bytes, IoVector memory, long position) {
        ByteBuffer source = bytes.buffer();
        part.clear();
        part.addSlice(memory, position, bytes.lengthBytes());
        int done = 0;
        for (int i = 0; i < part.count(); i++) {
            int length = part.segmentLengthBytes(i);
            segment.wrap(part.address(i), length);
            segment.putBytes(0, source, done, length);
            done += length;
        }
    }
}
