package io.quoin.replicate.wire;

import io.quoin.xlator.loop.NettyLoop;
import io.quoin.xlator.loop.NettyLoopGroup;
import java.util.concurrent.CountDownLatch;

/** A brick in a process of its own, which prints its address. */
final class BrickProgram {
    private BrickProgram() {}

    public static void main(String[] args) throws InterruptedException {
        NettyLoop loop = (NettyLoop) new NettyLoopGroup(1).next();
        BrickServer server =
                BrickServer.start(
                        loop,
                        new MemoryBrick(
                                new io.quoin.replicate.BrickIdentity(
                                        java.util.UUID.fromString(args[0]),
                                        WireBed.IDENTITY.brick(),
                                        WireBed.IDENTITY.index(),
                                        WireBed.IDENTITY.layout(),
                                        1,
                                        1,
                                        1)),
                        WireBed.ANY_PORT,
                        WireBed.OPTIONS);
        System.out.println("address " + server.address());
        new CountDownLatch(1).await();
    }
}
