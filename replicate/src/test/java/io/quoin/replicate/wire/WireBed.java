package io.quoin.replicate.wire;

import io.quoin.replicate.BrickIdentity;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Request;
import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/** A brick, its server, and links to it, on two loops. */
final class WireBed implements AutoCloseable {
    static final UUID VOLUME = UUID.randomUUID();
    static final BrickIdentity IDENTITY =
            new BrickIdentity(VOLUME, UUID.randomUUID(), 1, Layout.THREE, 5, 6, 7);

    /** Where what is late is what is tried. */
    static final WireOptions FAST = new WireOptions(null, false, timing(8, 10));

    /** Where nothing may be late on a busy machine. */
    static final WireOptions OPTIONS = new WireOptions(null, false, timing(300, 300));

    static final BrickAddress ANY_PORT = new BrickAddress("127.0.0.1", 0);

    private final NettyLoopGroup loops = new NettyLoopGroup(2);
    private final List<RemoteBrick> links = new ArrayList<>();
    private final MemoryBrick brick = new MemoryBrick(IDENTITY);
    private final WireOptions options;
    private BrickServer server;
    private final BrickAddress address;

    WireBed() {
        this(OPTIONS);
    }

    WireBed(WireOptions options) {
        this.options = options;
        server = BrickServer.start(brickLoop(), brick, ANY_PORT, options);
        address = server.address();
    }

    static WireTiming timing(int missedMax, int stalledMax) {
        return new WireTiming(
                TimeUnit.MILLISECONDS.toNanos(100),
                missedMax,
                missedMax,
                stalledMax,
                20,
                300,
                TimeUnit.MILLISECONDS.toNanos(5),
                TimeUnit.MILLISECONDS.toNanos(20));
    }

    NettyLoop brickLoop() {
        return (NettyLoop) loops.loops().get(0);
    }

    NettyLoop linkLoop() {
        return (NettyLoop) loops.loops().get(1);
    }

    MemoryBrick brick() {
        return brick;
    }

    BrickAddress address() {
        return address;
    }

    RemoteBrick open(BrickAddress to, WireOptions options, RecordingListener listener) {
        RemoteBrick link = new RemoteBrick(linkLoop(), to, VOLUME, IDENTITY.index(), options);
        return open(link, listener);
    }

    RemoteBrick open(RemoteBrick link, RecordingListener listener) {
        links.add(link);
        link.open(listener);
        return link;
    }

    /** A link that is up. */
    RemoteBrick connect(RecordingListener listener) {
        RemoteBrick link = open(address, options, listener);
        listener.next(RecordingListener.Connected.class);
        return link;
    }

    void stopServer() throws Exception {
        Await.result(server.stop());
    }

    void startServer() {
        server = BrickServer.start(brickLoop(), brick, address, options);
    }

    static Request request(long session, long id, Request.Operation operation) {
        return new Request(77, 3, session, id, operation);
    }

    static Request promise(long session) {
        return request(session, 0, new Request.Promise());
    }

    @Override
    public void close() {
        links.forEach(RemoteBrick::close);
        server.stop().toCompletableFuture().orTimeout(30, TimeUnit.SECONDS).join();
        loops.close();
    }
}
