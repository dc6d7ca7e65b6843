package io.quoin.replicate;

import static io.quoin.replicate.SimWorld.require;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The invariants of bricks and gateways, checked after each step and at messages. */
final class Checks {
    private final SimWorld world;
    private final Sessions sessions;
    private final Lineage lineage;
    private final Map<List<Long>, Config> configs = new HashMap<>();
    private Config committed;

    Checks(SimWorld world) {
        this.world = world;
        this.sessions = new Sessions(world);
        this.lineage = new Lineage(world.history);
        this.committed = Config.initial(world.layout);
    }

    /** The newest configuration that a gateway knows to be committed. */
    Config committed() {
        return committed;
    }

    void opened(long epoch, Config parent, boolean isSuspect) {
        lineage.opened(epoch, parent, isSuspect);
    }

    void committed(Config config) {
        lineage.committed(config);
        if (config.isNewerThan(committed)) {
            committed = config;
            checkFloors();
        }
    }

    /** A gateway sends; the gateway's state is as it was before. */
    void sent(SimClient client, int brick, Request request) {
        Request.Operation operation = request.operation();
        if (operation instanceof Request.Configure configure) {
            Config config = configure.config();
            Config known = configs.putIfAbsent(List.of(config.epoch(), config.k()), config);
            require(known == null || known.equals(config), "I3: two configs " + config);
            if (known == null) {
                checkProposed(client.gateway(), config);
            }
        } else if (operation instanceof Request.Read) {
            checkReader(client, brick);
        } else if (operation instanceof Request.Write && client.isServing()) {
            Config current = client.gateway().committed();
            require(
                    !current.isClean() || !current.isr().containsKey(brick),
                    "clean: write under a clean configuration: brick=" + brick);
            require(
                    sessions.isConfigured(request, brick, current),
                    "I13: write before the configuration: brick=" + brick);
        } else if (operation instanceof Request.Clean clean) {
            checkDurable(
                    "I12: region cleaned",
                    request.epoch(),
                    client.gateway().committed(),
                    clean.regions());
        }
        sessions.sent(brick, request);
    }

    private void checkProposed(Gateway gateway, Config config) {
        if (config.k() == 1) {
            if (!lineage.parent(config).isClean()) {
                sessions.checkReconciled(gateway, config);
            }
            return;
        }
        Config before = gateway.committed();
        for (int brick : config.isr().keySet()) {
            if (!before.isr().containsKey(brick)) {
                sessions.checkHealed(gateway, brick);
                checkMaps(before, config, brick);
            }
        }
        if (config.isClean()) {
            BitSet all = new BitSet();
            all.set(0, SimWorld.BLOCKS);
            checkDurable("clean: configuration", config.epoch(), config, all);
        }
    }

    /** I10, of an open too: its source is of the set that it goes on from. */
    private void checkReader(SimClient client, int brick) {
        Gateway gateway = client.gateway();
        Config config =
                gateway.state() == Gateway.State.RECONCILING
                        ? lineage.parent(gateway.epoch())
                        : gateway.committed();
        require(
                config.isr().containsKey(brick),
                "I10: read of a member that is not in sync: brick=" + brick);
    }

    /** I14: who joins knows what those outside lack, as each of the others does. */
    private void checkMaps(Config before, Config config, int joining) {
        for (int peer = 0; peer < world.layout.dataBricks(); peer++) {
            if (config.isr().containsKey(peer)) {
                continue;
            }
            for (int brick : before.isr().keySet()) {
                if (isWhole(world.bricks.get(brick), before)) {
                    BitSet lacking = dirty(brick, peer);
                    lacking.andNot(world.history.busyRegions(config.epoch()));
                    lacking.andNot(dirty(joining, peer));
                    require(
                            lacking.isEmpty(),
                            "I14: joins without the map of " + peer + ": brick=" + joining);
                }
            }
        }
    }

    private BitSet dirty(int brick, int peer) {
        BitSet regions = world.bricks.get(brick).disk.logged().dirty().get(peer);
        return regions == null ? new BitSet() : regions;
    }

    /** Members are equal in these regions, and durable, but for those of a newer gateway by now. */
    private void checkDurable(String what, long epoch, Config config, BitSet regions) {
        List<Integer> own =
                config.isr().keySet().stream()
                        .filter(brick -> world.bricks.get(brick).disk.logged().promised() <= epoch)
                        .filter(brick -> !isReplaced(config, brick))
                        .toList();
        for (int brick : own) {
            SimDisk disk = world.bricks.get(brick).disk;
            SimDisk first = world.bricks.get(own.get(0)).disk;
            for (int block = 0; block < SimWorld.BLOCKS; block++) {
                boolean isMeant = regions.get(SimWorld.region(block));
                require(
                        !isMeant || disk.durable(block).equals(first.durable(block)),
                        what + " while members differ: block=" + block);
                require(
                        !isMeant
                                || !isWhole(world.bricks.get(brick), config)
                                || disk.durable(block).equals(disk.content(block)),
                        what + " while not durable: brick=" + brick + ", block=" + block);
            }
        }
    }

    void delivered(SimClient client, Reply reply, long gateway) {
        sessions.delivered(client.gateway(), gateway, reply);
    }

    void replied(SimBrick brick, long gateway, Reply reply) {
        sessions.replied(brick, gateway, reply);
    }

    void received(SimBrick brick, Request request) {
        sessions.received(brick, request);
    }

    void writing(int brick, long offsetBytes, Payload data) {
        sessions.checkWrite(brick, offsetBytes, data);
    }

    /** A guest's operation has ended well. */
    void ended(SimClient client, History.Operation operation) {
        boolean isNewest = world.lastEpoch() == client.gateway().epoch();
        switch (operation.kind) {
            case WRITE -> {
                if (isNewest) {
                    checkApplied(client.gateway(), operation);
                }
            }
            case READ -> {
                for (long value : operation.values) {
                    require(
                            !world.history.isUnacknowledged(client.gateway().epoch(), value),
                            "I8: read of what is not acknowledged: " + operation);
                }
            }
            case FLUSH -> {
                world.history.flushed(operation);
                if (isNewest) {
                    checkFloors();
                }
            }
        }
    }

    /** I4. */
    private void checkApplied(Gateway gateway, History.Operation write) {
        Config config = gateway.committed();
        for (int brick : config.isr().keySet()) {
            SimBrick member = world.bricks.get(brick);
            require(
                    gateway.member(brick).isAttached(),
                    "I4: acknowledged without a session: brick=" + brick);
            require(
                    !isWhole(member, config)
                            || member.disk
                                    .content(write.block)
                                    .equals(SimDisk.block(write.values[0])),
                    "I4: acknowledged but not applied: brick=" + brick + ", " + write);
        }
    }

    /** I5: every in-sync member has on disk what was flushed, or what was written later. */
    private void checkFloors() {
        for (int brick : committed.isr().keySet()) {
            if (isReplaced(committed, brick)) {
                continue;
            }
            for (int block = 0; block < SimWorld.BLOCKS; block++) {
                Payload durable = world.bricks.get(brick).disk.durable(block);
                for (int sector = 0; sector < SimDisk.SECTORS; sector++) {
                    require(
                            world.history.isFlushedOrLater(block, SimDisk.stamp(durable, sector)),
                            "I5: flushed but not durable: brick=" + brick + ", block=" + block);
                }
            }
        }
    }

    /** A brick that is in the set no more than one that was destroyed is. */
    private boolean isReplaced(Config config, int brick) {
        Long expected = config.isr().get(brick);
        SimDisk disk = world.bricks.get(brick).disk;
        long cacheEpoch = disk.logged().cacheEpoch();
        return expected != null
                && (disk.isRolledBack() || !Incarnation.isSame(expected, cacheEpoch));
    }

    void stepped() {
        long serving = 0;
        for (SimClient client : world.clients) {
            if (client.isServing() && client.gateway().epoch() == world.lastEpoch()) {
                serving = world.lastEpoch();
            }
        }
        List<SimBrick> whole = new ArrayList<>();
        for (int brick : committed.isr().keySet()) {
            if (isWhole(world.bricks.get(brick), committed)) {
                whole.add(world.bricks.get(brick));
            }
        }
        for (SimBrick member : whole) {
            checkPair(whole.get(0), member, serving);
            for (int peer = 0; peer < world.layout.dataBricks(); peer++) {
                if (!committed.isr().containsKey(peer)) {
                    checkOutside(member, world.bricks.get(peer));
                }
            }
        }
    }

    /** I7, and I9: while an image is served they differ only where a write is under way. */
    private void checkPair(SimBrick a, SimBrick b, long servingEpoch) {
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            if (a == b || a.disk.isEqual(b.disk, block)) {
                continue;
            }
            int region = SimWorld.region(block);
            require(
                    a.disk.logged().isActive(region) || b.disk.logged().isActive(region),
                    "I7: members differ in a region that is not active: block=" + block);
            require(
                    servingEpoch == 0 || world.history.isBusy(servingEpoch, block),
                    "I9: members differ while served: block=" + block);
        }
    }

    /** I14: what a member outside of the set lacks is known to each one in it. */
    private void checkOutside(SimBrick member, SimBrick outside) {
        if (outside.disk.logged().config().isNone() || outside.disk.isRolledBack()) {
            return; // it is not healed before each of them knows
        }
        for (int block = 0; block < SimWorld.BLOCKS; block++) {
            if (member.disk.isEqual(outside.disk, block)) {
                continue;
            }
            int region = SimWorld.region(block);
            require(
                    member.disk.logged().isActive(region)
                            || outside.disk.logged().isActive(region)
                            || dirty(member.id, outside.id).get(region),
                    "I14: a difference that is not in the map: brick="
                            + member.id
                            + ", outside="
                            + outside.id
                            + ", block="
                            + block);
        }
    }

    /** Whether the member has what it has acknowledged, also in what is seen of its disk. */
    private static boolean isWhole(SimBrick brick, Config config) {
        Long expected = config.isr().get(brick.id);
        return expected != null
                && expected == brick.disk.logged().cacheEpoch()
                && !brick.disk.isCacheLost()
                && !brick.disk.isRolledBack();
    }
}
