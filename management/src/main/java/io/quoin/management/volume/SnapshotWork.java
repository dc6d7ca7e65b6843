package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.snapshot.SnapshotProgress;
import io.quoin.xlator.Stages;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Long work on a snapshot. The image tells on its loop how far it is, and a thread that may wait
 * hands that on.
 *
 * <p>Threading: thread-safe.
 */
final class SnapshotWork implements SnapshotProgress {
    private static final long POLL_MILLIS = 500;

    private volatile Steps steps = new Steps(0, 0);
    private volatile boolean stopped;

    private record Steps(long done, long total) {}

    @Override
    public boolean advanced(long done, long total) {
        steps = new Steps(done, total);
        return !stopped;
    }

    /** Whether it was told to stop, for the end or for a pause. */
    boolean isStopped() {
        return stopped;
    }

    /** Waits for the end, however long it takes; work that is to be stopped has to end too. */
    <T> T await(CompletionStage<T> work, CheckEvents events) {
        while (true) {
            try {
                return work.toCompletableFuture().get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException running) {
                Steps now = steps;
                stopped |= !events.progress(now.done(), now.total()) || events.isPaused();
            } catch (ExecutionException e) {
                throw Stages.asBlockException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
            }
        }
    }
}
