package io.quoin.replicate;

import java.util.UUID;

/**
 * Which brick a cacheEpoch is of. The high bits of a cacheEpoch are drawn from the brick's id, the
 * low ones count: so the in-sync set names bricks, not places, and one formatted anew at the same
 * index is another.
 */
public final class Incarnation {
    private static final int COUNT_BITS = 24;

    private Incarnation() {}

    /** The cacheEpoch that a file begins with on the brick. */
    public static long firstCacheEpoch(UUID brick) {
        long bits = brick.getMostSignificantBits() ^ brick.getLeastSignificantBits();
        return firstCacheEpoch(bits ^ bits << COUNT_BITS);
    }

    /** As {@link #firstCacheEpoch(UUID)}; the high bits tell one brick from another. */
    static long firstCacheEpoch(long bits) {
        return (bits >>> COUNT_BITS << COUNT_BITS) + 1;
    }

    /** Whether both are of one brick. */
    static boolean isSame(long cacheEpoch, long other) {
        return cacheEpoch >>> COUNT_BITS == other >>> COUNT_BITS;
    }
}
