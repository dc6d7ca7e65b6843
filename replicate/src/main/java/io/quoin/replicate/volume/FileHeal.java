package io.quoin.replicate.volume;

import io.quoin.replicate.Gateway;
import io.quoin.replicate.Health;
import io.quoin.xlator.loop.Loop;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Waits until an open file is healed, as far as its bricks can be reached: its gateway heals by
 * itself.
 *
 * <p>Threading: confined(loop).
 */
final class FileHeal {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final Links links;
    private final SharedCopies copies;
    private final Loop loop;
    private final Consumer<ReplicaFileHealth> progress;
    private final CompletableFuture<ReplicaFileHealth> ended = new CompletableFuture<>();

    FileHeal(Links links, SharedCopies copies, Loop loop, Consumer<ReplicaFileHealth> progress) {
        this.links = links;
        this.copies = copies;
        this.loop = loop;
        this.progress = progress;
    }

    CompletionStage<ReplicaFileHealth> begin() {
        look();
        return ended;
    }

    private void look() {
        copies.health(
                health -> {
                    progress.accept(health);
                    if (isDone(health)) {
                        ended.complete(health);
                    } else {
                        loop.schedule(LOOK_NANOS, this::look);
                    }
                });
    }

    private boolean isDone(ReplicaFileHealth health) {
        boolean isOver =
                health.state() == Gateway.State.FENCED
                        || health.state() == Gateway.State.CACHE_LOST;
        return isOver || health.health().members().stream().allMatch(this::isSettled);
    }

    private boolean isSettled(Health.Part part) {
        boolean isArbiter = !links.layout().isData(part.brick());
        return !links.isUp(part.brick())
                || part.role() == Health.Role.IN_SYNC
                || part.role() == Health.Role.FULL
                || (isArbiter && part.role() == Health.Role.VOTER);
    }
}
