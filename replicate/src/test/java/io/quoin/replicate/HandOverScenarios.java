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
import static io.quoin.replicate.SimWorld.MILLIS;
import static io.quoin.replicate.SimWorld.require;

/** An image goes from gateway to gateway. */
final class HandOverScenarios {
    private HandOverScenarios() {}

    private static void quiesce(SimWorld world, SimClient source) {
        source.gateway().quiesce(() -> {});
        await(world, () -> source.gateway().state() == Gateway.State.QUIESCED, "quiesced");
    }

    /** With a reboot of all bricks in between: what was handed over is durable. */
    static void thereAndBack(SimWorld world) {
        for (int i = 0; i < 4; i++) {
            SimClient source = open(world, i % 2);
            await(world, source.write(i));
            quiesce(world, source);
            world.bricks.forEach(SimBrick::crash);
            world.bricks.forEach(SimBrick::start);
        }
        SimClient last = open(world, 0);
        await(world, last.read(3));
        require(world.history.losses() == 0, "a loss");
    }

    static void givenUp(SimWorld world) {
        SimClient source = openWhole(world);
        await(world, source.write(0));
        source.gateway().quiesce(source.gateway()::resume);
        world.run(SECOND / 10);
        awaitServing(world, source);
        await(world, source.write(0));
        open(world, 1);
        History.Operation fenced = source.write(0);
        await(world, source::isOver, "the source is fenced");
        require(!fenced.isEnded(), "a write has ended after the take-over");
    }

    /** Source, target or both stop at any moment of it. */
    static void abortedAtEachStep(SimWorld world) {
        SimClient source = openWhole(world);
        SimClient target = world.clients.get(1);
        for (int i = 0; i < 4; i++) {
            await(world, source.write(i));
            source.write(i + 1);
            source.gateway().quiesce(() -> {});
            runUpTo(world, 30 * MILLIS);
            switch (world.random().nextInt(4)) {
                case 0 -> source.gateway().resume();
                case 1 -> {
                    target.open();
                    runUpTo(world, 30 * MILLIS);
                    source.gateway().resume();
                }
                case 2 -> {
                    target.open();
                    runUpTo(world, 30 * MILLIS);
                    target.crash();
                }
                default -> source.crash();
            }
            runUpTo(world, 200 * MILLIS);
            source = open(world, 0);
        }
        target.crash();
        readAll(world, source);
        awaitHealed(world);
        require(world.history.losses() == 0, "a loss");
    }

    /** Writes after a hand-over was given up are no longer under a clean configuration. */
    static void resumedThenPowerLoss(SimWorld world) {
        SimClient source = openWhole(world);
        await(world, source.write(0));
        quiesce(world, source);
        source.gateway().resume();
        awaitServing(world, source);
        await(world, source.write(0));
        await(world, source.flush());
        source.write(1);
        runUpTo(world, 8 * MILLIS);
        source.crash();
        world.bricks.forEach(SimBrick::crash);
        settle(world);
    }

    static void whileABrickIsFrozen(SimWorld world) {
        SimClient source = openWhole(world);
        await(world, source.write(0));
        spare(world).freeze(2 * SECOND);
        source.write(1);
        runUpTo(world, 20 * MILLIS);
        quiesce(world, source);
        SimClient target = open(world, 1);
        readAll(world, target);
        awaitHealed(world);
        require(world.history.losses() == 0, "a loss");
    }
}
