package io.quoin.replicate;

import java.util.HashMap;
import java.util.Map;

/** A brick's machine: its disk stays, its processes come and go. */
final class SimBrick {
    final int id;
    final SimDisk disk;
    final SimWorld.Node node;
    private final SimWorld world;
    private final Map<Long, SimClient> senders = new HashMap<>();
    private Brick brick;

    SimBrick(SimWorld world, int id) {
        this.world = world;
        this.id = id;
        this.node = new SimWorld.Node("brick " + id);
        this.disk = new SimDisk(world, node, id, world.layout);
        this.brick = newBrick();
        brick.start(true);
    }

    private Brick newBrick() {
        return world.mutant.brick(
                id,
                disk.replay(),
                disk,
                (gateway, reply) -> world.reply(this, senders.get(gateway), gateway, reply));
    }

    void receive(SimClient from, Request request) {
        senders.put(request.gateway(), from);
        world.checks.received(this, request);
        brick.receive(request);
    }

    /** Ends the process; the page cache stays. */
    void kill() {
        if (node.isUp) {
            world.trace(() -> "brick " + id + " is killed");
            node.isUp = false;
            node.frozenUntil = 0;
            disk.kill();
        }
    }

    /** Ends the machine; what was not synced is lost in part. */
    void crash() {
        world.trace(() -> "brick " + id + " crashes");
        node.isUp = false;
        node.frozenUntil = 0;
        disk.crash();
    }

    /** The machine stands still, and goes on as if nothing had been. */
    void freeze(long nanos) {
        world.trace(() -> "brick " + id + " is frozen: ms=" + nanos / SimWorld.MILLIS);
        node.frozenUntil = Math.max(node.frozenUntil, world.now() + nanos);
    }

    /** Another brick is formatted at its index. */
    void replace() {
        kill();
        world.trace(() -> "brick " + id + " is replaced");
        disk.wipe();
        start();
    }

    /** Its disk is as it was once. */
    void rollBack(SimDisk.Copy copy) {
        kill();
        world.trace(() -> "brick " + id + " is rolled back");
        disk.rollBack(copy);
        start();
    }

    void start() {
        if (!node.isUp) {
            world.trace(() -> "brick " + id + " starts");
            node.incarnation++;
            node.isUp = true;
            brick = newBrick();
            brick.start(!disk.isCacheLost());
        }
    }
}
