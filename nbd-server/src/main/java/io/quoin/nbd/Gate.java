package io.quoin.nbd;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.util.AttributeKey;
import io.quoin.nbd.peer.PeerLog;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * In front of what accepts at a portal: connections beyond its limits are closed before anything is
 * made for them, those of a peer that makes them too fast wait, and when accepting fails, as
 * without descriptors, it pauses and goes on by itself.
 *
 * <p>Threading: confined(loop) that accepts.
 */
@SuppressWarnings("FutureReturnValueIgnored") // the task that goes on is waited for by nothing
final class Gate extends ChannelInboundHandlerAdapter {
    /** Whose place a connection has taken. */
    static final AttributeKey<String> PEER = AttributeKey.valueOf(Gate.class, "peer");

    private static final long PAUSE_MILLIS = 100;

    private final Portal portal;
    private final BooleanSupplier isClosing;
    private final PeerLog log;
    private final LongSupplier nanoTime;
    private final ConnectionPace pace = new ConnectionPace();

    Gate(Portal portal, BooleanSupplier isClosing, PeerLog log, LongSupplier nanoTime) {
        this.portal = portal;
        this.isClosing = isClosing;
        this.log = log;
        this.nanoTime = nanoTime;
    }

    /** Whose places a connection takes: an address, or a process on this machine. */
    private static String peer(Channel channel) {
        if (channel.remoteAddress() instanceof InetSocketAddress address) {
            return address.getAddress().getHostAddress();
        }
        if (channel instanceof EpollDomainSocketChannel unix) {
            try {
                return "process " + unix.peerCredentials().pid();
            } catch (IOException e) {
                // Gone already.
                return "unix";
            }
        }
        return "unix";
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        Channel channel = (Channel) accepted;
        String peer = peer(channel);
        if (isClosing.getAsBoolean()) {
            channel.unsafe().closeForcibly();
        } else if (portal.admit(peer)) {
            channel.attr(PEER).set(peer);
            letIn(context, channel, peer);
        } else {
            log.warn(peer, "connection refused, too many", "address=" + portal.name());
            channel.unsafe().closeForcibly();
        }
    }

    private void letIn(ChannelHandlerContext context, Channel channel, String peer) {
        long delayNanos = pace.delayNanos(peer, nanoTime.getAsLong());
        if (delayNanos == 0) {
            context.fireChannelRead(channel);
            return;
        }
        log.warn(peer, "connections are made too fast, they wait", "address=" + portal.name());
        context.executor()
                .schedule(
                        () -> letInLate(context, channel, peer), delayNanos, TimeUnit.NANOSECONDS);
    }

    private void letInLate(ChannelHandlerContext context, Channel channel, String peer) {
        if (isClosing.getAsBoolean()) {
            portal.leave(peer);
            channel.unsafe().closeForcibly();
        } else {
            context.fireChannelRead(channel);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Channel listener = context.channel();
        listener.config().setAutoRead(false);
        listener.eventLoop()
                .schedule(
                        () -> listener.config().setAutoRead(true),
                        PAUSE_MILLIS,
                        TimeUnit.MILLISECONDS);
        log.warn(
                portal.name(),
                "connections cannot be accepted, trying again",
                "cause=" + cause.getMessage());
    }
}
