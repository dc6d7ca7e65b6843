package io.quoin.qcow2.diff;

/**
 * A run of guest bytes that may differ; bytes that are in no extent are equal.
 *
 * <p>Threading: immutable.
 *
 * @param start guest offset
 * @param length in bytes, more than 0
 * @param zero whether it reads as zeros in the newer state; else its bytes are read there
 */
public record DiffExtent(long start, long length, boolean zero) {}
