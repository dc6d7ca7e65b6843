package io.quoin.replicate.wire;

import io.quoin.replicate.Config;
import io.quoin.replicate.Payload;
import io.quoin.replicate.Reply;
import io.quoin.replicate.Request;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/** One of each operation and result, with random content. */
final class Samples {
    private final Random random;

    Samples(long seed) {
        random = new Random(seed);
    }

    List<Request.Operation> operations() {
        return List.of(
                new Request.Promise(),
                new Request.Configure(config()),
                new Request.Write(offset(), payload(), random.nextBoolean()),
                new Request.WriteZeroes(
                        offset(), 1 + random.nextInt(1 << 20), random.nextBoolean(), true),
                new Request.Read(offset(), 1 + random.nextInt(1 << 20)),
                new Request.Flush(),
                new Request.Clean(regions()),
                new Request.MapGet(),
                new Request.MapMerge(maps()),
                new Request.Confirm(),
                new Request.Resize(offset()));
    }

    List<Reply.Result> results() {
        return List.of(
                new Reply.Promised(config(), random.nextLong(), regions(), offset()),
                new Reply.Done(),
                new Reply.Data(payload()),
                new Reply.Maps(maps()),
                new Reply.Fenced(random.nextLong()),
                new Reply.NoSession(),
                new Reply.NoSpace(),
                new Reply.Corrupt());
    }

    Payload payload() {
        byte[] bytes = new byte[1 + random.nextInt(9000)];
        random.nextBytes(bytes);
        return Payload.of(bytes);
    }

    BitSet regions() {
        BitSet regions = new BitSet();
        int runs = random.nextInt(20);
        for (int i = 0; i < runs; i++) {
            int from = random.nextInt(1 << random.nextInt(21));
            regions.set(from, from + random.nextInt(1000));
        }
        return regions;
    }

    private long offset() {
        return random.nextLong() >>> (18 + random.nextInt(40));
    }

    private Config config() {
        SortedMap<Integer, Long> isr = new TreeMap<>();
        for (int brick = 0; brick < 3; brick++) {
            if (random.nextBoolean()) {
                isr.put(brick, random.nextLong());
            }
        }
        return new Config(random.nextLong(), random.nextLong(), isr, random.nextBoolean());
    }

    private SortedMap<Integer, BitSet> maps() {
        SortedMap<Integer, BitSet> maps = new TreeMap<>();
        for (int brick = 0; brick < 3; brick++) {
            maps.put(brick, regions());
        }
        return maps;
    }
}
