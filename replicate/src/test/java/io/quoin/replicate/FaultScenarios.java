package io.quoin.replicate;

import static io.quoin.replicate.Script.SECOND;
import static io.quoin.replicate.Script.await;
import static io.quoin.replicate.Script.awaitHealed;
import static io.quoin.replicate.Script.open;
import static io.quoin.replicate.Script.openWhole;
import static io.quoin.replicate.Script.readAll;
import static io.quoin.replicate.Script.runUpTo;
import static io.quoin.replicate.Script.settle;
import static io.quoin.replicate.Script.spare;
import static io.quoin.replicate.SimWorld.require;

import java.util.ArrayList;
import java.util.List;

/** Power, disks and majorities that fail. */
final class FaultScenarios {
    private FaultScenarios() {}

    static void allLosePower(SimWorld world) {
        SimClient client = openWhole(world);
        await(world, client.write(0));
        await(world, client.flush());
        client.setBusy(true);
        world.run(SECOND / 4);
        world.bricks.forEach(SimBrick::crash);
        client.crash();
        world.bricks.forEach(SimBrick::start);
        SimClient next = open(world, 1);
        readAll(world, next);
        awaitHealed(world);
    }

    /** The gateway lives on and must not serve what the bricks have lost. */
    static void allBricksReboot(SimWorld world) {
        SimClient client = openWhole(world);
        client.setBusy(true);
        runUpTo(world, SECOND / 2);
        world.bricks.forEach(SimBrick::crash);
        world.bricks.forEach(SimBrick::start);
        await(world, client::isOver, "the gateway ends");
        require(client.gateway().state() == Gateway.State.CACHE_LOST, "not CACHE_LOST");
        settle(world);
    }

    static void syncFailsOnAll(SimWorld world) {
        SimClient client = openWhole(world);
        await(world, client.write(0));
        world.bricks.forEach(brick -> brick.disk.failNextSync());
        List<History.Operation> flushes = new ArrayList<>();
        flushes.add(client.flush());
        flushes.add(client.flush());
        await(world, client::isOver, "the gateway ends");
        require(client.gateway().state() == Gateway.State.CACHE_LOST, "not CACHE_LOST");
        require(flushes.stream().noneMatch(History.Operation::isEnded), "a flush has ended");
        SimClient next = open(world, 1);
        await(world, next.read(0));
        await(world, next.flush());
        awaitHealed(world);
    }

    static void syncFailsOnOne(SimWorld world) {
        SimClient client = openWhole(world);
        awaitHealed(world);
        await(world, client.write(0));
        spare(world).disk.failNextSync();
        await(world, client.flush());
        require(!Long.valueOf(1).equals(world.committed().isr().get(1)), "still in the set");
        awaitHealed(world);
        await(world, client.read(0));
    }

    /** Waits for a majority, loses nothing, and goes on. */
    static void majorityIsLostAndReturns(SimWorld world) {
        SimClient client = openWhole(world);
        spare(world).kill();
        await(world, client.write(0));
        spare(world).start();
        awaitHealed(world);
        world.bricks.get(0).kill();
        if (world.layout.voters() > 2) {
            world.bricks.get(2).kill();
        }
        History.Operation waiting = client.write(1);
        world.run(2 * SECOND);
        require(!waiting.isEnded(), "a write has ended without a majority");
        world.bricks.forEach(SimBrick::start);
        await(world, waiting);
        awaitHealed(world);
    }

    static void arbiterIsLostAndReturns(SimWorld world) {
        SimClient client = openWhole(world);
        SimBrick arbiter = world.bricks.get(2);
        if (world.random().nextBoolean()) {
            arbiter.kill();
        } else {
            arbiter.crash();
        }
        await(world, client.write(0));
        await(world, client.flush());
        await(world, client.read(0));
        spare(world).kill();
        History.Operation waiting = client.write(1);
        world.run(SECOND);
        require(!waiting.isEnded(), "a write has ended without a majority");
        arbiter.start();
        await(world, waiting);
        spare(world).start();
        awaitHealed(world);
    }
}
