package io.quoin.brick.posix;

import io.quoin.block.Invariant;
import io.quoin.block.Uncaught;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A few threads for calls that may block. Tasks are linked to one another, so that the queue takes
 * no memory of its own; {@link FileQueue} bounds how many each file may have in it.
 *
 * <p>Threading: thread-safe.
 */
final class IoPool implements AutoCloseable {
    private static final long CLOSE_TIMEOUT_MILLIS = 60_000;

    /** Something to do on a thread of the pool; queued at most once at a time. */
    abstract static class Task {
        private @Nullable Task nextInPool;

        /** May block; must not throw. */
        abstract void perform(Worker worker);
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final List<Thread> threads = new ArrayList<>();
    private @Nullable Task head;
    private @Nullable Task tail;
    private boolean closed;

    private final ColdReads coldReads;

    /** Starts {@code count} threads named {@code name-N}. */
    IoPool(String name, int count, FileSystemTraits traits, ColdReads coldReads) {
        this.coldReads = coldReads;
        for (int i = 0; i < count; i++) {
            Thread thread = new Thread(() -> run(new Worker(traits)), name + "-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    void submit(Task task) {
        lock.lock();
        try {
            Invariant.check(!closed, "task for a pool that is closed");
            if (tail == null) {
                head = task;
            } else {
                tail.nextInPool = task;
            }
            tail = task;
            arrived.signal();
        } finally {
            lock.unlock();
        }
    }

    private void run(Worker worker) {
        for (Task task = take(); task != null; task = take()) {
            try {
                coldReads.delay();
                task.perform(worker);
            } catch (RuntimeException | Error e) {
                // The loop is gone, so that nothing is left to be told; other loops may be there.
                Uncaught.report(Thread.currentThread().getName(), e);
            }
        }
    }

    private @Nullable Task take() {
        lock.lock();
        try {
            while (head == null && !closed) {
                arrived.awaitUninterruptibly();
            }
            Task task = head;
            Task second = task == null ? null : task.nextInPool;
            if (task != null && second != null && coldReads.overtakes()) {
                task.nextInPool = second.nextInPool;
                tail = tail == second ? task : tail;
                second.nextInPool = null;
                return second;
            }
            if (task != null) {
                head = second;
                task.nextInPool = null;
                tail = second == null ? null : tail;
            }
            return task;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the threads after the tasks that there are, and waits for them. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            for (Thread thread : threads) {
                thread.join(CLOSE_TIMEOUT_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
