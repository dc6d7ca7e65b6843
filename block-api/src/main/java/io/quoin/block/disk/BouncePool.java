package io.quoin.block.disk;

import java.nio.ByteBuffer;
import org.agrona.BufferUtil;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;
import org.jspecify.annotations.Nullable;

/**
 * Direct memory that heap buffers are copied through, in sizes of powers of two, kept to be used
 * again up to a bound for each size. Page aligned, as O_DIRECT wants it.
 *
 * <p>Threading: thread-safe.
 */
final class BouncePool {
    /** The longest piece that is copied at once. */
    static final int BYTES_MAX = 1 << 20;

    private static final int PAGE = 4096;
    private static final int SHIFT_MIN = Integer.numberOfTrailingZeros(PAGE);
    private static final int SHIFT_MAX = Integer.numberOfTrailingZeros(BYTES_MAX);
    private static final int KEPT_BYTES_PER_SIZE = 4 << 20;
    private static final int KEPT_MAX = 128;

    private final ManyToManyConcurrentArrayQueue<ByteBuffer>[] idle;

    // An array of a generic type can only be made unchecked; it never leaves this class.
    @SuppressWarnings({"unchecked", "rawtypes"})
    BouncePool() {
        idle = new ManyToManyConcurrentArrayQueue[SHIFT_MAX - SHIFT_MIN + 1];
        for (int i = 0; i < idle.length; i++) {
            int kept = Math.min(KEPT_MAX, KEPT_BYTES_PER_SIZE >> (SHIFT_MIN + i));
            idle[i] = new ManyToManyConcurrentArrayQueue<>(kept);
        }
    }

    /** Memory of at least {@code lengthBytes}, at most {@link #BYTES_MAX}. */
    ByteBuffer acquire(int lengthBytes) {
        int size = sizeIndex(lengthBytes);
        @Nullable ByteBuffer kept = idle[size].poll();
        return kept != null ? kept : BufferUtil.allocateDirectAligned(PAGE << size, PAGE);
    }

    void release(ByteBuffer buffer) {
        // Where enough are kept, the collector frees it.
        boolean isKept = idle[sizeIndex(buffer.capacity())].offer(buffer);
        assert isKept || buffer.isDirect();
    }

    private static int sizeIndex(int lengthBytes) {
        int shift = Integer.SIZE - Integer.numberOfLeadingZeros(lengthBytes - 1);
        return Math.max(shift, SHIFT_MIN) - SHIFT_MIN;
    }
}
