package io.quoin.replicate;

/** How a change of a brick's file ended. */
public enum StoreResult {
    /** Done. */
    OK,
    /** There is no space for it. The range has its old or its new bytes, in any mixture. */
    NO_SPACE,
    /** It failed, and writes that were not synced may be lost. */
    FAILED
}
