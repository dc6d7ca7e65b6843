package io.quoin.nbd.transmission;

/**
 * The payload memory of the connections to one address. Half of it is for what clients send, half
 * for what they are sent: clients that don't take their answers leave the other half to writes,
 * which end whatever clients do.
 *
 * <p>Threading: thread-safe.
 */
public final class MemoryBudget {
    private final MemoryPool payloads;
    private final MemoryPool answers;

    public MemoryBudget(long bytes) {
        payloads = new MemoryPool(bytes / 2);
        answers = new MemoryPool(bytes / 2);
    }

    /** For the payloads of WRITEs. */
    MemoryPool payloads() {
        return payloads;
    }

    /** For data that is read, and answers that clients have not taken. */
    MemoryPool answers() {
        return answers;
    }
}
