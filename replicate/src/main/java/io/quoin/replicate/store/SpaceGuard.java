package io.quoin.replicate.store;

import io.quoin.xlator.StorageSpace;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a part of the storage free that data may not take, for the log, the checksums and the file
 * system. Between two looks at the storage every byte written counts as taken; before a write is
 * refused, the storage is looked at.
 *
 * <p>Threading: confined(loop).
 */
final class SpaceGuard {
    private static final long RESERVE_PERCENT = 2;

    /** So that a checkpoint always fits, which is a second log beside the first. */
    private static final long RESERVE_BYTES_MIN = 2 * BrickHost.LOG_BYTES;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Xlator below;
    private final Loop loop;
    private List<Waiter> waiting = new ArrayList<>();
    private long freeBytes;
    private long lookedAtNanos;
    private boolean isLooking;

    private record Waiter(long bytes, Consumer<Boolean> then) {}

    SpaceGuard(Xlator below, Loop loop) {
        this.below = below;
        this.loop = loop;
    }

    /** Tells, perhaps at once, whether so many bytes may be written. */
    void admit(long bytes, Consumer<Boolean> then) {
        if (freeBytes >= bytes) {
            freeBytes -= bytes;
            if (loop.nanoTime() - lookedAtNanos > LOOK_NANOS) {
                look();
            }
            then.accept(true);
        } else {
            waiting.add(new Waiter(bytes, then));
            look();
        }
    }

    private void look() {
        if (isLooking) {
            return;
        }
        isLooking = true;
        below.statfs()
                .whenCompleteAsync(
                        (space, failure) -> looked(failure == null ? space : null), loop);
    }

    /** Storage that does not tell its space is written to until it refuses. */
    private void looked(@Nullable StorageSpace space) {
        isLooking = false;
        lookedAtNanos = loop.nanoTime();
        freeBytes =
                space == null
                        ? Long.MAX_VALUE
                        : space.availableBytes()
                                - Math.max(
                                        RESERVE_BYTES_MIN,
                                        space.sizeBytes() / 100 * RESERVE_PERCENT);
        List<Waiter> ready = waiting;
        waiting = new ArrayList<>();
        for (Waiter waiter : ready) {
            boolean fits = freeBytes >= waiter.bytes;
            freeBytes -= fits ? waiter.bytes : 0;
            waiter.then.accept(fits);
        }
    }
}
