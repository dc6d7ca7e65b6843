package io.quoin.replicate;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
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
            int block = random.nextInt(SimWorld.BLOCKS);
            if (drawn < 4) {
                write(block);
            } else if (drawn < 5) {
                int first = SimWorld.region(block) * SimWorld.BLOCKS_PER_REGION;
                write(first, SimWorld.BLOCKS_PER_REGION);
            } else if (drawn < 9) {
                read(block);
            } else {
                flush();
            }
        }
        world.after(random.nextLong(8 * SimWorld.MILLIS), node, this::guest);
    }

    History.Operation write(int block) {
        return write(block, 1).get(0);
    }

    /** One write of several blocks of a region; for guests each is a register of its own. */
    private List<History.Operation> write(int first, int count) {
        List<History.Operation> operations = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.allocate(count * SimWorld.BLOCK_BYTES);
        for (int block = first; block < first + count; block++) {
            long stamp = world.history.nextStamp();
            operations.add(begin(History.Kind.WRITE, block, stamp));
            bytes.put(SimDisk.block(stamp).bytes());
        }
        gateway.write(
                offset(first),
                SimWorld.POOL.copyOf(bytes.array()),
                false,
                (outcome, data) -> operations.forEach(each -> ended(each, outcome, data)));
        return operations;
    }

    History.Operation read(int block) {
        History.Operation operation = begin(History.Kind.READ, block, 0);
        gateway.read(
                offset(block),
                SimWorld.BLOCK_BYTES,
                (outcome, data) -> {
                    ended(operation, outcome, data);
                    if (data != null) {
                        data.release();
                    }
                });
        return operation;
    }

    History.Operation flush() {
        History.Operation operation = begin(History.Kind.FLUSH, -1, 0);
        gateway.flush((outcome, data) -> ended(operation, outcome, data));
        return operation;
    }

    private static long offset(int block) {
        return (long) block * SimWorld.BLOCK_BYTES;
    }

    private History.Operation begin(History.Kind kind, int block, long stamp) {
        History.Operation operation = world.history.begin(gateway.epoch(), kind, block, stamp);
        underWay++;
        world.trace(() -> node.name + " begins " + operation);
        return operation;
    }

    private void ended(History.Operation operation, Outcome outcome, Payload data) {
        underWay--;
        operation.isWithoutSpace = outcome == Outcome.NO_SPACE;
        if (outcome != Outcome.DONE) {
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
        public void repaired(int brick, long offsetBytes) {
            world.trace(() -> "brick " + brick + " is repaired: offset=" + offsetBytes);
        }

        @Override
        public void entered(Gateway.State state) {
            world.trace(() -> node.name + " is " + state);
        }
    }
}
