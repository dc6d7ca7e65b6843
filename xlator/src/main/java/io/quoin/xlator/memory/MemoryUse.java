package io.quoin.xlator.memory;

/**
 * What memory of the process is used for. Each use has a share of its own, so that none can wait
 * for another: a full cache never stops a request, and a flood of requests never empties the cache.
 *
 * <p>Threading: immutable.
 */
public enum MemoryUse {
    /** Slices of L2 tables and refcount blocks. */
    CACHE("cache"),
    /** L1 tables and refcount tables, for as long as an image is open. */
    TABLES("tables"),
    /** Payload of NBD requests. */
    PAYLOAD("payload"),
    /** What is copied around writes, and checks. */
    WORK("work");

    /** The largest request must fit. */
    static final long PAYLOAD_BYTES_MIN = 64L << 20;

    private final String text;

    MemoryUse(String text) {
        this.text = text;
    }

    /** For status and messages. */
    public String text() {
        return text;
    }

    long share(long totalBytes) {
        long payload = Math.max(PAYLOAD_BYTES_MIN, totalBytes / 4);
        long rest = totalBytes - payload;
        return switch (this) {
            case PAYLOAD -> payload;
            case CACHE -> rest / 8 * 5;
            case TABLES -> rest / 4;
            case WORK -> rest / 8;
        };
    }
}
