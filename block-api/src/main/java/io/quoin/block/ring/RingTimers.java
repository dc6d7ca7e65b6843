package io.quoin.block.ring;

/**
 * The timers of a ring's owner, for the limit of a {@link RingHold}: a loop's {@code schedule}, of
 * virtual time in simulations.
 */
@FunctionalInterface
public interface RingTimers {
    /**
     * Runs {@code task} on the owner once {@code delayNanos} have gone by. May be called on the
     * owner only. A task that has become needless does nothing, so none is cancelled.
     */
    void schedule(long delayNanos, Runnable task);
}
