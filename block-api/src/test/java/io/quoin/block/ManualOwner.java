package io.quoin.block;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;

/**
 * An owner whose thread is the test's, and whose tasks run when the test says so.
 *
 * <p>Threading: thread-safe, except {@link #runTasks}.
 */
public final class ManualOwner implements Executor {
    private final Thread thread = Thread.currentThread();
    private final ArrayDeque<Runnable> own = new ArrayDeque<>();
    private final Queue<Runnable> others = new ConcurrentLinkedQueue<>();

    @Override
    public void execute(Runnable task) {
        (inOwner() ? own : others).add(task);
    }

    public boolean inOwner() {
        return Thread.currentThread() == thread;
    }

    public int taskCount() {
        return own.size() + others.size();
    }

    /** Runs what there is, and what that adds. */
    public void runTasks() {
        while (true) {
            Runnable task = own.poll();
            if (task == null) {
                task = others.poll();
            }
            if (task == null) {
                return;
            }
            task.run();
        }
    }
}
