package io.quoin.management.daemon;

import io.quoin.block.BlockException;
import io.quoin.management.volume.TrashView;
import io.quoin.management.volume.VolumeTrash;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Purges what has expired in the trash, when a service starts and every ten minutes.
 *
 * <p>Threading: thread-safe; works on a thread of its own.
 */
final class TrashTimer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrashTimer.class);
    private static final long PERIOD_SECONDS = 600;
    private static final long END_SECONDS = 10;

    private final VolumeTrash trash;
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    task -> {
                        Thread named = new Thread(task, "quoin-trash");
                        named.setDaemon(true);
                        return named;
                    });

    private TrashTimer(VolumeTrash trash) {
        this.trash = trash;
    }

    // The task catches what may fail.
    @SuppressWarnings("FutureReturnValueIgnored")
    static TrashTimer start(VolumeTrash trash) {
        TrashTimer timer = new TrashTimer(trash);
        timer.thread.scheduleWithFixedDelay(timer::purge, 0, PERIOD_SECONDS, TimeUnit.SECONDS);
        return timer;
    }

    private void purge() {
        try {
            List<TrashView> gone = trash.empty(true);
            gone.forEach(
                    disk ->
                            LOG.info(
                                    "Disk in the trash has expired and is gone: name={}, id={}",
                                    disk.name(),
                                    disk.id()));
        } catch (BlockException e) {
            LOG.warn("Trash cannot be looked at: {}", e.getMessage());
        }
    }

    /** Waits for what is being removed. */
    @Override
    public void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException e) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
