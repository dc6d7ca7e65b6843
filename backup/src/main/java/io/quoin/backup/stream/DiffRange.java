package io.quoin.backup.stream;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A part of a disk in a stream.
 *
 * <p>Threading: confined to its user.
 *
 * @param data its bytes; null: it reads as zeros
 */
record DiffRange(long offsetBytes, long lengthBytes, @Nullable ByteBuffer data) {
    long endBytes() {
        return offsetBytes + lengthBytes;
    }
}
