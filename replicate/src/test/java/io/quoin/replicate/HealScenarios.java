package io.quoin.replicate;

import static io.quoin.replicate.Script.SECOND;
import static io.quoin.replicate.Script.await;
import static io.quoin.replicate.Script.awaitHealed;
import static io.quoin.replicate.Script.awaitNext;
import static io.quoin.replicate.Script.open;
import static io.quoin.replicate.Script.openWhole;
import static io.quoin.replicate.Script.readAll;
import static io.quoin.replicate.Script.runUpTo;
import static io.quoin.replicate.Script.settle;
import static io.quoin.replicate.Script.spare;
import static io.quoin.replicate.SimWorld.MILLIS;

import java.util.List;

/** Members that are lost, come back, and are healed. */
final class HealScenarios {
    private HealScenarios() {}

    static void rebootBeforeDropped(SimWorld world) {
        SimClient client = openWhole(world);
        client.setBusy(true);
        for (int i = 0; i < 3; i++) {
            runUpTo(world, SECOND / 2);
            spare(world).crash();
            spare(world).start();
        }
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
    }

    static void rebootAfterDropped(SimWorld world) {
        SimClient client = openWhole(world);
        client.setBusy(true);
        for (int i = 0; i < 3; i++) {
            runUpTo(world, SECOND / 2);
            spare(world).crash();
            await(world, () -> world.committed().isr().get(1) == null, "the member is dropped");
            spare(world).start();
        }
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
    }

    /** An acknowledgement of before the reboot is void. */
    static void memberAcksRebootsReconnects(SimWorld world) {
        SimClient client = openWhole(world);
        world.bricks.get(0).disk.setWriteDelay(80 * MILLIS);
        History.Operation write = client.write(0);
        awaitNext(world, 1, Reply.Done.class);
        spare(world).crash();
        spare(world).start();
        await(world, write);
        world.bricks.get(0).disk.setWriteDelay(0);
        await(world, client.flush());
        awaitHealed(world);
        readAll(world, client);
        settle(world);
    }

    /** At each of its messages the member, or the gateway, is lost. */
    static void interruptedAtEachStep(SimWorld world) {
        SimClient client = openWhole(world);
        List<Class<?>> steps =
                List.of(
                        Request.Promise.class,
                        Request.Configure.class,
                        Request.Write.class,
                        Request.Flush.class,
                        Request.MapMerge.class,
                        Reply.Promised.class,
                        Reply.Done.class);
        for (Class<?> step : steps) {
            spare(world).kill();
            await(world, client.write(world.random().nextInt(4)));
            await(world, client.flush());
            spare(world).start();
            awaitNext(world, 1, step);
            runUpTo(world, 6 * MILLIS);
            History.Operation meanwhile = client.write(world.random().nextInt(4));
            switch (world.random().nextInt(3)) {
                case 0 -> spare(world).kill();
                case 1 -> spare(world).crash();
                default -> {
                    client.crash();
                    client = open(world, 1 - client.index);
                }
            }
            world.run(world.random().nextBoolean() ? 0 : SECOND / 2);
            spare(world).start();
            SimClient serving = client;
            await(world, () -> meanwhile.isEnded() || serving.isIdle(), "the write");
        }
        awaitHealed(world);
        readAll(world, client);
    }

    static void overlappingWrites(SimWorld world) {
        SimClient client = openWhole(world);
        awaitHealed(world);
        client.setBusy(true);
        for (int i = 0; i < 6; i++) {
            spare(world).crash();
            world.run(SECOND / 2);
            spare(world).start();
            runUpTo(world, SECOND / 2);
        }
        client.setBusy(false);
        awaitHealed(world);
    }

    static void sourceIsLost(SimWorld world) {
        SimClient client = openWhole(world);
        spare(world).kill();
        for (int block = 0; block < 8; block++) {
            await(world, client.write(block));
        }
        await(world, client.flush());
        spare(world).start();
        awaitNext(world, 1, Request.Write.class);
        runUpTo(world, 10 * MILLIS);
        world.bricks.get(0).kill();
        world.run(SECOND);
        world.bricks.get(0).start();
        settle(world);
    }

    /** A write that was acknowledged before the member had it is not in what its heal flushes. */
    static void joinsWithASlowWrite(SimWorld world) {
        SimClient client = openWhole(world);
        awaitHealed(world);
        spare(world).kill();
        await(world, client.write(0));
        await(world, client.write(2));
        await(world, client.flush());
        spare(world).disk.setWriteDelay(4, 100 * MILLIS);
        spare(world).start();
        awaitNext(world, 1, Request.Write.class);
        awaitNext(world, 1, Request.Write.class);
        await(world, client.write(4));
        await(world, client.flush());
        awaitHealed(world);
        readAll(world, client);
    }

    /** The only one in sync has no space for a write that the one which joins has. */
    static void joinsWhileAnotherIsFull(SimWorld world) {
        SimClient client = openWhole(world);
        world.isolate(0, 0);
        await(world, client.write(0));
        await(world, () -> world.committed().isr().size() == 1, "one is left out");
        world.join(0, 0);
        SimDisk full = world.bricks.get(1).disk;
        client.setBusy(true);
        for (int i = 0; i < 40; i++) {
            full.setFull(i % 2 == 0);
            world.run(world.random().nextLong(10 * MILLIS));
        }
        full.setFull(false);
        world.run(SECOND);
        client.setBusy(false);
        awaitHealed(world);
    }

    /** Lost and there again, faster than it can be healed. */
    static void brickFlaps(SimWorld world) {
        SimClient client = openWhole(world);
        client.setBusy(true);
        for (int i = 0; i < 10; i++) {
            runUpTo(world, 120 * MILLIS);
            switch (world.random().nextInt(3)) {
                case 0 -> {
                    spare(world).kill();
                    runUpTo(world, 60 * MILLIS);
                    spare(world).start();
                }
                case 1 -> {
                    world.isolate(0, 1);
                    runUpTo(world, SECOND / 2);
                    world.join(0, 1);
                }
                default -> {
                    world.cut(0, 1, world.random().nextBoolean());
                    runUpTo(world, SECOND / 2);
                    world.join(0, 1);
                }
            }
        }
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
    }

    /** Frozen, not dead: it goes on with what it had, long after it was left out. */
    static void brickFreezes(SimWorld world) {
        SimClient client = openWhole(world);
        client.setBusy(true);
        for (int i = 0; i < 3; i++) {
            runUpTo(world, 100 * MILLIS);
            spare(world).freeze(world.random().nextLong(2 * SECOND));
            world.run(SECOND);
            await(world, client.write(0));
        }
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
    }
}
