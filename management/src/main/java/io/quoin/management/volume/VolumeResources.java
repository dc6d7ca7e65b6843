package io.quoin.management.volume;

import io.quoin.xlator.loop.NettyLoopGroup;
import io.quoin.xlator.memory.ProcessMemory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What all volumes of a process share: loops, threads that may block, and memory.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeResources implements AutoCloseable {
    private static final int BLOCKING_THREADS_MAX = 16;
    private static final long END_SECONDS = 30;

    private final NettyLoopGroup loops;
    private final ExecutorService blocking = blockingThreads();
    private final ProcessMemory memory;

    /**
     * @param loopCount how many loops share the disks
     */
    public VolumeResources(int loopCount, ProcessMemory memory) {
        this.loops = new NettyLoopGroup(loopCount);
        this.memory = memory;
    }

    public NettyLoopGroup loops() {
        return loops;
    }

    ExecutorService blocking() {
        return blocking;
    }

    public ProcessMemory memory() {
        return memory;
    }

    private static ExecutorService blockingThreads() {
        AtomicInteger number = new AtomicInteger();
        ThreadFactory factory =
                task -> {
                    Thread thread = new Thread(task, "quoin-blocking-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                };
        return Executors.newFixedThreadPool(BLOCKING_THREADS_MAX, factory);
    }

    /** Once the volumes are closed. */
    @Override
    public void close() {
        try {
            blocking.shutdown();
            if (!blocking.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                blocking.shutdownNow();
            }
        } catch (InterruptedException e) {
            blocking.shutdownNow();
            Thread.currentThread().interrupt();
        } finally {
            loops.close();
        }
    }
}
