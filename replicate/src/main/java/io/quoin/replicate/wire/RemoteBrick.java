package io.quoin.replicate.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.ssl.SslContext;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.BrickProbe;
import io.quoin.replicate.BrickSpace;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.message.Answer;
import io.quoin.replicate.wire.message.Call;
import io.quoin.xlator.loop.NettyLoop;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A brick in another process, over TCP: connects again by itself until it is closed.
 *
 * <p>A request goes out only behind its session's {@code Promise} on the same connection; others
 * are dropped. So of a session in which a request was lost none arrives any more, however soon the
 * connection is up again. What was sent and is not taken in time, or is too much, ends the
 * connection; nothing is left out in its middle.
 *
 * <p>Threading: thread-safe; the requests of one file come from one thread. The listener is called,
 * and stages complete, on the link's loop. Nothing is told after {@link #close} has been carried
 * out there.
 */
@SuppressWarnings("FutureReturnValueIgnored") // connections tell their end by themselves
public final class RemoteBrick implements BrickLink {
    private static final Logger LOG = LoggerFactory.getLogger(RemoteBrick.class);

    private final NettyLoop loop;
    private final BrickAddress address;
    private final UUID volume;
    private final int index;
    private final @Nullable UUID brick;
    private final WireOptions options;
    private final @Nullable SslContext tls;
    private @Nullable Listener listener;
    private @Nullable ClientConnection connection;
    private long backoffNanos;
    private boolean isClosed;
    private volatile @Nullable String failure;

    /** A link that is not open yet, to whichever brick has the index. */
    public RemoteBrick(
            NettyLoop loop, BrickAddress address, UUID volume, int index, WireOptions options) {
        this(loop, address, volume, index, null, options);
    }

    /**
     * A link that is not open yet.
     *
     * @param loop what it lives on
     * @param volume the one that the brick must be of
     * @param index the number in its replica set that the brick must have
     * @param brick the one that it must be; null: whichever has the index
     * @throws BlockException with EINVAL, if a file of TLS cannot be used
     */
    public RemoteBrick(
            NettyLoop loop,
            BrickAddress address,
            UUID volume,
            int index,
            @Nullable UUID brick,
            WireOptions options) {
        this.loop = loop;
        this.address = address;
        this.volume = volume;
        this.index = index;
        this.brick = brick;
        this.options = options;
        this.tls = options.tls() == null ? null : options.tls().client();
        this.backoffNanos = options.timing().backoffMinNanos();
    }

    @Override
    public @Nullable String failure() {
        return failure;
    }

    @Override
    public String address() {
        return address.toString();
    }

    @Override
    public void open(Listener newListener) {
        loop.execute(
                () -> {
                    listener = newListener;
                    connect();
                });
    }

    @Override
    public void close() {
        loop.execute(
                () -> {
                    isClosed = true;
                    ClientConnection present = connection;
                    if (present != null) {
                        present.channel().end("closed");
                    }
                });
    }

    /**
     * Sends a request.
     *
     * @throws IllegalArgumentException if it has more data than {@value
     *     FrameLayout#PAYLOAD_BYTES_MAX} bytes, or asks for more
     */
    @Override
    public void send(UUID file, Request request) {
        RequestCodec.check(request);
        if (loop.inLoop()) {
            sendInLoop(file, request);
        } else {
            loop.execute(() -> sendInLoop(file, request));
        }
    }

    private void sendInLoop(UUID file, Request request) {
        ClientConnection present = connection;
        if (present != null && present.isUp()) {
            present.send(file, request);
        }
    }

    @Override
    public CompletionStage<Void> delete(UUID file) {
        return call(CallCodec.delete(file), CallCodec::deleted);
    }

    @Override
    public CompletionStage<List<UUID>> list() {
        return call(CallCodec.list(), CallCodec::filesOf);
    }

    @Override
    public CompletionStage<BrickSpace> space() {
        return call(CallCodec.space(), CallCodec::spaceOf);
    }

    @Override
    public CompletionStage<BrickProbe> probe(UUID file) {
        return call(CallCodec.probe(file), CallCodec::probeOf);
    }

    private <T> CompletionStage<T> call(Call.Builder call, Function<Answer, T> result) {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        loop.execute(
                () -> {
                    ClientConnection present = connection;
                    if (present != null && present.isUp()) {
                        present.call(call, answer::complete, answer::completeExceptionally);
                    } else {
                        answer.completeExceptionally(notConnected());
                    }
                });
        return answer.thenApply(result);
    }

    private BlockException notConnected() {
        return new BlockException(
                BlockError.ENOTCONN,
                "brick is not connected: address=" + address + ", reason=" + failure);
    }

    private void connect() {
        if (isClosed) {
            return;
        }
        // Names are looked up elsewhere, since that may block.
        CompletableFuture.supplyAsync(address::resolve)
                .whenComplete(
                        (resolved, unknown) -> loop.execute(() -> connectTo(resolved, unknown)));
    }

    private void connectTo(@Nullable InetSocketAddress resolved, @Nullable Throwable unknown) {
        if (isClosed) {
            return;
        }
        if (resolved == null) {
            failed(unknown == null ? "unknown host" : Reason.of(unknown));
            return;
        }
        try {
            options.check(resolved);
        } catch (BlockException e) {
            failed(String.valueOf(e.getMessage()));
            return;
        }
        Attempt attempt = new Attempt();
        connection = attempt.connection;
        ClientSocket.connect(loop, resolved, attempt)
                .addListener(
                        done -> {
                            if (!done.isSuccess()) {
                                attempt.connection.channel().end(Reason.of(done.cause()));
                            }
                        });
    }

    /** One connection, from its first step to its end. */
    private final class Attempt extends ChannelInitializer<Channel>
            implements ClientConnection.Link {
        private final ClientConnection connection =
                new ClientConnection(loop, options, volume, index, this);
        private boolean wasUp;

        @Override
        protected void initChannel(Channel channel) {
            if (tls != null) {
                channel.pipeline()
                        .addLast(tls.newHandler(channel.alloc(), address.host(), address.port()));
            }
            channel.pipeline().addLast(connection.channel());
        }

        @Override
        public void up(BrickIdentity identity) {
            if (brick != null && !identity.brick().equals(brick)) {
                throw new WireException(
                        "another brick with the same index: brick="
                                + identity.brick()
                                + ", expected="
                                + brick);
            }
            wasUp = true;
            failure = null;
            LOG.info("Brick connected: address={}, index={}", address, index);
            told().connected(identity);
        }

        @Override
        public void stillUp() {
            backoffNanos = options.timing().backoffMinNanos();
        }

        @Override
        public void received(UUID file, Reply reply) {
            told().received(file, reply);
        }

        @Override
        public void ended(String reason) {
            RemoteBrick.this.connection = null;
            failed(reason);
            if (wasUp && !isClosed) {
                told().disconnected(reason);
            }
        }
    }

    private Listener told() {
        Listener present = listener;
        if (present == null) {
            throw new IllegalStateException("connected before it was opened");
        }
        return present;
    }

    private void failed(String reason) {
        if (!reason.equals(failure)) {
            LOG.info(
                    "Brick not connected: address={}, index={}, reason={}", address, index, reason);
        }
        failure = reason;
        if (!isClosed) {
            loop.schedule(backoffNanos, this::connect);
            backoffNanos = Math.min(2 * backoffNanos, options.timing().backoffMaxNanos());
        }
    }
}
