package io.quoin.nbd.transmission;

import io.quoin.block.Invariant;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The payload memory of all connections together. Who finds it used up waits and tries again; the
 * largest request is admitted as a whole or not at all, so that no two wait for one another.
 *
 * <p>Threading: thread-safe.
 */
public final class MemoryBudget {
    private final AtomicLong freeBytes;
    private final Queue<Runnable> waiters = new ConcurrentLinkedQueue<>();

    public MemoryBudget(long bytes) {
        freeBytes = new AtomicLong(bytes);
    }

    /** Bytes that nobody holds. */
    public long freeBytes() {
        return freeBytes.get();
    }

    boolean tryReserve(long bytes) {
        Invariant.check(bytes > 0, "nothing to reserve");
        for (long free = freeBytes.get(); free >= bytes; free = freeBytes.get()) {
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
        if (freeBytes.get() >= bytes && waiters.remove(waiter)) {
            waiter.run();
        }
    }
}
