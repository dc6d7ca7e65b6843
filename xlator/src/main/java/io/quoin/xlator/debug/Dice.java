package io.quoin.xlator.debug;

import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chances drawn from a seed. A seed of 0 stands for one that is drawn, and logged so that a run can
 * be repeated.
 *
 * <p>Threading: thread-safe.
 */
final class Dice {
    private static final Logger LOG = LoggerFactory.getLogger(Dice.class);

    private final SplittableRandom random;

    Dice(String nodeName, long seed) {
        long used = seed != 0 ? seed : new SplittableRandom().nextLong(1, Integer.MAX_VALUE);
        if (seed == 0) {
            LOG.info("seed drawn: node={}, seed={}", nodeName, used);
        }
        random = new SplittableRandom(used);
    }

    /** {@code true} in {@code fraction} (0 to 1) of all calls. */
    synchronized boolean hits(double fraction) {
        return random.nextDouble() < fraction;
    }
}
