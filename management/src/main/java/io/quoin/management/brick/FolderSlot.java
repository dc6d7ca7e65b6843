package io.quoin.management.brick;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.Layout;
import io.quoin.replicate.store.BrickHost;
import io.quoin.replicate.wire.BrickSlot;
import io.quoin.replicate.wire.ServedBrick;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder with a brick, or an empty one that becomes a brick when one is claimed.
 *
 * <p>Threading: confined(loop).
 */
final class FolderSlot implements BrickSlot {
    private static final Logger LOG = LoggerFactory.getLogger(FolderSlot.class);

    private final Xlator folder;
    private final Loop loop;
    private final String boot;
    private final Consumer<Throwable> whenFailed;
    private @Nullable HostedBrick brick;
    private @Nullable CompletionStage<ServedBrick> claiming;
    private boolean isClosed;

    /**
     * @param boot as for {@link BrickHost#open}
     * @param whenFailed hears of the end of a brick that was served
     */
    FolderSlot(Xlator folder, Loop loop, String boot, Consumer<Throwable> whenFailed) {
        this.folder = folder;
        this.loop = loop;
        this.boot = boot;
        this.whenFailed = whenFailed;
    }

    /**
     * Opens the brick; done without one if the folder is empty. Fails as {@link BrickHost#open}.
     */
    CompletionStage<@Nullable HostedBrick> open() {
        return openHost()
                .exceptionallyCompose(
                        failure -> {
                            BlockException known = Stages.asBlockException(failure);
                            return known.error() == BlockError.ENOENT
                                    ? CompletableFuture.completedFuture(null)
                                    : CompletableFuture.failedFuture(known);
                        });
    }

    private CompletionStage<@Nullable HostedBrick> openHost() {
        return BrickHost.open(folder, loop, boot, BrickHost.LOG_BYTES)
                .thenApplyAsync(this::opened, loop);
    }

    private HostedBrick opened(BrickHost host) {
        HostedBrick opened = new HostedBrick(host);
        brick = opened;
        host.ended()
                .whenComplete(
                        (none, failure) -> {
                            if (failure != null) {
                                whenFailed.accept(failure);
                            }
                        });
        return opened;
    }

    @Override
    public @Nullable ServedBrick brick() {
        return brick;
    }

    @Override
    public CompletionStage<ServedBrick> claim(UUID volume, int index, Layout layout) {
        HostedBrick present = brick;
        CompletionStage<ServedBrick> under = claiming;
        if (present != null) {
            return CompletableFuture.completedFuture(present);
        }
        if (under != null) {
            return under;
        }
        if (isClosed) {
            return CompletableFuture.failedFuture(
                    new BlockException(BlockError.ESHUTDOWN, "the daemon is being stopped"));
        }
        CompletionStage<ServedBrick> made =
                BrickHost.format(folder, loop, volume, index, layout, BrickHost.LOG_BYTES)
                        .thenCompose(none -> openHost())
                        .thenApply(
                                opened -> {
                                    LOG.info(
                                            "Brick claimed: volume={}, index={}, layout={},"
                                                    + " brick={}",
                                            volume,
                                            index,
                                            layout.text(),
                                            opened.identity().brick());
                                    return opened;
                                });
        claiming = made;
        made.whenCompleteAsync((done, failure) -> claiming = null, loop);
        return made;
    }

    /** Takes no further claim, and closes the brick that there is, durably. */
    CompletionStage<Void> close() {
        isClosed = true;
        CompletionStage<ServedBrick> under = claiming;
        CompletionStage<Void> claimed =
                under == null
                        ? CompletableFuture.completedFuture(null)
                        : under.handle((done, failure) -> null);
        return claimed.thenComposeAsync(
                none -> {
                    HostedBrick present = brick;
                    return present == null
                            ? CompletableFuture.completedFuture(null)
                            : present.host().close();
                },
                loop);
    }
}
