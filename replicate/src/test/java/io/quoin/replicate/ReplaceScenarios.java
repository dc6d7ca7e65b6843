package io.quoin.replicate;

import static io.quoin.replicate.Script.SECOND;
import static io.quoin.replicate.Script.await;
import static io.quoin.replicate.Script.awaitHealed;
import static io.quoin.replicate.Script.awaitServing;
import static io.quoin.replicate.Script.open;
import static io.quoin.replicate.Script.openWhole;
import static io.quoin.replicate.Script.readAll;
import static io.quoin.replicate.Script.runUpTo;
import static io.quoin.replicate.Script.settle;
import static io.quoin.replicate.Script.spare;

/** Bricks in whose place another is, formatted anew. */
final class ReplaceScenarios {
    private ReplaceScenarios() {}

    /** Opened, with something in every block, flushed; cleaned or not. */
    private static SimClient openWritten(SimWorld world) {
        SimClient client = openWhole(world);
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            await(world, client.write(block));
        }
        await(world, client.flush());
        runUpTo(world, 2 * SECOND);
        return client;
    }

    static void brickIsReplaced(SimWorld world) {
        SimClient client = openWritten(world);
        client.setBusy(world.random().nextBoolean());
        runUpTo(world, SECOND / 4);
        spare(world).replace();
        await(world, client.write(0));
        runUpTo(world, SECOND);
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
        onlyTheReplacementIsLeft(world);
    }

    /** What it was healed with is the image. */
    private static void onlyTheReplacementIsLeft(SimWorld world) {
        if (world.layout != Layout.TWO) {
            world.bricks.get(0).kill();
            SimClient last = open(world, 1);
            readAll(world, last);
        }
        settle(world);
    }

    static void brickIsReplacedWhileClosed(SimWorld world) {
        SimClient client = openWritten(world);
        if (world.random().nextBoolean()) {
            boolean[] isQuiet = {false};
            client.gateway().quiesce(() -> isQuiet[0] = true);
            await(world, () -> isQuiet[0], "quiesced");
        }
        client.crash();
        spare(world).replace();
        SimClient next = open(world, 1);
        readAll(world, next);
        awaitHealed(world);
        readAll(world, next);
        onlyTheReplacementIsLeft(world);
    }

    static void replacementIsReplaced(SimWorld world) {
        SimClient client = openWritten(world);
        client.setBusy(true);
        for (int i = 0; i < 4; i++) {
            spare(world).replace();
            runUpTo(world, SECOND / 2);
            if (world.random().nextBoolean()) {
                spare(world).crash();
                runUpTo(world, SECOND / 4);
                spare(world).start();
            }
        }
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
        settle(world);
    }

    /** Another gateway goes on with what the first has begun. */
    static void replacedAndTakenOver(SimWorld world) {
        SimClient client = openWritten(world);
        client.setBusy(true);
        spare(world).replace();
        runUpTo(world, SECOND / 2);
        SimClient next = world.clients.get(1);
        next.open();
        if (world.random().nextBoolean()) {
            runUpTo(world, SECOND / 10);
            spare(world).replace();
        }
        awaitServing(world, next);
        client.setBusy(false);
        readAll(world, next);
        await(world, next.write(0));
        await(world, next.flush());
        awaitHealed(world);
        onlyTheReplacementIsLeft(world);
    }

    static void brickIsRolledBack(SimWorld world) {
        SimClient client = openWritten(world);
        SimBrick brick = spare(world);
        SimDisk.Copy copy = copyWhileLeftOut(world, client, brick);
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            await(world, client.write(block));
        }
        await(world, client.flush());
        client.setBusy(world.random().nextBoolean());
        runUpTo(world, SECOND);
        brick.rollBack(copy);
        await(world, client.write(0));
        runUpTo(world, SECOND);
        client.setBusy(false);
        awaitHealed(world);
        readAll(world, client);
        onlyTheReplacementIsLeft(world);
    }

    /** Of a time when it was in the set, and in an older one than it is when this returns. */
    private static SimDisk.Copy copyWhileLeftOut(SimWorld world, SimClient client, SimBrick brick) {
        brick.kill();
        SimDisk.Copy copy = brick.disk.copy();
        await(world, client.write(0));
        await(world, () -> !world.committed().isr().containsKey(brick.id), "is left out");
        brick.start();
        awaitHealed(world);
        return copy;
    }

    static void arbiterIsRolledBack(SimWorld world) {
        SimClient client = openWritten(world);
        SimBrick arbiter = world.bricks.get(2);
        arbiter.kill();
        SimDisk.Copy copy = arbiter.disk.copy();
        arbiter.start();
        copyWhileLeftOut(world, client, spare(world));
        arbiter.rollBack(copy);
        await(world, client.read(0));
        world.run(SECOND);
        spare(world).kill();
        await(world, client.write(1));
        await(world, client.flush());
        spare(world).start();
        awaitHealed(world);
        world.bricks.get(1).kill();
        SimClient next = open(world, 1);
        readAll(world, next);
        settle(world);
    }

    static void arbiterIsReplaced(SimWorld world) {
        SimClient client = openWritten(world);
        world.bricks.get(2).replace();
        await(world, client.read(0));
        world.run(SECOND);
        spare(world).kill();
        await(world, client.write(1));
        await(world, client.flush());
        spare(world).start();
        awaitHealed(world);
        world.bricks.get(1).kill();
        SimClient next = open(world, 1);
        readAll(world, next);
        settle(world);
    }

    /** They know nothing of the image, and are more than those that do. */
    static void newMajority(SimWorld world) {
        SimClient client = openWritten(world);
        client.crash();
        world.bricks.get(0).kill();
        world.bricks.get(1).replace();
        world.bricks.get(2).replace();
        SimClient next = world.clients.get(1);
        next.open();
        world.run(5 * SECOND);
        SimWorld.require(!next.isServing(), "served by new bricks");
        world.bricks.get(0).start();
        world.run(5 * SECOND);
        SimWorld.require(!next.isServing(), "served by new bricks: one has the image");
    }
}
