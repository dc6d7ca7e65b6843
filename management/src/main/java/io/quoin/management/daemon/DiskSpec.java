package io.quoin.management.daemon;

/**
 * A disk that shall be there: {@code NAME=SIZE}.
 *
 * <p>Threading: immutable.
 *
 * @param name of the disk
 * @param sizeBytes of the disk
 */
public record DiskSpec(String name, long sizeBytes) {}
