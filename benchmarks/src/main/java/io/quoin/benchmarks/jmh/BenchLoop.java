package io.quoin.benchmarks.jmh;

import io.quoin.block.IoRequestPool;
import io.quoin.xlator.loop.Loop;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * A loop whose thread is the benchmark's, so that no hand-off is measured: it runs tasks when the
 * benchmark says so.
 *
 * <p>Threading: thread-safe, except {@link #runTasks}.
 */
final class BenchLoop implements Loop {
    private final Thread thread = Thread.currentThread();
    private final IoRequestPool requests = new IoRequestPool();
    private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

    /** Runs what others have handed over; whether there was anything. */
    boolean runTasks() {
        boolean any = false;
        for (@Nullable Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
            any = true;
        }
        return any;
    }

    @Override
    public String name() {
        return "benchmark";
    }

    @Override
    public boolean inLoop() {
        return Thread.currentThread() == thread;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(task);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        throw new UnsupportedOperationException("no timers in a benchmark");
    }

    @Override
    public IoRequestPool requests() {
        return requests;
    }
}
