package io.quoin.management.volume;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.qcow2.check.CheckListener;
import io.quoin.qcow2.info.SpaceUsage;
import io.quoin.qcow2.served.CheckControl;
import io.quoin.xlator.Stages;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What the disks of a volume and their snapshots take of their images.
 *
 * <p>Threading: thread-safe.
 */
public final class VolumeUsage {
    private static final long POLL_MILLIS = 200;

    private final OpenDisks disks;

    VolumeUsage(OpenDisks disks) {
        this.disks = disks;
    }

    /**
     * Of one disk, attached or not, at one moment soon after the call. Waits.
     *
     * @return empty where the format has nothing to share, as raw
     * @throws BlockException as {@link CheckControl#usage} fails, ESHUTDOWN once {@code events}
     *     wants no more
     */
    public Optional<SpaceUsage> of(String name, CheckEvents events) {
        AttachedDisk disk = Stages.awaitTheEnd(disks.attach(name));
        try {
            Work work = new Work();
            return work.await(
                    CompletableFuture.supplyAsync(
                                    () -> CheckControl.of(disk.file()).map(c -> c.usage(work)),
                                    disk.loop())
                            .thenCompose(VolumeUsage::inside),
                    events);
        } finally {
            Stages.await(disk.close());
        }
    }

    private static CompletionStage<Optional<SpaceUsage>> inside(
            Optional<CompletionStage<SpaceUsage>> usage) {
        return usage.isEmpty()
                ? CompletableFuture.completedFuture(Optional.empty())
                : usage.get().thenApply(Optional::of);
    }

    /** One count, which tells on a thread of its own how far it is. */
    private static final class Work implements CheckListener {
        private volatile long done;
        private volatile long total;
        private volatile boolean stopped;

        @Override
        public void progress(long nowDone, long nowTotal) {
            done = nowDone;
            total = nowTotal;
            if (stopped) {
                throw new BlockException(BlockError.ESHUTDOWN, "the count was stopped");
            }
        }

        <T> T await(CompletableFuture<T> ended, CheckEvents events) {
            while (true) {
                try {
                    return ended.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException running) {
                    stopped |= !events.progress(done, total);
                } catch (ExecutionException e) {
                    throw Stages.asBlockException(e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new BlockException(BlockError.ESHUTDOWN, "interrupted while waiting", e);
                }
            }
        }
    }
}
