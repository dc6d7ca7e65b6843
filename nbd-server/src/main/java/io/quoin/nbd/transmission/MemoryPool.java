package io.quoin.nbd.transmission;

import io.quoin.block.Invariant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Payload memory that connections share. A connection that finds it used up waits and tries again;
 * the largest request is admitted as a whole or not at all, so that no two wait for one another,
 * and one that is larger than the pool when nothing else is.
 *
 * <p>Threading: thread-safe.
 */
final class MemoryPool {
    private final long bytesMax;
    private final AtomicLong freeBytes;
    private final Queue<Runnable> waiters = new ConcurrentLinkedQueue<>();

    MemoryPool(long bytes) {
        bytesMax = bytes;
        freeBytes = new AtomicLong(bytes);
    }

    long freeBytes() {
        return freeBytes.get();
    }

    /** Whether a connection waits for memory. */
    boolean isAwaited() {
        return !waiters.isEmpty();
    }

    boolean tryReserve(long bytes) {
        Invariant.check(bytes > 0, "nothing to reserve");
        long wanted = Math.min(bytes, bytesMax);
        for (long free = freeBytes.get(); free >= wanted; free = freeBytes.get()) {
            if (freeBytes.compareAndSet(free, free - bytes)) {
                return true;
            }
        }
        return false;
    }

    /** For memory that is there already: may go below zero. */
    void reserve(long bytes) {
        freeBytes.addAndGet(-bytes);
    }

    void release(long bytes) {
        freeBytes.addAndGet(bytes);
        for (Runnable waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            waiter.run();
        }
    }

    /**
     * Runs {@code waiter} once, on the thread that releases memory next, or at once if some was
     * released meanwhile; it should only schedule a task.
     */
    void await(Runnable waiter, long bytes) {
        waiters.add(waiter);
        if (freeBytes.get() >= Math.min(bytes, bytesMax) && waiters.remove(waiter)) {
            waiter.run();
        }
    }
}
