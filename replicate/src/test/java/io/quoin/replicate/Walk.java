package io.quoin.replicate;

import java.util.Random;

/** One random walk: faults of every kind under load, then, if asked for, none and progress. */
final class Walk {
    enum Mode {
        /** Faults, and what guests were told. */
        SAFETY,
        /** Then the faults end: the image opens, serves, and heals. */
        LIVENESS,
        /** Faults without measure. */
        UNLIMITED
    }

    private static final long LIVE_NANOS = 60_000 * SimWorld.MILLIS;

    private final SimWorld world;
    private final Random random;
    private final Mode mode;
    private int faults;

    Walk(Layout layout, long seed, Mode mode, Mutant mutant, boolean isTracing) {
        this.world = new SimWorld(layout, seed, mutant, isTracing);
        this.random = world.random();
        this.mode = mode;
    }

    /** Fails with what is wrong. */
    void run() {
        world.clients.forEach(client -> client.setBusy(true));
        world.clients.get(0).open();
        world.setLoss(random.nextInt(3) == 0 ? 0.01 : 0);
        int count = mode == Mode.UNLIMITED ? 60 : 5 + random.nextInt(20);
        for (int i = 0; i < count; i++) {
            world.run(random.nextLong((mode == Mode.UNLIMITED ? 60 : 500) * SimWorld.MILLIS));
            fault();
        }
        if (mode == Mode.LIVENESS) {
            live();
        }
        world.history.check();
    }

    private void fault() {
        faults++;
        SimBrick brick = world.bricks.get(random.nextInt(world.bricks.size()));
        SimClient client = world.clients.get(random.nextInt(2));
        switch (random.nextInt(16)) {
            case 0, 1 -> brick.kill();
            case 2, 3 -> brick.crash();
            case 4, 5, 6 -> world.bricks.forEach(SimBrick::start);
            case 7 -> world.cut(client.index, brick.id, random.nextBoolean());
            case 8 -> world.isolate(client.index, brick.id);
            case 9 -> world.joinAll();
            case 10 -> brick.disk.failNextSync();
            case 11 ->
                    world.bricks.forEach(
                            random.nextInt(4) == 0 ? SimBrick::crash : SimBrick::start);
            case 12 -> client.open();
            case 13 -> brick.disk.setFull(random.nextBoolean());
            case 14 -> world.bricks.forEach(each -> each.disk.setFull(random.nextInt(3) == 0));
            default -> handOver(client);
        }
        if (world.clients.stream().allMatch(SimClient::isOver)) {
            client.open();
        }
    }

    /** To the other client, back to the same, or the client is gone. */
    private void handOver(SimClient client) {
        if (!client.isServing()) {
            return;
        }
        int drawn = random.nextInt(3);
        Gateway source = client.gateway();
        source.quiesce(
                () ->
                        world.after(
                                random.nextLong(20 * SimWorld.MILLIS),
                                client.node,
                                () -> {
                                    if (drawn == 0) {
                                        source.resume();
                                    } else {
                                        world.clients.get(1 - client.index).open();
                                    }
                                    if (drawn == 2) {
                                        source.resume();
                                    }
                                }));
    }

    private void live() {
        world.trace(() -> "faults end");
        world.joinAll();
        world.setLoss(0);
        world.bricks.forEach(each -> each.disk.setFull(false));
        world.bricks.forEach(SimBrick::start);
        SimClient client = world.clients.get(random.nextInt(2));
        SimClient other = world.clients.get(1 - client.index);
        if (other.node.isUp) {
            other.crash();
        }
        boolean isServing =
                world.runUntil(
                        LIVE_NANOS, () -> reopen(client) && client.isServing() && serves(client));
        SimWorld.require(isServing, "liveness: the image is not served");
        client.setBusy(false);
        boolean isHealed =
                world.runUntil(
                        LIVE_NANOS,
                        () ->
                                reopen(client)
                                        && client.isIdle()
                                        && world.whatIsNotHealed().isEmpty());
        SimWorld.require(isHealed, "liveness: not healed: " + world.whatIsNotHealed());
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            client.read(block);
        }
        SimWorld.require(world.runUntil(LIVE_NANOS, client::isIdle), "liveness: reads");
    }

    private boolean reopen(SimClient client) {
        if (client.isOver() || client.gateway().state() == Gateway.State.QUIESCED) {
            client.open();
        }
        return true;
    }

    private boolean serves(SimClient client) {
        return client.gateway().operations().started() > 0;
    }

    int faults() {
        return faults;
    }

    SimWorld world() {
        return world;
    }
}
