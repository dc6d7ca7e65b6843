package io.quoin.qcow2.check;

/**
 * What a check may change.
 *
 * <p>Threading: immutable.
 */
public enum RepairMode {
    /** Nothing. */
    NONE,
    /** Lower refcounts of leaked clusters: always safe. */
    LEAKS,
    /**
     * Also raise or rebuild refcounts, correct COPIED flags and reserved bits, clear the dirty and
     * the corrupt bit.
     */
    ALL
}
