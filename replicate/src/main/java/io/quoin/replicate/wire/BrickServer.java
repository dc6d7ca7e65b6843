package io.quoin.replicate.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves one brick, or the place for one, to gateways over TCP. Connections share the brick's loop,
 * so a request runs to completion where it arrives.
 *
 * <p>Memory is bounded: so many connections, and for requests in flight with their replies 24 MiB
 * for all connections together, of which each may use its part, 1 MiB at least. A connection that
 * would use more is not read until the brick has answered or the client has taken its replies.
 *
 * <p>Threading: thread-safe.
 */
@SuppressWarnings("FutureReturnValueIgnored") // connections tell their end by themselves
public final class BrickServer {
    /** Connections at once; further ones are closed as soon as they are made. */
    public static final int CONNECTIONS_MAX = 64;

    private static final Logger LOG = LoggerFactory.getLogger(BrickServer.class);
    private static final long IN_FLIGHT_BYTES_MAX = 24L << 20;
    private static final long CONNECTION_BYTES_MIN = 1L << 20;
    private static final int BACKLOG = 64;
    private static final long STOP_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final NettyLoop loop;
    private final BrickSlot slot;
    private final WireOptions options;
    private final @Nullable SslContext tls;
    private final PeerLog peerLog;
    private final Map<ServerConnection, Channel> connections = new LinkedHashMap<>();
    private final CompletableFuture<Void> stopped = new CompletableFuture<>();
    private final Channel listener;
    private boolean isStopping;

    private BrickServer(
            NettyLoop loop, BrickSlot slot, InetSocketAddress address, WireOptions options) {
        this.loop = loop;
        this.slot = slot;
        this.options = options;
        this.tls = options.tls() == null ? null : options.tls().server();
        this.peerLog = new PeerLog(LOG, loop::nanoTime);
        this.listener = listen(address);
    }

    /**
     * Listens; blocks until the address is bound.
     *
     * @param loop the brick's
     * @throws BlockException EPERM: an address that is not loopback, without TLS; EBUSY: the
     *     address cannot be bound; EINVAL: an unknown host, or a file of TLS that cannot be used
     */
    public static BrickServer start(
            NettyLoop loop, BrickSlot slot, BrickAddress address, WireOptions options) {
        InetSocketAddress resolved = address.resolve();
        options.check(resolved);
        return new BrickServer(loop, slot, resolved, options);
    }

    /** As for a place that has a brick. */
    public static BrickServer start(
            NettyLoop loop, ServedBrick brick, BrickAddress address, WireOptions options) {
        return start(loop, BrickSlot.of(brick), address, options);
    }

    /** Where it listens, with the port that was picked. */
    public BrickAddress address() {
        return BrickAddress.of((InetSocketAddress) listener.localAddress());
    }

    /**
     * Stops: takes no further connection or request, answers what is in flight for at most five
     * seconds, and tells clients why it ends. The brick is not called once the stage is complete.
     */
    public CompletionStage<Void> stop() {
        loop.execute(this::stopInLoop);
        return stopped;
    }

    private void stopInLoop() {
        if (isStopping) {
            return;
        }
        isStopping = true;
        listener.close();
        new ArrayList<>(connections.keySet()).forEach(ServerConnection::stop);
        loop.schedule(STOP_NANOS, this::cutOff);
        completeIfIdle();
    }

    private void cutOff() {
        new ArrayList<>(connections.keySet())
                .forEach(connection -> connection.channel().end("stopped"));
    }

    private void completeIfIdle() {
        if (isStopping && connections.isEmpty()) {
            stopped.complete(null);
        }
    }

    private Channel listen(InetSocketAddress address) {
        ServerBootstrap bootstrap =
                new ServerBootstrap()
                        .group(loop.eventLoop(), loop.eventLoop())
                        .option(ChannelOption.SO_BACKLOG, BACKLOG)
                        .option(ChannelOption.SO_REUSEADDR, true)
                        .childOption(ChannelOption.TCP_NODELAY, true)
                        .childOption(ChannelOption.SO_KEEPALIVE, true)
                        .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                        .childHandler(new Initializer());
        if (NettyLoopGroup.isEpoll()) {
            bootstrap.channel(EpollServerSocketChannel.class);
        } else {
            bootstrap.channel(NioServerSocketChannel.class);
        }
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen: address="
                            + BrickAddress.of(address)
                            + ", reason="
                            + Reason.of(bound.cause()),
                    bound.cause());
        }
        return bound.channel();
    }

    private final class Initializer extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel channel) {
            if (isStopping || connections.size() >= CONNECTIONS_MAX) {
                peerLog.info(
                        "Connection refused",
                        channel.remoteAddress(),
                        "connections=" + connections.size() + ", expected<" + CONNECTIONS_MAX);
                channel.close();
                return;
            }
            ServerConnection connection =
                    new ServerConnection(
                            loop,
                            slot,
                            options,
                            BrickServer.this::allowedBytes,
                            BrickServer.this::ended);
            connections.put(connection, channel);
            if (tls != null) {
                channel.pipeline().addLast(tls.newHandler(channel.alloc()));
            }
            channel.pipeline().addLast(connection.channel());
        }
    }

    /** Of one connection. */
    private long allowedBytes() {
        return Math.max(CONNECTION_BYTES_MIN, IN_FLIGHT_BYTES_MAX / connections.size());
    }

    private void ended(ServerConnection connection, String reason) {
        Channel channel = connections.remove(connection);
        if (channel != null && !connection.isClaim()) {
            String event = connection.isGreeted() ? "Gateway gone" : "Connection refused";
            peerLog.info(event, channel.remoteAddress(), "reason=" + reason);
        }
        completeIfIdle();
    }
}
