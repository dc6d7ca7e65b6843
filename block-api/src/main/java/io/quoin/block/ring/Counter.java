package io.quoin.block.ring;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A number that one thread counts up and others look at, without the price of an atomic addition.
 *
 * <p>Threading: written by the ring's owner, read by any thread.
 */
final class Counter {
    private final AtomicLong value = new AtomicLong();

    void add(long amount) {
        value.setRelease(value.getPlain() + amount);
    }

    void max(long candidate) {
        if (candidate > value.getPlain()) {
            value.setRelease(candidate);
        }
    }

    long get() {
        return value.getAcquire();
    }
}
