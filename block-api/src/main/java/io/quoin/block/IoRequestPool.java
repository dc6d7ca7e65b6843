package io.quoin.block;

import java.util.ArrayDeque;

/**
 * Requests to be used again. Each loop has one; it grows to what was ever in flight at once, up to
 * the number it keeps.
 *
 * <p>Threading: confined(loop).
 */
public final class IoRequestPool {
    private static final int KEPT_MAX = 4096;

    private final ArrayDeque<IoRequest> idle = new ArrayDeque<>();

    public IoRequest acquire() {
        IoRequest request = idle.pollLast();
        return request == null ? new IoRequest() : request;
    }

    /** Gives back a request that has been completed. */
    public void release(IoRequest request) {
        Invariant.check(request.depth() == 0, "request released while in flight");
        request.attachment(null);
        if (idle.size() < KEPT_MAX) {
            idle.addLast(request);
        }
    }
}
