package io.quoin.xlator.boundary;

import io.quoin.block.IoRequestPool;
import io.quoin.xlator.loop.Loop;
import java.util.function.Consumer;

/**
 * The loop as an open file sees it: an exception that comes out of a task of the file's is told to
 * its boundary before it goes on to the loop. Two of one loop are equal, whichever file has them.
 *
 * <p>Threading: thread-safe.
 */
final class FileLoop implements Loop {
    private final Loop loop;
    private final Consumer<Throwable> whenTaskFails;

    /**
     * @param loop may be another file's, which is not told then
     */
    FileLoop(Loop loop, Consumer<Throwable> whenTaskFails) {
        this.loop = loop instanceof FileLoop above ? above.loop : loop;
        this.whenTaskFails = whenTaskFails;
    }

    private Runnable watched(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                whenTaskFails.accept(e);
                throw e;
            }
        };
    }

    @Override
    public String name() {
        return loop.name();
    }

    @Override
    public boolean inLoop() {
        return loop.inLoop();
    }

    @Override
    public void execute(Runnable task) {
        loop.execute(watched(task));
    }

    @Override
    public long nanoTime() {
        return loop.nanoTime();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return loop.schedule(delayNanos, watched(task));
    }

    @Override
    public void giveWay(Runnable task) {
        loop.giveWay(watched(task));
    }

    @Override
    public IoRequestPool requests() {
        return loop.requests();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FileLoop theirs && theirs.loop == loop;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(loop);
    }
}
