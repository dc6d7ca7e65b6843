package io.quoin.replicate.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.quoin.replicate.Layout;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import io.quoin.testkit.MemoryXlator;
import io.quoin.testkit.sim.VirtualLoopGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever was written, cut and bound in between, no good block is taken for a corrupt one. */
class BoundChecksumsTest {
    private static final UUID VOLUME = new UUID(1, 1);
    private static final UUID FILE = new UUID(2, 2);
    private static final long LOG_BYTES = 1 << 20;
    private static final int REGION = 1 << 20;
    private static final int REGIONS = 3;
    private static final int STEPS = 400;

    private final VirtualLoopGroup group = new VirtualLoopGroup(1);
    private final MemoryXlator below = new MemoryXlator("below", false);
    private final Map<Long, Reply.Result> results = new HashMap<>();
    private final Map<Long, byte[]> reads = new HashMap<>();
    private byte[] model = new byte[0];
    private long id;
    private boolean isBinding;

    private long send(BrickHost host, Request.Operation operation) {
        Request request = new Request(9, 1, 1, ++id, operation);
        isBinding = operation instanceof Request.Clean;
        group.loop(0)
                .run(
                        () ->
                                host.receive(
                                        FILE,
                                        request,
                                        reply -> results.put(reply.id(), reply.result())));
        return id;
    }

    private void grow(long sizeBytes) {
        model = Arrays.copyOf(model, (int) Math.max(model.length, sizeBytes));
    }

    private void step(BrickHost host, Random random) {
        int unit = random.nextBoolean() ? 4096 : 1;
        int from = random.nextInt(REGION / unit) * unit;
        int most = Math.min(REGION - from, 40_000);
        int length = Math.max(1, random.nextInt(most / unit + 1) * unit);
        long offset = (long) random.nextInt(REGIONS) * REGION + from;
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> {
                byte[] data = new byte[length];
                random.nextBytes(data);
                send(host, new Request.Write(offset, Payload.of(data), false));
                grow(offset + length);
                System.arraycopy(data, 0, model, (int) offset, length);
            }
            case 3 -> {
                send(host, new Request.WriteZeroes(offset, length, random.nextBoolean(), false));
                grow(offset + length);
                Arrays.fill(model, (int) offset, (int) offset + length, (byte) 0);
            }
            case 4 -> {
                int size = random.nextInt(4) == 0 ? random.nextInt(REGIONS * REGION) : model.length;
                send(host, new Request.Resize(size));
                model = Arrays.copyOf(model, size);
            }
            case 5, 6 -> {
                BitSet regions = new BitSet();
                regions.set(random.nextInt(REGIONS));
                send(host, new Request.Clean(regions));
            }
            default -> read(host, offset, length);
        }
    }

    private void read(BrickHost host, long offset, int length) {
        byte[] expected = new byte[length];
        if (offset < model.length) {
            int there = (int) Math.min(length, model.length - offset);
            System.arraycopy(model, (int) offset, expected, 0, there);
        }
        reads.put(send(host, new Request.Read(offset, length)), expected);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void shouldReadWhatWasWrittenWhenRegionsAreBoundMeanwhile(long seed) {
        Random random = new Random(seed);
        group.await(BrickHost.format(below, group.loop(0), VOLUME, 0, Layout.ONE, LOG_BYTES));
        BrickHost host =
                group.await(BrickHost.open(below, group.loop(0), VOLUME, "boot", LOG_BYTES));
        send(host, new Request.Promise());
        group.runUntil(() -> results.size() == id);
        for (int step = 0; step < STEPS; step++) {
            step(host, random);
            if (!isBinding || random.nextInt(6) == 0) {
                // A gateway lets requests of a range wait for each other, but not for a bind.
                long sent = id;
                group.runUntil(() -> results.containsKey(sent));
            }
        }
        BitSet all = new BitSet();
        all.set(0, REGIONS);
        send(host, new Request.Clean(all));
        group.runUntil(() -> results.size() == id);
        for (int region = 0; region < REGIONS; region++) {
            read(host, (long) region * REGION, REGION);
        }
        group.runUntil(() -> results.size() == id);
        List<Long> wrong = new ArrayList<>();
        reads.forEach(
                (each, expected) -> {
                    if (!results.get(each).equals(new Reply.Data(Payload.of(expected)))) {
                        wrong.add(each);
                    }
                });
        assertThat(wrong).as("seed %d", seed).isEmpty();
    }
}
