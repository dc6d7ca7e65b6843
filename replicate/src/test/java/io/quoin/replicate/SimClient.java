package io.quoin.replicate;

import java.util.Random;

/** A gateway with a guest that reads, writes and flushes. */
final class SimClient {
    private static final int OPERATIONS_MAX = 4;

    final int index;
    final SimWorld.Node node;
    private final SimWorld world;
    private Gateway gateway;
    private long gatewayId;
    private int underWay;
    private boolean isBusy;

    SimClient(SimWorld world, int index) {
        this.world = world;
        this.index = index;
        this.node = new SimWorld.Node("client " + index);
        node.isUp = false;
    }

    /** Starts a gateway in place of the one there is, which is gone as in a crash. */
    void open() {
        long epoch = world.nextEpoch();
        open(epoch, epoch);
    }

    void open(long newGateway, long epoch) {
        node.incarnation++;
        node.isUp = true;
        underWay = 0;
        gatewayId = newGateway;
        world.trace(() -> node.name + " opens: epoch=" + epoch);
        gateway = world.mutant.gateway(gatewayId, epoch, world.layout, new Port(epoch));
        gateway.open();
        guest();
    }

    void crash() {
        world.trace(() -> node.name + " crashes");
        node.isUp = false;
    }

    Gateway gateway() {
        return gateway;
    }

    boolean isServing() {
        return node.isUp && gateway.state() == Gateway.State.SERVING;
    }

    boolean isOver() {
        return !node.isUp || gateway.isOver();
    }

    boolean isIdle() {
        return underWay == 0;
    }

    void setBusy(boolean busy) {
        isBusy = busy;
    }

    void receive(long to, Reply reply) {
        if (to == gatewayId) {
            world.checks.delivered(this, reply, to);
            gateway.receive(reply);
        }
    }

    private void guest() {
        Random random = world.random();
        if (isBusy && isServing() && underWay < OPERATIONS_MAX) {
            int drawn = random.nextInt(10);
            int block = random.nextInt(SimWorld.GEOMETRY.blocks());
            if (drawn < 5) {
                write(block);
            } else if (drawn < 9) {
                read(block);
            } else {
                flush();
            }
        }
        world.after(random.nextLong(8 * SimWorld.MILLIS), node, this::guest);
    }

    History.Operation write(int block) {
        long stamp = world.history.nextStamp();
        return begin(block, stamp, History.Kind.WRITE);
    }

    History.Operation read(int block) {
        return begin(block, 0, History.Kind.READ);
    }

    History.Operation flush() {
        return begin(-1, 0, History.Kind.FLUSH);
    }

    private History.Operation begin(int block, long stamp, History.Kind kind) {
        History.Operation operation = world.history.begin(gateway.epoch(), kind, block, stamp);
        Operations.Completion completion = (isDone, data) -> ended(operation, isDone, data);
        underWay++;
        world.trace(() -> node.name + " begins " + operation);
        switch (kind) {
            case WRITE -> gateway.write(block, SimDisk.block(stamp), completion);
            case READ -> gateway.read(block, completion);
            case FLUSH -> gateway.flush(completion);
        }
        return operation;
    }

    private void ended(History.Operation operation, boolean isDone, BlockData data) {
        underWay--;
        if (!isDone) {
            return;
        }
        world.history.end(operation, data);
        world.trace(() -> node.name + " ends " + operation);
        world.checks.ended(this, operation);
    }

    private final class Port implements GatewayPort {
        private final long epoch;

        Port(long epoch) {
            this.epoch = epoch;
        }

        @Override
        public void send(int brick, Request request) {
            world.send(SimClient.this, brick, request);
        }

        @Override
        public long nanoTime() {
            return world.now();
        }

        @Override
        public void schedule(long delayNanos, Runnable task) {
            world.after(delayNanos, node, task);
        }

        @Override
        public void committed(Config config) {
            world.trace(() -> node.name + " has committed " + config);
            world.checks.committed(config);
        }

        @Override
        public void sourceChosen(Config newest, int source, boolean isSuspect) {
            world.trace(
                    () ->
                            node.name
                                    + (isSuspect ? " takes a suspect: brick=" : " takes: brick=")
                                    + source
                                    + ", "
                                    + newest);
            world.checks.opened(epoch, newest, isSuspect);
        }

        @Override
        public void entered(Gateway.State state) {
            world.trace(() -> node.name + " is " + state);
        }
    }
}
