package io.quoin.nbd;

import io.netty.util.ResourceLeakDetector;
import io.quoin.block.Capabilities;
import io.quoin.block.ring.RingOptions;
import io.quoin.testkit.peer.SocketFolder;
import io.quoin.xlator.loop.Loop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * A server on a unix socket and a loopback port, with the exports {@code disk}, {@code other} (on
 * another loop) and {@code fixed} (read-only).
 *
 * <p>Threading: confined to its test.
 */
final class TestServer implements AutoCloseable {
    static final int DISK_BYTES = 8 << 20;
    private static final long POLL_NANOS = 1_000_000;

    static {
        Leaks.watch();
        ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    }

    final SocketFolder folder = SocketFolder.create();
    final NettyLoopGroup loops = new NettyLoopGroup(2);
    final TestCatalogue catalogue = new TestCatalogue();
    final MemoryDisk disk;
    final MemoryDisk other;
    final MemoryDisk fixed;
    final NbdServer server;
    private boolean isClosed;

    TestServer() {
        this(NbdServerOptions.defaults());
    }

    TestServer(NbdServerOptions options) {
        this(options, RingOptions.defaults());
    }

    TestServer(NbdServerOptions options, RingOptions ring) {
        // The handshake runs on the first loop; the first disk lives on the other one.
        Loop near = loops.loops().get(0);
        Loop far = loops.loops().get(1);
        Capabilities all = MemoryDisk.everything();
        disk = catalogue.add("disk", "first", false, disk(far, all), far, ring);
        other = catalogue.add("other", "", false, disk(near, all), near, ring);
        fixed = catalogue.add("fixed", "", true, disk(near, all), near, ring);
        server =
                NbdServer.start(
                        loops,
                        catalogue,
                        List.of(
                                UnixDomainSocketAddress.of(folder.resolve("nbd")),
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                        options);
    }

    private static MemoryDisk disk(Loop loop, Capabilities capabilities) {
        return new MemoryDisk(loop, DISK_BYTES, capabilities, 1);
    }

    SocketAddress unix() {
        return server.boundAddresses().get(0);
    }

    SocketAddress tcp() {
        return server.boundAddresses().get(1);
    }

    String uri(String export) {
        return "nbd+unix:///" + export + "?socket=" + folder.resolve("nbd");
    }

    NbdClient open(boolean structured) throws Exception {
        return NbdClient.open(unix(), "disk", structured);
    }

    /** Waits for something that happens on another thread. */
    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("did not come about");
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /** Runs everything that was put on the loops before. */
    void settle() throws Exception {
        for (Loop loop : loops.loops()) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            loop.execute(() -> done.complete(null));
            done.get(20, TimeUnit.SECONDS);
        }
    }

    /** Stops; fails unless every export was let go of and no buffer was lost. */
    @Override
    public void close() {
        if (isClosed) {
            return;
        }
        isClosed = true;
        try {
            server.close().toCompletableFuture().get(30, TimeUnit.SECONDS);
            await(() -> catalogue.users.get() == 0);
        } catch (Exception e) {
            throw new AssertionError("the server did not stop", e);
        }
        loops.close();
        folder.close();
        Leaks.check();
    }
}
