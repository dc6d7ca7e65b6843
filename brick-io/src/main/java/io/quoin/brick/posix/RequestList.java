package io.quoin.brick.posix;

import io.quoin.block.IoRequest;
import org.jspecify.annotations.Nullable;

/**
 * Requests in the order of their arrival, linked to one another.
 *
 * <p>Threading: confined(loop).
 */
final class RequestList {
    private @Nullable IoRequest head;
    private @Nullable IoRequest tail;

    boolean isEmpty() {
        return head == null;
    }

    void add(IoRequest request) {
        request.next(null);
        if (tail == null) {
            head = request;
        } else {
            tail.next(request);
        }
        tail = request;
    }

    /** The first, which is no longer in the list; null if there is none. */
    @Nullable IoRequest poll() {
        IoRequest first = head;
        if (first != null) {
            head = first.next();
            first.next(null);
            if (head == null) {
                tail = null;
            }
        }
        return first;
    }

    /** Moves all of {@code other} to the end of this list. */
    void addAll(RequestList other) {
        for (IoRequest request = other.poll(); request != null; request = other.poll()) {
            add(request);
        }
    }
}
