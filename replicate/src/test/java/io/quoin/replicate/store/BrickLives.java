package io.quoin.replicate.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.Incarnation;
import io.quoin.replicate.Layout;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoop;
import io.quoin.testkit.sim.VirtualLoopGroup;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;

/**
 * The lives of a brick whose process is killed again and again, after any task of its loop. What it
 * had answered is there afterwards, and no block fails its checksum.
 */
final class BrickLives {
    private static final UUID VOLUME = new UUID(1, 1);
    private static final UUID FILE = new UUID(2, 2);
    private static final long LOG_BYTES = 8 << 10;
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 600;

    private final Random random;
    private final Map<Integer, Long> acknowledged = new HashMap<>();
    private final Map<Integer, List<Long>> pending = new HashMap<>();
    private final Map<Long, Runnable> whenAnswered = new HashMap<>();
    private VirtualLoop loop;
    private MemoryXlator below = new MemoryXlator("below", false);
    private long session;
    private long id;
    private long stamp;
    private int steps;

    BrickLives(long seed) {
        random = new Random(seed);
        loop = new VirtualLoopGroup(1).loop(0);
    }

    /** How many of the kills kept the cache. */
    int run() {
        loop.group().await(BrickHost.format(below, loop, VOLUME, 0, Layout.ONE, LOG_BYTES));
        int kept = 0;
        long cacheEpoch = 0;
        for (int life = 1; life <= 8; life++) {
            BrickHost host =
                    loop.group().await(BrickHost.open(below, loop, VOLUME, "boot", LOG_BYTES));
            assertThat(host.identity().startCount()).isEqualTo(life);
            session++;
            Reply.Promised promised = (Reply.Promised) ask(host, new Request.Promise());
            if (life == 1) {
                cacheEpoch = Incarnation.firstCacheEpoch(host.identity().brick());
            }
            assertThat(promised.cacheEpoch()).isBetween(cacheEpoch, cacheEpoch + 1);
            kept += promised.cacheEpoch() == cacheEpoch ? 1 : 0;
            cacheEpoch = promised.cacheEpoch();
            checkContent(host);
            work(host);
            loop.kill();
            loop = loop.restart();
            below = below.copy();
        }
        return kept;
    }

    private void checkContent(BrickHost host) {
        for (int block = 0; block < BLOCKS; block++) {
            Reply.Result result = ask(host, new Request.Read((long) block * BLOCK, BLOCK));
            assertThat(result).isInstanceOf(Reply.Data.class);
            ByteBuffer bytes = ByteBuffer.wrap(((Reply.Data) result).data().bytes());
            long found = bytes.getLong(0);
            assertThat(bytes.getLong(BLOCK - 8)).isEqualTo(found);
            List<Long> allowed = new ArrayList<>(pending.getOrDefault(block, List.of()));
            allowed.add(acknowledged.getOrDefault(block, 0L));
            assertThat(allowed).contains(found);
            acknowledged.put(block, found);
        }
        pending.clear();
    }

    /** Requests, some at a time, until the loop has run as many tasks as chance says. */
    private void work(BrickHost host) {
        steps = 0;
        int end = random.nextInt(1200);
        while (steps < end) {
            int[] left = {1 + random.nextInt(6)};
            int count = left[0];
            for (int i = 0; i < count; i++) {
                send(host, operation(i == 0), () -> left[0]--);
            }
            loop.group().runUntil(() -> steps++ >= end || left[0] == 0);
        }
    }

    /** A gateway cleans a region while no write to it is under way; some may follow. */
    private Request.Operation operation(boolean isQuiet) {
        int kind = random.nextInt(isQuiet ? 20 : 9);
        if (kind < 7) {
            int block = random.nextInt(BLOCKS);
            byte[] bytes = new byte[BLOCK];
            stamp++;
            ByteBuffer.wrap(bytes).putLong(stamp).putLong(BLOCK - 8, stamp);
            return new Request.Write((long) block * BLOCK, Payload.of(bytes), kind == 0);
        }
        if (kind < 9) {
            return new Request.Flush();
        }
        BitSet regions = new BitSet();
        regions.set(random.nextInt(3));
        return new Request.Clean(regions);
    }

    private void send(BrickHost host, Request.Operation operation, Runnable answered) {
        Request request = new Request(9, 1, session, ++id, operation);
        int block = -1;
        long written = stamp;
        if (operation instanceof Request.Write write) {
            block = (int) (write.offsetBytes() / BLOCK);
            pending.computeIfAbsent(block, key -> new ArrayList<>()).add(written);
        }
        int of = block;
        whenAnswered.put(
                request.id(),
                () -> {
                    if (of >= 0) {
                        acknowledged(of, written);
                    }
                    answered.run();
                });
        loop.run(() -> host.receive(FILE, request, reply -> whenAnswered.remove(reply.id()).run()));
    }

    private void acknowledged(int block, long written) {
        if (written > acknowledged.getOrDefault(block, 0L)) {
            acknowledged.put(block, written);
        }
        pending.getOrDefault(block, new ArrayList<>()).removeIf(other -> other <= written);
    }

    private Reply.Result ask(BrickHost host, Request.Operation operation) {
        List<Reply> replies = new ArrayList<>();
        Request request = new Request(9, 1, session, ++id, operation);
        loop.run(() -> host.receive(FILE, request, replies::add));
        loop.group().runUntil(() -> !replies.isEmpty());
        return replies.get(0).result();
    }
}
