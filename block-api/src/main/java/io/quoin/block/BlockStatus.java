package io.quoin.block;

/**
 * What is known of an extent, as bits. The values are those of the NBD metadata context {@code
 * base:allocation}.
 *
 * <p>Threading: immutable.
 */
public final class BlockStatus {
    /** Allocated, content unknown. */
    public static final int DATA = 0;

    /** Nothing is allocated; a later write may run out of space. */
    public static final int HOLE = 1;

    /** Every byte reads as zero. */
    public static final int ZERO = 1 << 1;

    private BlockStatus() {}
}
