package io.quoin.nbd;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.PeerCredentials;
import io.quoin.nbd.export.ExportCatalogue;
import io.quoin.nbd.negotiation.Handover;
import io.quoin.nbd.negotiation.NegotiationHandler;
import io.quoin.nbd.peer.ClientText;
import io.quoin.nbd.peer.PeerLog;
import io.quoin.nbd.transmission.BufferPool;
import io.quoin.nbd.transmission.LoopShares;
import io.quoin.nbd.transmission.ReceiveSource;
import io.quoin.nbd.transmission.Session;
import io.quoin.nbd.transmission.TransmissionHandler;
import io.quoin.xlator.loop.NettyLoop;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An accepted connection through its life: handshake, move to the loop of its disk, transmission.
 *
 * <p>Threading: thread-safe.
 */
final class Connection implements Handover {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private final long id;
    private final Channel channel;
    private final String peer;
    private final @Nullable PeerCredentials process;
    private final Instant since = Instant.now();
    private final PeerLog attachLog;
    private final Portal portal;
    private final String place;
    private final BufferPool buffers;
    private final LoopShares shares;
    private final TransmissionHandler.Limits limits;
    private final ReceiveSource source;
    private final NegotiationHandler negotiation;
    private final Consumer<Connection> onEnd;
    private volatile String export = "";
    private volatile @Nullable TransmissionHandler transmission;
    private volatile boolean isShuttingDown;

    /**
     * What all connections of a server have in common.
     *
     * @param loop that accepts, and that handshakes run on
     * @param attachLog says which clients come and go
     */
    record Shared(
            NettyLoop loop,
            ExportCatalogue catalogue,
            NbdServerOptions options,
            PeerLog peerLog,
            PeerLog attachLog,
            BufferPool buffers,
            LoopShares shares) {}

    /**
     * @param place what has the place in {@code portal} that it takes
     */
    Connection(
            long id,
            Channel channel,
            Shared shared,
            Portal portal,
            String place,
            ReceiveSource source,
            Consumer<Connection> onEnd) {
        this.id = id;
        this.channel = channel;
        this.peer = name(channel);
        this.process = process(channel);
        this.attachLog = shared.attachLog();
        this.source = source;
        this.portal = portal;
        this.place = place;
        this.buffers = shared.buffers();
        this.shares = shared.shares();
        NbdServerOptions options = shared.options();
        this.limits =
                new TransmissionHandler.Limits(
                        options.requestsInFlightMax(),
                        options.bytesInFlightMax(),
                        options.stallTimeout());
        this.onEnd = onEnd;
        NegotiationHandler.Peer client = new NegotiationHandler.Peer(place, shared.peerLog());
        this.negotiation =
                new NegotiationHandler(
                        shared.catalogue(),
                        shared.loop(),
                        client,
                        options.handshakeTimeout(),
                        this);
        LOG.debug("connection accepted: id={}, peer={}", id, peer);
    }

    private static String name(Channel channel) {
        return channel.remoteAddress() instanceof InetSocketAddress address
                ? address.getAddress().getHostAddress() + ":" + address.getPort()
                : "unix";
    }

    /** At the other end of a unix socket; null for others, and for one that is gone already. */
    private static @Nullable PeerCredentials process(Channel channel) {
        try {
            return channel instanceof EpollDomainSocketChannel unix ? unix.peerCredentials() : null;
        } catch (IOException e) {
            LOG.debug("client is gone before it could be looked at", e);
            return null;
        }
    }

    long id() {
        return id;
    }

    void leavePortal() {
        portal.leave(place);
    }

    NegotiationHandler negotiation() {
        return negotiation;
    }

    NbdConnection snapshot() {
        TransmissionHandler present = transmission;
        return new NbdConnection(
                id,
                peer,
                process == null ? null : process.pid(),
                process == null ? null : process.uid(),
                since,
                export,
                present == null ? 0 : present.inFlight(),
                present == null ? 0 : present.requests());
    }

    @Override
    public void enter(
            ChannelHandlerContext handshake,
            Session session,
            Supplier<ByteBuf> leftover,
            Runnable answer) {
        EventLoop target = ((NettyLoop) session.export().loop()).eventLoop();
        if (target == channel.eventLoop()) {
            transmit(handshake, session, leftover, answer);
            return;
        }
        // A request then runs to completion on one thread: its disk's.
        channel.deregister()
                .addListener(
                        unregistered ->
                                target.register(channel)
                                        .addListener(
                                                (ChannelFuture moved) ->
                                                        target.execute(
                                                                () ->
                                                                        arrive(
                                                                                moved, handshake,
                                                                                session, leftover,
                                                                                answer))));
    }

    private void arrive(
            ChannelFuture moved,
            ChannelHandlerContext handshake,
            Session session,
            Supplier<ByteBuf> leftover,
            Runnable answer) {
        if (moved.isSuccess()) {
            transmit(handshake, session, leftover, answer);
            return;
        }
        LOG.debug("connection lost on its way to its loop: id={}", id, moved.cause());
        leftover.get().release();
        channel.unsafe().closeForcibly();
        session.export().close().whenComplete((done, failure) -> ended());
    }

    private void transmit(
            ChannelHandlerContext handshake,
            Session session,
            Supplier<ByteBuf> leftover,
            Runnable answer) {
        answer.run();
        handshake.flush();
        export = session.export().name();
        TransmissionHandler handler =
                new TransmissionHandler(
                        session,
                        portal.memory(),
                        buffers,
                        shares,
                        limits,
                        source,
                        leftover.get(),
                        this::ended);
        attachLog.info(place, "client attached", described());
        channel.pipeline().replace(handshake.handler(), "transmission", handler);
        transmission = handler;
        if (isShuttingDown) {
            handler.beginShutdown();
        }
    }

    @Override
    public void ended() {
        TransmissionHandler last = transmission;
        if (last == null) {
            LOG.debug("connection ended: id={}, peer={}", id, peer);
        } else {
            attachLog.info(place, "client detached", described() + ", requests=" + last.requests());
        }
        onEnd.accept(this);
    }

    private String described() {
        return "export="
                + ClientText.quoted(export)
                + ", connection="
                + id
                + (process == null ? ", address=" + peer : ", uid=" + process.uid());
    }

    void beginShutdown() {
        isShuttingDown = true;
        inLoop(
                () -> {
                    TransmissionHandler present = transmission;
                    if (present != null) {
                        present.beginShutdown();
                    } else {
                        negotiation.beginShutdown();
                    }
                });
    }

    /** Ends it once what was taken up is answered; nothing while the client has no export yet. */
    void disconnect() {
        inLoop(
                () -> {
                    TransmissionHandler present = transmission;
                    if (present != null) {
                        present.disconnect();
                    }
                });
    }

    /** Ends it whatever the client has not taken. */
    void abort() {
        inLoop(this::cutOff);
    }

    private void cutOff() {
        channel.close().addListener(done -> LOG.debug("connection cut off: id={}", id));
    }

    /** Runs on the loop that the channel is on by then. */
    private void inLoop(Runnable task) {
        EventLoop loop = channel.eventLoop();
        loop.execute(
                () -> {
                    if (channel.eventLoop() == loop) {
                        task.run();
                    } else {
                        inLoop(task);
                    }
                });
    }
}
