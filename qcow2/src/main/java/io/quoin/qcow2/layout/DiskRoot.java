package io.quoin.qcow2.layout;

/**
 * What the header says of the disk that guests see: its L1 table and its size.
 *
 * <p>Threading: immutable.
 *
 * @param l1Size entries of the active L1 table
 * @param l1TableOffset its host offset
 * @param sizeBytes the virtual size
 */
public record DiskRoot(int l1Size, long l1TableOffset, long sizeBytes) {}
