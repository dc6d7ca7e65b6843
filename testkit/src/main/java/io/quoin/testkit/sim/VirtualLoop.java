package io.quoin.testkit.sim;

import io.quoin.block.IoRequestPool;
import io.quoin.xlator.loop.Loop;
import java.util.Random;
import java.util.function.Supplier;

/**
 * A {@link Loop} of virtual time: its tasks run when its group is driven, on the driver's thread.
 *
 * <p>Threading: thread-safe, except {@link #requests}.
 */
public final class VirtualLoop implements Loop {
    private final VirtualLoopGroup group;
    private final String name;
    private final Random random;
    private final IoRequestPool requests = new IoRequestPool();
    private boolean isDead;

    VirtualLoop(VirtualLoopGroup group, String name, Random random) {
        this.group = group;
        this.name = name;
        this.random = random;
    }

    public VirtualLoopGroup group() {
        return group;
    }

    /** Chance of this loop's own: what others draw, and how often, changes nothing of it. */
    public Random random() {
        return random;
    }

    /**
     * Ends the loop as a crash of its process does: its tasks and timers are gone, in the middle of
     * whatever they were for, and it takes none any more. What is left of its objects may go on
     * calling it, for nothing.
     */
    public void kill() {
        group.kill(this);
    }

    /**
     * The loop of the process that is started in place of a killed one. It goes on with the chance
     * of that, and has nothing else of it.
     */
    public VirtualLoop restart() {
        return group.restart(this);
    }

    public boolean isDead() {
        return isDead;
    }

    /** With the group's lock. */
    void die() {
        isDead = true;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean inLoop() {
        return group.isCurrent(this);
    }

    @Override
    public void execute(Runnable task) {
        group.enqueue(this, task);
    }

    @Override
    public long nanoTime() {
        return group.nanoTime();
    }

    @Override
    public Timer schedule(long delayNanos, Runnable task) {
        return group.schedule(this, delayNanos, task);
    }

    @Override
    public IoRequestPool requests() {
        return requests;
    }

    /** Runs {@code task} now, on the caller's thread, as a task of this loop. */
    public void run(Runnable task) {
        group.runAs(this, task);
    }

    /** As {@link #run}, with a result. */
    public <T> T call(Supplier<T> task) {
        Holder<T> holder = new Holder<>();
        group.runAs(this, () -> holder.value = task.get());
        return holder.get();
    }

    private static final class Holder<T> {
        @org.jspecify.annotations.Nullable T value;

        T get() {
            T result = value;
            if (result == null) {
                throw new AssertionError("task without a result");
            }
            return result;
        }
    }
}
