package io.quoin.management.brick;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.store.BrickHost;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.BrickServer;
import io.quoin.xlator.NameText;
import io.quoin.xlator.Stages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves the brick of one folder; an empty folder becomes a brick when one is claimed. Once its
 * storage or its log fails, or an error of the program may have spoilt what it has in memory, it
 * serves no more and tells so: its process has to end, which loses no more than a kill does.
 *
 * <p>Threading: thread-safe.
 */
public final class BrickDaemon implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BrickDaemon.class);
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

    /** A little longer than {@link BrickServer#stop} takes. */
    private static final long STOP_SECONDS = 7;

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final CompletableFuture<String> failed = new CompletableFuture<>();
    private final BrickServer server;
    private final @Nullable BrickIdentity identity;

    private BrickDaemon(BrickOptions options) {
        try {
            BrickFolder.requireThere(options.folder());
            BrickFolder folder =
                    add(
                            BrickFolder.open(
                                    options.folder(),
                                    cause -> fail("an error of the program: " + cause)));
            FolderSlot slot =
                    new FolderSlot(
                            folder.xlator(),
                            folder.loop(),
                            bootId(),
                            cause -> fail(Reason.of(cause)));
            HostedBrick brick = Stages.await(slot.open());
            parts.push(() -> closeSlot(folder, slot));
            identity = brick == null ? null : brick.identity();
            server = BrickServer.start(folder.loop(), slot, options.listen(), options.wire());
            parts.push(() -> Stages.await(server.stop()));
            HealthCheck health =
                    add(
                            new HealthCheck(
                                    new FolderProbe(options.folder()),
                                    folder.loop(),
                                    options.healthTimeout(),
                                    reason -> fail("storage does not work: " + reason)));
            health.start(options.healthInterval());
        } catch (RuntimeException | Error e) {
            try {
                close();
            } catch (RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /**
     * Starts to serve.
     *
     * @throws BlockException naming what is in the way: a folder that is missing, in use, damaged
     *     or neither a brick nor empty; an address that is taken, or needs TLS
     */
    public static BrickDaemon start(BrickOptions options) {
        BrickDaemon daemon = new BrickDaemon(options);
        BrickIdentity served = daemon.identity;
        LOG.info(
                "Serving: path={}, address={}, brick={}",
                NameText.of(options.folder()),
                daemon.address(),
                served == null ? "none yet" : served);
        return daemon;
    }

    /**
     * Makes an empty folder, or one that is missing, a brick.
     *
     * @throws BlockException EEXIST if there is anything in it, EBUSY if it is in use, EINVAL if
     *     the index is none of the layout's
     */
    public static BrickIdentity format(Path path, UUID volume, int index, Layout layout) {
        if (index < 0 || index >= layout.voters()) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "illegal index: value="
                            + index
                            + ", expected=0 to "
                            + (layout.voters() - 1)
                            + " for "
                            + layout.text());
        }
        try (BrickFolder folder = BrickFolder.open(path, cause -> {})) {
            Stages.await(
                    BrickHost.format(
                            folder.xlator(),
                            folder.loop(),
                            volume,
                            index,
                            layout,
                            BrickHost.LOG_BYTES));
            FolderSlot slot = new FolderSlot(folder.xlator(), folder.loop(), bootId(), cause -> {});
            HostedBrick brick = Stages.await(slot.open());
            closeSlot(folder, slot);
            if (brick == null) {
                throw new BlockException(
                        BlockError.EIO, "brick is gone: path=" + NameText.of(path));
            }
            return brick.identity();
        }
    }

    /**
     * Takes {@link #format} back, for a brick that has not been used since; the folder stays.
     *
     * @throws BlockException EBUSY if it is in use, EEXIST if there is more in it than a new brick
     *     has
     */
    public static void unformat(Path path) {
        try (BrickFolder folder = BrickFolder.open(path, cause -> {})) {
            Stages.await(BrickHost.unformat(folder.xlator()));
        }
    }

    /** Whether a folder has the label of a brick. */
    public static boolean isFormatted(Path path) {
        return Files.exists(path.resolve(BrickHost.LABEL_FILE));
    }

    /** Another one after each start of the machine. Without one nothing unsynced is relied on. */
    private static String bootId() {
        try {
            return Files.readString(BOOT_ID).strip();
        } catch (IOException e) {
            return UUID.randomUUID().toString();
        }
    }

    private static void closeSlot(BrickFolder folder, FolderSlot slot) {
        CompletableFuture<Void> closed = new CompletableFuture<>();
        folder.loop()
                .execute(
                        () ->
                                slot.close()
                                        .whenComplete(
                                                (none, failure) -> {
                                                    if (failure == null) {
                                                        closed.complete(null);
                                                    } else {
                                                        closed.completeExceptionally(failure);
                                                    }
                                                }));
        Stages.await(closed);
    }

    private <T extends AutoCloseable> T add(T part) {
        parts.push(part);
        return part;
    }

    /** Where it listens, with the port that was picked. */
    public BrickAddress address() {
        return server.address();
    }

    /** Which brick it was at the start; null if the folder was empty. */
    public @Nullable BrickIdentity identity() {
        return identity;
    }

    private void fail(String reason) {
        failed.complete(reason);
    }

    /**
     * Waits until it cannot serve any more, and then ends its connections. It is not closed then,
     * since that could wait for ever for storage that does not answer.
     *
     * @return why
     */
    public String awaitFailure() {
        String reason = Stages.awaitTheEnd(failed);
        LOG.error("Brick cannot be served any more: {}", reason);
        try {
            server.stop().toCompletableFuture().get(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.warn("Connections are cut: reason={}", Reason.of(e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return reason;
    }

    /** Answers what is in flight, makes everything durable, and lets go of the folder. */
    @Override
    public synchronized void close() {
        RuntimeException first = null;
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                RuntimeException failure = Stages.asBlockException(e);
                if (first == null) {
                    first = failure;
                } else {
                    first.addSuppressed(failure);
                }
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
