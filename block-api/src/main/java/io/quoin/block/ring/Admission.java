package io.quoin.block.ring;

import io.quoin.block.Invariant;
import io.quoin.block.IoRequest;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The room in a ring: requests and bytes in use, and whether it is closed, in one word, so that one
 * compare-and-set decides on a request.
 *
 * <pre>
 *   63       62..44      43..0
 *   closed | requests | bytes of memory
 * </pre>
 *
 * <p>Threading: thread-safe.
 */
final class Admission {
    static final int ADMITTED = 0;
    static final int FULL = 1;
    static final int CLOSED = 2;

    private static final int REQUESTS_SHIFT = 44;
    private static final long ONE_REQUEST = 1L << REQUESTS_SHIFT;
    private static final long BYTES_MASK = ONE_REQUEST - 1;
    private static final long CLOSED_BIT = 1L << 63;

    private final int requestsMax;
    private final long bytesMax;
    private final AtomicLong state = new AtomicLong();

    Admission(int requestsMax, long bytesMax) {
        this.requestsMax = requestsMax;
        this.bytesMax = bytesMax;
    }

    /** The memory that a request keeps busy. */
    static long bytesOf(IoRequest request) {
        return request.op().hasMemory() ? request.lengthBytes() : 0;
    }

    /** {@link #ADMITTED}, {@link #FULL} or {@link #CLOSED}. */
    int admit(long bytes) {
        Invariant.check(bytes >= 0 && bytes <= Integer.MAX_VALUE, "request beyond 2 GiB");
        while (true) {
            long before = state.get();
            if (before < 0) {
                return CLOSED;
            }
            long bytesInUse = before & BYTES_MASK;
            boolean fits = bytesInUse + bytes <= bytesMax || bytesInUse == 0 || bytes == 0;
            if (requests(before) >= requestsMax || !fits) {
                return FULL;
            }
            if (state.compareAndSet(before, before + ONE_REQUEST + bytes)) {
                return ADMITTED;
            }
        }
    }

    /** {@code true} if this was the last one of a closed ring. */
    boolean release(long bytes) {
        return state.addAndGet(-(ONE_REQUEST + bytes)) == CLOSED_BIT;
    }

    /** {@code true} if nothing is in use, so that no release will follow. */
    boolean close() {
        return (state.getAndUpdate(value -> value | CLOSED_BIT) & ~CLOSED_BIT) == 0;
    }

    int requestsInUse() {
        return requests(state.get());
    }

    /** Whether it is worth waking what waits: half of both limits is free, or it is closed. */
    boolean isRoomy() {
        long now = state.get();
        return now < 0 || (requests(now) <= requestsMax / 2 && (now & BYTES_MASK) <= bytesMax / 2);
    }

    boolean isClosed() {
        return state.get() < 0;
    }

    boolean isIdleOrClosed() {
        return state.get() <= 0;
    }

    private static int requests(long state) {
        return (int) ((state & ~CLOSED_BIT) >>> REQUESTS_SHIFT);
    }
}
