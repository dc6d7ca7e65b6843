package io.quoin.qcow2.flatten;

/**
 * How far a flatten is.
 *
 * <p>Threading: immutable.
 *
 * @param doneBytes of the disk that need the backing file no more, from its start on
 * @param totalBytes of the disk that the backing file reaches
 * @param copiedBytes that have got a place in the image
 * @param flat whether the image has no backing file any more, durably
 */
public record FlattenProgress(long doneBytes, long totalBytes, long copiedBytes, boolean flat) {}
