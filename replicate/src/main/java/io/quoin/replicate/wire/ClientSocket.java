package io.quoin.replicate.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.net.InetSocketAddress;

/**
 * Connects to a brick.
 *
 * <p>Threading: thread-safe.
 */
final class ClientSocket {
    private static final int CONNECT_TIMEOUT_MILLIS = 3000;

    private ClientSocket() {}

    static ChannelFuture connect(NettyLoop loop, InetSocketAddress to, ChannelHandler handler) {
        return new Bootstrap()
                .group(loop.eventLoop())
                .channel(
                        NettyLoopGroup.isEpoll()
                                ? EpollSocketChannel.class
                                : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                .option(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                .handler(handler)
                .connect(to);
    }
}
