package io.quoin.qcow2.layout;

/**
 * What an L2 entry says about its guest cluster. With extended L2 the bitmap says it for each
 * subcluster, and only {@link #UNALLOCATED}, {@link #NORMAL} and {@link #COMPRESSED} come from the
 * descriptor.
 *
 * <p>Threading: immutable.
 */
public enum ClusterKind {
    /** Reads come from the backing file. */
    UNALLOCATED,
    /** Reads as zeros, no host cluster. */
    ZERO_PLAIN,
    /** Reads as zeros, a host cluster is kept for later. */
    ZERO_ALLOCATED,
    /** Data in a host cluster. */
    NORMAL,
    /** Compressed data, not aligned. */
    COMPRESSED
}
