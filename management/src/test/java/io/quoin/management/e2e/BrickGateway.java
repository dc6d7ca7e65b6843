package io.quoin.management.e2e;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.BrickLink;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.replicate.wire.BrickAddress;
import io.quoin.replicate.wire.RemoteBrick;
import io.quoin.replicate.wire.WireOptions;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A gateway's link to a brick, with one file, one request after the other. */
final class BrickGateway implements AutoCloseable, BrickLink.Listener {
    private static final long LIMIT_SECONDS = 60;
    private static final long GATEWAY = 7;
    private static final UUID FILE = UUID.nameUUIDFromBytes(new byte[] {1});

    private final NettyLoopGroup loops = new NettyLoopGroup(1);
    private final RemoteBrick link;
    private final BlockingQueue<BrickIdentity> connected = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> disconnected = new LinkedBlockingQueue<>();
    private final BlockingQueue<Reply> replies = new LinkedBlockingQueue<>();
    private long session = System.nanoTime();
    private long id;

    BrickGateway(BrickAddress address, UUID volume, int index) {
        link =
                new RemoteBrick(
                        (NettyLoop) loops.next(), address, volume, index, WireOptions.local());
        link.open(this);
    }

    BrickIdentity awaitConnected() throws InterruptedException {
        return next(connected, "connected; last failure: " + link.failure());
    }

    String awaitDisconnected() throws InterruptedException {
        return next(disconnected, "disconnected");
    }

    /** Why it does not connect. */
    String awaitFailure() throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (link.failure() == null && System.nanoTime() < end) {
            Thread.sleep(5);
        }
        return String.valueOf(link.failure());
    }

    /** A promise begins a session. */
    Reply.Result ask(Request.Operation operation) throws InterruptedException {
        if (operation instanceof Request.Promise) {
            session++;
        }
        link.send(FILE, new Request(GATEWAY, 1, session, ++id, operation));
        return next(replies, "a reply to " + operation.getClass().getSimpleName()).result();
    }

    private static <T> T next(BlockingQueue<T> queue, String what) throws InterruptedException {
        T next = queue.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("not in time: " + what);
        }
        return next;
    }

    @Override
    public void connected(BrickIdentity identity) {
        connected.add(identity);
    }

    @Override
    public void disconnected(String reason) {
        disconnected.add(reason);
    }

    @Override
    public void received(UUID file, Reply reply) {
        replies.add(reply);
    }

    @Override
    public void close() {
        link.close();
        loops.close();
    }
}
