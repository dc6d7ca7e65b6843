package io.quoin.block.ring;

import com.lmax.disruptor.AlertException;
import com.lmax.disruptor.SequenceBarrier;
import com.lmax.disruptor.TimeoutException;
import io.quoin.block.Invariant;
import io.quoin.block.IoRequestPool;
import io.quoin.block.Uncaught;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread of a disk's own: it owns the disk, waits on the disk's ring as the wait strategy says,
 * drains it, and runs what the disk's layers hand back to their owner. For machines with cores to
 * spare; see {@code docs/adr/0008-disk-ring.md}.
 *
 * <p>Tasks wake it through the ring's barrier, by an alert, so that one wait serves both. Until a
 * ring is attached it waits for tasks only.
 *
 * <p>Threading: thread-safe, except {@link #requests}.
 */
public final class RingThread implements Executor, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RingThread.class);

    private final Thread thread;
    private final IoRequestPool requests = new IoRequestPool();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private volatile @Nullable SequenceBarrier barrier;
    private volatile boolean isEnding;
    private @Nullable DiskRing ring;

    private RingThread(String name) {
        thread = new Thread(this::run, name);
        thread.setDaemon(true);
    }

    /** Starts a thread of that name. */
    public static RingThread start(String name) {
        RingThread started = new RingThread(name);
        started.thread.start();
        return started;
    }

    public String name() {
        return thread.getName();
    }

    /** Whether the caller runs on this thread. */
    public boolean inThread() {
        return Thread.currentThread() == thread;
    }

    /**
     * The thread's own requests.
     *
     * <p>Threading: confined to this thread.
     */
    public IoRequestPool requests() {
        return requests;
    }

    /** Runs {@code task} on the thread later, in the order of the calls. */
    @Override
    public void execute(Runnable task) {
        if (isEnding) {
            throw new RejectedExecutionException("thread has ended: name=" + thread.getName());
        }
        tasks.add(task);
        if (!inThread()) {
            wake();
        }
    }

    /** Ends the thread after the tasks that it has; waits for it unless called on it. */
    @Override
    public void close() {
        isEnding = true;
        wake();
        if (inThread()) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits on {@code newRing} from now on, in place of an earlier one, which is closed. */
    void attach(DiskRing newRing) {
        execute(
                () -> {
                    ring = newRing;
                    barrier = newRing.newBarrier();
                });
    }

    private void wake() {
        // A task is added before the barrier is read here, and the barrier is set before the tasks
        // are looked at there: one of the two sees the other.
        SequenceBarrier waitedOn = barrier;
        if (waitedOn != null) {
            waitedOn.alert();
        } else {
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        while (true) {
            boolean isLastRound = isEnding;
            runTasks();
            DiskRing drained = ring;
            if (drained != null) {
                drain(drained);
            }
            if (tasks.isEmpty()) {
                if (isLastRound) {
                    return;
                }
                await(drained);
            }
        }
    }

    private void runTasks() {
        for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                Uncaught.report("thread " + thread.getName(), e);
            }
        }
    }

    /** What its device does not catch must not end the thread, which others may have tasks for. */
    private void drain(DiskRing drained) {
        try {
            drained.drain();
        } catch (RuntimeException | Error e) {
            Uncaught.report("thread " + thread.getName(), e);
        }
    }

    private void await(@Nullable DiskRing attached) {
        SequenceBarrier waitedOn = barrier;
        if (attached == null || waitedOn == null) {
            LockSupport.park(this);
            return;
        }
        try {
            waitedOn.waitFor(attached.nextSequence());
        } catch (AlertException alert) {
            // Down before the tasks are looked at: a task added later raises it again.
            waitedOn.clearAlert();
        } catch (TimeoutException e) {
            Invariant.check(false, "a wait strategy without a time-out timed out");
        } catch (InterruptedException e) {
            LOG.warn("interrupted, which ends nothing here: thread={}", thread.getName());
        }
    }
}
