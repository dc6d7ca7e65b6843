package io.quoin.qcow2.compress;

import java.nio.ByteBuffer;

/**
 * Compresses and decompresses one cluster at a time, from and to direct memory.
 *
 * <p>Threading: confined to one thread at a time.
 */
abstract class Codec {
    /** What {@link #compress} gives if the result does not fit. */
    static final int TOO_LONG = -1;

    private ByteBuffer scratch = ByteBuffer.allocateDirect(0);

    /** Memory to put a source together in; the same one each time. */
    final ByteBuffer scratch(int lengthBytes) {
        if (scratch.capacity() < lengthBytes) {
            scratch = ByteBuffer.allocateDirect(lengthBytes);
        }
        scratch.clear().limit(lengthBytes);
        return scratch;
    }

    /**
     * Fills {@code target} from the start of {@code source}; what follows in the source is not
     * looked at.
     *
     * @return whether the source was valid and gave that much
     */
    abstract boolean decompress(ByteBuffer source, ByteBuffer target);

    /**
     * Compresses all of {@code source} into {@code target}.
     *
     * @return the bytes written, or {@link #TOO_LONG}
     */
    abstract int compress(ByteBuffer source, ByteBuffer target);

    /** Frees its native memory. */
    abstract void close();
}
