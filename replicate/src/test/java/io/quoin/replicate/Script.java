package io.quoin.replicate;

import java.util.function.BooleanSupplier;

/** What directed scenarios are written in. */
final class Script {
    static final long SECOND = 1000 * SimWorld.MILLIS;

    private static final long PATIENCE = 5 * SECOND;

    private Script() {}

    static SimClient open(SimWorld world, int index) {
        SimClient client = world.clients.get(index);
        client.open();
        awaitServing(world, client);
        return client;
    }

    /** With every data brick in the set. */
    static SimClient openWhole(SimWorld world) {
        SimClient client = open(world, 0);
        await(
                world,
                () -> world.committed().isr().size() == world.layout.dataBricks(),
                "all are in sync");
        return client;
    }

    static void awaitServing(SimWorld world, SimClient client) {
        await(world, client::isServing, client.node.name + " serves");
    }

    static void await(SimWorld world, History.Operation operation) {
        await(world, operation::isEnded, operation.toString());
    }

    static void await(SimWorld world, BooleanSupplier holds, String what) {
        SimWorld.require(world.runUntil(PATIENCE, holds), "not in time: " + what);
    }

    static void awaitHealed(SimWorld world) {
        world.runUntil(4 * PATIENCE, () -> world.whatIsNotHealed().isEmpty());
        SimWorld.require(
                world.whatIsNotHealed().isEmpty(), "not healed: " + world.whatIsNotHealed());
    }

    static void readAll(SimWorld world, SimClient client) {
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            await(world, client.read(block));
        }
    }

    /** Faults are over: a new gateway serves everything, and all bricks become equal. */
    static void settle(SimWorld world) {
        world.joinAll();
        world.bricks.forEach(SimBrick::start);
        world.clients.forEach(client -> client.setBusy(false));
        SimClient last = open(world, 0);
        readAll(world, last);
        await(world, last.write(0));
        await(world, last.flush());
        awaitHealed(world);
        readAll(world, last);
    }

    /** The next message of the kind to the brick, or of it. */
    static void awaitNext(SimWorld world, int brick, Class<?> kind) {
        int before = world.count(brick, kind);
        await(world, () -> world.count(brick, kind) > before, kind.getSimpleName());
    }

    static void runUpTo(SimWorld world, long nanos) {
        world.run(world.random().nextLong(nanos));
    }

    /** A brick without which the layout goes on. */
    static SimBrick spare(SimWorld world) {
        return world.bricks.get(1);
    }
}
