package io.quoin.block;

/**
 * What a request does.
 *
 * <p>Threading: immutable.
 */
public enum IoOp {
    /** Fills the request's memory from the device. */
    READ(true, false),
    /** Stores the request's memory on the device. */
    WRITE(true, true),
    /** Makes the range read as zeros. */
    WRITE_ZEROES(false, true),
    /**
     * Gives the range back: it may read as anything stable afterwards; Quoin's own devices make it
     * read as zeros.
     */
    DISCARD(false, true),
    /** Makes every write that completed before this request was submitted durable. Has no range. */
    FLUSH(false, false),
    /** Reports what is allocated into the request's {@link ExtentList}. */
    BLOCK_STATUS(false, false),
    /** Asks for the range to be brought near. A hint. */
    CACHE(false, false);

    private final boolean hasMemory;
    private final boolean changesData;

    IoOp(boolean hasMemory, boolean changesData) {
        this.hasMemory = hasMemory;
        this.changesData = changesData;
    }

    /** Whether the request carries memory of exactly its length. */
    public boolean hasMemory() {
        return hasMemory;
    }

    /** Whether a read-only device refuses it. */
    public boolean changesData() {
        return changesData;
    }
}
