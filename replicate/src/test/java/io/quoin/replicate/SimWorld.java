package io.quoin.replicate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Bricks, two clients and the network between them, in virtual time: all chance is of one seed. The
 * invariants are checked after each step.
 */
final class SimWorld {
    static final int BLOCKS = 8;
    static final int BLOCK_BYTES = SimDisk.SECTORS * Long.BYTES;
    static final int BLOCKS_PER_REGION = 2;
    static final PoisonedPool POOL = new PoisonedPool();
    static final Geometry GEOMETRY =
            new Geometry((long) BLOCKS_PER_REGION * BLOCK_BYTES, BLOCK_BYTES);
    static final long MILLIS = 1_000_000;
    static final Timing TIMING =
            new Timing(
                    20 * MILLIS,
                    200 * MILLIS,
                    150 * MILLIS,
                    40 * MILLIS,
                    800 * MILLIS,
                    300 * MILLIS);

    private static final int CLIENTS = 3;
    private static final long DELAY_NANOS = 4 * MILLIS;

    /** A process: what it has scheduled ends with it. */
    static final class Node {
        final String name;
        int incarnation;
        boolean isUp = true;
        long frozenUntil;

        Node(String name) {
            this.name = name;
        }
    }

    private record Event(long at, long order, Node node, int incarnation, Runnable task)
            implements Comparable<Event> {
        Event later(long newAt) {
            return new Event(newAt, order, node, incarnation, task);
        }

        @Override
        public int compareTo(Event other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private record Connection(long gateway, int brick, long session) {}

    private record Way(Connection connection, boolean isToBrick) {}

    private record Cut(int client, int brick, boolean isToBrick) {}

    final Layout layout;
    final Mutant mutant;
    final List<SimBrick> bricks = new ArrayList<>();
    final List<SimClient> clients = new ArrayList<>();
    final History history = new History();
    final Checks checks;
    private final Random random;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final Map<Connection, Integer> connections = new HashMap<>();
    private final Map<Way, Long> lastDelivery = new HashMap<>();
    private final Set<Way> broken = new HashSet<>();
    private final Set<Cut> cuts = new HashSet<>();
    private final boolean isTracing;
    private final Map<List<Object>, Integer> counts = new HashMap<>();
    private double loss;
    private long now;
    private long order;
    private long nextEpoch = 1;
    private long steps;

    SimWorld(Layout layout, long seed, Mutant mutant, boolean isTracing) {
        this.layout = layout;
        this.mutant = mutant;
        this.isTracing = isTracing;
        this.random = new Random(seed * 0x9E3779B97F4A7C15L + 1);
        this.checks = new Checks(this);
        for (int brick = 0; brick < layout.voters(); brick++) {
            bricks.add(new SimBrick(this, brick));
        }
        for (int client = 0; client < CLIENTS; client++) {
            clients.add(new SimClient(this, client));
        }
    }

    static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    /** The region of a block. */
    static int region(int block) {
        return block / BLOCKS_PER_REGION;
    }

    Random random() {
        return random;
    }

    long now() {
        return now;
    }

    long steps() {
        return steps;
    }

    long nextEpoch() {
        return nextEpoch++;
    }

    /** The highest epoch given out. */
    long lastEpoch() {
        return nextEpoch - 1;
    }

    void trace(Supplier<String> what) {
        if (isTracing) {
            System.out.printf("%10.3f ms  %s%n", now / (double) MILLIS, what.get());
        }
    }

    void after(long delay, Node node, Runnable task) {
        events.add(new Event(now + delay, order++, node, node.incarnation, task));
    }

    /** Runs until the time is up. */
    void run(long nanos) {
        long end = now + nanos;
        runUntil(nanos, () -> false);
        now = end;
    }

    /** Runs until it holds; false if it does not in time. */
    boolean runUntil(long nanos, BooleanSupplier holds) {
        long end = now + nanos;
        while (!holds.getAsBoolean()) {
            Event event = events.peek();
            if (event == null || event.at() > end) {
                return false;
            }
            events.remove();
            now = event.at();
            if (event.node().frozenUntil > now) {
                events.add(event.later(event.node().frozenUntil));
                continue;
            }
            if (event.node().isUp && event.node().incarnation == event.incarnation()) {
                steps++;
                event.task().run();
                checks.stepped();
            }
        }
        return true;
    }

    /** To a brick, in the order of its session; after a lost message none arrives. */
    void send(SimClient client, int brick, Request request) {
        Connection connection = new Connection(request.gateway(), brick, request.session());
        SimBrick to = bricks.get(brick);
        trace(() -> client.node.name + " -> brick " + brick + "  " + request);
        checks.sent(client, brick, request);
        counts.merge(List.of(brick, request.operation().getClass()), 1, Integer::sum);
        deliver(client, new Way(connection, true), to.node, to, () -> to.receive(client, request));
    }

    /** Back to the client. */
    void reply(SimBrick from, SimClient client, long gateway, Reply reply) {
        Connection connection = new Connection(gateway, reply.brick(), reply.session());
        checks.replied(from, gateway, reply);
        trace(() -> "brick " + reply.brick() + " -> " + client.node.name + "  " + reply);
        counts.merge(List.of(reply.brick(), reply.result().getClass()), 1, Integer::sum);
        deliver(
                client,
                new Way(connection, false),
                client.node,
                from,
                () -> client.receive(gateway, reply));
    }

    private void deliver(SimClient client, Way way, Node to, SimBrick brick, Runnable task) {
        Connection connection = way.connection();
        int incarnation = connections.computeIfAbsent(connection, key -> brick.node.incarnation);
        boolean isCut = cuts.contains(new Cut(client.index, connection.brick(), way.isToBrick()));
        if (isCut || incarnation != brick.node.incarnation || random.nextDouble() < loss) {
            broken.add(way);
        }
        if (broken.contains(way)) {
            return;
        }
        long delay = random.nextLong(random.nextInt(20) == 0 ? 20 * DELAY_NANOS : DELAY_NANOS);
        long due = Math.max(now + delay, lastDelivery.getOrDefault(way, 0L) + 1);
        lastDelivery.put(way, due);
        after(due - now, to, task);
    }

    /** How many requests of the kind a brick was sent, or answers of the kind it gave. */
    int count(int brick, Class<?> kind) {
        return counts.getOrDefault(List.of(brick, kind), 0);
    }

    void cut(int client, int brick, boolean isToBrick) {
        trace(() -> "cut client " + client + (isToBrick ? " -> " : " <- ") + "brick " + brick);
        cuts.add(new Cut(client, brick, isToBrick));
    }

    void isolate(int client, int brick) {
        cut(client, brick, true);
        cut(client, brick, false);
    }

    void join(int client, int brick) {
        cuts.removeIf(cut -> cut.client() == client && cut.brick() == brick);
    }

    void joinAll() {
        trace(() -> "all cuts end");
        cuts.clear();
    }

    void setLoss(double chance) {
        loss = chance;
    }

    Config committed() {
        return checks.committed();
    }

    /** I19. */
    String whatIsNotHealed() {
        for (SimBrick brick : bricks) {
            BrickMetadata metadata = brick.disk.logged();
            if (layout.isData(brick.id)) {
                if (!metadata.active().isEmpty() || !metadata.dirty().isEmpty()) {
                    return "maps: brick="
                            + brick.id
                            + ", active="
                            + metadata.active()
                            + ", dirty="
                            + metadata.dirty();
                }
                if (brick.disk.sizeBytes() != bricks.get(0).disk.sizeBytes()) {
                    return "size: brick=" + brick.id + ", bytes=" + brick.disk.sizeBytes();
                }
                for (int block = 0; block < BLOCKS; block++) {
                    if (!brick.disk.content(block).equals(bricks.get(0).disk.content(block))) {
                        return "content: brick=" + brick.id + ", block=" + block;
                    }
                }
            }
        }
        Config committed = committed();
        return committed.isr().size() == layout.dataBricks() ? "" : "in-sync set: " + committed;
    }
}
