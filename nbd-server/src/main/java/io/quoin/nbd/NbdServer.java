package io.quoin.nbd;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.util.NetUtil;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.peer.PeerLog;
import io.quoin.nbd.transmission.BufferPool;
import io.quoin.nbd.transmission.LoopShares;
import io.quoin.nbd.transmission.MemoryBudget;
import io.quoin.nbd.transmission.ReceiveSource;
import io.quoin.xlator.NameText;
import io.quoin.xlator.loop.LoopGroup;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running NBD server: fixed newstyle handshake, without TLS.
 *
 * <p>Threading: thread-safe.
 */
public final class NbdServer {
    private static final Logger LOG = LoggerFactory.getLogger(NbdServer.class);
    private static final int UNIX_SEND_BUFFER_BYTES = 1 << 20;

    private final NettyLoop acceptLoop;
    private final NbdServerOptions options;
    private final PeerLog peerLog = new PeerLog(LOG, System::nanoTime);

    /** Each guest may have many disks, and all guests of a host may start at once. */
    private final PeerLog attachLog = new PeerLog(LOG, System::nanoTime, 100, 1000);

    private final BufferPool buffers;
    private final Connection.Shared shared;
    private final List<Channel> listeners = new ArrayList<>();
    private final List<UnixSocketFile> socketFiles = new ArrayList<>();
    private final List<SocketAddress> boundAddresses = new ArrayList<>();
    private final Map<Long, Connection> connections = new ConcurrentHashMap<>();
    private final AtomicLong lastId = new AtomicLong();
    private final AtomicBoolean isClosing = new AtomicBoolean();

    /** Set at the shutdown, once every connection knows of it. */
    private volatile boolean isToldToAll;

    private final CompletableFuture<Void> closed = new CompletableFuture<>();

    private NbdServer(LoopGroup loops, ExportCatalogue catalogue, NbdServerOptions options) {
        this.acceptLoop = (NettyLoop) loops.next();
        this.options = options;
        this.buffers = new BufferPool(loops.loops().size());
        this.shared =
                new Connection.Shared(
                        acceptLoop,
                        catalogue,
                        options,
                        peerLog,
                        attachLog,
                        buffers,
                        new LoopShares());
    }

    /**
     * Listens. Blocks until every address is bound.
     *
     * @param loops Netty's; a connection's handshake runs on one of them, then it moves to the loop
     *     of its export
     * @param addresses {@link InetSocketAddress}, whose port 0 picks a free one, {@link
     *     UnixDomainSocketAddress}, or an {@link InheritedListener}
     * @throws BlockException naming the address that could not be bound; then none is
     */
    public static NbdServer start(
            LoopGroup loops,
            ExportCatalogue catalogue,
            List<? extends SocketAddress> addresses,
            NbdServerOptions options) {
        NbdServer server = new NbdServer(loops, catalogue, options);
        try {
            // Clients of one address must not use up what those of another need.
            long memoryBytes = options.memoryBytesMax() / Math.max(1, addresses.size());
            addresses.forEach(address -> server.bind(address, memoryBytes));
        } catch (BlockException e) {
            server.stopListening();
            throw e;
        }
        return server;
    }

    /** The addresses that it listens on, with the ports that were picked. */
    public List<SocketAddress> boundAddresses() {
        return List.copyOf(boundAddresses);
    }

    /** The connections of this moment, oldest first. */
    public List<NbdConnection> connections() {
        return connections.values().stream()
                .map(Connection::snapshot)
                .sorted((a, b) -> Long.compare(a.id(), b.id()))
                .toList();
    }

    /**
     * Closes the connections that have an export open, each once the requests that it has taken up
     * are answered. Clients that connect again learn the size that the export has by then; others
     * see their requests fail. Does not wait for the end of the connections.
     *
     * @return how many there were
     */
    public int disconnect(String export) {
        List<Connection> attached =
                connections.values().stream()
                        .filter(each -> each.snapshot().export().equals(export))
                        .toList();
        attached.forEach(Connection::disconnect);
        return attached.size();
    }

    /**
     * Stops: accepts no client, answers what is in flight, refuses what is new, flushes the disks
     * and closes the connections. A client that does not take its answers is cut off at the
     * shutdown time-out. The stage completes when all connections have let go of their exports, or,
     * with a warning in the log, when requests still have not ended after that time again.
     */
    @SuppressWarnings("FutureReturnValueIgnored") // the timers look for themselves what is left
    public CompletionStage<Void> close() {
        if (!isClosing.compareAndSet(false, true)) {
            return closed;
        }
        LOG.info("stopping: connections={}", connections.size());
        stopListening();
        long timeoutNanos = options.shutdownTimeout().toNanos();
        EventLoop accepting = acceptLoop.eventLoop();
        accepting.execute(
                () -> {
                    // Behind whatever was accepted before: each connection is in the map by now.
                    connections.values().forEach(Connection::beginShutdown);
                    isToldToAll = true;
                    completeIfIdle();
                });
        accepting.schedule(this::cutOff, timeoutNanos, TimeUnit.NANOSECONDS);
        accepting.schedule(this::giveUp, 2 * timeoutNanos, TimeUnit.NANOSECONDS);
        return closed;
    }

    private void cutOff() {
        if (!closed.isDone()) {
            LOG.warn("clients cut off: connections={}", connections.size());
            connections.values().forEach(Connection::abort);
        }
    }

    private void giveUp() {
        if (!closed.isDone()) {
            LOG.warn("requests have not ended: connections={}", connections());
            closed.complete(null);
        }
    }

    private void completeIfIdle() {
        // Not before: loops may end with the stage, and that goes through connections.
        if (isToldToAll && connections.isEmpty()) {
            buffers.close();
            closed.complete(null);
        }
    }

    private void bind(SocketAddress address, long memoryBytes) {
        if (address instanceof InheritedListener inherited) {
            requireEpoll(address);
            int descriptor = inherited.descriptor();
            ServerBootstrap bootstrap =
                    unix(bootstrap(address, memoryBytes))
                            .channelFactory(
                                    () -> new EpollServerDomainSocketChannel(descriptor, true));
            listening(bootstrap.register(), address);
            boundAddresses.add(address);
        } else if (address instanceof UnixDomainSocketAddress unix) {
            requireEpoll(address);
            UnixSocketFile file = new UnixSocketFile(unix.getPath());
            String bindPath = NameText.of(file.prepare());
            try {
                requireUtf8(bindPath, unix.getPath());
                listen(new DomainSocketAddress(bindPath), address, memoryBytes);
                file.publish(options.socketMode(), options.socketGroup());
            } finally {
                file.removeAside();
            }
            socketFiles.add(file);
            boundAddresses.add(address);
        } else {
            boundAddresses.add(listen(address, address, memoryBytes));
        }
        LOG.info("listening: address={}", boundAddresses.get(boundAddresses.size() - 1));
    }

    private static void requireEpoll(SocketAddress address) {
        if (!NettyLoopGroup.isEpoll()) {
            throw new BlockException(
                    BlockError.ENOTSUP, "cannot listen: socket=" + address + ", needs epoll");
        }
    }

    /** Netty writes paths in UTF-8, and something else for what that has no form for. */
    private static void requireUtf8(String bindPath, Path socket) {
        if (!NameText.isUtf8(bindPath)) {
            throw new BlockException(
                    BlockError.EINVAL,
                    "cannot listen: socket="
                            + NameText.printable(NameText.of(socket))
                            + ", expected=in a folder whose path is UTF-8");
        }
    }

    private SocketAddress listen(SocketAddress bindAddress, SocketAddress shown, long memoryBytes) {
        ServerBootstrap bootstrap = bootstrap(shown, memoryBytes);
        if (bindAddress instanceof DomainSocketAddress) {
            unix(bootstrap).channel(EpollServerDomainSocketChannel.class);
        } else {
            bootstrap
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(ChannelOption.SO_KEEPALIVE, true);
            if (NettyLoopGroup.isEpoll()) {
                bootstrap.channel(EpollServerSocketChannel.class);
            } else {
                bootstrap.channel(NioServerSocketChannel.class);
            }
        }
        // As many as the kernel allows: a host may start all its guests at once.
        bootstrap.option(ChannelOption.SO_BACKLOG, NetUtil.SOMAXCONN);
        return listening(bootstrap.bind(bindAddress), shown).localAddress();
    }

    // Half-closed clients still get their answers, and a failed send doesn't discard what was
    // received before it; Netty calls the second option deprecated and has no other.
    @SuppressWarnings("deprecation")
    private ServerBootstrap bootstrap(SocketAddress shown, long memoryBytes) {
        Portal portal =
                new Portal(
                        shown.toString(),
                        options.connectionsMax(),
                        options.connectionsPerPeerMax(),
                        new MemoryBudget(memoryBytes));
        EventLoop accepting = acceptLoop.eventLoop();
        return new ServerBootstrap()
                .group(accepting, accepting)
                .handler(new Gate(portal, isClosing::get, peerLog, System::nanoTime))
                .childHandler(new Initializer(portal))
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childOption(ChannelOption.AUTO_CLOSE, false)
                .childOption(ChannelOption.ALLOCATOR, buffers.allocator());
    }

    /** The kernel cuts the buffer to its own maximum, and doubles that. */
    private static ServerBootstrap unix(ServerBootstrap bootstrap) {
        return bootstrap.childOption(ChannelOption.SO_SNDBUF, UNIX_SEND_BUFFER_BYTES);
    }

    private Channel listening(ChannelFuture begun, SocketAddress shown) {
        begun.awaitUninterruptibly();
        if (!begun.isSuccess()) {
            throw new BlockException(
                    BlockError.EBUSY,
                    "cannot listen: address=" + shown + ", cause=" + Reason.of(begun.cause()),
                    begun.cause());
        }
        listeners.add(begun.channel());
        return begun.channel();
    }

    private void stopListening() {
        listeners.forEach(listener -> listener.close().awaitUninterruptibly());
        socketFiles.forEach(UnixSocketFile::remove);
    }

    private void ended(Connection connection) {
        if (connections.remove(connection.id()) != null) {
            connection.leavePortal();
        }
        completeIfIdle();
    }

    private final class Initializer extends ChannelInitializer<Channel> {
        private final Portal portal;

        Initializer(Portal portal) {
            this.portal = portal;
        }

        @Override
        protected void initChannel(Channel channel) {
            ReceiveSource source = new ReceiveSource();
            channel.config().setRecvByteBufAllocator(source);
            Connection connection =
                    new Connection(
                            lastId.incrementAndGet(),
                            channel,
                            shared,
                            portal,
                            Objects.requireNonNull(channel.attr(Gate.PEER).get()),
                            source,
                            NbdServer.this::ended);
            connections.put(connection.id(), connection);
            channel.pipeline().addLast("handshake", connection.negotiation());
        }
    }
}
