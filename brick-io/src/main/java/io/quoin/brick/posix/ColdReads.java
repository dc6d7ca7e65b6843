package io.quoin.brick.posix;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Makes a warm test machine behave as one whose page cache is cold and whose disk is slow: reads
 * take the pool as if RWF_NOWAIT had said EAGAIN, and what is in the pools is delayed and overtakes
 * one another. What completes inline everywhere else then completes on a later turn of the loop.
 *
 * <p>Threading: immutable.
 */
final class ColdReads {
    /** Any test may run cold: {@code -Dquoin.cold-reads=N} is the default of the option. */
    static final String DEFAULT = System.getProperty("quoin.cold-reads", "0");

    private static final int DELAY_NANOS_MAX = 1_000_000;

    private final int oneIn;

    /**
     * @param oneIn one read in so many takes the pool; 0: only those that have to
     */
    ColdReads(int oneIn) {
        this.oneIn = oneIn;
    }

    boolean isOn() {
        return oneIn != 0;
    }

    /** Whether the next read is to take the pool. */
    boolean next() {
        return oneIn != 0 && ThreadLocalRandom.current().nextInt(oneIn) == 0;
    }

    /** Whether the next task in a pool is to be overtaken by the one behind it. */
    boolean overtakes() {
        return oneIn != 0 && ThreadLocalRandom.current().nextBoolean();
    }

    /** Makes the disk slow. */
    void delay() {
        if (oneIn != 0) {
            LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(DELAY_NANOS_MAX));
        }
    }
}
