package io.quoin.replicate;

import static io.quoin.replicate.Script.SECOND;
import static io.quoin.replicate.Script.await;
import static io.quoin.replicate.Script.awaitHealed;
import static io.quoin.replicate.Script.awaitNext;
import static io.quoin.replicate.Script.awaitServing;
import static io.quoin.replicate.Script.open;
import static io.quoin.replicate.Script.openWhole;
import static io.quoin.replicate.Script.readAll;
import static io.quoin.replicate.Script.runUpTo;
import static io.quoin.replicate.Script.settle;
import static io.quoin.replicate.SimWorld.MILLIS;
import static io.quoin.replicate.SimWorld.require;

/** Gateways that come, go, and compete. */
final class OpenScenarios {
    private OpenScenarios() {}

    static void gatewayCrashesWithDivergentWrites(SimWorld world) {
        SimClient old = openWhole(world);
        await(world, old.write(0));
        await(world, old.flush());
        SimBrick slow = world.bricks.get(world.random().nextInt(world.layout.dataBricks()));
        slow.disk.setWriteDelay(100 * MILLIS);
        for (int block = 0; block < 4; block++) {
            old.write(block);
        }
        runUpTo(world, 12 * MILLIS);
        if (world.random().nextBoolean()) {
            slow.kill();
            slow.start();
        }
        old.crash();
        slow.disk.setWriteDelay(0);
        SimClient next = open(world, 1);
        readAll(world, next);
        SimBrick other = world.bricks.get(world.layout.dataBricks() - 1);
        if (other.id > 0) {
            // The only one in sync could lose what is not flushed yet, and with it the image.
            await(world, () -> world.committed().isr().size() > 1, "another is in sync");
            other.kill();
            other.start();
        }
        readAll(world, next);
        awaitHealed(world);
    }

    /** One brick has a write behind the end of the others' copies: its cut is cleaned as well. */
    static void longerCopyIsCut(SimWorld world) {
        SimClient old = openWhole(world);
        await(world, old.write(0));
        world.isolate(0, 0);
        old.write(SimWorld.BLOCKS - 1);
        world.run(20 * MILLIS);
        old.crash();
        SimClient next = open(world, 1);
        readAll(world, next);
        awaitHealed(world);
    }

    static void takeOverWithAWriteUnderWay(SimWorld world) {
        SimClient old = openWhole(world);
        world.bricks.get(0).disk.setWriteDelay(100 * MILLIS);
        old.write(0);
        world.run(20 * MILLIS);
        old.crash();
        world.bricks.get(0).disk.setWriteDelay(0);
        SimClient next = open(world, 1);
        await(world, next.write(0));
        world.run(100 * MILLIS);
        await(world, next.flush());
        awaitHealed(world);
    }

    static void readBehindAPartition(SimWorld world) {
        SimClient old = openWhole(world);
        await(world, old.write(0));
        await(world, old.read(0));
        world.isolate(0, 1);
        world.isolate(0, 2);
        world.isolate(1, 0);
        SimClient next = open(world, 1);
        await(world, next.write(0));
        History.Operation stale = old.read(0);
        world.run(SECOND);
        world.history.check();
        require(!stale.isEnded(), "a read behind the partition has ended");
    }

    /** The brick answers a promise and loses power at once: the promise holds. */
    static void promiseThenCrash(SimWorld world) {
        SimClient old = openWhole(world);
        old.setBusy(true);
        runUpTo(world, 50 * MILLIS);
        SimClient next = world.clients.get(1);
        next.open();
        SimBrick brick = world.bricks.get(world.random().nextInt(world.bricks.size()));
        awaitNext(world, brick.id, Reply.Promised.class);
        brick.crash();
        brick.start();
        require(
                brick.disk.replay().promised() == world.lastEpoch(),
                "I1: a promise was forgotten: brick=" + brick.id);
        world.run(SECOND);
        settle(world);
    }

    /** What the old session has under way ends before the new one begins. */
    static void oldConnectionDrains(SimWorld world) {
        SimClient client = openWhole(world);
        SimBrick brick = world.bricks.get(0);
        brick.disk.setWriteDelay(SimWorld.TIMING.answer() + 100 * MILLIS);
        History.Operation slow = client.write(0);
        world.run(SimWorld.TIMING.answer() / 2);
        brick.disk.setWriteDelay(0);
        await(world, slow);
        await(world, client.write(0));
        world.run(SECOND);
        readAll(world, client);
        await(world, client.flush());
        awaitHealed(world);
    }

    static void configAcceptedByAMinority(SimWorld world) {
        SimClient old = openWhole(world);
        await(world, old.write(0));
        await(world, old.flush());
        world.bricks.get(1).kill();
        old.write(1);
        await(world, () -> !old.gateway().member(1).isAttached(), "the loss of brick 1 is noticed");
        world.isolate(0, 2);
        awaitNext(world, 0, Request.Configure.class);
        world.run(20 * MILLIS);
        old.crash();
        world.bricks.get(1).start();
        if (world.random().nextBoolean()) {
            world.isolate(1, 0);
        } else {
            world.isolate(1, 1);
        }
        SimClient next = open(world, 1);
        readAll(world, next);
        await(world, next.write(0));
        await(world, next.flush());
        next.crash();
        settle(world);
    }

    static void threeGatewaysDuel(SimWorld world) {
        world.clients.forEach(client -> client.setBusy(true));
        for (int i = 0; i < 12; i++) {
            world.clients.get(i % 3).open();
            runUpTo(world, 60 * MILLIS);
            if (world.random().nextInt(4) == 0) {
                awaitServing(world, world.clients.get(i % 3));
            }
        }
        settle(world);
    }

    /** Management was restored from an old backup and gives out an epoch again. */
    static void sameEpochTwice(SimWorld world) {
        SimClient first = openWhole(world);
        await(world, first.write(0));
        SimClient second = world.clients.get(1);
        second.open(1000, first.gateway().epoch());
        await(world, () -> first.isOver() || second.isOver(), "one of them is refused");
        first.write(0);
        first.read(0);
        world.run(SECOND);
        require(!first.isServing() || !second.isServing(), "both serve");
        settle(world);
    }

    /** An open with a suspect that commits nothing, beside one that serves, loses nothing. */
    static void suspectIsNotCommitted(SimWorld world) {
        SimClient first = openWhole(world);
        await(world, first.write(0));
        await(world, first.flush());
        first.crash();
        for (int brick = 0; brick < world.layout.voters(); brick += 2) {
            world.bricks.get(brick).crash();
            world.bricks.get(brick).start();
        }
        world.isolate(1, 1);
        SimClient suspecting = world.clients.get(1);
        suspecting.open();
        world.run(100 * MILLIS);
        world.isolate(0, 0);
        SimClient serving = open(world, 0);
        await(world, serving.read(0));
        await(world, serving.write(0));
        await(world, serving.flush());
        await(
                world,
                () -> suspecting.isOver() || world.count(0, Request.Configure.class) > 1,
                "the suspect is taken");
        world.run(100 * MILLIS);
        await(world, serving.read(0));
        settle(world);
        require(world.history.losses() == 0, "a loss");
    }

    /** A brick that was left out does not serve, not even when it is the only one there. */
    static void staleBrickAlone(SimWorld world) {
        SimClient client = openWhole(world);
        SimBrick stale = world.bricks.get(1);
        stale.kill();
        await(world, client.write(0));
        await(world, client.flush());
        client.crash();
        for (int brick = 0; brick < world.layout.dataBricks(); brick++) {
            world.bricks.get(brick).kill();
        }
        stale.start();
        SimClient next = world.clients.get(1);
        next.open();
        world.run(2 * SECOND);
        require(!next.isServing(), "the stale brick serves");
        world.bricks.forEach(SimBrick::start);
        awaitServing(world, next);
        await(world, next.read(0));
        awaitHealed(world);
    }
}
