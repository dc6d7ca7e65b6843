package io.quoin.testkit.sim;

import io.quoin.block.BlockException;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.LoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Loops that share one thread and one virtual clock. Nothing runs by itself: the test drives them.
 * Time stands still while anything is ready and then jumps to the next timer. Tasks of one loop run
 * in the order in which they were given; with a seed, whose turn it is among loops and {@link
 * #blocking} tasks is random, and repeats with the seed.
 *
 * <p>Work of real threads may come back by {@link Loop#execute}: {@link #await} waits for it, a
 * bounded time, when nothing else is left to run.
 *
 * <p>Threading: driven by one thread; tasks may be given by any.
 */
public final class VirtualLoopGroup implements LoopGroup {
    private static final long STEPS_MAX = 50_000_000;

    /** Far apart, since generators of neighbouring seeds begin alike. */
    private static final long LOOP_SEEDS_APART = 0x9E3779B97F4A7C15L;

    private static final long OUTSIDE_WAIT_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final Object lock = new Object();
    private final List<VirtualLoop> loops;
    private final @Nullable Random random;
    private final List<Task> ready = new ArrayList<>();
    private final PriorityQueue<TimerTask> timers = new PriorityQueue<>();
    private volatile long nowNanos;
    private long sequence;
    private int turn;
    private volatile @Nullable Thread driver;
    private volatile @Nullable VirtualLoop current;

    /** {@code count} loops; everything runs in the order in which it was given. */
    public VirtualLoopGroup(int count) {
        this(count, null, 0);
    }

    /** {@code count} loops whose turns are drawn from {@code seed}. */
    public static VirtualLoopGroup random(int count, long seed) {
        return new VirtualLoopGroup(count, new Random(seed), seed);
    }

    private VirtualLoopGroup(int count, @Nullable Random random, long seed) {
        this.loops = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Random own = new Random(seed + (i + 1) * LOOP_SEEDS_APART);
            loops.add(new VirtualLoop(this, "virtual-" + i, own));
        }
        this.random = random;
    }

    @Override
    public List<Loop> loops() {
        synchronized (lock) {
            return List.copyOf(loops);
        }
    }

    /** The loop number {@code index}. */
    public VirtualLoop loop(int index) {
        synchronized (lock) {
            return loops.get(index);
        }
    }

    @Override
    public VirtualLoop next() {
        synchronized (lock) {
            return loops.get(turn++ % loops.size());
        }
    }

    /** For work that may block: it runs outside of every loop, on the driver's thread, in turn. */
    public Executor blocking() {
        return task -> enqueue(null, task);
    }

    /** The virtual clock. */
    public long nanoTime() {
        return nowNanos;
    }

    /** Runs what is ready; no time goes by. */
    public void runReady() {
        for (long steps = 0; step(); steps++) {
            checkSteps(steps);
        }
    }

    /** Runs everything, timers too, until nothing is left. */
    public void runUntilIdle() {
        long steps = 0;
        do {
            runReady();
            checkSteps(steps++);
        } while (jump(Long.MAX_VALUE));
    }

    /** Lets {@code nanos} go by and runs what comes due. */
    public void advance(long nanos) {
        long end = nowNanos + nanos;
        do {
            runReady();
        } while (jump(end));
        nowNanos = end;
    }

    /** Runs until {@code condition} holds; fails if it cannot come to hold any more. */
    public void runUntil(BooleanSupplier condition) {
        long steps = 0;
        while (!condition.getAsBoolean()) {
            checkSteps(steps++);
            if (!step() && !jump(Long.MAX_VALUE) && !waitForOutside(condition)) {
                throw new AssertionError(
                        "nothing is left to run, and what the test waits for has not happened");
            }
        }
    }

    /**
     * Runs until {@code stage} is complete and gives its value.
     *
     * @throws BlockException if the stage failed with one
     */
    public <T> T await(CompletionStage<T> stage) {
        CompletableFuture<T> future = stage.toCompletableFuture();
        runUntil(future::isDone);
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof BlockException cause) {
                throw new BlockException(cause.error(), String.valueOf(cause.getMessage()), cause);
            }
            throw e;
        }
    }

    /** Runs what is ready. */
    @Override
    public void close() {
        runReady();
    }

    boolean isCurrent(VirtualLoop loop) {
        return current == loop && driver == Thread.currentThread();
    }

    /** Takes away everything of {@code loop}, and lets nothing new come. */
    void kill(VirtualLoop loop) {
        synchronized (lock) {
            loop.die();
            ready.removeIf(task -> task.owner == loop);
            timers.removeIf(timer -> timer.task.owner == loop);
        }
    }

    VirtualLoop restart(VirtualLoop killed) {
        synchronized (lock) {
            int index = loops.indexOf(killed);
            if (!killed.isDead() || index < 0) {
                throw new AssertionError("loop has not been killed: name=" + killed.name());
            }
            VirtualLoop fresh = new VirtualLoop(this, killed.name(), killed.random());
            loops.set(index, fresh);
            return fresh;
        }
    }

    void enqueue(@Nullable VirtualLoop owner, Runnable task) {
        synchronized (lock) {
            if (owner != null && owner.isDead()) {
                return;
            }
            ready.add(new Task(owner, task));
            lock.notifyAll();
        }
    }

    Loop.Timer schedule(VirtualLoop owner, long delayNanos, Runnable task) {
        synchronized (lock) {
            if (owner.isDead()) {
                return () -> {};
            }
            long due = nowNanos + Math.max(0, delayNanos);
            TimerTask timer = new TimerTask(due, sequence++, new Task(owner, task));
            timers.add(timer);
            lock.notifyAll();
            return () -> {
                synchronized (lock) {
                    timers.remove(timer);
                }
            };
        }
    }

    void runAs(@Nullable VirtualLoop loop, Runnable task) {
        Thread previousDriver = driver;
        VirtualLoop previous = current;
        driver = Thread.currentThread();
        current = loop;
        try {
            task.run();
        } finally {
            current = previous;
            driver = previousDriver;
        }
    }

    private boolean step() {
        Task task;
        synchronized (lock) {
            if (ready.isEmpty()) {
                return false;
            }
            task = ready.remove(pick());
        }
        runAs(task.owner, task.work);
        return true;
    }

    /** The first task of a loop drawn at random, or any of the blocking ones. */
    private int pick() {
        if (random == null) {
            return 0;
        }
        int drawn = random.nextInt(ready.size());
        VirtualLoop owner = ready.get(drawn).owner;
        if (owner == null) {
            return drawn;
        }
        int first = 0;
        while (ready.get(first).owner != owner) {
            first++;
        }
        return first;
    }

    /** Moves the clock to the next timer, if it is due by {@code endNanos}. */
    private boolean jump(long endNanos) {
        synchronized (lock) {
            TimerTask timer = timers.peek();
            if (timer == null || timer.dueNanos > endNanos) {
                return false;
            }
            timers.remove();
            nowNanos = Math.max(nowNanos, timer.dueNanos);
            ready.add(timer.task);
            return true;
        }
    }

    private boolean waitForOutside(BooleanSupplier condition) {
        long deadline = System.nanoTime() + OUTSIDE_WAIT_NANOS;
        synchronized (lock) {
            while (ready.isEmpty() && timers.isEmpty()) {
                if (condition.getAsBoolean()) {
                    return true;
                }
                if (System.nanoTime() - deadline > 0) {
                    return false;
                }
                try {
                    lock.wait(1);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
            return true;
        }
    }

    private static void checkSteps(long steps) {
        if (steps > STEPS_MAX) {
            throw new AssertionError("the loops do not come to rest");
        }
    }

    private record Task(@Nullable VirtualLoop owner, Runnable work) {}

    private record TimerTask(long dueNanos, long sequence, Task task)
            implements Comparable<TimerTask> {
        @Override
        public int compareTo(TimerTask other) {
            int byTime = Long.compare(dueNanos, other.dueNanos);
            return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
        }
    }
}
