package io.quoin.nbd.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.quoin.block.BlockError;
import io.quoin.block.BlockException;
import io.quoin.block.Reason;
import io.quoin.xlator.NameText;
import io.quoin.xlator.OpenMode;
import io.quoin.xlator.XlatorFile;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.io.FileNotFoundException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Opens exports of other servers. There is no reconnecting: once a connection is lost, every
 * request fails and says so.
 *
 * <p>Threading: thread-safe.
 */
@SuppressWarnings(
        "FutureReturnValueIgnored") // a failed write or close shows in the channel's events
public final class NbdClient {
    private static final int CONNECT_MILLIS = 10_000;
    private static final long NEGOTIATE_SECONDS = 30;
    private static final int RECEIVE_BYTES = 256 << 10;
    private static final int RECEIVES_MAX = 16;
    private static final int UNIX_SEND_BUFFER_BYTES = 1 << 20;

    private final NbdUri uri;
    private final OpenMode mode;
    private final NettyLoop loop;

    private NbdClient(NbdUri uri, OpenMode mode, NettyLoop loop) {
        this.uri = uri;
        this.mode = mode;
        this.loop = loop;
    }

    /**
     * Opens an export.
     *
     * @param loop Netty's; it owns the file, and the stage completes there
     * @param blocking looks up the host's name
     */
    public static CompletionStage<XlatorFile> open(
            NbdUri uri, OpenMode mode, Loop loop, Executor blocking) {
        NbdClient client = new NbdClient(uri, mode, (NettyLoop) loop);
        return CompletableFuture.supplyAsync(client::addresses, blocking)
                .thenComposeAsync(addresses -> client.connect(addresses, 0), loop);
    }

    private List<SocketAddress> addresses() {
        Path socket = uri.socket();
        if (socket != null) {
            if (!NettyLoopGroup.isEpoll()) {
                throw failure("a unix socket needs epoll", null);
            }
            String path = NameText.of(socket);
            if (!NameText.isUtf8(path)) { // Netty would make another path of it
                throw failure("expected=a path in UTF-8", null);
            }
            return List.of(new DomainSocketAddress(path));
        }
        try {
            return Arrays.stream(InetAddress.getAllByName(uri.host()))
                    .<SocketAddress>map(address -> new InetSocketAddress(address, uri.port()))
                    .toList();
        } catch (UnknownHostException e) {
            throw failure("its name is not known", e);
        }
    }

    private BlockException failure(String why, @Nullable Throwable cause) {
        return ClientNegotiation.failure(uri, BlockError.EIO, why, cause);
    }

    /** Tries one address after the other: a name often has one without a listener. */
    private CompletionStage<XlatorFile> connect(List<SocketAddress> addresses, int index) {
        return connect(addresses.get(index))
                .handle(
                        (file, problem) -> {
                            if (problem == null) {
                                return CompletableFuture.completedFuture(file);
                            }
                            boolean isRefused =
                                    problem instanceof BlockException e
                                            && e.getCause() instanceof java.io.IOException;
                            return isRefused && index + 1 < addresses.size()
                                    ? connect(addresses, index + 1)
                                    : CompletableFuture.<XlatorFile>failedFuture(problem);
                        })
                .thenCompose(Function.identity());
    }

    private CompletableFuture<XlatorFile> connect(SocketAddress address) {
        ClientNegotiation negotiation = new ClientNegotiation(uri);
        CompletableFuture<XlatorFile> opened = new CompletableFuture<>();
        ChannelFuture connected = bootstrap(address, negotiation).connect(address);
        connected.addListener(
                future -> {
                    if (!future.isSuccess()) {
                        Throwable cause = future.cause();
                        opened.completeExceptionally(
                                failure("cannot connect: " + reason(cause), cause));
                        return;
                    }
                    Loop.Timer timeout =
                            loop.schedule(
                                    TimeUnit.SECONDS.toNanos(NEGOTIATE_SECONDS),
                                    () -> giveUp(negotiation, connected.channel()));
                    negotiate(negotiation, connected.channel(), timeout, opened);
                });
        return opened;
    }

    /** The kernel's word; a socket that is not there comes without one. */
    private static String reason(Throwable cause) {
        if (cause instanceof FileNotFoundException) {
            return "no such socket";
        }
        return Reason.of(cause);
    }

    private void negotiate(
            ClientNegotiation negotiation,
            Channel channel,
            Loop.Timer timeout,
            CompletableFuture<XlatorFile> opened) {
        negotiation
                .result()
                .whenComplete(
                        (export, problem) -> {
                            timeout.cancel();
                            if (problem != null) {
                                opened.completeExceptionally(problem);
                            } else {
                                open(export, channel, opened);
                            }
                        });
    }

    private void open(
            ExportDescription export, Channel channel, CompletableFuture<XlatorFile> opened) {
        if (mode == OpenMode.READ_WRITE && export.isReadOnly()) {
            channel.close();
            opened.completeExceptionally(
                    ClientNegotiation.failure(
                            uri, BlockError.EPERM, "the export is read-only", null));
            return;
        }
        NbdExportFile file = new NbdExportFile(uri, export, mode, loop, channel);
        channel.pipeline().addLast("transmission", file.connection());
        opened.complete(file);
    }

    private static void giveUp(ClientNegotiation negotiation, Channel channel) {
        negotiation
                .result()
                .completeExceptionally(
                        negotiation.failure(
                                BlockError.EIO,
                                "it has not answered within " + NEGOTIATE_SECONDS + " seconds"));
        channel.close();
    }

    private Bootstrap bootstrap(SocketAddress address, ClientNegotiation negotiation) {
        FixedRecvByteBufAllocator receive = new FixedRecvByteBufAllocator(RECEIVE_BYTES);
        receive.maxMessagesPerRead(RECEIVES_MAX);
        Bootstrap bootstrap =
                new Bootstrap()
                        .group(loop.eventLoop())
                        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
                        .option(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
                        .option(ChannelOption.RECVBUF_ALLOCATOR, receive)
                        .handler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        channel.pipeline().addLast("negotiation", negotiation);
                                    }
                                });
        if (address instanceof DomainSocketAddress) {
            return bootstrap
                    .channel(EpollDomainSocketChannel.class)
                    .option(ChannelOption.SO_SNDBUF, UNIX_SEND_BUFFER_BYTES);
        }
        return bootstrap
                .channel(
                        NettyLoopGroup.isEpoll()
                                ? EpollSocketChannel.class
                                : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true);
    }
}
