package io.quoin.replicate;

/**
 * The space of a brick's file system.
 *
 * @param totalBytes of it
 * @param freeBytes that files may still take
 */
public record BrickSpace(long totalBytes, long freeBytes) {}
