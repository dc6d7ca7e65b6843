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

import java.util.ArrayList;
import java.util.List;

/** Blocks that are not what their checksums say. */
final class RepairScenarios {
    private RepairScenarios() {}

    private static SimClient openWritten(SimWorld world) {
        SimClient client = world.layout == Layout.ONE ? open(world, 0) : openWhole(world);
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            await(world, client.write(block));
        }
        await(world, client.flush());
        runUpTo(world, SECOND);
        return client;
    }

    static void blocksRot(SimWorld world) {
        SimClient client = openWritten(world);
        SimDisk first = world.bricks.get(0).disk;
        SimDisk second = spare(world).disk;
        first.corrupt(1);
        readAll(world, client);
        await(world, () -> !first.isCorrupt(), "is repaired");

        first.corrupt(4);
        second.corrupt(5);
        List<Outcome> read = new ArrayList<>();
        client.gateway()
                .read(
                        4L * SimWorld.BLOCK_BYTES,
                        2 * SimWorld.BLOCK_BYTES,
                        (outcome, data) -> read.add(outcome));
        await(world, () -> !read.isEmpty(), "both blocks are read");
        SimWorld.require(read.get(0) == Outcome.DONE, "read is " + read);

        first.corrupt(0);
        first.corrupt(3);
        second.corrupt(6 + world.random().nextInt(2));
        client.setBusy(true);
        ScrubProgress end = scrub(world, client);
        client.setBusy(false);
        SimWorld.require(end.corruptBlocks() == end.repairedBlocks(), "not repaired: " + end);
        SimWorld.require(!first.isCorrupt() && !second.isCorrupt(), "not found: " + end);
        settle(world);
    }

    private static ScrubProgress scrub(SimWorld world, SimClient client) {
        List<ScrubProgress> told = new ArrayList<>();
        client.gateway().scrub(told::add, () -> false);
        await(world, () -> !told.isEmpty() && told.get(told.size() - 1).isEnded(), "scrub ends");
        return told.get(told.size() - 1);
    }

    /** The member whose copy is repaired is lost at any step. */
    static void repairIsInterrupted(SimWorld world) {
        SimClient client = openWritten(world);
        client.setBusy(world.random().nextBoolean());
        for (int i = 0; i < 6; i++) {
            spare(world).disk.corrupt(world.random().nextInt(SimWorld.BLOCKS));
            client.gateway().scrub(progress -> {}, () -> false);
            runUpTo(world, SECOND / 50);
            if (world.random().nextBoolean()) {
                spare(world).kill();
            } else {
                spare(world).crash();
            }
            runUpTo(world, SECOND / 2);
            spare(world).start();
            runUpTo(world, SECOND / 2);
        }
        client.setBusy(false);
        await(world, client.write(0));
        awaitHealed(world);
        scrub(world, client);
        SimWorld.require(!spare(world).disk.isCorrupt(), "not repaired");
        readAll(world, client);
        settle(world);
    }

    /** Nothing is guessed: the read fails, until the block is written anew. */
    static void blockRotsOnAll(SimWorld world) {
        SimClient client = openWritten(world);
        for (SimBrick brick : world.bricks) {
            brick.disk.corrupt(2);
        }
        List<Outcome> read = new ArrayList<>();
        client.gateway()
                .read(
                        2L * SimWorld.BLOCK_BYTES,
                        SimWorld.BLOCK_BYTES,
                        (outcome, data) -> read.add(outcome));
        await(world, () -> !read.isEmpty(), "the read ends");
        SimWorld.require(read.get(0) == Outcome.FAILED, "read is " + read);
        await(world, client.write(2));
        readAll(world, client);
        settle(world);
    }
}
