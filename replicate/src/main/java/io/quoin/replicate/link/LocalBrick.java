package io.quoin.replicate.link;

import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Request;
import io.quoin.replicate.store.BrickHost;
import io.quoin.xlator.Stages;
import io.quoin.xlator.Xlator;
import io.quoin.xlator.loop.Loop;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A brick in this process, on files of an xlator. One that cannot be opened, or whose log fails, is
 * tried again until the link is closed.
 *
 * <p>Threading: thread-safe. The listener is called, and stages complete, on the brick's loop.
 */
final class LocalBrick implements BrickLink {
    private static final Logger LOG = LoggerFactory.getLogger(LocalBrick.class);
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final String node;
    private final Xlator below;
    private final Loop loop;
    private final BrickOptions wanted;
    private final Layout layout;
    private final String boot;
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable Listener listener;
    private @Nullable BrickHost host;

    /** Until files of an opening that came to nothing are closed, too. */
    private boolean isOpening;

    private boolean isClosed;
    private volatile @Nullable String failure;

    /**
     * @param loop the brick's own
     */
    LocalBrick(String node, Xlator below, Loop loop, BrickOptions wanted, Layout layout) {
        this.node = node;
        this.below = below;
        this.loop = loop;
        this.wanted = wanted;
        this.layout = layout;
        this.boot = BootId.current();
    }

    @Override
    public String address() {
        return below.name();
    }

    @Override
    public @Nullable String failure() {
        return failure;
    }

    @Override
    public void open(Listener newListener) {
        loop.execute(
                () -> {
                    listener = newListener;
                    begin();
                });
    }

    private void begin() {
        if (isClosed) {
            return;
        }
        isOpening = true;
        BrickHost.open(below, loop, wanted.volume(), boot, BrickHost.LOG_BYTES)
                .whenCompleteAsync(
                        (opened, why) -> {
                            if (why != null) {
                                failed(Stages.asBlockException(why));
                            } else {
                                opened(opened);
                            }
                        },
                        loop);
    }

    private void opened(BrickHost opened) {
        BrickIdentity identity = opened.identity();
        String refusal = wanted.refusal(identity);
        if (refusal == null && identity.layout() != layout) {
            refusal =
                    "brick has another layout: layout="
                            + identity.layout().text()
                            + ", expected="
                            + layout.text();
        }
        if (refusal != null || isClosed) {
            BlockException why = new BlockException(BlockError.EINVAL, String.valueOf(refusal));
            opened.close().whenCompleteAsync((none, second) -> failed(why), loop);
            return;
        }
        isOpening = false;
        host = opened;
        failure = null;
        LOG.info("Brick opened: node={}, index={}", node, identity.index());
        opened.ended().whenCompleteAsync((none, why) -> ended(why), loop);
        told().connected(identity);
    }

    /** The brick has let go of its files: closed, or without its log. */
    private void ended(@Nullable Throwable why) {
        host = null;
        if (isClosed) {
            closed.complete(null);
            return;
        }
        BlockException reason =
                why == null
                        ? new BlockException(BlockError.ESHUTDOWN, "brick is closed")
                        : Stages.asBlockException(why);
        told().disconnected(String.valueOf(reason.getMessage()));
        failed(reason);
    }

    private void failed(BlockException why) {
        isOpening = false;
        String reason = String.valueOf(why.getMessage());
        if (isClosed) {
            closed.complete(null);
            return;
        }
        if (!reason.equals(failure)) {
            LOG.warn("Brick not opened: node={}, reason={}", node, reason);
        }
        failure = reason;
        loop.schedule(RETRY_NANOS, this::begin);
    }

    private Listener told() {
        Listener present = listener;
        if (present == null) {
            throw new IllegalStateException("brick opened before the link was");
        }
        return present;
    }

    @Override
    public void send(UUID file, Request request) {
        loop.execute(
                () -> {
                    BrickHost present = host;
                    if (present != null) {
                        present.receive(file, request, reply -> told().received(file, reply));
                    }
                });
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        return call(present -> present.delete(file));
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return call(BrickHost::list);
    }

    @Override
    public CompletionStage<BrickSpace> space() {
        return call(BrickHost::space);
    }

    @Override
    public CompletionStage<BrickProbe> probe(UUID file) {
        return call(present -> present.probe(file));
    }

    private <T> CompletionStage<T> call(Function<BrickHost, CompletionStage<T>> call) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        loop.execute(
                () -> {
                    BrickHost present = host;
                    if (present == null) {
                        answer.completeExceptionally(notOpen());
                        return;
                    }
                    call.apply(present)
                            .whenComplete(
                                    (result, why) -> {
                                        if (why == null) {
                                            answer.complete(result);
                                        } else {
                                            answer.completeExceptionally(
                                                    Stages.asBlockException(why));
                                        }
                                    });
                });
        return answer;
    }

    private BlockException notOpen() {
        return new BlockException(
                BlockError.ENOTCONN, "brick is not open: node=" + node + ", reason=" + failure);
    }

    @Override
    public void close() {
        CompletionStage<Void> unused = closeAndWait();
    }

    /** As {@link #close}; completes once nothing of the brick is in use any more. */
    CompletionStage<Void> closeAndWait() {
        loop.execute(
                () -> {
                    isClosed = true;
                    BrickHost present = host;
                    if (present != null) {
                        CompletionStage<Void> unused = present.close();
                    } else if (!isOpening) {
                        closed.complete(null);
                    }
                });
        return closed;
    }
}
