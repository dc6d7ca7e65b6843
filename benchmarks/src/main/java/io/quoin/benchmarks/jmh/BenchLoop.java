package io.quoin.benchmarks.jmh;

import io.quoin.block.IoRequestPool;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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

    /** A group of this loop alone. */
    LoopGroup group() {
        Loop self = this;
        return new LoopGroup() {
            @Override
            public List<Loop> loops() {
                return List.of(self);
            }

            @Override
            public Loop next() {
                return self;
            }

            @Override
            public void close() {}
        };
    }

    /** Waits for a control-path call, running what it hands over. */
    <T> T await(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        while (!future.isDone()) {
            runTasks();
            Thread.onSpinWait();
        }
        return future.join();
    }

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
        // Timers here are time-outs, longer than a benchmark.
        return () -> {};
    }

    @Override
    public IoRequestPool requests() {
        return requests;
    }
}
