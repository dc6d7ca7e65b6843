package io.quoin.replicate.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.handler.ssl.SslContext;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.wire.ClaimCodec.Wanted;
import io.quoin.xlator.Stages;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.net.InetSocketAddress;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Makes the brick of a daemon whose folder is empty a brick of a volume: what the creator of a
 * volume does once for each of its bricks, and for a new brick in place of one that is lost.
 *
 * <p>Threading: thread-safe; blocks.
 */
public final class BrickClaim {
    private BrickClaim() {}

    /**
     * Claims a brick; done already if it is that brick of that volume. It is durable then. One
     * connection is tried, for some seconds; the daemon has a minute to answer.
     *
     * @param options as for {@link RemoteBrick}
     * @param index which of the layout's voters it becomes, from 0
     * @throws BlockException EEXIST: it is another brick, and the message says which; ENOTCONN: it
     *     is not reached, or it refuses; ETIMEDOUT: no answer, the brick may have been claimed;
     *     EPERM: no loopback address, and no TLS; EINVAL: an illegal index, an unknown host, or a
     *     file of TLS that cannot be used
     */
    public static BrickIdentity claim(
            BrickAddress address, WireOptions options, UUID volume, int index, Layout layout) {
        Wanted wanted = new Wanted(volume, index, layout);
        String illegal = ClaimCodec.refusal(wanted);
        if (illegal != null) {
            throw new BlockException(BlockError.EINVAL, illegal);
        }
        InetSocketAddress resolved = address.resolve();
        options.check(resolved);
        SslContext tls = options.tls() == null ? null : options.tls().client();
        CompletableFuture<BrickIdentity> claimed = new CompletableFuture<>();
        try (NettyLoopGroup loops = new NettyLoopGroup(1)) {
            NettyLoop loop = (NettyLoop) loops.next();
            loop.execute(
                    () -> {
                        ClaimConnection connection =
                                new ClaimConnection(loop, address, options, wanted, claimed);
                        connect(loop, address, resolved, tls, connection);
                    });
            return Stages.await(claimed);
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // a connection tells its end by itself
    private static void connect(
            NettyLoop loop,
            BrickAddress address,
            InetSocketAddress resolved,
            @Nullable SslContext tls,
            ClaimConnection connection) {
        ChannelInitializer<Channel> initializer =
                new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (tls != null) {
                            channel.pipeline()
                                    .addLast(
                                            tls.newHandler(
                                                    channel.alloc(),
                                                    address.host(),
                                                    address.port()));
                        }
                        channel.pipeline().addLast(connection.channel());
                    }
                };
        ClientSocket.connect(loop, resolved, initializer)
                .addListener(
                        done -> {
                            if (!done.isSuccess()) {
                                connection.channel().end(Reason.of(done.cause()));
                            }
                        });
    }
}
