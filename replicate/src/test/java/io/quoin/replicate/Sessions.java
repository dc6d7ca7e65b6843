package io.quoin.replicate;

import static io.quoin.replicate.SimWorld.require;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What went over each session, and the invariants of that. */
final class Sessions {
    private record Key(long gateway, int brick, long session) {}

    private static final class Session {
        final Map<Long, Request> requests = new HashMap<>();
        final Map<Long, BitSet> flushes = new HashMap<>();
        final BitSet written = new BitSet();
        final BitSet flushed = new BitSet();
        final BitSet lacking = new BitSet();
        Config configured;

        /** The image's size when it began; what is written past it comes by writes. */
        long sizeBytes = Long.MAX_VALUE;
    }

    private record Promised(long epoch, long gateway, long session) {
        boolean isNewerThan(Request request) {
            return epoch != request.epoch()
                    ? epoch > request.epoch()
                    : gateway == request.gateway() && session > request.session();
        }
    }

    private final SimWorld world;
    private final Map<Key, Session> sessions = new HashMap<>();
    private final Map<Integer, Promised> promised = new HashMap<>();
    private final Map<Integer, List<Request>> received = new HashMap<>();

    Sessions(SimWorld world) {
        this.world = world;
    }

    private Session session(long gateway, int brick, long session) {
        return sessions.computeIfAbsent(new Key(gateway, brick, session), key -> new Session());
    }

    void sent(int brick, Request request) {
        Session session = session(request.gateway(), brick, request.session());
        session.requests.put(request.id(), request);
        if (request.operation() instanceof Request.Configure configure) {
            session.configured = configure.config();
        } else if (request.operation() instanceof Request.Write write) {
            blocks(write).forEach(session.written::set);
        } else if (request.operation() instanceof Request.Flush) {
            session.flushes.put(request.id(), (BitSet) session.written.clone());
        }
    }

    private static IntStream blocks(Request.Write write) {
        int first = (int) write.offsetBytes() / SimWorld.BLOCK_BYTES;
        long end = write.offsetBytes() + write.data().lengthBytes();
        return IntStream.range(first, (int) blocks(end));
    }

    /** Count of the blocks that these bytes touch. */
    private static long blocks(long sizeBytes) {
        return (sizeBytes + SimWorld.BLOCK_BYTES - 1) / SimWorld.BLOCK_BYTES;
    }

    boolean isConfigured(Request request, int brick, Config config) {
        Config sent = session(request.gateway(), brick, request.session()).configured;
        return sent != null && !config.isNewerThan(sent);
    }

    /** To the gateway, before it looks at it. */
    void delivered(Gateway gateway, long gatewayId, Reply reply) {
        Session session = session(gatewayId, reply.brick(), reply.session());
        if (reply.result() instanceof Reply.Promised answer) {
            if (gateway.isServing()) {
                session.lacking.or(lacking(gateway, reply.brick()));
                session.sizeBytes = gateway.sizeBytes();
            }
            session.lacking.or(answer.active());
        } else if (reply.result() instanceof Reply.Done
                && session.flushes.containsKey(reply.id())) {
            session.flushed.or(session.flushes.get(reply.id()));
        }
    }

    /** What every in-sync member says: one may name more, and each alone is enough. */
    private BitSet lacking(Gateway gateway, int brick) {
        BitSet lacking = new BitSet();
        lacking.set(0, SimWorld.BLOCKS);
        for (int source : gateway.committed().isr().keySet()) {
            BitSet regions = world.bricks.get(source).disk.logged().dirty().get(brick);
            lacking.and(regions == null ? new BitSet() : regions);
        }
        lacking.andNot(world.history.busyRegions(gateway.epoch()));
        return lacking;
    }

    /** I11 and I15: what it lacked was copied to it, and flushed, in its session of now. */
    void checkHealed(Gateway gateway, int brick) {
        Session session = session(gateway, brick);
        requireFlushed("I11: joins without a copy and a flush: ", gateway, brick, session.lacking);
    }

    /** I15: so was every region in flight, to every member, in its session of now. */
    void checkReconciled(Gateway gateway, Config config) {
        BitSet active = new BitSet();
        config.isr().keySet().forEach(brick -> active.or(session(gateway, brick).lacking));
        for (int brick : config.isr().keySet()) {
            requireFlushed("I15: opened without a copy and a flush: ", gateway, brick, active);
        }
    }

    private Session session(Gateway gateway, int brick) {
        return session(gateway.id(), brick, gateway.member(brick).session());
    }

    /** What is past the end of the image needs no copy. */
    private void requireFlushed(String what, Gateway gateway, int brick, BitSet regions) {
        Session session = session(gateway, brick);
        long sizeBytes = Math.min(gateway.sizeBytes(), session.sizeBytes);
        int blocks = (int) Math.min(SimWorld.BLOCKS, blocks(sizeBytes));
        for (int block = 0; block < blocks; block++) {
            require(
                    !regions.get(SimWorld.region(block)) || session.flushed.get(block),
                    what + "brick=" + brick + ", block=" + block);
        }
    }

    void received(SimBrick brick, Request request) {
        if (request.operation() instanceof Request.Write) {
            received.computeIfAbsent(brick.id, key -> new ArrayList<>()).add(request);
        }
    }

    /** I2 and I16: the write is of no gateway and session that a newer one has replaced. */
    void checkWrite(int brick, long offsetBytes, Payload data) {
        Promised newest = promised.get(brick);
        boolean isOfNewest =
                received.getOrDefault(brick, List.of()).stream()
                        .filter(request -> isWriteOf(request, offsetBytes, data))
                        .anyMatch(request -> newest == null || !newest.isNewerThan(request));
        require(
                isOfNewest,
                "I2: write of an older session: brick=" + brick + ", offset=" + offsetBytes);
    }

    private static boolean isWriteOf(Request request, long offsetBytes, Payload data) {
        return request.operation() instanceof Request.Write write
                && write.offsetBytes() == offsetBytes
                && write.data().equals(data);
    }

    /** The brick sends. */
    void replied(SimBrick brick, long gateway, Reply reply) {
        Request request = session(gateway, brick.id, reply.session()).requests.remove(reply.id());
        BrickMetadata logged = brick.disk.logged();
        if (request == null) {
            return;
        }
        if (reply.result() instanceof Reply.Promised) {
            require(
                    logged.promised() >= request.epoch(),
                    "I1: promise is not durable: brick=" + brick.id);
            require(brick.disk.isIdle(), "I2: promised with writes under way: brick=" + brick.id);
            promised.put(
                    brick.id, new Promised(request.epoch(), request.gateway(), request.session()));
        } else if (reply.result() instanceof Reply.Done) {
            checkDone(brick, request.operation(), logged);
        }
    }

    private static void checkDone(
            SimBrick brick, Request.Operation operation, BrickMetadata logged) {
        if (operation instanceof Request.Configure configure) {
            require(
                    !configure.config().isNewerThan(logged.config()),
                    "I1: configuration is not durable: brick=" + brick.id);
        } else if (operation instanceof Request.Write write) {
            require(
                    brick.disk.isSame(write.offsetBytes(), write.data()),
                    "I4: acknowledged before it was applied: brick=" + brick.id);
        } else if (operation instanceof Request.Flush) {
            require(
                    logged.cacheEpoch() > brick.disk.failedCacheEpoch(),
                    "I18: flush acknowledged after a failed sync: brick=" + brick.id);
        } else if (operation instanceof Request.MapMerge merge) {
            merge.dirty().forEach((peer, regions) -> checkMerged(brick, peer, regions, logged));
        }
    }

    private static void checkMerged(
            SimBrick brick, int peer, BitSet regions, BrickMetadata logged) {
        BitSet missing = (BitSet) regions.clone();
        BitSet durable = logged.dirty().get(peer);
        if (durable != null) {
            missing.andNot(durable);
        }
        require(
                missing.isEmpty() || peer == brick.id,
                "I14: map is not durable: brick=" + brick.id);
    }
}
