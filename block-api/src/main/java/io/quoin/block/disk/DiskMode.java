package io.quoin.block.disk;

/**
 * What a disk is opened for.
 *
 * <p>Threading: immutable.
 */
public enum DiskMode {
    READ_ONLY,
    READ_WRITE
}
