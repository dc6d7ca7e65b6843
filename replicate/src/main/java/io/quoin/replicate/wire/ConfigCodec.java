package io.quoin.replicate.wire;

import io.quoin.replicate.Config;
import io.quoin.replicate.wire.message.Configuration;
import io.quoin.replicate.wire.message.Dirty;
import io.quoin.replicate.wire.message.Maps;
import io.quoin.replicate.wire.message.Member;
import java.util.BitSet;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Configurations and dirty maps on the wire.
 *
 * <p>Threading: immutable.
 */
final class ConfigCodec {
    /** More bricks than any layout has; it bounds what a short message can make of memory. */
    static final int BRICKS_MAX = 4;

    private ConfigCodec() {}

    static Configuration toMessage(Config config) {
        Configuration.Builder message =
                Configuration.newBuilder()
                        .setEpoch(config.epoch())
                        .setK(config.k())
                        .setClean(config.isClean());
        config.isr()
                .forEach(
                        (brick, cacheEpoch) ->
                                message.addIsr(
                                        Member.newBuilder()
                                                .setBrick(brick)
                                                .setCacheEpoch(cacheEpoch)));
        return message.build();
    }

    static Config fromMessage(Configuration message) {
        SortedMap<Integer, Long> isr = new TreeMap<>();
        for (Member member : message.getIsrList()) {
            isr.put(brick(member.getBrick()), member.getCacheEpoch());
        }
        return new Config(message.getEpoch(), message.getK(), isr, message.getClean());
    }

    static Maps toMessage(SortedMap<Integer, BitSet> dirty) {
        Maps.Builder message = Maps.newBuilder();
        dirty.forEach(
                (brick, regions) ->
                        message.addDirty(
                                Dirty.newBuilder()
                                        .setBrick(brick)
                                        .setRegions(RegionCodec.toMessage(regions))));
        return message.build();
    }

    static SortedMap<Integer, BitSet> fromMessage(Maps message) {
        SortedMap<Integer, BitSet> dirty = new TreeMap<>();
        if (message.getDirtyCount() > BRICKS_MAX) {
            throw new WireException(
                    "illegal maps: count="
                            + message.getDirtyCount()
                            + ", expected=at most "
                            + BRICKS_MAX);
        }
        for (Dirty one : message.getDirtyList()) {
            dirty.put(brick(one.getBrick()), RegionCodec.fromMessage(one.getRegions()));
        }
        return dirty;
    }

    static int brick(int number) {
        if (number < 0 || number >= BRICKS_MAX) {
            throw new WireException(
                    "illegal brick: number="
                            + Integer.toUnsignedString(number)
                            + ", expected=0 to "
                            + (BRICKS_MAX - 1));
        }
        return number;
    }
}
