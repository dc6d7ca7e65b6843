package io.quoin.qcow2.compress;

import io.quoin.qcow2.layout.Qcow2Header;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Where compressing and decompressing is done, away from the loops, for all images of one xlator;
 * and the codecs, of which there are never more than tasks that ran at once.
 *
 * <p>Threading: thread-safe.
 */
public final class CompressionWorkers {
    private static final long IDLE_SECONDS = 60;

    private final Executor executor;
    private final Runnable stop;
    private final int parallelism;
    private final ConcurrentLinkedQueue<Codec> idleDeflate = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Codec> idleZstd = new ConcurrentLinkedQueue<>();

    private CompressionWorkers(Executor executor, int parallelism, Runnable stop) {
        this.executor = executor;
        this.parallelism = parallelism;
        this.stop = stop;
    }

    /** Runs tasks on {@code executor}, which is the caller's. */
    public static CompressionWorkers on(Executor executor) {
        return new CompressionWorkers(executor, 1, () -> {});
    }

    /** Has {@code threads} threads of its own, started when there is work. */
    public static CompressionWorkers ofThreads(String name, int threads) {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor pool =
                new ThreadPoolExecutor(
                        threads,
                        threads,
                        IDLE_SECONDS,
                        TimeUnit.SECONDS,
                        new LinkedBlockingQueue<>(),
                        task -> {
                            Thread thread =
                                    new Thread(
                                            task, name + "-compress-" + number.getAndIncrement());
                            thread.setDaemon(true);
                            return thread;
                        });
        pool.allowCoreThreadTimeOut(true);
        return new CompressionWorkers(pool, threads, pool::shutdown);
    }

    /** How many tasks run at once. */
    int parallelism() {
        return parallelism;
    }

    void execute(Runnable task) {
        executor.execute(task);
    }

    /**
     * A codec of the caller's own until {@link #give}.
     *
     * @param compressionType of the image's header
     */
    Codec take(int compressionType) {
        Codec idle = idle(compressionType).poll();
        if (idle != null) {
            return idle;
        }
        return compressionType == Qcow2Header.COMPRESSION_ZSTD
                ? new ZstdCodec()
                : new DeflateCodec();
    }

    void give(int compressionType, Codec codec) {
        idle(compressionType).add(codec);
    }

    private ConcurrentLinkedQueue<Codec> idle(int compressionType) {
        return compressionType == Qcow2Header.COMPRESSION_ZSTD ? idleZstd : idleDeflate;
    }

    /** Ends its threads; every image is closed before. */
    public void close() {
        stop.run();
        closeAll(idleDeflate);
        closeAll(idleZstd);
    }

    private static void closeAll(ConcurrentLinkedQueue<Codec> codecs) {
        for (Codec codec = codecs.poll(); codec != null; codec = codecs.poll()) {
            codec.close();
        }
    }
}
