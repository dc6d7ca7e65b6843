package io.quoin.qcow2.check;

/**
 * What a check may change.
 *
 * <p>Threading: immutable.
 */
public enum RepairMode {
    /** Nothing. */
    NONE,
    /**
     * Lower refcounts of leaked clusters: always safe. Where every refcount is right then, also the
     * COPIED flags, and the dirty and the corrupt bit.
     */
    LEAKS,
    /**
     * Also raise or rebuild refcounts, correct COPIED flags and reserved bits, separate what shares
     * a cluster, complete the snapshot table.
     */
    ALL
}
