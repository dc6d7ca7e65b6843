package io.quoin.qcow2.check;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import org.agrona.collections.LongArrayList;

/**
 * Threads that look at L2 tables side by side: most of the time of a check goes there.
 *
 * <p>Threading: confined to the check, which waits while they work.
 */
final class TableWorkers implements AutoCloseable {
    /** Tables of a batch: progress is told in between. */
    static final int BATCH = 256;

    private final int threads;
    private final ExecutorService pool;

    TableWorkers(int threads) {
        this.threads = threads;
        this.pool =
                Executors.newFixedThreadPool(
                        threads,
                        task -> {
                            Thread thread = new Thread(task, "qcow2-check");
                            thread.setDaemon(true);
                            return thread;
                        });
    }

    int threads() {
        return threads;
    }

    /**
     * Gives each offset to one of {@code visitors}, of which each has a thread of its own; comes
     * back when all are done.
     */
    void visit(LongArrayList offsets, List<? extends LongConsumer> visitors) {
        if (offsets.isEmpty()) {
            return;
        }
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        for (LongConsumer visitor : visitors) {
            all.add(
                    pool.submit(
                            () -> {
                                for (int i = next.getAndIncrement();
                                        i < offsets.size();
                                        i = next.getAndIncrement()) {
                                    visitor.accept(offsets.getLong(i));
                                }
                            }));
        }
        RuntimeException failure = null;
        for (Future<?> one : all) {
            try {
                one.get();
            } catch (ExecutionException e) {
                next.set(offsets.size());
                failure = e.getCause() instanceof RuntimeException cause ? cause : failed(e);
            } catch (InterruptedException e) {
                next.set(offsets.size());
                Thread.currentThread().interrupt();
                failure = failed(e);
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static BlockException failed(Exception e) {
        return new BlockException(BlockError.EIO, "qcow2 check: tables were not read", e);
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}
