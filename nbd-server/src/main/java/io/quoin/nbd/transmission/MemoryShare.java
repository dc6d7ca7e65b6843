package io.quoin.nbd.transmission;

import io.quoin.block.Invariant;

/**
 * What one connection uses of a pool of payload memory. The first {@link #OWN_BYTES} are its own;
 * what goes beyond comes out of the pool of all.
 *
 * <p>Threading: confined(loop); the pool is shared.
 */
final class MemoryShare {
    static final long OWN_BYTES = 512 << 10;

    private final MemoryPool pool;
    private final long bytesMax;
    private long chargedBytes;
    private long reservedBytes;

    MemoryShare(MemoryPool pool, long bytesMax) {
        this.pool = pool;
        this.bytesMax = bytesMax;
    }

    /** Whether this connection may use so much more; one that uses nothing always may. */
    boolean allows(long bytes) {
        return chargedBytes == 0 || chargedBytes + bytes <= bytesMax;
    }

    /** Charges the bytes unless the pool is used up. */
    boolean tryCharge(long bytes) {
        long missing = Math.max(0, chargedBytes + bytes - OWN_BYTES) - reservedBytes;
        if (missing > 0) {
            if (!pool.tryReserve(missing)) {
                return false;
            }
            reservedBytes += missing;
        }
        chargedBytes += bytes;
        return true;
    }

    /** Charges an answer that is there already, whatever is left. */
    void charge(long bytes) {
        chargedBytes += bytes;
        long missing = Math.max(0, chargedBytes - OWN_BYTES) - reservedBytes;
        if (missing > 0) {
            pool.reserve(missing);
            reservedBytes += missing;
        }
    }

    void uncharge(long bytes) {
        chargedBytes -= bytes;
        Invariant.check(chargedBytes >= 0, "memory given back more than once");
        long surplus = reservedBytes - Math.max(0, chargedBytes - OWN_BYTES);
        if (surplus > 0) {
            reservedBytes -= surplus;
            pool.release(surplus);
        }
    }

    /** Runs {@code waiter}, on any thread, when the pool may have that much. */
    void await(Runnable waiter, long bytes) {
        pool.await(waiter, Math.max(1, chargedBytes + bytes - OWN_BYTES - reservedBytes));
    }

    /** Whether it holds memory of the pool while others wait for some. */
    boolean isWantedByOthers() {
        return reservedBytes > 0 && pool.isAwaited();
    }

    long chargedBytes() {
        return chargedBytes;
    }
}
