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

/**
 * Threads that look at L2 tables side by side: most of the time of a check goes there.
 *
 * <p>Threading: confined to the check, which waits while they work.
 */
final class TableWorkers implements AutoCloseable {
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

    /** Looks at tables. */
    interface Visitor {
        /** Those from index {@code from} up to {@code to}. */
        void visit(long[] hostOffsets, int from, int to);
    }

    /**
     * Gives each table to one of {@code visitors}, of which each has a thread of its own; comes
     * back when all are done.
     *
     * @param offsets where the tables are
     * @param together so many at most are given at once
     */
    void visit(long[] offsets, int together, List<? extends Visitor> visitors) {
        if (offsets.length == 0) {
            return;
        }
        AtomicInteger next = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        for (Visitor visitor : visitors) {
            all.add(
                    pool.submit(
                            () -> {
                                int from = next.getAndAdd(together);
                                while (from < offsets.length) {
                                    int to = Math.min(from + together, offsets.length);
                                    visitor.visit(offsets, from, to);
                                    from = next.getAndAdd(together);
                                }
                            }));
        }
        await(all, next, offsets.length);
    }

    private static void await(List<Future<?>> all, AtomicInteger next, int end) {
        RuntimeException failure = null;
        for (Future<?> one : all) {
            try {
                one.get();
            } catch (ExecutionException e) {
                next.set(end);
                failure = e.getCause() instanceof RuntimeException cause ? cause : failed(e);
            } catch (InterruptedException e) {
                next.set(end);
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
