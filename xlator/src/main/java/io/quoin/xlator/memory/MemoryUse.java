package io.quoin.xlator.memory;

/**
 * What memory of the process is used for. Each use has a share of its own, so that none can wait
 * for another: a full cache never stops a request, and a flood of requests never empties the cache.
 *
 * <p>Threading: immutable.
 */
public enum MemoryUse {
    /** Slices of L2 tables and refcount blocks. */
    CACHE("cache", 8),
    /** L1 tables, refcount tables and what else stays for as long as an image is open. */
    TABLES("tables", 2),
    /** Payload of NBD requests. */
    PAYLOAD("payload", 4),
    /** Copies around writes, compression, checks. */
    WORK("work", 2);

    private static final int PARTS = 16;

    private final String text;
    private final int parts;

    MemoryUse(String text, int parts) {
        this.text = text;
        this.parts = parts;
    }

    /** For status and messages. */
    public String text() {
        return text;
    }

    long share(long totalBytes) {
        return totalBytes / PARTS * (long) parts;
    }
}
