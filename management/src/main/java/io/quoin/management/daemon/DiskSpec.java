package io.quoin.management.daemon;

/**
 * A disk that shall be there: {@code NAME=SIZE}.
 *
 * @param name of the disk
 * @param sizeBytes of the disk
 *     <p>Threading: immutable.
 */
public record DiskSpec(String name, long sizeBytes) {}
