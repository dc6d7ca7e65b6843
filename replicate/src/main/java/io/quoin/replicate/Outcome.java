package io.quoin.replicate;

/** How a guest's operation ended. */
public enum Outcome {
    /** Done. */
    DONE,
    /** No brick had the space; the range has its old or its new bytes, the same on every brick. */
    NO_SPACE,
    /** Another gateway has the image; whether the operation was carried out is not known. */
    FENCED,
    /**
     * The gateway does not serve, or no copy could be read. Of a write it is not known whether it
     * was carried out.
     */
    FAILED
}
