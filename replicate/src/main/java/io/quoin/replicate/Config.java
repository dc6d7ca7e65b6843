package io.quoin.replicate;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A configuration of the replica set. ({@code epoch}, {@code k}) names exactly one.
 *
 * @param epoch of the gateway that proposed it
 * @param k its number within the epoch, from 1
 * @param isr the in-sync set: brick to the cacheEpoch it had when it was taken in, which names the
 *     brick too ({@link Incarnation})
 * @param isClean whether members are equal and durable, and no write has been issued since
 */
public record Config(long epoch, long k, SortedMap<Integer, Long> isr, boolean isClean) {
    /** What a brick has that has never been given any: it is new at its index. */
    static final Config NONE = new Config(-1, 0, new TreeMap<>(), false);

    /** Copies the map. */
    public Config {
        isr = Collections.unmodifiableSortedMap(new TreeMap<>(isr));
    }

    /** The order of configurations. */
    public boolean isNewerThan(Config other) {
        return epoch != other.epoch ? epoch > other.epoch : k > other.k;
    }

    /** Whether it is {@link #NONE}. */
    boolean isNone() {
        return epoch < 0;
    }

    /** The in-sync set, a bit for each brick. */
    int inSync() {
        int set = 0;
        for (int brick : isr.keySet()) {
            set |= 1 << brick;
        }
        return set;
    }

    /** What a new replica set has: every data brick in sync; their copies are empty. */
    public static Config initial(Layout layout) {
        SortedMap<Integer, Long> isr = new TreeMap<>();
        for (int brick = 0; brick < layout.dataBricks(); brick++) {
            isr.put(brick, 1L);
        }
        return new Config(0, 0, isr, true);
    }
}
