package io.quoin.qcow2.refcount;

/**
 * A refcount block that was made for clusters that had none.
 *
 * <p>Threading: immutable.
 *
 * @param blockIndex which of the refcount table
 * @param hostOffset where it is
 */
record RefcountBlock(long blockIndex, long hostOffset) {}
