package io.quoin.nbd.transmission;

import io.quoin.block.Invariant;

/**
 * What one connection uses of the payload memory: bytes of requests in flight, and of answers that
 * the client has not taken. The first {@link #OWN_BYTES} are its own; what goes beyond comes out of
 * the budget of all.
 *
 * <p>Threading: confined(loop); the budget is shared.
 */
final class MemoryShare {
    static final long OWN_BYTES = 1 << 20;

    private final MemoryBudget budget;
    private final long bytesMax;
    private long chargedBytes;
    private long reservedBytes;

    MemoryShare(MemoryBudget budget, long bytesMax) {
        this.budget = budget;
        this.bytesMax = bytesMax;
    }

    /** Whether this connection may use so much more; one that uses nothing always may. */
    boolean allows(long bytes) {
        return chargedBytes == 0 || chargedBytes + bytes <= bytesMax;
    }

    /** Charges the bytes unless the budget of all is used up. */
    boolean tryCharge(long bytes) {
        long missing = Math.max(0, chargedBytes + bytes - OWN_BYTES) - reservedBytes;
        if (missing > 0) {
            if (!budget.tryReserve(missing)) {
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
            budget.reserve(missing);
            reservedBytes += missing;
        }
    }

    void uncharge(long bytes) {
        chargedBytes -= bytes;
        Invariant.check(chargedBytes >= 0, "memory given back more than once");
        long surplus = reservedBytes - Math.max(0, chargedBytes - OWN_BYTES);
        if (surplus > 0) {
            reservedBytes -= surplus;
            budget.release(surplus);
        }
    }

    /** Runs {@code waiter}, on any thread, when the budget may have that much. */
    void await(Runnable waiter, long bytes) {
        budget.await(waiter, Math.max(1, chargedBytes + bytes - OWN_BYTES - reservedBytes));
    }

    long chargedBytes() {
        return chargedBytes;
    }
}
