package io.quoin.xlator.loop;

import io.netty.channel.EventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Netty event loops as {@link Loop}s: epoll where its native part loads, else NIO.
 *
 * <p>Threading: thread-safe.
 */
public final class NettyLoopGroup implements LoopGroup {
    private static final long QUIET_MILLIS = 0;
    private static final long CLOSE_TIMEOUT_MILLIS = 10_000;

    private final MultiThreadIoEventLoopGroup group;
    private final List<Loop> loops;
    private final AtomicInteger turn = new AtomicInteger();

    /** Starts {@code count} loops whose threads are named {@code quoin-loop-N}. */
    public NettyLoopGroup(int count) {
        this(count, cause -> {});
    }

    /**
     * As {@link #NettyLoopGroup(int)}.
     *
     * @param whenTaskFails hears of each exception that comes out of a task, after it has been
     *     reported: what waits for such a task waits in vain
     */
    public NettyLoopGroup(int count, Consumer<Throwable> whenTaskFails) {
        IoHandlerFactory transport =
                isEpoll() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group =
                new MultiThreadIoEventLoopGroup(
                        count, new DefaultThreadFactory("quoin-loop", true), transport);
        List<Loop> wrapped = new ArrayList<>(count);
        for (EventExecutor executor : group) {
            wrapped.add(
                    new NettyLoop("loop-" + wrapped.size(), (EventLoop) executor, whenTaskFails));
        }
        loops = List.copyOf(wrapped);
    }

    /** Whether the loops are epoll's, which unix sockets need. */
    public static boolean isEpoll() {
        return Epoll.isAvailable();
    }

    @Override
    public List<Loop> loops() {
        return loops;
    }

    @Override
    public Loop next() {
        return loops.get(Math.floorMod(turn.getAndIncrement(), loops.size()));
    }

    @Override
    public void close() {
        group.shutdownGracefully(QUIET_MILLIS, CLOSE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)
                .awaitUninterruptibly(CLOSE_TIMEOUT_MILLIS);
    }
}
